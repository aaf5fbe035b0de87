"""Copying a database: all of it, in either direction, verified, or nothing."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import func, insert, select, text, update

from services import demo_data
from storage import copying
from storage.copying import CannotBeHeld, CopyDiffers, NotAtHead, TargetNotEmpty
from storage.database import Database
from storage.sealing import Sealer
from storage.tables import metadata
from tests.factories import make_member, make_organisation

T = metadata.tables
WHEN = datetime(2026, 3, 4, 2, 0, 0, 123456, tzinfo=UTC)


@pytest.fixture
async def source(sqlite_template, tmp_path):
    """Yield a SQLite database of its own, to copy from."""
    path = tmp_path / "source.db"
    path.write_bytes(sqlite_template.read_bytes())
    database = Database(f"sqlite+aiosqlite:///{path}")
    yield database
    await database.close()


def quiet(_table: str, _done: int, _rows: int) -> None:
    """Show nothing."""


async def rows_of(database: Database) -> int:
    async with database.read() as session:
        return int((await session.execute(select(func.count()).select_from(T["member"]))).scalar_one())


async def odd_values(database: Database) -> None:
    """Write rows whose values are hard to carry over."""
    city = await make_organisation(database, name="市委 🚌 'quoted' \\ \"", name_en="")
    below = await make_organisation(database, parent=city)
    async with database.begin() as session:  # a child with a lower number than its parent
        await session.execute(
            update(T["organisation"]).where(T["organisation"].c.id == city).values(parent_id=below)
        )
    member = await make_member(database, home=city, name="𠮷野家‍\u200b")
    async with database.begin() as session:
        number = await account(session)
        await session.execute(
            insert(T["inbox"]).values(
                account_id=number,
                update_id=2**63 - 1,
                chat_id=-(2**52),
                raw=bytes(range(256)),
                state="waiting",
                attempts=0,
                error="",
                received_at=WHEN,
            )
        )
        await session.execute(
            insert(T["fsm"]).values(
                account_id=number, chat_id=-(2**52), user_id=member, state=None, data="{}", changed_at=WHEN
            )
        )


async def account(session) -> int:
    fields = {"name": "chat", "residency": "CN", "verifies_phones": True, "deep_link_template": ""}
    row = await session.execute(insert(T["account"]).values(fields).returning(T["account"].c.id))
    return int(row.scalar_one())


async def test_odd_values_come_over_and_new_rows_number_on(source: Database, database: Database):
    await odd_values(source)
    said = []
    copied = await copying.copy(source, database, lambda *progress: said.append(progress))
    assert {each.table for each in copied} == set(T)
    assert ("organisation", 2, 2) in said
    async with source.read() as before, database.read() as after:
        for name in ("organisation", "member", "membership", "fsm", "inbox", "meta"):
            wanted = select(T[name]).order_by(*T[name].primary_key.columns)
            assert (await after.execute(wanted)).all() == (await before.execute(wanted)).all()
    assert await make_organisation(database) == 3


@pytest.mark.slow
async def test_the_whole_demo_comes_over_and_back(source: Database, database: Database, tmp_path):
    await demo_data.load(source, clock=lambda: WHEN, sealer=Sealer({"test": bytes(32)}, "test"))
    over = await copying.copy(source, database, quiet)
    back = Database(f"sqlite+aiosqlite:///{tmp_path / 'back.db'}")
    assert await copying.copy(database, back, quiet) == over
    await back.close()
    assert sum(each.rows for each in over) > 1000


async def test_what_cannot_be_copied_leaves_the_target_as_it_was(
    source: Database, database: Database, monkeypatch
):
    await odd_values(source)
    monkeypatch.setattr(copying, "_look", lambda *_: _other())
    with pytest.raises(CopyDiffers, match="account"):
        await copying.copy(source, database, quiet)
    monkeypatch.undo()
    assert await rows_of(database) == 0
    if database.dialect == "postgresql":
        async with source.begin() as session:
            await session.execute(update(T["member"]).values(name="a\x00b"))
        with pytest.raises(CannotBeHeld, match="NUL"):
            await copying.copy(source, database, quiet)
        assert await rows_of(database) == 0


async def _other() -> tuple[int, int]:
    return 0, 1


async def test_only_an_empty_target_and_a_new_source_are_taken(source: Database, database: Database):
    await odd_values(source)
    await copying.copy(source, database, quiet)
    with pytest.raises(TargetNotEmpty):
        await copying.copy(source, database, quiet)
    async with source.begin() as session:
        await session.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    with pytest.raises(NotAtHead):
        await copying.copy(source, database, quiet)


async def test_one_changed_value_is_found(source: Database, database: Database):
    await odd_values(source)
    await copying.copy(source, database, quiet)
    async with database.begin() as session:
        await session.execute(update(T["member"]).values(mobile=~T["member"].c.mobile))
    async with source.read() as before, database.read() as after:
        table = T["member"]
        rows, checksum = await copying._look(before, table)
        assert (await copying._look(after, table))[0] == rows
        assert (await copying._look(after, table))[1] != checksum

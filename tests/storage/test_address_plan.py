"""How a chat is found: by the index of addresses, however many chats there are, on both databases."""

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import event, insert, text

from domain.accounts import Address
from storage import accounts, grants
from storage.database import Database
from tests.factories import T, make_account, make_organisation

CHATS = 20_000


@pytest.fixture
async def crowd(database: Database) -> None:
    """Link so many members that a database prefers an index."""
    account, home = await make_account(database), await make_organisation(database)
    rest = {"standing": "full", "status": "active", "mobile": False, "language": "zh_CN", "phone_hint": ""}
    members = [{"id": n, "name": f"成员{n}", "home_id": home, **rest} for n in range(1, CHATS + 1)]
    since = datetime(2026, 1, 1, tzinfo=UTC)
    links = [
        {"member_id": n, "account_id": account, "chat_id": n, "state": "active", "since": since}
        for n in range(1, CHATS + 1)
    ]
    async with database.begin() as session:
        await session.execute(insert(T["member"]), members)
        await session.execute(insert(T["account_link"]), links)
        await session.execute(text("ANALYZE"))


async def plans(database: Database, asked: str) -> str:
    """Return how the database does the statements that read links during a call named `asked`."""
    seen: list[tuple[str, object]] = []
    engine = database._reader.sync_engine
    hear = lambda *call: seen.append((call[2], call[3]))  # noqa: E731 - heard and forgotten
    event.listen(engine, "before_cursor_execute", hear)
    async with database.read() as session:
        if asked == "who":
            await grants.linked_at(session, [Address(1, 7), Address(1, 8)], date(2026, 3, 4))
        else:
            await accounts.link_at(session, Address(1, 7))
    event.remove(engine, "before_cursor_execute", hear)
    explain = "EXPLAIN QUERY PLAN" if database.dialect == "sqlite" else "EXPLAIN"
    lines: list[str] = []
    async with database.read() as session:
        connection = await session.connection()
        for statement, parameters in seen:
            rows = await connection.exec_driver_sql(f"{explain} {statement}", parameters)  # type: ignore[arg-type]
            lines.extend(" ".join(map(str, row)) for row in rows.all())
    return "\n".join(lines)


@pytest.mark.slow
@pytest.mark.parametrize("asked", ["who", "link"])
async def test_a_chat_is_found_by_its_address(database: Database, crowd: None, asked: str):
    plan = await plans(database, asked)
    assert "uq_account_link_address" in plan
    assert "SCAN account_link" not in plan
    assert "Seq Scan on account_link" not in plan

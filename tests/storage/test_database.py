"""The database: transactions, hooks after a commit, reading beside a writer."""

import asyncio

import pytest
from sqlalchemy import text, update
from sqlalchemy.exc import DBAPIError
from sqlmodel import select

from storage.database import Database, after_commit
from storage.tables import TopicRow


async def test_a_committed_row_is_read_back(database: Database):
    async with database.begin() as session:
        session.add(TopicRow(code="policy", name="政策"))
    async with database.read() as session:
        rows = (await session.exec(select(TopicRow))).all()
    assert [row.code for row in rows] == ["policy"]


async def test_a_rolled_back_transaction_leaves_nothing_and_runs_no_hook(database: Database):
    ran = []

    async def hook() -> None:
        ran.append(1)

    async def fail() -> None:
        async with database.begin() as session:
            session.add(TopicRow(code="policy", name="政策"))
            after_commit(session, hook)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()
    async with database.read() as session:
        assert (await session.exec(select(TopicRow))).all() == []
    assert ran == []


async def test_a_hook_runs_after_the_commit(database: Database):
    seen = []

    async def hook() -> None:
        async with database.read() as session:
            seen.extend((await session.exec(select(TopicRow.code))).all())

    async with database.begin() as session:
        session.add(TopicRow(code="policy", name="政策"))
        after_commit(session, hook)
    assert seen == ["policy"]


async def test_a_process_that_stops_in_a_transaction_does_not_hold_the_others_up(database_url, monkeypatch):
    """A stopped process, or a machine without power, keeps its connection and its locks."""
    if database_url.startswith("sqlite"):
        pytest.skip("one process writes")
    monkeypatch.setattr("storage.database.LONGEST_PAUSE", 0.2)
    stopped, other = Database(database_url), Database(database_url)
    await add(other, "first")
    with pytest.raises(DBAPIError):
        await stop_in_a_transaction(stopped, other)
    assert await names(stopped) == ["by another"]
    await stopped.close()
    await other.close()


async def stop_in_a_transaction(stopped: Database, other: Database) -> None:
    async with stopped.begin() as session:
        await session.execute(update(TopicRow).values(name="by the stopped"))
        await rename(other)
        await session.execute(update(TopicRow).values(name="by the stopped"))


async def rename(database: Database) -> None:
    async with asyncio.timeout(20), database.begin() as session:
        await session.execute(update(TopicRow).values(name="by another"))


async def add(database: Database, name: str) -> None:
    async with database.begin() as session:
        session.add(TopicRow(code="policy", name=name))


async def names(database: Database) -> list[str]:
    async with database.read() as session:
        return list((await session.execute(select(TopicRow.name))).scalars())


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_commit_is_on_the_disk_before_anything_is_done_on_it(database: Database):
    """Else a claim, or an update that was confirmed to its server, could be gone after a power cut."""
    async with database.begin() as session:
        full = (await session.execute(text("PRAGMA synchronous"))).scalar_one()
        journal = (await session.execute(text("PRAGMA journal_mode"))).scalar_one()
    assert (full, journal) == (2, "wal")

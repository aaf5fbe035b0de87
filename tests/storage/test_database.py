"""The database: transactions, hooks after a commit, reading beside a writer."""

import pytest
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

"""Live figures and a scrape read counters of slices: the table of deliveries is only looked into for who is in doubt."""

import re
from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import event, update

from bot import figures
from domain.delivery import Unknown
from storage import outcomes
from storage.database import Database
from tests.delivery_world import FakeChannel, T, build, run_all, settle, start

DELIVERY = re.compile(r"\bdelivery\b")


@contextmanager
def overheard(database: Database):
    """Collect the statements that are only read, with their parameters."""
    heard: list[tuple[str, object]] = []

    def listen(connection, cursor, statement, parameters, context, many):
        heard.append((statement, parameters))

    reader = database._reader.sync_engine
    event.listen(reader, "before_cursor_execute", listen)
    yield heard
    event.remove(reader, "before_cursor_execute", listen)


async def asked(database: Database, work) -> list[tuple[str, object]]:
    with overheard(database) as heard:
        await work()
    return heard


async def plan(database: Database, statement: str, parameters: object) -> str:
    """Return how the database goes about a statement if it can help walking a table."""
    async with database.read() as session:
        connection = await session.connection()
        if database.dialect == "sqlite":
            rows = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        else:
            await connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
            rows = await connection.exec_driver_sql(f"EXPLAIN {statement}", parameters)
        return "\n".join(str(row) for row in rows)


async def test_figures_read_slices_and_only_those_in_doubt_one_by_one(database: Database, clock):
    members = await settle(database, clock, 5)
    delivery = await build(database, clock, FakeChannel(lambda _: Unknown("lost")))
    dispatch = await start(delivery, database, members)

    async def both() -> None:
        await delivery.figures(dispatch)
        await figures.read(database, clock(), None)

    before = await asked(database, both)
    assert len(before) < 13
    assert not [statement for statement, _ in before if DELIVERY.search(statement)]
    await run_all(delivery, database)
    assert (await delivery.figures(dispatch)).unknown == 5
    after = await asked(database, both)
    [in_doubt] = [each for each in after if DELIVERY.search(each[0])]
    assert "ix_delivery_slice" in await plan(database, *in_doubt)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_slices_do_not_add_statements(database: Database, clock):
    members = await settle(database, clock, 2100)
    delivery = await build(database, clock, FakeChannel())
    few = await start(delivery, database, members[:1])
    many = await start(delivery, database, members)
    async with database.begin() as session:
        await session.execute(update(T["slice"]).values(sent=1))
    counts = [len(await asked(database, lambda d=d: delivery.figures(d))) for d in (few, many)]
    assert counts[0] == counts[1]
    assert (await delivery.figures(many)).sent == 3


async def test_a_scrape_does_not_walk_what_ended_long_ago(database: Database, clock):
    members = await settle(database, clock, 3)
    delivery = await build(database, clock, FakeChannel())
    old, _ = [await start(delivery, database, members) for _ in range(2)]
    async with database.begin() as session:
        await session.execute(update(T["slice"]).values(sent=3, done=True))
        await outcomes.finish(session, clock())
        long_ago = {"finished_at": clock() - timedelta(days=8)}
        await session.execute(update(T["dispatch"]).where(T["dispatch"].c.id == old).values(long_ago))
    scraped = await asked(database, lambda: figures.read(database, clock(), None))
    assert b'tongdao_deliveries{outcome="sent"} 3.0' in await figures.read(database, clock(), None)
    [summed] = [each for each in scraped if "slice.unreachable" in each[0]]
    steps = await plan(database, *summed)
    assert "SCAN slice" not in steps
    assert "Seq Scan on slice" not in steps

"""The driver's cursors: the same rows and figures as plain SQLite, however long the result."""

import pytest
from sqlalchemy import insert, select, text, update
from sqlalchemy.exc import IntegrityError

from storage.database import Database
from storage.sqlite_driver import AT_ONCE
from storage.tables import metadata

meta = metadata.tables["meta"]
ROWS = 2 * AT_ONCE + 7


async def fill(database: Database) -> None:
    async with database.begin() as session:
        rows = [{"name": f"k{n:05}", "value": str(n)} for n in range(ROWS)]
        await session.execute(insert(meta), rows)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_long_results_come_whole_and_streams_in_parts(database: Database):
    await fill(database)
    ours = select(meta.c.name, meta.c.value).where(meta.c.name.like("k%")).order_by(meta.c.name)
    async with database.read() as session:
        whole = (await session.execute(ours)).all()
        stream = await session.stream(ours.execution_options(yield_per=300))
        streamed = [row async for row in stream]
        first = (await session.stream(ours)).partitions(10)
        assert len(await anext(first)) == 10
    assert [int(row.value) for row in whole] == list(range(ROWS)) == [int(row.value) for row in streamed]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_changes_say_how_many_rows_they_met_and_errors_stay_errors(database: Database):
    await fill(database)
    async with database.begin() as session:
        changed = await session.execute(update(meta).where(meta.c.name.like("k%")).values(value="x"))
        assert changed.rowcount == ROWS
        returned = await session.execute(
            update(meta).where(meta.c.name.like("k0000%")).values(value="y").returning(meta.c.name)
        )
        assert len(returned.all()) == 10
        assert (await session.execute(text("SELECT 1 WHERE 0"))).first() is None
    with pytest.raises(IntegrityError):
        async with database.begin() as session:
            await session.execute(insert(meta).values(name="k00001", value="again"))
    async with database.read() as session:
        assert (await session.execute(text("SELECT value FROM meta WHERE name = 'k00001'"))).scalar() == "y"

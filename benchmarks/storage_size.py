"""What deliveries leave on the disk: bytes, dead rows and write-ahead log, in the life of three notices.

Each delivery is written, claimed and recorded in groups of a hundred by the engine's own statements, and on PostgreSQL
each notice is followed by a vacuum, so that the next one finds its room again: the third says what a year of them adds.
The last lines show what was chosen against: with the state in an index, or pages that are filled, each update writes
to every index (docs/decisions/updates-touch-no-index.md).
"""

import asyncio
from dataclasses import dataclass

from sqlalchemy import text

from benchmarks import life
from benchmarks.common import run, show
from benchmarks.worker import filled
from storage.database import Database

MEMBERS, GROUP, NOTICES = 20_000, 100, 3
SETTLED = 2.0
VARIANTS = {
    "PostgreSQL": (),
    "PostgreSQL, pages filled to 70 %": ("ALTER TABLE delivery SET (fillfactor = 70)",),
    "PostgreSQL, pages filled, the state in the index (until 0027)": (
        "ALTER TABLE delivery RESET (fillfactor)",
        "DROP INDEX ix_delivery_slice",
        "CREATE INDEX ix_delivery_slice ON delivery (slice_id, state, id)",
    ),
}


@dataclass(frozen=True, slots=True)
class Left:
    """Bytes a delivery: in the table, its indexes and the log; and the share of updates that touched no index."""

    table: float
    indexes: float
    before: float = 0.0
    log: float = 0.0
    dead: float = 0.0
    hot: float = 0.0


async def main() -> None:
    found = {"SQLite": await _sqlite()}
    for name, changes in VARIANTS.items():
        found[name] = await _postgresql(changes)
    show(
        f"Bytes of a delivery, of notices to {MEMBERS:,}",
        (
            "",
            "table",
            "indexes",
            "together",
            "before a vacuum",
            "log",
            "dead rows",
            "updates that touch no index",
        ),
        [(name, *_cells(left)) for name, left in found.items()],
        note=(
            "Table and indexes: what the third notice adds, the room that vacuum gave back being filled first. Before "
            "a vacuum: the first notice as its last outcome was recorded. Log: what a replica or an archive receives."
        ),
    )


async def _sqlite() -> Left:
    async with filled("sqlite", "storage_size", MEMBERS, rate=25) as database:
        sizes = []
        for number in range(NOTICES):
            dispatch = await life.write(database) if number else 1
            await life.live(database, dispatch, group=GROUP, batch=GROUP)
            sizes.append(await _pages(database))
    return Left(*(_each(*pair) for pair in zip(sizes[-2], sizes[-1], strict=True)))


async def _pages(database: Database) -> tuple[int, int]:
    """Return the bytes of all pages of deliveries, and of their indexes."""
    wanted = text("""
        SELECT sum(CASE WHEN name = 'delivery' THEN pgsize END), sum(CASE WHEN name <> 'delivery' THEN pgsize END)
        FROM dbstat JOIN sqlite_master USING (name) WHERE tbl_name = 'delivery'""")
    async with database.read() as session:
        table, indexes = (await session.execute(wanted)).one()
    return table, indexes


async def _postgresql(changes: tuple[str, ...]) -> Left:
    async with filled("postgresql", "storage_size", MEMBERS, rate=25) as database:
        await _say(database, "TRUNCATE dispatch CASCADE", *changes)
        await _say(database, "ALTER TABLE delivery SET (autovacuum_enabled = off)")
        table, indexes, log, hot, loose, dead = [], [], 0.0, 0.0, 0.0, 0
        for number in range(NOTICES):
            before = await _ask(database, "SELECT pg_current_wal_lsn() - '0/0'::pg_lsn")
            await life.live(database, await life.write(database), group=GROUP, batch=GROUP)
            log = _each(before, await _ask(database, "SELECT pg_current_wal_lsn() - '0/0'::pg_lsn"))
            if not number:
                loose = await _ask(database, "SELECT pg_total_relation_size('delivery')") / MEMBERS
                hot, dead = await _updates(database)
            await _vacuum(database)
            table.append(await _ask(database, "SELECT pg_relation_size('delivery')"))
            indexes.append(await _ask(database, "SELECT pg_indexes_size('delivery')"))
    return Left(_each(*table[-2:]), _each(*indexes[-2:]), loose, log, dead / MEMBERS, hot)


async def _updates(database: Database) -> tuple[float, int]:
    """Return the share of updates that touched no index, and the dead rows."""
    await asyncio.sleep(SETTLED)  # a connection tells its figures a moment after its transaction
    counted = (
        "SELECT n_tup_hot_upd, n_tup_upd, n_dead_tup FROM pg_stat_user_tables WHERE relname = 'delivery'"
    )
    async with database.read() as session:
        hot, all_, dead = (await session.execute(text(counted))).one()
    return hot / all_, dead


async def _vacuum(database: Database) -> None:
    async with database.engine.connect() as connection:
        alone = await connection.execution_options(isolation_level="AUTOCOMMIT")
        await alone.execute(text("VACUUM ANALYZE delivery"))


async def _say(database: Database, *statements: str) -> None:
    async with database.begin() as session:
        for statement in statements:
            await session.execute(text(statement))


async def _ask(database: Database, question: str) -> int:
    async with database.read() as session:
        return int((await session.execute(text(question))).scalar_one())


def _each(before: int, after: int) -> float:
    return (after - before) / MEMBERS


def _cells(left: Left) -> list[str]:
    sizes = (left.table, left.indexes, left.table + left.indexes, left.before, left.log)
    shown = [f"{size:,.0f}" if size else "" for size in sizes]
    return [*shown, *([f"{left.dead:.1f}", f"{left.hot:.0%}"] if left.log else ["", ""])]


if __name__ == "__main__":
    run(main)

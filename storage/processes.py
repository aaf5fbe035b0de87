"""Heartbeats of the processes: written by each, read by the doctor and by what must not run beside them."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, delete, or_, select, text
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.exc import DBAPIError
from sqlmodel.ext.asyncio.session import AsyncSession

from domain.clock import Clock
from domain.processes import KEPT, Process
from storage.database import Database
from storage.tables import metadata

process = metadata.tables["process"]
LOOKS = 5


async def begin(session: AsyncSession, this: Process) -> None:
    """Say that a process begins; who was at its place before, and who is long gone, is forgotten."""
    before = and_(process.c.host == this.host, process.c.address == this.address)
    gone = process.c.beat_at < this.beat_at - KEPT
    await session.execute(delete(process).where(or_(before, gone)))
    await beat(session, this)


async def beat(session: AsyncSession, this: Process) -> None:
    """Say that a process is there."""
    insert: Any = sqlite_insert if session.get_bind().dialect.name == "sqlite" else postgresql_insert
    said = {"beat_at": this.beat_at, "tick_lag": this.tick_lag, "problems": this.problems}
    whole = {"name": this.name, "roles": ",".join(this.roles), "host": this.host, "address": this.address}
    put = insert(process).values(**whole, since=this.since, **said)
    await session.execute(put.on_conflict_do_update(index_elements=["name"], set_=said))


async def end(session: AsyncSession, name: str) -> None:
    """Say that a process ends as it should."""
    await session.execute(delete(process).where(process.c.name == name))


async def read_all(session: AsyncSession) -> list[Process]:
    """Return all that have not ended as they should, the oldest first."""
    rows = (await session.execute(select(process).order_by(process.c.since, process.c.name))).all()
    return [
        Process(
            name=row.name,
            roles=tuple(row.roles.split(",")),
            host=row.host,
            address=row.address,
            since=row.since,
            beat_at=row.beat_at,
            tick_lag=row.tick_lag,
            problems=row.problems,
        )
        for row in rows
    ]


async def seen(database: Database) -> list[Process]:
    """Return the same; a schema older than heartbeats has none."""
    try:
        async with database.read() as session:
            return await read_all(session)
    except DBAPIError:
        return []


async def clock_offset(session: AsyncSession, clock: Clock) -> float | None:
    """Return by how many seconds the clock of PostgreSQL is ahead of ours; `None` on SQLite, which has ours.

    Of a few looks the quickest counts, since the answer's way is in each.
    """
    if session.get_bind().dialect.name == "sqlite":
        return None
    looks: list[tuple[timedelta, timedelta]] = []
    for _ in range(LOOKS):
        before = clock()
        theirs: datetime = (await session.execute(_CLOCK)).scalar_one()
        after = clock()
        looks.append((after - before, theirs - (before + (after - before) / 2)))
    return min(looks)[1].total_seconds()


_CLOCK = text("SELECT clock_timestamp()")

"""What the steps of a delivery cost PostgreSQL itself: CPU of all its processes, and write-ahead log.

Each step is done again and again by the engine's own statements, in small groups and in large ones: what a statement
costs however few rows it has decides how many accounts a database carries, since at 30/s a group is six messages.
docs/scaling.md reckons with these figures.
"""

import asyncio
import os
import time
import uuid
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import asyncpg
from pgqueuer.adapters.drivers.asyncpg import AsyncpgPoolDriver
from pgqueuer.adapters.persistence.queries import Queries
from pgqueuer.domain.types import QueueEntrypoint, QueueManagerId
from pgqueuer.ports.repository import EntrypointExecutionParameter
from sqlalchemy import text

from benchmarks import life
from benchmarks.common import run, show
from benchmarks.report import FOLDER
from benchmarks.worker import filled
from domain.delivery import Lane
from domain.pace import PaceKind
from scheduler.jobs import BATCH, HEARTBEAT, Engine
from services.delivery import PLACES, SLICE_JOB, Delivery
from storage import pace, shares
from storage.database import Database
from storage.deliveries import Claim, OpenSlice
from storage.materialise import SLICE_SIZE
from tests.delivery_world import ACCOUNT

MEMBERS = 200_000
FEW, MANY = 6, 200
SLICES = {FEW: 8, MANY: 40}
"""So many slices are claimed and recorded in groups of each size."""
SPREAD = 6
"""Slices whose outcomes a worker of many accounts writes together, one of each."""
TIMES = 2000
BEHIND = 20_000
"""Changes of a pace row since somebody began to read who is not yet done."""
FAST = 1e6
SLICE = QueueEntrypoint(SLICE_JOB[Lane.NORMAL])
IN_HAND = 800
"""Jobs in the hands of workers: of each of 200 accounts four slices (`services.delivery`)."""
LOOKS, TICKS = 1000, 10
SETTLED = 1.0
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
Step = Callable[[], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one step: microseconds of CPU in PostgreSQL, milliseconds until it is done, bytes of log."""

    step: str
    cpu: float
    wall: float
    log: float


async def main() -> None:
    async with filled("postgresql", "database_cost", MEMBERS, rate=FAST) as database:
        await settle(database)
        measure = Measure(database)
        numbers = iter(await life.slices(database, 1))
        costs = [await measure.many("reservation", [lambda: _reserve(database)] * TIMES)]
        costs.append(await _behind(measure, database))
        for size, slices in SLICES.items():
            costs += await _deliveries(measure, database, [next(numbers) for _ in range(slices)], size)
        costs.append(await _spread(measure, database, [next(numbers) for _ in range(SPREAD)]))
        costs += await _jobs(measure, database)
    show(
        "Steps of a delivery in PostgreSQL",
        ("", "us of CPU", "ms until it is done", "bytes of log"),
        [(each.step, f"{each.cpu:.0f}", f"{each.wall:.2f}", f"{each.log:.0f}") for each in costs],
        note=(
            "Each a transaction of its own. The log holds a page as a whole when it is first changed after a checkpoint. "
            f"The clock's tick looks at {MEMBERS // SLICE_SIZE:,} slices, of which almost none are done."
        ),
    )


async def settle(database: Database) -> None:
    """Let PostgreSQL come to rest after rows were written, as it does by itself within a minute or two.

    With it what earlier benchmarks left in other databases, or clearing that away would be counted here.
    """
    async with database.read() as session:
        found = await session.execute(text("SELECT datname FROM pg_database WHERE datallowconn"))
        names = found.scalars().all()
    for name in names:
        dsn = database.url.set(drivername="postgresql", database=name)
        connection = await asyncpg.connect(dsn.render_as_string(hide_password=False))
        await connection.execute("VACUUM ANALYZE")
        await connection.execute("CHECKPOINT")
        await connection.close()


class Measure:
    """Measures steps by what they use in PostgreSQL's processes."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._server = int((FOLDER / "postgresql/postmaster.pid").read_text().splitlines()[0])

    async def many(self, name: str, steps: Iterable[Step]) -> Cost:
        """Do all steps; return what one of them costs."""
        log, cpu, began, count = await self._log(), self.cpu(), time.perf_counter(), 0
        for step in steps:
            await step()
            count += 1
        wall = time.perf_counter() - began
        await asyncio.sleep(SETTLED)
        cpu, log = self.cpu() - cpu, await self._log() - log
        return Cost(name, cpu / count * 1e6, wall / count * 1e3, log / count)

    async def _log(self) -> int:
        wanted = text("SELECT pg_current_wal_lsn() - '0/0'::pg_lsn")
        async with self._database.read() as session:
            return int((await session.execute(wanted)).scalar_one())

    def cpu(self) -> float:
        """Return the seconds of CPU of the server and its processes, those that ended included."""
        ticks = 0
        for path in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = path.read_text().rpartition(") ")[2].split()
            except OSError:
                continue
            if int(path.parent.name) == self._server:
                ticks += sum(map(int, fields[11:15]))
            elif int(fields[1]) == self._server:
                ticks += sum(map(int, fields[11:13]))
        return ticks / TICKS_PER_SECOND


async def _reserve(database: Database) -> None:
    async with database.begin() as session:
        now, whose = life.clock(), (ACCOUNT, PaceKind.FREE, Lane.NORMAL)
        await pace.reserve(session, ACCOUNT, Lane.NORMAL, 1, now)
        await shares.grant(session, *whose, 1, 1, now)
        await shares.read(session, *whose, now)


async def _behind(measure: Measure, database: Database) -> Cost:
    """Measure a reservation while a long read keeps the earlier versions of the pace row from being cleared away."""
    async with database.engine.connect() as connection:
        reader = await connection.execution_options(isolation_level="REPEATABLE READ")
        await reader.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))  # ours end after 30 s
        await reader.execute(text("SELECT count(*) FROM pace"))
        for _ in range(BEHIND):
            await _reserve(database)
        return await measure.many(
            f"reservation, after {BEHIND:,} beside one long read", [lambda: _reserve(database)] * LOOKS
        )


async def _deliveries(measure: Measure, database: Database, slices: list[int], size: int) -> list[Cost]:
    """Claim and record all of some slices, in groups and batches of a size."""
    claimed: list[list[Claim]] = []

    async def claim(taken: OpenSlice) -> None:
        last = claimed[-1][-1].id if claimed and claimed[-1] else 0  # of an earlier slice they are all lower
        claimed.append(list(await life.claim(database, taken, size, last)))

    opened = [await life.open_slice(database, number) for number in slices]
    groups = [taken for taken in opened for _ in range(SLICE_SIZE // size)]
    claims = await measure.many(f"claim of {size}", (partial(claim, each) for each in groups))
    records = await measure.many(
        f"record of {size}", (partial(life.record, database, each) for each in claimed if each)
    )
    return [claims, records]


async def _spread(measure: Measure, database: Database, slices: list[int]) -> Cost:
    """Record one outcome of each of some slices together, again and again."""
    claims = [
        await life.claim(database, await life.open_slice(database, number), SLICE_SIZE) for number in slices
    ]
    batches = [partial(life.record, database, batch) for batch in zip(*claims, strict=True)]
    return await measure.many(f"record of {SPREAD}, each of another slice", batches)


async def _jobs(measure: Measure, database: Database) -> list[Cost]:
    """Measure the job engine's looks while all jobs are in others' hands, and the clock's tick."""
    engine = await Engine.for_database(database)
    delivery = Delivery(database=database, clock=life.clock, jobs=engine.jobs, channels={})
    dsn = database.url.set(drivername="postgresql").render_as_string(hide_password=False)
    async with asyncpg.create_pool(dsn, min_size=1, max_size=1) as pool:
        queries = Queries(AsyncpgPoolDriver(pool))
        await queries.enqueue([SLICE] * IN_HAND, [None] * IN_HAND, [0] * IN_HAND)
        busy, idle = QueueManagerId(uuid.uuid4()), QueueManagerId(uuid.uuid4())
        entrypoints = {SLICE: EntrypointExecutionParameter(concurrency_limit=0)}

        async def look(manager: QueueManagerId, size: int, most: int) -> None:
            await queries.dequeue(size, entrypoints, manager, most, HEARTBEAT)
            await queries.eligible_queued_work([SLICE])
            await queries.next_deferred_eta([SLICE])
            await queries.queued_work([SLICE])

        async def crowd() -> None:
            async with database.read() as session:
                await engine.jobs.waiting(session, [SLICE])

        await look(busy, IN_HAND, IN_HAND)
        costs = [
            await measure.many("look for a job", [lambda: look(idle, BATCH, PLACES[Lane.NORMAL])] * LOOKS),
            await measure.many("look who waits for a place", [crowd] * LOOKS),
        ]
        await queries.clear_queue()
    costs.append(await measure.many("tick of the clock", [delivery.tick] * TICKS))
    await engine.stop()
    return costs


if __name__ == "__main__":
    run(main)

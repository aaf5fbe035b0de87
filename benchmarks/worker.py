"""A worker process of the benchmarks: the real Delivery, job engine and channel on uvloop, nothing else.

    python -m benchmarks.worker DATABASE_URL ORIGIN TOKEN RATE CEILING [TICK]

Says "ready", begins at a line on its input, ends when no dispatch is running, and then says what it used as JSON.
`filled` gives a benchmark a database with a dispatch to run, `running_workers` any number of workers.
"""

import asyncio
import gc
import json
import os
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import structlog
import uvloop
from sqlalchemy import Table, func, insert, literal, select, true

from benchmarks.common import fresh
from benchmarks.fake_server import FakeServer
from bot.app import GC_THRESHOLD
from bot.channels.telegram import TelegramChannel
from domain.delivery import DispatchState
from scheduler.jobs import Engine
from services.delivery import Delivery, PaceLimits
from storage.database import Database, Session
from tests.delivery_world import ACCOUNT, FakeChannel, T, build, hello, settle

TICK = 2.0
LOOK = 0.25
NEVER = 1e9
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Used:
    """What a worker used from its start signal to its end: seconds, seconds of CPU, and MB at the peak."""

    seconds: float
    cpu: float
    before: float
    peak: float


class Worker:
    """A worker's process as a benchmark sees it."""

    def __init__(self, child: Process) -> None:
        self._child = child

    @property
    def pid(self) -> int:
        return self._child.pid

    def cpu(self) -> float:
        """Return the seconds of CPU that it has used."""
        user, system = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / TICKS_PER_SECOND

    def begin(self) -> None:
        assert self._child.stdin is not None
        self._child.stdin.write(b"\n")

    async def ended(self) -> Used:
        """Wait until it has nothing left to do."""
        assert self._child.stdout is not None
        said = await self._child.stdout.readline()
        if not said:
            raise RuntimeError("a worker died")
        return Used(**json.loads(said))


@asynccontextmanager
async def filled(engine: str, name: str, members: int, *, rate: float) -> AsyncIterator[Database]:
    """Yield a fresh database in which so many members wait for one message, and whose pace begins at `rate`."""
    async with fresh(engine, name) as database:
        await settle(database, clock, 1)
        async with database.begin() as session:
            for table, column in (("member", "id"), ("account_link", "member_id")):
                await _multiply(session, T[table], column, members)
        delivery = await build(database, clock, FakeChannel(), rate=rate)
        async with database.begin() as session:
            everybody = select(T["member"].c.id)
            await delivery.dispatch(session, source="notice", source_id=7, members=everybody)
        yield database


async def _multiply(session: Session, table: Table, column: str, count: int) -> None:
    """Write a table's one row again and again, with a number of its own each time."""
    numbers = select(literal(2).label("number")).where(literal(count) > 1).cte(recursive=True)
    numbers = numbers.union_all(select(numbers.c.number + 1).where(numbers.c.number < count))
    own = {column: numbers.c.number, "chat_id": numbers.c.number + 1000}
    names = [each.name for each in table.c if each.name not in {"id"} - {column}]
    rows = select(*(own.get(name, table.c[name]) for name in names)).select_from(numbers).join(table, true())
    await session.execute(insert(table).from_select(names, rows))


@asynccontextmanager
async def running_workers(
    database: Database, server: FakeServer, *, rate: float, ceiling: float, count: int = 1, clocks: int = 99
) -> AsyncIterator[list[Worker]]:
    """Start workers that are ready and wait for `begin`; the first `clocks` of them tick as a clock does."""
    url = database.url.render_as_string(hide_password=False)
    words = [url, server.origin, server.token, str(rate), str(ceiling)]
    children = [
        await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "benchmarks.worker", *words, str(TICK if number < clocks else NEVER)),
            stdin=PIPE,
            stdout=PIPE,
        )
        for number in range(count)
    ]
    try:
        for child in children:
            assert child.stdout is not None
            await child.stdout.readline()
        yield [Worker(child) for child in children]
    finally:
        for child in children:
            if child.returncode is None:
                child.terminate()
            await child.wait()


def clock() -> datetime:
    return datetime.now(UTC)


async def work(url: str, origin: str, token: str, rate: str, ceiling: str, tick: str = str(TICK)) -> None:
    database = Database(url)
    engine = await Engine.for_database(database)
    channel = TelegramChannel(token=token, base_url=origin, clock=clock, media_path=Path)
    delivery = Delivery(
        database=database,
        clock=clock,
        jobs=engine.jobs,
        channels={ACCOUNT: channel},
        limits={ACCOUNT: PaceLimits(float(rate), float(ceiling))},
    )
    delivery.sources["notice"] = hello
    delivery.serve(engine)
    gc.freeze()
    gc.set_threshold(GC_THRESHOLD)
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    began, cpu, before = time.perf_counter(), time.process_time(), status("self", "VmRSS")
    await delivery.boot()
    await engine.start()
    await _watch(database, delivery, float(tick))
    await delivery.stop()
    used = Used(time.perf_counter() - began, time.process_time() - cpu, before, status("self", "VmHWM"))
    print(json.dumps({name: getattr(used, name) for name in Used.__slots__}), flush=True)
    await engine.stop()
    await channel.close()
    await database.close()


async def _watch(database: Database, delivery: Delivery, tick: float) -> None:
    ticked = time.monotonic()
    while await _running(database):
        await asyncio.sleep(LOOK)
        if time.monotonic() > ticked + tick:
            await delivery.tick()
            ticked = time.monotonic()


async def _running(database: Database) -> int:
    dispatch = T["dispatch"]
    open_ones = select(func.count()).where(dispatch.c.state == DispatchState.RUNNING)
    async with database.read() as session:
        return (await session.execute(open_ones)).scalar_one()


def status(pid: int | str, what: str) -> float:
    """Return what Linux says of a process's memory, in MB: VmRSS now, VmHWM at its peak."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{what}:"))


if __name__ == "__main__":
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    uvloop.run(work(*sys.argv[1:]))

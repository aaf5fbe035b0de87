"""Fixtures for all tests: real databases (SQLite and PostgreSQL from its wheel) and a hand-moved clock."""

import asyncio
import gc
import os
import shutil
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import uvloop

from storage import schema
from storage.database import Database
from tests import engines, postgres


@pytest.hookimpl(tryfirst=True)  # before pytest chooses by markers
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        parameters = item.callspec.params if hasattr(item, "callspec") else {}
        if item.get_closest_marker("slow_on_postgresql") and "postgresql" in parameters.values():
            item.add_marker(pytest.mark.slow)


def pytest_collection_finish() -> None:
    """Let the garbage collector leave alone what was imported: it took a fifth of the suite's time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)  # models and mappers live on: to look at them all costs 13 %


def pytest_configure() -> None:
    if (memory := postgres.in_memory()) is not None:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", memory)  # a commit waits 1.6 ms for a disk
    gc.set_threshold(100_000, 50, 100)  # models and mappers live on: to look at them all costs 13 %
    engines.share()


def pytest_unconfigure() -> None:
    """Collect what is left twice; pytest does so five times over, and what lives then goes with the process."""
    gc.collect()
    gc.collect()
    gc.freeze()


def pytest_asyncio_loop_factories() -> dict[str, Any]:
    """Run on the loop that the bridge runs on."""
    return {"uvloop": uvloop.new_event_loop}


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
    """Start a PostgreSQL server for this test session; yields its socket folder."""
    with postgres.running() as server:
        yield server


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Migrate one SQLite file, which each test copies."""
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    asyncio.run(_migrate(f"sqlite+aiosqlite:///{path}"))
    return path


@pytest.fixture(scope="session")
def postgres_database(postgres_server: str) -> Iterator[postgres.Cleaned]:
    """Migrate a PostgreSQL database, and yield one like it that is cleaned after each test."""
    asyncio.run(postgres.execute(postgres_server, f"CREATE DATABASE {postgres.TEMPLATE}"))
    asyncio.run(_migrate(postgres.url_of(postgres_server, postgres.TEMPLATE)))
    database = postgres.Cleaned(postgres_server)
    yield database
    database.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Yield the URL of an empty migrated database; a test that asks for it runs on both engines."""
    if request.param == "sqlite":
        path = tmp_path / "tongdao.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite+aiosqlite:///{path}"
        return
    database = request.getfixturevalue("postgres_database")
    yield database.take()
    database.clean()


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """Yield an empty migrated database, closed after the test."""
    database = Database(database_url)
    yield database
    await database.close()


async def _migrate(url: str) -> None:
    database = Database(url)
    await schema.upgrade(database)
    await database.close()

"""Engines cheap enough for one a test: they share a dialect and its compiled SQL, and SQLite answers without a thread.

SQLAlchemy keeps compiled SQL by dialect, so that each test would compile each statement anew; and aiosqlite hands
every call to a thread and back, four times a statement. Here only what may wait for another connection, the
beginning of a write, goes to the thread; after any other call the loop has its turn, as it would have there.
"""

import asyncio
from functools import partial
from typing import Any

import aiosqlite
from sqlalchemy import make_url
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

import storage.database

_first: dict[str, Engine] = {}
_initialised: set[str] = set()
_in_the_thread = aiosqlite.Connection._execute


def share() -> None:
    """Let every `Database` of this process be made of such engines."""
    storage.database.create_async_engine = _create
    aiosqlite.Connection._execute = _execute


def _create(url: Any, **options: Any) -> AsyncEngine:
    kind = make_url(url).get_backend_name()
    if kind == "sqlite":
        options["connect_args"] = {**options["connect_args"], "check_same_thread": False}
    made = create_async_engine(url, **options)
    engine = made.sync_engine
    first = _first.setdefault(kind, engine)
    engine.dialect.initialize = partial(_initialise, kind, first.dialect, first.dialect.initialize)
    engine.dialect = engine.pool._dialect = first.dialect
    engine._compiled_cache = first._compiled_cache
    return made


def _initialise(kind: str, dialect: Any, initialise: Any, connection: Connection) -> None:
    """Ask a server once a process what it can do."""
    if kind not in _initialised:
        initialise(connection)
        _initialised.add(kind)


async def _execute(self: aiosqlite.Connection, do: Any, *given: Any, **named: Any) -> Any:
    if self._connection is None or (given and isinstance(given[0], str) and given[0].startswith("BEGIN")):
        return await _in_the_thread(self, do, *given, **named)
    try:
        return do(*given, **named)
    finally:
        await asyncio.sleep(0)

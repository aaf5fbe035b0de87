"""Engines cheap enough for one a test: they share a dialect and its compiled SQL, and SQLite answers without a thread.

SQLAlchemy keeps compiled SQL by dialect, so that each test would compile each statement anew; and aiosqlite starts
a thread a connection, and hands every call to it and back. Here the thread is started only for what has to wait for
another connection, the beginning of a write; after any other call the loop has its turn, as it would have there.
"""

import sqlite3
import weakref
from collections.abc import Callable, Generator
from functools import partial
from typing import Any

import aiosqlite
from aiosqlite.core import set_exception, set_result
from sqlalchemy import make_url
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

import storage.database

_first: dict[str, Engine] = {}
_initialised: set[str] = set()


def share() -> None:
    """Let every `Database` of this process be made of such engines."""
    storage.database.create_async_engine = _create
    aiosqlite.Connection.__await__ = _connect


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


def _connect(self: aiosqlite.Connection) -> Generator[Any, None, aiosqlite.Connection]:
    self._tx = _AtOnce(self)
    return self._connect().__await__()


class _AtOnce:
    """Takes what a connection asks of its thread, and does it; once something has to wait, it all goes to the thread."""

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self._of = weakref.proxy(connection)
        self._queue, self._thread = connection._tx, connection._thread

    def put_nowait(self, asked: tuple[Any, Callable[[], Any]]) -> None:
        if self._thread.ident is None:
            if self._is_done(*asked):
                return
            self._thread.start()
        self._queue.put_nowait(asked)

    def _is_done(self, future: Any, do: Callable[[], Any]) -> bool:
        begins = isinstance(do, partial) and do.args and str(do.args[0]).startswith("BEGIN")
        try:
            result = _if_free(self._of._conn, do) if begins else do()
        except Exception as error:
            if begins and getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY:
                return False
            future.get_loop().call_soon(set_exception, future, error)
        else:
            if future is not None:
                future.get_loop().call_soon(set_result, future, result)
        return True


def _if_free(connection: sqlite3.Connection, begin: Callable[[], Any]) -> Any:
    """Begin, or refuse at once where another connection writes."""
    ((patience,),) = connection.execute("PRAGMA busy_timeout")
    connection.execute("PRAGMA busy_timeout = 0")
    try:
        return begin()
    finally:
        connection.execute(f"PRAGMA busy_timeout = {patience}")

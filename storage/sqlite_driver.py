"""aiosqlite with one trip to its thread a statement, where SQLAlchemy's adapter makes four.

A trip costs two thread switches, more than most of our statements: cursor, execute, fetch and close go together.
"""

import sqlite3
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, Self

import aiosqlite

AT_ONCE = 1000
"""Rows that come along with the execution; a longer result is read on, so that streaming one stays flat."""
Row = Any


class Connection(aiosqlite.Connection):
    """An aiosqlite connection whose cursors read ahead."""

    @property
    def raw(self) -> sqlite3.Connection:
        """The driver's connection, for its own thread only."""
        return self._conn

    def be_daemon(self) -> None:
        """Let the thread end with the process."""
        self._thread.daemon = True

    async def trip(self, do: Callable[..., None], *given: Any) -> None:
        """Do something in the connection's thread."""
        await self._execute(do, *given)  # type: ignore[no-untyped-call]

    def cursor(self) -> "Cursor":  # type: ignore[override]  # the adapter only enters it
        return Cursor(self)

    async def rollback(self) -> None:
        """Roll back if there is something to; SQLAlchemy asks at the end of each reading."""
        if self._conn.in_transaction:
            await super().rollback()


class Cursor:
    """What SQLAlchemy's adapter asks of a cursor; all but `execute` answers without a trip, as a rule."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._cursor: sqlite3.Cursor | None = None
        self._rows: deque[Row] = deque()
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None
        self.arraysize = 1

    async def __aenter__(self) -> Self:
        return self

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Row:
        row = await self.fetchone()
        if row is None:
            raise StopAsyncIteration
        return row

    async def execute(self, sql: str, parameters: Sequence[Any] = ()) -> "Cursor":
        await self._connection.trip(self._run, sql, parameters)
        return self

    async def executemany(self, sql: str, parameters: Iterable[Sequence[Any]]) -> "Cursor":
        await self._connection.trip(self._run_many, sql, parameters)
        return self

    async def fetchone(self) -> Row | None:
        rows = await self.fetchmany(1)
        return rows[0] if rows else None

    async def fetchmany(self, size: int | None = None) -> list[Row]:
        wanted = self.arraysize if size is None else size
        while len(self._rows) < wanted and self._cursor is not None:
            await self._connection.trip(self._read)
        return [self._rows.popleft() for _ in range(min(wanted, len(self._rows)))]

    async def fetchall(self) -> list[Row]:
        if self._cursor is not None:
            await self._connection.trip(self._read_all)
        rows, self._rows = list(self._rows), deque()
        return rows

    async def close(self) -> None:
        if self._cursor is not None:
            await self._connection.trip(self._end)

    def _run(self, sql: str, parameters: Sequence[Any]) -> None:
        cursor = self._cursor = self._connection.raw.execute(sql, parameters)
        self.description, self.lastrowid = cursor.description, cursor.lastrowid
        if cursor.description is None:
            self._end()
        else:
            self._read()

    def _run_many(self, sql: str, parameters: Iterable[Sequence[Any]]) -> None:
        self._cursor = self._connection.raw.executemany(sql, parameters)
        self._end()

    def _read_all(self) -> None:
        self._read(everything=True)

    def _read(self, *, everything: bool = False) -> None:
        if self._cursor is None:
            return
        rows = self._cursor.fetchall() if everything else self._cursor.fetchmany(AT_ONCE)
        self._rows.extend(rows)
        if everything or len(rows) < AT_ONCE:
            self._end()

    def _end(self) -> None:
        if self._cursor is not None:
            self.rowcount = self._cursor.rowcount
            self._cursor.close()
            self._cursor = None


def connect(database: str, **options: Any) -> Connection:
    """Make a connection for SQLAlchemy's `async_creator_fn`, as its own would be made."""
    connection = Connection(partial(sqlite3.connect, database, **options), iter_chunk_size=AT_ONCE)
    connection.be_daemon()
    return connection

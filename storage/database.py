"""The database: one engine a process, transactions as context managers, one writer on SQLite.

SQLite: one writing connection (a pool of one: measured 10-30 times the writes of a pool of ten, and no
"database is locked"), WAL, and a few query-only connections for `read()`. Never open a second `begin()`
inside a transaction: it would wait for itself.
PostgreSQL: a fixed pool without overflow. A transaction whose process says nothing more (it is stopped, its machine
is gone) is ended by the server, or all others would wait for its locks, for hours.
An error names no values (`hide_parameters`): they would stand in the log.
"""

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any, NamedTuple

import asyncpg
import sqlalchemy.ext.asyncio
import sqlalchemy.orm
import sqlmodel
from sqlalchemy import Executable, event, make_url, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlmodel.ext.asyncio.session import AsyncSession

from storage import sqlite_driver

Hook = Callable[[], Awaitable[None]]
OnEnd = Callable[[float, bool], None]
"""Is told how long a transaction took, from asking for a connection, and whether it was committed."""
AFTER_COMMIT = "after_commit"
EFFECTS = "effects"
LONGEST_PAUSE = 30.0
"""Seconds that a transaction on PostgreSQL may do nothing."""
LONGEST_KEPT = 1800
"""Seconds after which a connection to PostgreSQL is made anew: one that lay idle for long may be dead, unnoticed."""
READING_CACHE, WRITING_CACHE = 65_536, 16_384
"""KB of SQLite's pages that a connection keeps. The writer fills its own in the course of a large notice,
and gains nothing by more: what it writes lies together.
"""


class Effect(NamedTuple):
    """What a transaction writes besides; `note` is called once with all that the transaction is `about`."""

    note: "Callable[[Session, Sequence[Any]], Awaitable[None]]"
    about: Any


with_each_change: ContextVar[Effect | None] = ContextVar("with_each_change", default=None)
"""What is written in every transaction of this context besides: the inbox notes there that an update took effect."""


class DatabaseAway(Exception):  # noqa: N818 - a fact
    """The database does not answer."""


class _CoreSession(sqlmodel.Session):
    execute = sqlalchemy.orm.Session.execute


class Session(AsyncSession):
    """A transaction. Services hand it on and do not look inside.

    Core statements go to the connection itself: the way through the ORM's session costs them a fifth more.
    SQLModel deprecates `execute` in favour of `exec`, which wraps its own kind of select; ours are Core.
    """

    sync_session_class = _CoreSession

    def __init__(self, connection: AsyncConnection) -> None:
        super().__init__(connection, expire_on_commit=False)
        self._connection = connection

    async def execute(self, statement: Executable, params: Any = None, **more: Any) -> Any:
        return await self._connection.execute(statement, params, **more)


class Database:
    """Open it with a SQLAlchemy async URL: ``sqlite+aiosqlite:///…`` or ``postgresql+asyncpg://…``."""

    def __init__(self, url: str, *, pool_size: int = 10) -> None:
        self.on_end: OnEnd | None = None
        self.url = make_url(url)
        self.dialect = self.url.get_backend_name()
        if self.dialect == "sqlite":
            self._writer = _sqlite_engine(url, pool_size=1, query_only=False)
            self._reader = _sqlite_engine(url, pool_size=4, query_only=True)
        else:
            settings = {"idle_in_transaction_session_timeout": f"{LONGEST_PAUSE * 1000:.0f}"}
            self._writer = create_async_engine(
                url,
                pool_size=pool_size,
                max_overflow=0,
                pool_use_lifo=True,  # the few that are needed have their plans; taken in turn, each plans anew
                pool_recycle=LONGEST_KEPT,
                pool_pre_ping=False,
                hide_parameters=True,
                connect_args={"server_settings": settings},
            )
            self._reader = self._writer

    @property
    def engine(self) -> AsyncEngine:
        """The writing engine: for migrations and for the asyncpg pool beside it."""
        return self._writer

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Session]:
        """One transaction: committed at the end, rolled back on an error; then its after-commit hooks run."""
        began, committed = time.perf_counter(), False
        try:
            async with self._writer.connect() as connection, connection.begin():
                session = Session(connection)
                yield session
                await _note_effects(session)
                if session.new or session.dirty or session.deleted:
                    await session.flush()
            committed = True
        finally:
            if self.on_end is not None:
                self.on_end(time.perf_counter() - began, committed)
        for hook in session.info.pop(AFTER_COMMIT, ()):
            await hook()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Session]:
        """Open a session that only reads; on SQLite it never waits for the writer."""
        async with self._reader.connect() as connection:
            yield Session(connection)

    async def ping(self) -> None:
        async with self.read() as session:
            await session.connection()
            await session.execute(text("SELECT 1"))

    async def reach(self) -> None:
        """Ask for a first answer; `DatabaseAway` says why there is none."""
        if self.dialect == "sqlite" and not Path(self.url.database or "").parent.is_dir():
            raise _away(
                "its folder does not exist"
            )  # without the driver's thread, which would outlive the loop
        try:
            await self.ping()
        except (OSError, SQLAlchemyError, asyncpg.PostgresError) as error:
            raise _away(str(getattr(error, "orig", None) or error).partition("\n")[0]) from None

    async def close(self) -> None:
        await self._writer.dispose()
        if self._reader is not self._writer:
            await self._reader.dispose()


def _away(why: str) -> DatabaseAway:
    return DatabaseAway(f"The database does not answer ({why}): start it, or put TONGDAO_DATABASE_URL right.")


@contextmanager
def aside() -> Iterator[None]:
    """Write beside the update in hand what it is not about, so that it is not taken to have taken effect."""
    token = with_each_change.set(None)
    try:
        yield
    finally:
        with_each_change.reset(token)


def takes_effect(session: AsyncSession, effect: Effect | None) -> None:
    """Write in this transaction what another context would have written in its own: it is done on its behalf."""
    if effect is not None:
        session.info.setdefault(EFFECTS, []).append(effect)


async def _note_effects(session: Session) -> None:
    takes_effect(session, with_each_change.get())
    together: dict[Any, list[Any]] = {}
    for effect in session.info.pop(EFFECTS, ()):
        together.setdefault(effect.note, []).append(effect.about)
    for note, about in together.items():
        await note(session, about)


def after_commit(session: AsyncSession, hook: Hook) -> None:
    """Run `hook` once this session's transaction has committed; never after a rollback."""
    session.info.setdefault(AFTER_COMMIT, []).append(hook)


def _sqlite_engine(url: str, *, pool_size: int, query_only: bool) -> AsyncEngine:
    engine = create_async_engine(
        url,
        pool_size=pool_size,
        max_overflow=0,
        connect_args={"timeout": 30, "async_creator_fn": sqlite_driver.connect},
        pool_timeout=120,
        hide_parameters=True,
    )
    event.listen(engine.sync_engine, "connect", _pragmas(query_only=query_only))
    if not query_only:
        event.listen(engine.sync_engine, "begin", _begin_immediate)
    return engine


def _pragmas(*, query_only: bool) -> Callable[[Any, Any], None]:
    def prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # SQLAlchemy's begin event says BEGIN, not the driver
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA synchronous = FULL")  # a commit outlives a power cut, as a claim has to
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.execute("PRAGMA busy_timeout = 30000")
        cursor.execute(f"PRAGMA cache_size = {-READING_CACHE if query_only else -WRITING_CACHE}")
        cursor.execute("PRAGMA temp_store = MEMORY")
        cursor.execute(
            "PRAGMA secure_delete = ON"
        )  # what is deleted is overwritten: a backup copies free pages
        if query_only:
            cursor.execute("PRAGMA query_only = ON")
        cursor.close()

    return prepare


def _begin_immediate(connection: Any) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")

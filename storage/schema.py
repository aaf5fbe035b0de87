"""The schema and its migrations: upgrade, downgrade, and whether a database is where the code is.

pgqueuer keeps tables of its own on PostgreSQL, all named ``pgqueuer…``; autogenerate ignores them.
On SQLite a batch rebuild of a parent table would delete its children by cascade, so foreign keys are
switched off before the transaction begins and checked before it ends.
"""

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from storage.database import Database

MIGRATIONS = Path(__file__).parent / "migrations"
LOCK = 7_306_515
"""Any number that no other program takes as an advisory lock in this database."""
NameKind = Literal["schema", "table", "column", "index", "unique_constraint", "foreign_key_constraint"]


def include_name(name: str | None, kind: str, _parents: object) -> bool:
    """Say whether autogenerate compares this object: everything but the job engine's own tables."""
    return not (kind == "table" and name is not None and name.startswith("pgqueuer"))


def config(connection: Connection | None = None) -> Config:
    settings = Config()
    settings.set_main_option("script_location", str(MIGRATIONS))
    settings.attributes["connection"] = connection
    return settings


async def upgrade(database: Database, revision: str = "head") -> None:
    await _migrate(database, lambda connection: command.upgrade(config(connection), revision))


async def downgrade(database: Database, revision: str) -> None:
    await _migrate(database, lambda connection: command.downgrade(config(connection), revision))


async def current(database: Database) -> str | None:
    """Return the revision a database is at, or `None` if it was never migrated."""

    def look(connection: Connection) -> str | None:
        return MigrationContext.configure(connection).get_current_revision()

    async with database.read() as session:  # beside the writer on SQLite, which may be busy for long
        return await (await session.connection()).run_sync(look)


async def revision(database: Database, message: str) -> list[str]:
    """Write a migration from what the tables have and this database, upgraded first, lacks; returns its files.

    Numbered on from the last: `0003_what_it_does.py`. Read it before committing, and run the stairway test.
    """
    await upgrade(database)
    number = f"{int(head() or 0) + 1:04}"

    def write(connection: Connection) -> list[str]:
        made = command.revision(config(connection), message=message, autogenerate=True, rev_id=number)
        scripts = made if isinstance(made, list) else [made]
        return [script.path for script in scripts if script is not None]

    async with database.engine.connect() as connection:
        return await connection.run_sync(write)


def head() -> str | None:
    return ScriptDirectory.from_config(config()).get_current_head()


async def _migrate(database: Database, work: Callable[[Connection], Any]) -> None:
    sqlite = database.dialect == "sqlite"
    async with database.engine.connect() as connection:
        if sqlite:
            raw = await connection.get_raw_connection()
            await raw.driver_connection.execute("PRAGMA foreign_keys = OFF")  # type: ignore[union-attr]
        try:
            async with connection.begin():
                if not sqlite:  # of two processes that start at once, one waits and finds nothing to do
                    await connection.execute(text(f"SELECT pg_advisory_xact_lock({LOCK})"))
                await connection.run_sync(work)
                if sqlite:
                    broken = (await connection.execute(text("PRAGMA foreign_key_check"))).all()
                    if broken:
                        msg = f"the migration broke {len(broken)} foreign keys, the first in {broken[0][0]}"
                        raise RuntimeError(msg)
        finally:
            if sqlite:
                raw = await connection.get_raw_connection()
                await raw.driver_connection.execute("PRAGMA foreign_keys = ON")  # type: ignore[union-attr]


async def _write_migration(message: str) -> None:
    with TemporaryDirectory() as folder:
        database = Database(f"sqlite+aiosqlite:///{folder}/empty.db")
        await revision(database, message)
        await database.close()


if __name__ == "__main__":  # make migration m="What it does"
    asyncio.run(_write_migration(" ".join(sys.argv[1:])))

"""Migrations: each goes up, down and up again, and together they make exactly the tables."""

import asyncio
import shutil
import sqlite3
import uuid
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Column, Integer, text

from storage import schema
from storage.database import Database
from storage.tables import metadata
from tests import postgres
from tests.factories import make_member, make_organisation


def revisions() -> list[str]:
    """Return all revisions, the first first."""
    script = ScriptDirectory.from_config(schema.config())
    return [each.revision for each in reversed([*script.walk_revisions()])]


@pytest.fixture(params=["sqlite", "postgresql"])
async def bare(request: pytest.FixtureRequest, tmp_path: Path):
    """Yield a database that was never migrated."""
    if request.param == "sqlite":
        database = Database(f"sqlite+aiosqlite:///{tmp_path / 'bare.db'}")
        yield database
        await database.close()
        return
    server, name = request.getfixturevalue("postgres_server"), f"bare{uuid.uuid4().hex}"
    await postgres.execute(server, f"CREATE DATABASE {name}")
    database = Database(postgres.url_of(server, name))
    yield database
    await database.close()
    await postgres.execute(server, f"DROP DATABASE {name} WITH (FORCE)")


async def tables(database: Database) -> set[str]:
    """Return the tables that are ours."""
    listing = (
        "SELECT name FROM sqlite_master WHERE type = 'table'"
        if database.dialect == "sqlite"
        else "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
    )
    async with database.read() as session:
        names = set((await session.execute(text(listing))).scalars())
    return {
        name for name in names if not name.startswith(("sqlite_", "pgqueuer")) and name != "alembic_version"
    }


async def missing(database: Database) -> list[str]:
    """Return how the database differs from the tables."""

    def compare(connection) -> list[str]:
        options = {"compare_type": True, "include_name": schema.include_name}
        return [
            change[0]
            for change in compare_metadata(MigrationContext.configure(connection, opts=options), metadata)
        ]

    async with database.engine.connect() as connection:
        return await connection.run_sync(compare)


@pytest.mark.slow
async def test_each_migration_goes_up_down_and_up_again(bare: Database):
    below = "base"
    for revision in revisions():
        await schema.upgrade(bare, revision)
        there = await tables(bare)
        await schema.downgrade(bare, below)
        assert await schema.current(bare) == (None if below == "base" else below)
        await schema.upgrade(bare, revision)
        assert await tables(bare) == there
        below = revision
    assert await schema.current(bare) == schema.head()
    assert await tables(bare) == set(metadata.tables)
    await schema.downgrade(bare, "base")
    assert await tables(bare) == set()


async def test_processes_that_start_at_once_migrate_once(postgres_server):
    name = f"bare{uuid.uuid4().hex}"
    await postgres.execute(postgres_server, f"CREATE DATABASE {name}")
    fleet = [Database(postgres.url_of(postgres_server, name)) for _ in range(3)]
    await asyncio.gather(*(schema.upgrade(each) for each in fleet))
    assert {await schema.current(each) for each in fleet} == {schema.head()}
    for each in fleet:
        await each.close()
    await postgres.execute(postgres_server, f"DROP DATABASE {name} WITH (FORCE)")


async def test_the_migrations_make_exactly_the_tables(database: Database):
    assert await missing(database) == []


async def test_a_forgotten_migration_is_found(database: Database):
    async with database.begin() as session:
        await session.execute(text("ALTER TABLE member DROP COLUMN joined"))
    assert await missing(database) == ["add_column"]


async def test_going_down_and_up_keeps_the_rows(database: Database):
    member = await make_member(database, home=await make_organisation(database))
    await schema.downgrade(database, revisions()[0])
    await schema.upgrade(database)
    async with database.read() as session:
        assert (await session.execute(text("SELECT id FROM member"))).scalars().all() == [member]


async def test_a_migration_is_written_and_numbered_on(bare: Database, tmp_path: Path, monkeypatch):
    folder = tmp_path / "migrations"
    shutil.copytree(schema.MIGRATIONS, folder)
    monkeypatch.setattr(schema, "MIGRATIONS", folder)
    table = metadata.tables["meta"]
    table.append_column(Column("extra", Integer()))
    try:
        (path,) = await schema.revision(bare, "Remember something more")
    finally:
        table._columns.remove(table.c.extra)
    number = f"{int(revisions()[-1]):04}"
    written = await asyncio.to_thread(Path(path).read_text)
    assert Path(path).name == f"{number}_remember_something_more.py"
    assert "extra" in written
    assert "drop_table" not in written


async def test_a_migration_that_breaks_foreign_keys_is_rolled_back(tmp_path: Path):
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'broken.db'}")
    await schema.upgrade(database, revisions()[0])
    with closing(sqlite3.connect(tmp_path / "broken.db")) as outside:  # which checks no foreign keys
        outside.execute("INSERT INTO subscription (topic_id, member_id) VALUES (404, 404)")
        outside.commit()
    with pytest.raises(RuntimeError, match="subscription"):
        await schema.upgrade(database)
    assert await schema.current(database) == revisions()[0]
    await database.close()

"""Copies of the database: SQLite's online backup, and a table-by-table dump of either database.

A dump is one JSON object a line: first the table's name, columns and count, then its rows in order of their keys.
"""

import base64
import json
import sqlite3
from collections.abc import AsyncIterator, Iterable
from datetime import date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Date, Table, delete, func, insert, select, text
from sqlmodel.ext.asyncio.session import AsyncSession

from storage.database import Database
from storage.tables import metadata
from storage.tables.columns import UtcDateTime

BATCH = 1000


def copy_sqlite(source: Path, target: Path) -> None:
    """Copy a live SQLite file whole, beside its writer (https://www.sqlite.org/backup.html)."""
    with sqlite3.connect(f"file:{source}?mode=ro", uri=True) as live, sqlite3.connect(target) as copy:
        live.backup(copy)
    live.close()
    copy.close()


async def dump(database: Database, path: Path) -> int:
    """Write all rows as seen in one moment; returns how many."""
    written = 0
    async with database.read() as session:
        if database.dialect == "postgresql":
            await session.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
        with path.open("w", encoding="utf-8") as file:
            for table in metadata.sorted_tables:
                count = (await session.execute(select(func.count()).select_from(table))).scalar_one()
                columns = [column.name for column in table.columns]
                file.write(json.dumps({"table": table.name, "columns": columns, "rows": count}) + "\n")
                async for row in _rows(session, table):
                    file.write(json.dumps([_plain(value) for value in row], ensure_ascii=False) + "\n")
                    written += 1
    return written


async def load(database: Database, lines: Iterable[str]) -> int:
    """Replace all rows by those of a dump, in one transaction; returns how many."""
    restored = 0
    async with database.begin() as session:
        if database.dialect == "sqlite":
            await session.execute(text("PRAGMA defer_foreign_keys = ON"))
        for table in reversed(metadata.sorted_tables):
            await session.execute(delete(table))
        into: Table | None = None
        batch: list[dict[str, Any]] = []
        for line in lines:
            value = json.loads(line)
            if isinstance(value, dict):
                restored += await _write(session, into, batch)
                into, batch = metadata.tables[value["table"]], []
                columns = [into.columns[name] for name in value["columns"]]
                continue
            batch.append(
                {column.name: _typed(column, item) for column, item in zip(columns, value, strict=True)}
            )
            if len(batch) >= BATCH:
                restored += await _write(session, into, batch)
                batch = []
        restored += await _write(session, into, batch)
        if database.dialect == "postgresql":
            await _count_on(session)
    return restored


async def _rows(session: AsyncSession, table: Table) -> AsyncIterator[Any]:
    order = (
        [table.c.path] if "path" in table.c else list(table.primary_key.columns)
    )  # parents before children
    result = await session.stream(select(table).order_by(*order))
    async for row in result:
        yield row


async def _write(session: AsyncSession, table: Table | None, batch: list[dict[str, Any]]) -> int:
    if table is not None and batch:
        await session.execute(insert(table), batch)
    return len(batch)


async def _count_on(session: AsyncSession) -> None:
    """Let PostgreSQL's sequences go on after the highest restored id."""
    for table in metadata.sorted_tables:
        keys = list(table.primary_key.columns)
        if len(keys) == 1 and keys[0].name == "id":
            await session.execute(
                text(
                    f"SELECT setval(pg_get_serial_sequence('{table.name}', 'id'),"  # noqa: S608 - our own names
                    f" coalesce((SELECT max(id) FROM {table.name}), 1))"
                )
            )


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return {"b": base64.b64encode(value).decode()}
    if isinstance(value, datetime | date):
        return value.isoformat()
    return value


def _typed(column: Any, value: Any) -> Any:
    if isinstance(value, dict) and set(value) == {"b"}:
        return base64.b64decode(value["b"])
    if value is not None and isinstance(value, str):
        if isinstance(column.type, UtcDateTime):
            return datetime.fromisoformat(value)
        if isinstance(column.type, Date):
            return date.fromisoformat(value)
    return value

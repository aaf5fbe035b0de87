"""Copying one database into another: every table in one transaction, verified by counts and checksums.

Rows are read in the order of their keys, so that where they come to lie says nothing of when they were written.
The job engine's tables are not copied: rows are the truth, and the next kick finds what is due.
"""

import hashlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import orjson
from sqlalchemy import Table, bindparam, delete, func, insert, select, text, update
from sqlalchemy.engine import Row
from sqlalchemy.exc import SQLAlchemyError

from storage import schema
from storage.database import Database, Session
from storage.tables import metadata

BATCH = 1000
CHECKSUM = 1 << 64
NUL = "\x00"

Progress = Callable[[str, int, int], None]
"""Called with a table's name, how many of its rows are written, and how many there are."""


class NotAtHead(Exception):  # noqa: N818 - a fact
    """The source is not at the newest schema: run `tongdao db upgrade` on it first."""


class TargetNotEmpty(Exception):  # noqa: N818 - a fact
    """The target holds organisations already: name an empty database."""


class CannotBeHeld(Exception):  # noqa: N818 - a fact
    """The target cannot hold a value of the source."""


class CopyDiffers(Exception):  # noqa: N818 - a fact
    """What was written is not what was read; nothing of it stays."""


class CopyFailed(Exception):  # noqa: N818 - a fact
    """A database broke the copy off; nothing of it stays."""


@dataclass(frozen=True, slots=True)
class Copied:
    """One table: its rows and their checksum, the same on both sides."""

    table: str
    rows: int
    checksum: int


async def copy(source: Database, target: Database, progress: Progress) -> list[Copied]:
    """Copy all our tables into a database with no organisation, whose schema is brought to the newest first."""
    if await schema.current(source) != schema.head():
        raise NotAtHead
    try:
        await schema.upgrade(target)
        return await _copy(source, target, progress)
    except SQLAlchemyError as error:
        raise CopyFailed(_said(error)) from None


async def _copy(source: Database, target: Database, progress: Progress) -> list[Copied]:
    async with source.read() as reading, target.begin() as writing:
        if source.dialect == "sqlite":
            await reading.execute(text("BEGIN"))  # one state of the source, whatever is written meanwhile
        else:
            await reading.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
        await _clear(writing)
        copied = [await _copy_table(reading, writing, table, progress) for table in metadata.sorted_tables]
        if target.dialect == "postgresql":
            await _start_sequences(writing)
    return copied


async def _clear(writing: Session) -> None:
    """Remove what the migrations wrote; a target that holds more is refused."""
    organisation = metadata.tables["organisation"]
    if (await writing.execute(select(organisation.c.id).limit(1))).first() is not None:
        raise TargetNotEmpty
    for table in reversed(metadata.sorted_tables):
        await writing.execute(delete(table))


async def _copy_table(reading: Session, writing: Session, table: Table, progress: Progress) -> Copied:
    rows = int((await reading.execute(select(func.count()).select_from(table))).scalar_one())
    own = [
        column.name
        for column in table.columns
        if any(key.column.table is table for key in column.foreign_keys)
    ]
    names = [column.name for column in table.columns]
    done, checksum = 0, 0
    progress(table.name, done, rows)
    async for batch in _batches(reading, table):
        checksum = (checksum + sum(_checksum(row) for row in batch)) % CHECKSUM
        await _write(
            writing, table, [dict(zip(names, row, strict=True)) | dict.fromkeys(own) for row in batch]
        )
        done += len(batch)
        progress(table.name, done, rows)
    for name in own:
        await _point(reading, writing, table, name)
    if await _look(writing, table) != (done, checksum):
        msg = f"{table.name} differs after the copy"
        raise CopyDiffers(msg)
    return Copied(table.name, done, checksum)


async def _batches(session: Session, table: Table) -> AsyncIterator[list[Row[Any]]]:
    wanted = select(table).order_by(*table.primary_key.columns).execution_options(yield_per=BATCH)
    result = await session.stream(wanted)
    async for batch in result.partitions(BATCH):
        yield list(batch)


async def _write(writing: Session, table: Table, values: list[dict[str, Any]]) -> None:
    if writing.get_bind().dialect.name == "postgresql":
        for row in values:
            if any(isinstance(value, str) and NUL in value for value in row.values()):
                msg = f"a text in {table.name} holds a NUL character, which PostgreSQL does not take: {_key(table, row)}"
                raise CannotBeHeld(msg)
    try:
        await writing.execute(insert(table), values)
    except SQLAlchemyError as error:
        first = _key(table, values[0])
        msg = f"{table.name}, from {first} on: {_said(error)}"
        raise CannotBeHeld(msg) from None


async def _point(reading: Session, writing: Session, table: Table, name: str) -> None:
    """Fill in a column that points into its own table, now that all rows of it are there."""
    (key,) = table.primary_key.columns
    column = table.c[name]
    change = update(table).where(key == bindparam("row_key")).values({name: bindparam("row_value")})
    wanted = select(key, column).where(column.is_not(None)).order_by(key)
    result = await reading.stream(wanted.execution_options(yield_per=BATCH))
    async for batch in result.partitions(BATCH):
        await writing.execute(change, [{"row_key": row[0], "row_value": row[1]} for row in batch])


async def _look(session: Session, table: Table) -> tuple[int, int]:
    """Read a table anew: how many rows, and their checksum."""
    rows, checksum = 0, 0
    async for batch in _batches(session, table):
        rows += len(batch)
        checksum = (checksum + sum(_checksum(row) for row in batch)) % CHECKSUM
    return rows, checksum


def _checksum(row: Row[Any]) -> int:
    """Return a number for what a row holds, the same whichever database it stands in."""
    packed = orjson.dumps([_plain(value) for value in row], option=orjson.OPT_SORT_KEYS)
    return int.from_bytes(hashlib.blake2b(packed, digest_size=8).digest(), "big")


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    return value.hex() if isinstance(value, bytes) else value


def _said(error: SQLAlchemyError) -> str:
    return str(getattr(error, "orig", error)).partition("\n")[0]


def _key(table: Table, row: dict[str, Any]) -> str:
    return ", ".join(f"{column.name} {row[column.name]}" for column in table.primary_key.columns)


async def _start_sequences(writing: Session) -> None:
    """Let every sequence go on behind the highest number that was copied."""
    for table in metadata.sorted_tables:
        for column in table.primary_key.columns:
            found = select(func.pg_get_serial_sequence(table.name, column.name))
            sequence = (await writing.execute(found)).scalar()
            if sequence is not None:
                highest = select(func.coalesce(func.max(column), 0) + 1).scalar_subquery()
                await writing.execute(select(func.setval(sequence, highest, False)))

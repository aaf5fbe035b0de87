"""The ledger of the forgotten: in the database, and in a file beside it that no restore replaces."""

import os
from collections.abc import Collection
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlmodel.ext.asyncio.session import AsyncSession

from domain.forgetting import Forgotten, entries_in, line_of
from storage.tables import metadata

forgotten = metadata.tables["forgotten"]
meta = metadata.tables["meta"]

FILE = "forgotten.jsonl"
_PRIVATE = 0o600


async def bridge_of(session: AsyncSession) -> str:
    """Return the name that tells this bridge's database, and every copy of it, from all others."""
    found = select(meta.c.value).where(meta.c.name == "bridge")
    return str((await session.execute(found)).scalar_one())


async def add(session: AsyncSession, entry: Forgotten) -> None:
    """Write an entry down; a second time changes nothing."""
    insert: Any = sqlite_insert if session.get_bind().dialect.name == "sqlite" else postgresql_insert
    written = insert(forgotten).values(member_id=entry.member_id, at=entry.at)
    await session.execute(written.on_conflict_do_nothing(index_elements=["member_id", "at"]))


async def entries(session: AsyncSession) -> frozenset[Forgotten]:
    rows = await session.execute(select(forgotten.c.member_id, forgotten.c.at))
    return frozenset(Forgotten(row.member_id, row.at) for row in rows)


def read(path: Path, bridge: str) -> frozenset[Forgotten]:
    """Return what the file holds of one bridge; nothing where there is no file yet."""
    if not path.exists():
        return frozenset()
    with path.open(encoding="utf-8", errors="replace") as lines:
        return entries_in(lines, bridge)


def append(path: Path, bridge: str, found: Collection[Forgotten]) -> None:
    """Add entries to the file; they are on the disk when this returns."""
    if not found:
        return
    ordered = sorted(found, key=lambda entry: (entry.at, entry.member_id))
    text = "".join(f"{line_of(bridge, entry)}\n" for entry in ordered)
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, _PRIVATE)
    try:
        os.write(file, _after_a_cut(path) + text.encode())
        os.fsync(file)
    finally:
        os.close(file)


def _after_a_cut(path: Path) -> bytes:
    """Return what ends a line that a crash cut off, so that the next one is read."""
    whole = path.read_bytes()
    return b"" if not whole or whole.endswith(b"\n") else b"\n"

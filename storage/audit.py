"""The audit in the database: entries written in the caller's transaction, their seals, and the keys of persons."""

import json
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlmodel.ext.asyncio.session import AsyncSession

from domain.audit import BATCH, GENESIS, Entry, Seal, head_of
from storage.sealing import Sealer
from storage.tables import AuditEntryRow, AuditSealRow, MemberRow, PersonKeyRow

READINGS = ("member.read", "member.exported", "suggestion.author_read")
"""Actions by which somebody came to see who a person is: alone, in a table, or beside what they suggested."""
_entry = AuditEntryRow.__table__  # type: ignore[attr-defined]
_seal = AuditSealRow.__table__  # type: ignore[attr-defined]
_key = PersonKeyRow.__table__  # type: ignore[attr-defined]
_member = MemberRow.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Reading:
    """That somebody looked at a person's record: nobody by name is the operator, an empty name is forgotten."""

    at: datetime
    actor_name: str | None


async def note(
    session: AsyncSession,
    *,
    at: datetime,
    sealer: Sealer,
    actor_id: int | None,
    action: str,
    subject: str,
    subject_id: int,
    organisation_id: int | None = None,
    detail: dict[str, Any] | None = None,
    person_id: int | None = None,
) -> None:
    """Write an entry with what it tells of; `detail` is sealed, with `person_id`'s own key if it is about one."""
    sealed = None
    if detail is not None:
        plain = json.dumps(detail, sort_keys=True, ensure_ascii=False).encode()
        cipher = sealer if person_id is None else await _person_sealer(session, sealer, person_id)
        sealed = cipher.seal(plain, _context(person_id))
    values = {
        "at": at,
        "actor_id": actor_id,
        "action": action,
        "subject": subject,
        "subject_id": subject_id,
        "organisation_id": organisation_id,
        "detail_sealed": sealed,
    }
    await session.execute(insert(_entry).values(values))


async def detail_of(
    session: AsyncSession, sealer: Sealer, sealed: bytes, person_id: int | None = None
) -> dict[str, Any] | None:
    """Open what `note` sealed; `None` once the person's key was dropped."""
    cipher: Sealer | None = sealer
    if person_id is not None:
        cipher = await _existing_person_sealer(session, sealer, person_id)
    if cipher is None:
        return None
    opened: dict[str, Any] = json.loads(cipher.open(sealed, _context(person_id)))
    return opened


async def began(session: AsyncSession) -> datetime | None:
    """Return when the first entry was written; `None` while nobody did anything."""
    return (await session.execute(select(_entry.c.at).order_by(_entry.c.id).limit(1))).scalar()


async def readings_of(session: AsyncSession, member_id: int, limit: int) -> list[Reading]:
    """Return the last looks at a member's record, the latest first."""
    query = (
        select(_entry.c.at, _member.c.name)
        .outerjoin(_member, _member.c.id == _entry.c.actor_id)
        .where(_entry.c.subject == "member", _entry.c.subject_id == member_id)
        .where(_entry.c.action.in_(READINGS))
        .order_by(_entry.c.id.desc())
        .limit(limit)
    )
    return [Reading(at=row.at, actor_name=row.name) for row in await session.execute(query)]


async def seal_next(session: AsyncSession, at: datetime, batch: int = BATCH) -> int:
    """Seal the oldest entries that carry no seal yet; returns how many."""
    query = select(_entry).where(_entry.c.seal_id.is_(None)).order_by(_entry.c.id).limit(batch)
    entries = [_to_entry(row) for row in await session.execute(query)]
    if not entries:
        return 0
    previous = await latest_head(session)
    values = {
        "at": at,
        "entries": len(entries),
        "first_entry_id": entries[0].id,
        "last_entry_id": entries[-1].id,
        "previous": previous,
        "head": head_of(previous, entries),
    }
    seal_id = (await session.execute(insert(_seal).values(values).returning(_seal.c.id))).scalar_one()
    ids = [entry.id for entry in entries]
    await session.execute(update(_entry).where(_entry.c.id.in_(ids)).values(seal_id=seal_id))
    return len(entries)


async def latest_head(session: AsyncSession) -> bytes:
    """Return what the next seal links to."""
    latest = await session.execute(select(_seal.c.head).order_by(_seal.c.id.desc()).limit(1))
    return latest.scalar() or GENESIS


async def lock_seals(session: AsyncSession) -> None:
    """Let one process at a time link the chain; on SQLite the transaction alone does."""
    if session.get_bind().dialect.name == "postgresql":
        await session.execute(select(func.pg_advisory_xact_lock(0x746F6E67)))


async def seals_after(session: AsyncSession, seal_id: int, limit: int) -> list[Seal]:
    query = select(_seal).where(_seal.c.id > seal_id).order_by(_seal.c.id).limit(limit)
    return [Seal(**row._mapping) for row in await session.execute(query)]  # noqa: SLF001 - the public row API


async def entries_of(session: AsyncSession, seal_id: int) -> list[Entry]:
    query = select(_entry).where(_entry.c.seal_id == seal_id).order_by(_entry.c.id)
    return [_to_entry(row) for row in await session.execute(query)]


def _to_entry(row: Any) -> Entry:
    return Entry(
        id=row.id,
        at=row.at,
        actor_id=row.actor_id,
        action=row.action,
        subject=row.subject,
        subject_id=row.subject_id,
        organisation_id=row.organisation_id,
        detail_sealed=row.detail_sealed,
    )


def _context(person_id: int | None) -> str:
    return "audit" if person_id is None else f"audit:person:{person_id}"


async def _person_sealer(session: AsyncSession, sealer: Sealer, person_id: int) -> Sealer:
    existing = await _existing_person_sealer(session, sealer, person_id)
    if existing is not None:
        return existing
    fresh = sealer.seal(secrets.token_bytes(32), _key_context(person_id))
    dialect = session.get_bind().dialect.name
    upsert: Any = postgresql_insert(_key) if dialect == "postgresql" else sqlite_insert(_key)
    await session.execute(upsert.values(member_id=person_id, key_sealed=fresh).on_conflict_do_nothing())
    made = await _existing_person_sealer(session, sealer, person_id)
    assert made is not None  # noqa: S101 - just written, and nobody can drop it before this commit
    return made


async def _existing_person_sealer(session: AsyncSession, sealer: Sealer, person_id: int) -> Sealer | None:
    row = await session.execute(select(_key.c.key_sealed).where(_key.c.member_id == person_id))
    sealed = row.scalar()
    if sealed is None:
        return None
    return Sealer({"person": sealer.open(sealed, _key_context(person_id))}, "person")


def _key_context(person_id: int) -> str:
    return f"person_key:{person_id}"

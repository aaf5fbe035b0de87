"""Web calendar addresses: found by the hash of their secret part, renewed and dropped by their member."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlmodel.ext.asyncio.session import AsyncSession

from domain.members import MemberStatus
from storage.tables import metadata
from storage.tables.columns import digest

calendar_address = metadata.tables["calendar_address"]
member = metadata.tables["member"]
organisation = metadata.tables["organisation"]


@dataclass(frozen=True, slots=True)
class Holder:
    """Whose days an address shows: where they are at home, and in which language."""

    home_path: str
    language: str
    since: datetime


async def since(session: AsyncSession, member_id: int) -> datetime | None:
    """Return since when a member has an address; `None` for none."""
    found = select(calendar_address.c.since).where(calendar_address.c.member_id == member_id)
    return (await session.execute(found)).scalar()


async def put(session: AsyncSession, member_id: int, token: str, language: str, now: datetime) -> None:
    """Give a member an address; the one before leads nowhere from now on."""
    values = {"digest": digest(token), "language": language, "since": now}
    upsert = postgresql_insert if session.get_bind().dialect.name == "postgresql" else sqlite_insert
    row = upsert(calendar_address).values(member_id=member_id, **values)
    await session.execute(row.on_conflict_do_update(index_elements=["member_id"], set_=values))


async def drop(session: AsyncSession, member_id: int) -> bool:
    """Take a member's address away; `False` if there was none."""
    gone = delete(calendar_address).where(calendar_address.c.member_id == member_id)
    return (await session.execute(gone.returning(calendar_address.c.member_id))).first() is not None


async def holder(session: AsyncSession, token: str) -> Holder | None:
    """Return whose an address is, as long as they are a member."""
    found = (
        select(organisation.c.path, calendar_address.c.language, calendar_address.c.since)
        .join(member, member.c.id == calendar_address.c.member_id)
        .join(organisation, organisation.c.id == member.c.home_id)
        .where(calendar_address.c.digest == digest(token), member.c.status == MemberStatus.ACTIVE)
    )
    row = (await session.execute(found)).one_or_none()
    return None if row is None else Holder(row.path, row.language, row.since)

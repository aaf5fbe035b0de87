"""Digests in the database: gathered at the claim, sent at most once a member and day, and read by their owner."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    delete,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlmodel.ext.asyncio.session import AsyncSession

from domain.accounts import HOME_COUNTRY
from domain.delivery import DispatchState
from domain.digests import NOW, SOURCE, STALE, Cadence, Entry
from domain.members import MemberStatus
from domain.nudges import SOURCE as NUDGE
from domain.polls import PollState
from storage import dispatches
from storage.polls import SOURCE as POLL
from storage.tables import metadata

account = metadata.tables["account"]
acknowledgement = metadata.tables["acknowledgement"]
daily = metadata.tables["daily_digest"]
delivery = metadata.tables["delivery"]
digest = metadata.tables["digest"]
dispatch = metadata.tables["dispatch"]
item = metadata.tables["digest_item"]
member = metadata.tables["member"]
organisation = metadata.tables["organisation"]
poll = metadata.tables["poll"]
recipient = metadata.tables["digest_recipient"]


@dataclass(frozen=True, slots=True)
class Gathered:
    """A delivery that a member's next digest brings."""

    delivery_id: int
    member_id: int
    due_at: datetime


async def gather(session: AsyncSession, found: Sequence[Gathered]) -> None:
    """Keep deliveries for the next digest of their members."""
    rows = [
        {"delivery_id": one.delivery_id, "member_id": one.member_id, "due_at": one.due_at} for one in found
    ]
    if rows:
        await session.execute(_upsert(session)(item).on_conflict_do_nothing(), rows)


async def daily_among(session: AsyncSession, member_ids: Sequence[int]) -> set[int]:
    """Return which of these members want their digest daily."""
    if not member_ids:
        return set()
    found = select(daily.c.member_id).where(daily.c.member_id.in_(list(member_ids)))
    return set((await session.execute(found)).scalars())


async def cadence_of(session: AsyncSession, member_id: int) -> Cadence:
    return Cadence.DAILY if await daily_among(session, [member_id]) else Cadence.WEEKLY


async def choose(session: AsyncSession, member_id: int, cadence: Cadence) -> bool:
    """Write how often a member's digest comes; say whether that changed."""
    if cadence is Cadence.WEEKLY:
        mine = delete(daily).where(daily.c.member_id == member_id)
        return (await session.execute(mine.returning(daily.c.member_id))).first() is not None
    put = _upsert(session)(daily).values(member_id=member_id).on_conflict_do_nothing()
    return (await session.execute(put.returning(daily.c.member_id))).first() is not None


async def bring_forward(session: AsyncSession, member_id: int, due_at: datetime) -> None:
    """Let what a member's next digest brings come at another time."""
    mine = and_(item.c.member_id == member_id, item.c.digest_id.is_(None))
    await session.execute(update(item).where(mine).values(due_at=due_at))


async def zone_of(session: AsyncSession, member_id: int) -> str:
    found = (
        select(organisation.c.zone)
        .join(member, member.c.home_id == organisation.c.id)
        .where(member.c.id == member_id)
    )
    return str((await session.execute(found)).scalar_one())


async def due_zones(session: AsyncSession, now: datetime) -> list[str]:
    """Return the zones in which digests are due."""
    found = _due(organisation.c.zone, now=now).distinct().order_by(organisation.c.zone)
    return list((await session.execute(found)).scalars())


async def begin(session: AsyncSession, zone: str, day: date, now: datetime) -> int | None:
    """Write the digest of all whose digest is due in a zone, once a member and day; `None` if there is none."""
    had = exists().where(recipient.c.member_id == item.c.member_id, recipient.c.day == day)
    here = (organisation.c.zone == zone, ~had)
    if (await session.execute(_due(item.c.member_id, now=now).where(*here).limit(1))).first() is None:
        return None
    added = await session.execute(insert(digest).values(at=now).returning(digest.c.id))
    digest_id = int(added.scalar_one())
    due = _due(item.c.member_id, literal(day), literal(digest_id), now=now).where(*here)
    put = _upsert(session)(recipient).from_select(["member_id", "day", "digest_id"], due.distinct())
    await session.execute(put.on_conflict_do_nothing())
    if not (await session.execute(recipients(digest_id).limit(1))).first():
        await session.execute(delete(digest).where(digest.c.id == digest_id))
        return None
    mine = and_(item.c.digest_id.is_(None), item.c.due_at <= now, item.c.due_at > now - STALE)
    await session.execute(
        update(item).where(mine, item.c.member_id.in_(recipients(digest_id))).values(digest_id=digest_id)
    )
    return digest_id


def recipients(digest_id: int) -> Select[tuple[int]]:
    """Select the members whom a digest goes to."""
    return select(recipient.c.member_id).where(recipient.c.digest_id == digest_id)


async def entries(
    session: AsyncSession,
    member_id: int,
    digest_id: int,
    now: datetime,
    *,
    offset: int,
    limit: int,
    account_id: int | None = None,
) -> list[tuple[int, Entry]]:
    """Return what stands in one's own digest, each with its delivery's id; `NOW`: what is gathered so far."""
    found = _entries(dispatch.c.source, dispatch.c.source_id, func.min(item.c.delivery_id).label("first"))
    mine = and_(item.c.member_id == member_id, _of(digest_id, now), _may_show(account_id))
    grouped = found.where(mine).group_by(dispatch.c.source, dispatch.c.source_id)
    rows = await session.execute(grouped.order_by(func.min(item.c.delivery_id)).offset(offset).limit(limit))
    return [(row.first, Entry(row.source, row.source_id)) for row in rows]


async def count(
    session: AsyncSession, member_id: int, digest_id: int, now: datetime, account_id: int | None = None
) -> int:
    """Return how many things stand in one's own digest."""
    found = _entries(dispatch.c.source, dispatch.c.source_id).where(
        item.c.member_id == member_id, _of(digest_id, now), _may_show(account_id)
    )
    counted = select(func.count()).select_from(found.distinct().subquery())
    return int((await session.execute(counted)).scalar_one())


async def entry(
    session: AsyncSession, member_id: int, delivery_id: int, account_id: int | None = None
) -> Entry | None:
    """Return one thing of one's own digests."""
    found = _entries(dispatch.c.source, dispatch.c.source_id).where(
        item.c.member_id == member_id, item.c.delivery_id == delivery_id, _may_show(account_id)
    )
    row = (await session.execute(found)).one_or_none()
    return None if row is None else Entry(row.source, row.source_id)


async def pass_over_due(session: AsyncSession, now: datetime) -> None:
    """Leave out, after a restore, digests that may have gone out since the backup; the notices stay in the list."""
    gone = and_(item.c.digest_id.is_(None), item.c.due_at <= now)
    await session.execute(delete(item).where(gone))
    await dispatches.end_all(session, SOURCE, now)


def _of(digest_id: int, now: datetime) -> ColumnElement[bool]:
    if digest_id == NOW:
        return and_(item.c.digest_id.is_(None), item.c.due_at > now - STALE)
    return item.c.digest_id == digest_id


def _may_show(account_id: int | None) -> ColumnElement[bool]:
    """Say that an account may show it: what is sensitive is shown by none that keeps its data abroad."""
    if account_id is None:
        return true()
    at_home = exists().where(account.c.id == account_id, account.c.residency == HOME_COUNTRY)
    return or_(dispatch.c.home_only.is_(False), at_home)


def _entries(*columns: Any) -> Select[Any]:
    return (
        select(*columns)
        .select_from(item.join(delivery, delivery.c.id == item.c.delivery_id))
        .join(dispatch, dispatch.c.id == delivery.c.dispatch_id)
        .where(_alive())
    )


def _due(*columns: Any, now: datetime) -> Select[Any]:
    """Select of what is due for members who are here and want messages."""
    return (
        _entries(*columns)
        .join(member, member.c.id == item.c.member_id)
        .join(organisation, organisation.c.id == member.c.home_id)
        .where(item.c.digest_id.is_(None), item.c.due_at <= now, item.c.due_at > now - STALE)
        .where(member.c.status == MemberStatus.ACTIVE, member.c.stopped_at.is_(None))
    )


def _alive() -> ColumnElement[bool]:
    """Leave out what was taken back, and a nudge to who has confirmed."""
    confirmed = exists().where(
        dispatch.c.source == NUDGE,
        acknowledgement.c.notice_id == dispatch.c.source_id,
        acknowledgement.c.member_id == item.c.member_id,
    )
    taken_back = exists().where(
        dispatch.c.source == POLL, poll.c.id == dispatch.c.source_id, poll.c.state == PollState.CANCELLED
    )
    return and_(dispatch.c.state != DispatchState.CANCELLED, ~or_(confirmed, taken_back))


def _upsert(session: AsyncSession) -> Any:
    return postgresql_insert if session.get_bind().dialect.name == "postgresql" else sqlite_insert

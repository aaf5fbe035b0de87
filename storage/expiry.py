"""Invitations that ran out unused: closed, listed for who made them, and told of seldom."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, exists, func, or_, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from domain.accounts import LinkState
from domain.invitations import TELL_EVERY
from domain.members import MemberStatus
from storage.tables import metadata

account_link = metadata.tables["account_link"]
invitation = metadata.tables["invitation"]
maker = metadata.tables["member"].alias("maker")
member = metadata.tables["member"]
organisation = metadata.tables["organisation"]

EXPIRED = "expired"
BATCH = 500


@dataclass(frozen=True, slots=True)
class Closed:
    """An invitation that has just run out."""

    id: int
    member_id: int
    home_id: int


@dataclass(frozen=True, slots=True)
class RanOut:
    """A member whose invitation ran out unused, and since when."""

    member_id: int
    name: str
    organisation: str
    organisation_en: str
    path: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Maker:
    """Somebody who made invitations that ran out and was not told of them lately."""

    member_id: int
    zone: str


async def close(session: AsyncSession, now: datetime) -> list[Closed]:
    """Close a batch of the invitations whose time is over and that nobody used."""
    over = (
        select(invitation.c.id)
        .where(invitation.c.used_at.is_(None), invitation.c.ended.is_(None), invitation.c.expires_at <= now)
        .order_by(invitation.c.id)
        .limit(BATCH)
    )
    closing = (
        update(invitation)
        .where(invitation.c.id.in_(over), invitation.c.ended.is_(None))
        .values(ended=EXPIRED)
        .returning(invitation.c.id)
    )
    closed = list((await session.execute(closing)).scalars())
    found = (
        select(invitation.c.id, invitation.c.member_id, member.c.home_id)
        .join(member, member.c.id == invitation.c.member_id)
        .where(invitation.c.id.in_(closed))
        .order_by(invitation.c.id)
    )
    return [Closed(row.id, row.member_id, row.home_id) for row in (await session.execute(found)).all()]


async def makers(session: AsyncSession, now: datetime) -> list[Maker]:
    """Return who is to be told that invitations of theirs ran out."""
    recent = invitation.alias("recent")
    told = exists().where(recent.c.created_by == maker.c.id, recent.c.told_at > now - TELL_EVERY)
    found = (
        select(maker.c.id, organisation.c.zone)
        .join(organisation, organisation.c.id == maker.c.home_id)
        .where(maker.c.status == MemberStatus.ACTIVE, ~told)
        .where(maker.c.id.in_(_waiting(invitation.c.created_by).where(invitation.c.told_at.is_(None))))
        .order_by(maker.c.id)
    )
    return [Maker(row.id, row.zone) for row in (await session.execute(found)).all()]


async def tell(session: AsyncSession, maker_id: int, now: datetime) -> int:
    """Mark what a maker is told of now, and return how many members that concerns; 0 if it was told before."""
    fresh = (
        _waiting(invitation.c.id)
        .where(invitation.c.created_by == maker_id, invitation.c.told_at.is_(None))
        .scalar_subquery()
    )
    marked = (
        update(invitation)
        .where(invitation.c.id.in_(fresh), invitation.c.told_at.is_(None))
        .values(told_at=now)
        .returning(invitation.c.member_id)
    )
    return len(set((await session.execute(marked)).scalars()))


async def count_told(session: AsyncSession, maker_id: int) -> int:
    """Return of how many members a maker was told the last time."""
    last = select(func.max(invitation.c.told_at)).where(invitation.c.created_by == maker_id).scalar_subquery()
    counted = select(func.count(func.distinct(invitation.c.member_id))).where(
        invitation.c.created_by == maker_id, invitation.c.told_at == last
    )
    return int((await session.execute(counted)).scalar_one())


async def ran_out(session: AsyncSession, maker_id: int, *, offset: int, limit: int) -> list[RanOut]:
    """Return whose invitations by one maker ran out and who has neither joined nor a newer one, latest first."""
    since = func.max(invitation.c.expires_at).label("since")
    names = (organisation.c.name, organisation.c.name_en, organisation.c.path)
    found = (
        _waiting(member.c.id, member.c.name.label("member"), *names, since)
        .join(organisation, organisation.c.id == member.c.home_id)
        .where(invitation.c.created_by == maker_id)
        .group_by(member.c.id, member.c.name, *names)
        .order_by(since.desc(), member.c.id)
        .offset(offset)
        .limit(limit)
    )
    return [
        RanOut(row.id, row.member, row.name, row.name_en, row.path, row.since)
        for row in (await session.execute(found)).all()
    ]


def _waiting(*columns: Any) -> Select[Any]:
    """Select of expired invitations whose member has not joined and holds no open one."""
    newer = invitation.alias("newer")
    link = exists().where(account_link.c.member_id == member.c.id, account_link.c.state != LinkState.ENDED)
    open_or_used = exists().where(
        newer.c.member_id == member.c.id,
        or_(newer.c.ended.is_(None), newer.c.used_at.is_not(None)),
        newer.c.id > invitation.c.id,
    )
    return (
        select(*columns)
        .select_from(invitation.join(member, member.c.id == invitation.c.member_id))
        .where(invitation.c.ended == EXPIRED, member.c.status == MemberStatus.ACTIVE, ~link, ~open_or_used)
    )

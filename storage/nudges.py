"""Nudges in the database: whom one would reach, and that each goes out once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlmodel.ext.asyncio.session import AsyncSession

from domain.delivery import DeliveryState
from domain.digests import IN_DIGEST
from domain.members import MemberStatus
from domain.notices import NoticeState
from domain.nudges import AFTER_DAYS, EVERYBODY
from domain.nudges import SOURCE as NUDGE
from storage import dispatches
from storage.notices import SOURCE as NOTICE
from storage.tables import metadata

acknowledgement = metadata.tables["acknowledgement"]
delivery = metadata.tables["delivery"]
digest_item = metadata.tables["digest_item"]
dispatch = metadata.tables["dispatch"]
member = metadata.tables["member"]
notice = metadata.tables["notice"]
nudge = metadata.tables["nudge"]
subscription = metadata.tables["subscription"]

GOT_IT = (DeliveryState.SENT, DeliveryState.UNKNOWN)
_earlier = delivery.alias("earlier")


@dataclass(frozen=True, slots=True)
class Nudged:
    """That a notice has nudged: when it last did, and how many it went to in all."""

    at: datetime
    members: int


def to_nudge(notice_id: int, homes: Sequence[int] = ()) -> Select[tuple[int]]:
    """Select who got a notice, has neither confirmed it nor been nudged, and still wants to hear of it."""
    return (
        select(delivery.c.member_id)
        .join(dispatch, dispatch.c.id == delivery.c.dispatch_id)
        .join(member, member.c.id == delivery.c.member_id)
        .where(dispatch.c.source == NOTICE, dispatch.c.source_id == notice_id, _reached())
        .where(member.c.status == MemberStatus.ACTIVE, member.c.stopped_at.is_(None))
        .where(*([member.c.home_id.in_(list(homes))] if homes else []))
        .where(~_confirmed(), ~_nudged(), or_(dispatch.c.topic_id.is_(None), _subscribed()))
    )


async def count(session: AsyncSession, notice_id: int, homes: Sequence[int] = ()) -> int:
    counted = select(func.count()).select_from(to_nudge(notice_id, homes).subquery())
    return int((await session.execute(counted)).scalar_one())


async def begin(
    session: AsyncSession, notice_id: int, scopes: Sequence[str], by_id: int | None, now: datetime
) -> list[str]:
    """Take the nudges of these scopes that nobody has taken; a notice's are taken one after the other."""
    upsert: Any = postgresql_insert if session.get_bind().dialect.name == "postgresql" else sqlite_insert
    await session.execute(select(notice.c.id).where(notice.c.id == notice_id).with_for_update())
    rows = [{"notice_id": notice_id, "scope": scope, "at": now, "by_id": by_id} for scope in scopes]
    taken = upsert(nudge).values(rows).on_conflict_do_nothing().returning(nudge.c.scope)
    return sorted((await session.execute(taken)).scalars())


async def went_out(session: AsyncSession, notice_id: int, scopes: Sequence[str], dispatch_id: int) -> None:
    """Write down by which dispatch a nudge went out."""
    mine = and_(nudge.c.notice_id == notice_id, nudge.c.scope.in_(list(scopes)))
    await session.execute(update(nudge).where(mine).values(dispatch_id=dispatch_id))


async def nudged(session: AsyncSession, notice_id: int) -> Nudged | None:
    """Return that a notice has nudged, or `None`."""
    members = (
        select(func.coalesce(func.sum(dispatch.c.planned), 0))
        .where(dispatch.c.id.in_(select(nudge.c.dispatch_id).where(nudge.c.notice_id == notice_id)))
        .scalar_subquery()
    )
    found = select(func.max(nudge.c.at).label("at"), members.label("members")).where(
        nudge.c.notice_id == notice_id, nudge.c.dispatch_id.is_not(None)
    )
    row = (await session.execute(found)).one()
    return None if row.at is None else Nudged(row.at, int(row.members))


async def taken(session: AsyncSession, notice_id: int) -> set[str]:
    """Return the scopes whose nudge was taken."""
    found = select(nudge.c.scope).where(nudge.c.notice_id == notice_id)
    return set((await session.execute(found)).scalars())


async def write_after(session: AsyncSession, notice_id: int, days: int | None) -> None:
    """Say after how many days a notice nudges by itself; `None`: it does not."""
    await session.execute(update(notice).where(notice.c.id == notice_id).values(nudge_after=days))


async def due(session: AsyncSession, now: datetime) -> list[int]:
    """Return the notices whose nudge by itself has come and was not taken."""
    come = [
        and_(notice.c.nudge_after == days, notice.c.sent_at <= now - timedelta(days=days))
        for days in AFTER_DAYS
    ]
    taken = exists().where(nudge.c.notice_id == notice.c.id, nudge.c.scope == EVERYBODY)
    found = select(notice.c.id).where(
        notice.c.state.in_([NoticeState.SENDING, NoticeState.SENT]),
        notice.c.needs_confirmation,
        or_(*come),
        ~taken,
    )
    return list((await session.execute(found.order_by(notice.c.id))).scalars())


async def pass_over_due(session: AsyncSession, now: datetime) -> None:
    """Leave out, after a restore, what may have gone out since the backup."""
    for notice_id in await due(session, now):
        await begin(session, notice_id, [EVERYBODY], None, now)
    await dispatches.end_all(session, NUDGE, now)


def _reached() -> ColumnElement[bool]:
    """Say that it came alone, or in a digest that has gone out."""
    told = exists().where(digest_item.c.delivery_id == delivery.c.id, digest_item.c.digest_id.is_not(None))
    return or_(delivery.c.state.in_(GOT_IT), and_(delivery.c.reason == IN_DIGEST, told))


def _confirmed() -> ColumnElement[bool]:
    return exists().where(
        acknowledgement.c.notice_id == dispatch.c.source_id,
        acknowledgement.c.member_id == delivery.c.member_id,
    )


def _nudged() -> ColumnElement[bool]:
    return exists().where(
        nudge.c.notice_id == dispatch.c.source_id,
        _earlier.c.dispatch_id == nudge.c.dispatch_id,
        _earlier.c.member_id == delivery.c.member_id,
    )


def _subscribed() -> ColumnElement[bool]:
    return exists().where(
        subscription.c.topic_id == dispatch.c.topic_id, subscription.c.member_id == delivery.c.member_id
    )

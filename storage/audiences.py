"""Audiences as one select: it counts, it previews, and it fills the deliveries of a dispatch."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, exists, false, func, literal, or_, select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlmodel.ext.asyncio.session import AsyncSession

from domain.accounts import LinkState
from domain.audiences import Audience, Scope, from_json, organisations_in
from domain.delivery import DeliveryState
from domain.members import MemberStatus
from domain.organisations import subtree_bounds
from domain.push_budget import COUNTED_SOURCES, week_start
from domain.reach import Group
from storage.tables import metadata
from storage.tables.columns import UtcDateTime

audience_table = metadata.tables["audience"]
account_link = metadata.tables["account_link"]
delivery = metadata.tables["delivery"]
dispatch = metadata.tables["dispatch"]
organisation = metadata.tables["organisation"]
subscription = metadata.tables["subscription"]
who = metadata.tables["member"].alias("who")
home = organisation.alias("home")

PUSHED = (DeliveryState.SENDING, DeliveryState.SENT, DeliveryState.UNKNOWN)


def members_of(audience: Audience) -> Select[tuple[int]]:
    """Select the ids of an audience's members; it can stand in any other statement."""
    return _select(audience, who.c.id)


async def count(session: AsyncSession, audience: Audience) -> int:
    counted = _select(audience, func.count())
    return int((await session.execute(counted)).scalar_one())


async def groups(session: AsyncSession, audience: Audience, *, weekly_cap: int, now: datetime) -> list[Group]:
    """Group an audience by what would become of a push to each, in one pass."""
    capped = await _capped(session, weekly_cap, now)
    active = (
        select(func.min(account_link.c.account_id))
        .where(account_link.c.member_id == who.c.id, account_link.c.state == LinkState.ACTIVE)
        .scalar_subquery()
    )
    blocked = exists().where(account_link.c.member_id == who.c.id, account_link.c.state == LinkState.BLOCKED)
    each = _select(
        audience,
        who.c.stopped_at.is_not(None).label("stopped"),
        active.label("account_id"),
        case((active.is_(None), blocked), else_=false()).label("blocked"),
        home.c.zone,
        capped.label("capped"),
    ).subquery()
    reason = case(
        (each.c.stopped, "stopped"),
        (each.c.account_id.is_not(None), ""),
        (each.c.blocked, "blocked"),
        else_="no_account",
    ).label("reason")
    columns = (reason, each.c.zone, each.c.account_id, each.c.capped)
    grouped = select(*columns, func.count().label("members")).group_by(*columns)
    rows = (await session.execute(grouped)).all()
    return [Group(row.reason, row.zone, row.account_id, bool(row.capped), row.members) for row in rows]


async def save(session: AsyncSession, audience: Audience) -> int:
    """Store an audience once, named by its digest, and return its id."""
    dialect = session.get_bind().dialect.name
    upsert: Any = postgresql_insert if dialect == "postgresql" else sqlite_insert
    digest = audience.digest()
    values = {"digest": digest, "definition": audience.canonical_json()}
    await session.execute(upsert(audience_table).values(values).on_conflict_do_nothing())
    stored = select(audience_table.c.id).where(audience_table.c.digest == digest)
    return int((await session.execute(stored)).scalar_one())


async def load(session: AsyncSession, audience_id: int) -> Audience:
    """Read an audience, with its organisations where they stand today; raises `LookupError` for none."""
    definition = (
        await session.execute(select(audience_table.c.definition).where(audience_table.c.id == audience_id))
    ).scalar()
    if definition is None:
        raise LookupError(audience_id)
    ids = organisations_in(definition)
    found = select(organisation.c.id, organisation.c.path).where(organisation.c.id.in_(ids))
    paths = {row.id: row.path for row in (await session.execute(found)).all()}
    return from_json(definition, paths)


def _select(audience: Audience, *columns: ColumnElement[Any]) -> Select[Any]:
    """Select of the homes, then of their members: the path index leads, then the members' index on home."""
    shared = _shared_topic(audience.include)
    query = (
        select(*columns)
        .select_from(home.join(who, who.c.home_id == home.c.id))
        .where(who.c.status == MemberStatus.ACTIVE)
        .where(or_(false(), *(_matching(scope, without=shared) for scope in audience.include)))
    )
    if len(audience.include) > 1:  # says again what follows, so that the path index can lead
        query = query.where(or_(*(_within(scope) for scope in audience.include)))
    if shared is not None:
        query = query.where(_subscribed(shared))
    return query.where(*(_unmatched(scope) for scope in audience.exclude))


def _shared_topic(scopes: Iterable[Scope]) -> int | None:
    """Return the topic that all scopes ask for: asked once, beside them, it is a join and not a look-up each."""
    topics = {scope.topic_id for scope in scopes}
    return topics.pop() if len(topics) == 1 else None


def _matching(scope: Scope, *, without: int | None) -> ColumnElement[bool]:
    wanted = [*_of_home(scope), *_of_member(scope)]
    if scope.topic_id is not None and scope.topic_id != without:
        wanted.append(_subscribed(scope.topic_id))
    return and_(*wanted)


def _unmatched(scope: Scope) -> ColumnElement[bool]:
    """Say that a member does not match; with a topic as one NOT EXISTS, which becomes an anti-join."""
    matching = and_(*_of_home(scope), *_of_member(scope))
    return ~matching if scope.topic_id is None else ~_subscribed(scope.topic_id, matching)


def _within(scope: Scope) -> ColumnElement[bool]:
    low, high = subtree_bounds(scope.path)
    return and_(home.c.path >= low, home.c.path < high)


def _of_home(scope: Scope) -> list[ColumnElement[bool]]:
    wanted = [_within(scope)]
    if scope.levels:
        wanted.append(home.c.level.in_(scope.levels))
    if scope.kinds:
        wanted.append(home.c.kind.in_(scope.kinds))
    if scope.modes:
        wanted.append(func.coalesce(home.c.regional_mode, "").in_(scope.modes))  # NULL would survive a NOT
    return wanted


def _of_member(scope: Scope) -> list[ColumnElement[bool]]:
    wanted: list[ColumnElement[bool]] = []
    if scope.standings:
        wanted.append(who.c.standing.in_(scope.standings))
    if scope.mobile is not None:
        wanted.append(who.c.mobile.is_(scope.mobile))
    return wanted


def _subscribed(topic_id: int, *more: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(subscription.c.topic_id == topic_id, subscription.c.member_id == who.c.id, *more)


async def _capped(session: AsyncSession, weekly_cap: int, now: datetime) -> ColumnElement[bool]:
    """Say whether a member had their pushes of this week, which began on Monday where they are at home."""
    if not weekly_cap:
        return literal(value=False)
    zones = (await session.execute(select(organisation.c.zone).distinct())).scalars().all()
    starts = {zone: week_start(now, zone) for zone in zones}
    if not starts:
        return literal(value=False)
    earliest = min(starts.values())
    pushed_home = organisation.alias("pushed_home")
    pushed = metadata.tables["member"].alias("pushed")
    monday = case(
        {zone: literal(start, UtcDateTime) for zone, start in starts.items()}, value=pushed_home.c.zone
    )
    full = (
        select(delivery.c.member_id)
        .join(dispatch, dispatch.c.id == delivery.c.dispatch_id)
        .join(pushed, pushed.c.id == delivery.c.member_id)
        .join(pushed_home, pushed_home.c.id == pushed.c.home_id)
        .where(
            dispatch.c.source.in_(COUNTED_SOURCES),
            or_(dispatch.c.finished_at.is_(None), dispatch.c.finished_at >= earliest),
            delivery.c.state.in_(PUSHED),
            delivery.c.at >= monday,
        )
        .group_by(delivery.c.member_id)
        .having(func.count() >= weekly_cap)
    )
    return who.c.id.in_(full)

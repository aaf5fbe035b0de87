"""Audiences as one select: it counts, it previews, and it fills the deliveries of a dispatch."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Label, Select, and_, case, exists, false, func, literal, or_, select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.engine import Row
from sqlmodel.ext.asyncio.session import AsyncSession

from domain.accounts import LinkState
from domain.audiences import Audience, Scope, from_json, organisations_in
from domain.members import MemberStatus
from domain.organisations import subtree_bounds
from domain.push_budget import week_start
from domain.reach import Group
from storage import accounts
from storage.push_budget import COUNTED, PUSHED
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

BLOCKED = 2**31 - 1
BARRED = BLOCKED - 1
ACCOUNTS = 1_000_000
"""More than there are accounts: how the place of a link and its account are one number."""
LATE_OUTCOMES = timedelta(days=1)
"""An outcome may be recorded so long after its dispatch ended."""


def members_of(audience: Audience) -> Select[tuple[int]]:
    """Select the ids of an audience's members; it can stand in any other statement."""
    return _select(audience, who.c.id)


async def count(session: AsyncSession, audience: Audience) -> int:
    counted = _select(audience, func.count())
    return int((await session.execute(counted)).scalar_one())


async def groups(
    session: AsyncSession, audience: Audience, *, weekly_cap: int, now: datetime, home_only: bool = False
) -> list[Group]:
    """Group an audience by what would become of a push to each, in one pass."""
    columns = await _prospects(session, weekly_cap, now, home_only=home_only)
    grouped = _select(audience, *columns, func.count().label("members"))
    return [
        _to_group(row)
        for row in (await session.execute(grouped.group_by(*(column.element for column in columns)))).all()
    ]


async def groups_of(
    session: AsyncSession,
    members: Select[tuple[int]],
    *,
    weekly_cap: int,
    now: datetime,
    home_only: bool = False,
) -> list[Group]:
    """Group these members alike."""
    columns = await _prospects(session, weekly_cap, now, home_only=home_only)
    grouped = (
        select(*columns, func.count().label("members"))
        .select_from(home.join(who, who.c.home_id == home.c.id))
        .where(who.c.id.in_(members))
    )
    return [
        _to_group(row)
        for row in (await session.execute(grouped.group_by(*(column.element for column in columns)))).all()
    ]


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


async def _prospects(
    session: AsyncSession, weekly_cap: int, now: datetime, *, home_only: bool
) -> list[Label[Any]]:
    """Return what decides about a push to a member."""
    return [
        who.c.stopped_at.is_not(None).label("is_stopped"),
        _nearest_link(await accounts.barred(session, home_only=home_only)).label("nearest"),
        home.c.zone.label("home_zone"),
        (await _capped(session, weekly_cap, now)).label("is_capped"),
    ]


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


def _nearest_link(barred: Sequence[int]) -> ColumnElement[int]:
    """Return the account a member is reached on, or `BARRED` or `BLOCKED` if all theirs are; NULL if none.

    One look into the index of links, not one a question: it is what a preview of a whole city costs.
    The least of place and account in one number is the account that a dispatch will choose (`materialise`).
    """
    active = account_link.c.state == LinkState.ACTIVE
    ways = [(and_(active, account_link.c.account_id.in_(barred)), BARRED)] if barred else []
    preferred = account_link.c.place * ACCOUNTS + account_link.c.account_id
    account_id = case(*ways, (active, preferred), else_=BLOCKED)
    linked = and_(
        account_link.c.member_id == who.c.id,
        account_link.c.state.in_([LinkState.ACTIVE, LinkState.BLOCKED]),
    )
    return select(func.min(account_id)).where(linked).scalar_subquery()


async def _capped(session: AsyncSession, weekly_cap: int, now: datetime) -> ColumnElement[bool]:
    """Say whether a member had their pushes of this week, which began on Monday where they are at home."""
    zones = (await session.execute(select(organisation.c.zone).distinct())).scalars().all()
    mondays = {zone: week_start(now, zone) for zone in zones}
    if not weekly_cap or not mondays:
        return literal(value=False)
    this_week = and_(
        COUNTED,
        or_(
            dispatch.c.finished_at.is_(None), dispatch.c.finished_at >= min(mondays.values()) - LATE_OUTCOMES
        ),
    )
    several = (await session.execute(select(dispatch.c.id).where(this_week).limit(weekly_cap))).all()
    if len(several) < weekly_cap:
        return literal(value=False)
    monday = case({zone: literal(at, UtcDateTime) for zone, at in mondays.items()}, value=home.c.zone)
    pushes = (
        select(func.count())
        .where(
            delivery.c.member_id == who.c.id,
            delivery.c.dispatch_id.in_(select(dispatch.c.id).where(this_week)),
            delivery.c.state.in_(PUSHED),
            delivery.c.at >= monday,
        )
        .scalar_subquery()
    )
    return pushes >= weekly_cap


def _to_group(row: Row[Any]) -> Group:
    """Word the reason as a dispatch will: who has stopped first, then who has no chat."""
    if row.is_stopped:
        reason = "stopped"
    elif row.nearest is None:
        reason = "no_account"
    else:
        reason = {BLOCKED: "blocked", BARRED: "residency"}.get(row.nearest, "")
    account_id = None if reason else row.nearest % ACCOUNTS
    return Group(reason, row.home_zone, account_id, bool(row.is_capped), row.members)

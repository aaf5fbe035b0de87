"""Totals for the metrics: sums over slices, never over recipients."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, case, func, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from domain.delivery import DispatchState
from domain.pace import PaceKind
from storage import throughput
from storage.tables import metadata

account = metadata.tables["account"]
dispatch = metadata.tables["dispatch"]
pace = metadata.tables["pace"]
slice_ = metadata.tables["slice"]
OUTCOMES = ("sent", "unreachable", "rejected", "skipped", "failed", "unknown")
RECENT = timedelta(days=7)


async def outcomes(session: AsyncSession, now: datetime) -> dict[str, int]:
    """Return how many deliveries ended how, and how many still wait, of what is open or ended within `RECENT`.

    Of all there ever were it would cost more with every notice.
    """
    sums = [func.coalesce(func.sum(slice_.c[name]), 0).label(name) for name in OUTCOMES]
    planned = func.coalesce(func.sum(slice_.c.planned), 0).label("planned")
    going = select(dispatch.c.id).where(dispatch.c.state.in_([DispatchState.RUNNING, DispatchState.PAUSED]))
    ended = select(dispatch.c.id).where(dispatch.c.finished_at > now - RECENT)
    recent = slice_.c.dispatch_id.in_(going.union(ended))
    row = (await session.execute(select(planned, *sums).where(recent))).one()
    found = {name: int(getattr(row, name)) for name in OUTCOMES}
    return {**found, "waiting": int(row.planned) - sum(found.values())}


@dataclass(frozen=True, slots=True)
class Open:
    """The slices that are not done, and since when the oldest that is due has waited."""

    due: int
    held: int
    paused: int
    oldest_due: datetime | None


@dataclass(frozen=True, slots=True)
class Paced:
    """A pace of an account as the whole fleet has it."""

    account: str
    kind: PaceKind
    rate: float
    ceiling: float
    held_until: datetime | None
    halted: bool


async def open_slices(session: AsyncSession, now: datetime) -> Open:
    """Look at the slices that are not done; it costs as much as there are."""
    running = dispatch.c.state == DispatchState.RUNNING
    held = and_(running, slice_.c.held_until > now)
    due = and_(running, or_(slice_.c.held_until.is_(None), slice_.c.held_until <= now))
    waits_since = func.coalesce(slice_.c.held_until, dispatch.c.created_at, type_=dispatch.c.created_at.type)
    wanted = (
        select(
            func.count().filter(due).label("due"),
            func.count().filter(held).label("held"),
            func.count().filter(dispatch.c.state == DispatchState.PAUSED).label("paused"),
            func.min(case((due, waits_since))).label("oldest_due"),
        )
        .join(dispatch, dispatch.c.id == slice_.c.dispatch_id)
        .where(slice_.c.done.is_(False))
    )
    return Open(*(await session.execute(wanted)).one())


async def rates(session: AsyncSession, now: datetime) -> dict[str, float]:
    """Return how many deliveries a second really go out, by account: those of all that runs, added up."""
    epoch = now.timestamp()
    wanted = (
        select(account.c.name, slice_.c.dispatch_id, *throughput.sums(epoch))
        .join(account, account.c.id == slice_.c.account_id)
        .join(dispatch, dispatch.c.id == slice_.c.dispatch_id)
        .where(dispatch.c.state == DispatchState.RUNNING, throughput.recent(epoch))
        .group_by(account.c.name, slice_.c.dispatch_id)
    )
    found: defaultdict[str, float] = defaultdict(float)
    for row in (await session.execute(wanted)).all():
        found[row.name] += throughput.moved_of(row).rate(epoch)
    return found


async def refusals(session: AsyncSession, now: datetime) -> dict[str, int]:
    """Return how many 429s each account met today, of those that met any; the day is that of UTC."""
    today = pace.c.busy_on == now.date()
    wanted = select(account.c.name, func.sum(pace.c.busy).label("number")).where(today)
    found = wanted.join(account, account.c.id == pace.c.account_id).group_by(account.c.name)
    return {row.name: int(row.number) for row in (await session.execute(found)).all()}


async def paces(session: AsyncSession) -> list[Paced]:
    """Return each account's pace, and the paid one of those that may pay."""
    columns = (account.c.name, pace.c.kind, pace.c.rate, pace.c.ceiling, pace.c.held_until, pace.c.halted_at)
    wanted = select(*columns).join(account, account.c.id == pace.c.account_id)
    rows = (await session.execute(wanted.order_by(account.c.name, pace.c.kind))).all()
    return [
        Paced(row.name, PaceKind(row.kind), row.rate, row.ceiling, row.held_until, row.halted_at is not None)
        for row in rows
    ]

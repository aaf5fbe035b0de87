"""Dispatches: created, controlled, and counted in O(slices)."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Select,
    and_,
    case,
    exists,
    func,
    insert,
    or_,
    select,
    true,
    update,
)
from sqlmodel.ext.asyncio.session import AsyncSession

from domain.delivery import DeliveryState, DispatchState, Lane, UnknownPolicy
from domain.throughput import ANSWERED, Moved
from storage import throughput
from storage.tables import metadata

account = metadata.tables["account"]
account_link = metadata.tables["account_link"]
delivery = metadata.tables["delivery"]
dispatch = metadata.tables["dispatch"]
member = metadata.tables["member"]
outcome_count = metadata.tables["outcome_count"]
slice_ = metadata.tables["slice"]
_next = slice_.alias("next_slice")

IN_HAND = 4
"""Slices of a dispatch and account that are jobs at a time."""
COUNTERS = ("sent", "unreachable", "rejected", "skipped", "failed", "unknown")


@dataclass(frozen=True, slots=True)
class Dispatch:
    """A dispatch as services see it."""

    id: int
    source: str
    source_id: int
    lane: Lane
    paid: bool
    state: DispatchState
    pause_reason: str
    generation: int
    planned: int
    created_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class AccountTally:
    """What the slices of one dispatch on one account add up to; `held` waits for `held_until`.

    `begun` once a messenger has answered for any of it.
    """

    account_id: int
    planned: int
    done: int
    held: int
    held_until: datetime | None
    begun: bool
    moved: Moved


@dataclass(frozen=True, slots=True)
class Tally:
    """The counters of a dispatch, and per account what is still to do."""

    counts: dict[str, int]
    reasons: dict[tuple[str, str], int]
    accounts: tuple[AccountTally, ...]


@dataclass(frozen=True, slots=True)
class DueSlice:
    """An unfinished slice of a running dispatch."""

    id: int
    generation: int
    lane: Lane


async def create(
    session: AsyncSession,
    *,
    source: str,
    source_id: int,
    author_id: int | None,
    lane: Lane,
    paid: bool = False,
    home_only: bool = False,
    unknown_policy: UnknownPolicy,
    useful_until: datetime | None,
    topic_id: int | None,
    now: datetime,
) -> int:
    """Write the dispatch itself and return its id."""
    values = {
        "source": source,
        "source_id": source_id,
        "author_id": author_id,
        "topic_id": topic_id,
        "lane": lane,
        "paid": paid,
        "home_only": home_only,
        "unknown_policy": unknown_policy,
        "state": DispatchState.RUNNING,
        "pause_reason": "",
        "generation": 1,
        "planned": 0,
        "above_id": select(func.max(delivery.c.id)).scalar_subquery(),
        "created_at": now,
        "useful_until": useful_until,
    }
    row = (await session.execute(insert(dispatch).values(values).returning(dispatch.c.id))).one()
    return int(row.id)


async def read(session: AsyncSession, dispatch_id: int) -> Dispatch | None:
    row = (await session.execute(select(dispatch).where(dispatch.c.id == dispatch_id))).first()
    return None if row is None else _to_dispatch(row)


async def unfinished(session: AsyncSession) -> list[Dispatch]:
    """Return what runs or is paused, the oldest first."""
    is_open = dispatch.c.state.in_([DispatchState.RUNNING, DispatchState.PAUSED])
    found = select(dispatch).where(is_open).order_by(dispatch.c.id)
    return [_to_dispatch(row) for row in (await session.execute(found)).all()]


async def of_source(session: AsyncSession, source: str, source_id: int) -> list[int]:
    """Return the ids of a source's dispatches, oldest first."""
    found = select(dispatch.c.id).where(dispatch.c.source == source, dispatch.c.source_id == source_id)
    return list((await session.execute(found.order_by(dispatch.c.id))).scalars())


async def tally(session: AsyncSession, dispatch_id: int, now: datetime) -> Tally:
    """Add up the slices of a dispatch: its cost grows with the slices, not with the recipients."""
    finished = sum((slice_.c[name] for name in COUNTERS[1:]), start=slice_.c.sent)
    held = and_(slice_.c.held_until > now, ~slice_.c.done)
    sums = (
        select(
            slice_.c.account_id,
            func.sum(slice_.c.planned).label("planned"),
            func.sum(finished).label("finished"),
            func.sum(case((held, slice_.c.planned - finished), else_=0)).label("held"),
            func.max(case((held, slice_.c.held_until))).label("held_until"),
            *(func.sum(slice_.c[name]).label(name) for name in COUNTERS),
            *throughput.sums(now.timestamp()),
        )
        .where(slice_.c.dispatch_id == dispatch_id)
        .group_by(slice_.c.account_id)
    )
    rows = (await session.execute(sums)).all()
    counted = select(
        outcome_count.c.state, outcome_count.c.reason, outcome_count.c.count.label("number")
    ).where(outcome_count.c.dispatch_id == dispatch_id, outcome_count.c.count > 0)
    reasons = {(row.state, row.reason): int(row.number) for row in (await session.execute(counted)).all()}
    counts = {name: int(sum(getattr(row, name) for row in rows)) for name in COUNTERS}
    counts["skipped"] = sum(count for (state, _), count in reasons.items() if state == DeliveryState.SKIPPED)
    accounts = tuple(
        AccountTally(
            row.account_id,
            int(row.planned),
            int(row.finished),
            int(row.held),
            row.held_until,
            begun=any(getattr(row, state) for state in ANSWERED),
            moved=throughput.moved_of(row),
        )
        for row in rows
    )
    return Tally(counts, reasons, accounts)


async def rivals(session: AsyncSession, what: Dispatch) -> dict[int, int]:
    """Return by account how many others run that share its pace with this one."""
    wanted = (
        select(slice_.c.account_id, func.count(slice_.c.dispatch_id.distinct()).label("number"))
        .join(dispatch, dispatch.c.id == slice_.c.dispatch_id)
        .where(
            dispatch.c.state == DispatchState.RUNNING,
            dispatch.c.lane == what.lane,
            dispatch.c.paid == what.paid,
            dispatch.c.id != what.id,
            slice_.c.done.is_(False),
        )
        .group_by(slice_.c.account_id)
    )
    return {row.account_id: int(row.number) for row in (await session.execute(wanted)).all()}


async def due_slices(session: AsyncSession, now: datetime, dispatch_id: int | None = None) -> list[DueSlice]:
    """Return the next few slices to work on, of each running dispatch and account: `IN_HAND` of those that are due.

    Few, so that what comes later finds a place; the cost grows with the slices in hand, not with those that wait.
    """
    mine = and_(
        dispatch.c.state == DispatchState.RUNNING,
        true() if dispatch_id is None else dispatch.c.id == dispatch_id,
    )
    of_pair = _due(now).where(_next.c.dispatch_id == dispatch.c.id, _next.c.account_id == account.c.id)
    columns = (dispatch.c.generation, dispatch.c.lane)
    if session.get_bind().dialect.name == "postgresql":
        few = of_pair.correlate(dispatch, account).lateral()
        wanted = (
            select(few.c.id, few.c.number, *columns)
            .select_from(dispatch)
            .join(account, true())
            .join(few, true())
        )
    else:
        few_ids = of_pair.with_only_columns(_next.c.id).correlate(dispatch, account)
        wanted = (
            select(slice_.c.id, slice_.c.number, *columns)
            .select_from(dispatch)
            .join(account, true())
            .join(slice_, slice_.c.id.in_(few_ids))
        )
    rows = (await session.execute(wanted.where(mine))).all()
    return [
        DueSlice(row.id, row.generation, Lane(row.lane))
        for row in sorted(rows, key=lambda row: (row.number, row.id))
    ]


async def following(
    session: AsyncSession, slice_id: int, now: datetime, served: Collection[int]
) -> list[DueSlice]:
    """Return the next few slices of the same dispatch and account as this one, which has nothing left to begin.

    Of an account that is not `served` here there are none: its slices would only be given on to each other.
    """
    this = slice_.alias("this")
    few = _due(now).where(
        this.c.id == slice_id,
        this.c.account_id.in_(list(served)),
        _next.c.dispatch_id == this.c.dispatch_id,
        _next.c.account_id == this.c.account_id,
    )
    found = few.add_columns(dispatch.c.generation, dispatch.c.lane).where(
        dispatch.c.id == _next.c.dispatch_id, dispatch.c.state == DispatchState.RUNNING
    )
    rows = (await session.execute(found)).all()
    return [DueSlice(row.id, row.generation, Lane(row.lane)) for row in rows]


def _due(now: datetime) -> Select[tuple[int, int]]:
    waits = exists().where(delivery.c.slice_id == _next.c.id, delivery.c.state == DeliveryState.WAITING)
    return (
        select(_next.c.id, _next.c.number)
        .where(_next.c.done.is_(False), or_(_next.c.held_until.is_(None), _next.c.held_until <= now), waits)
        .order_by(_next.c.number)
        .limit(IN_HAND)
    )


async def pause(session: AsyncSession, dispatch_id: int, reason: str) -> bool:
    """Stop a running dispatch; say whether it was running."""
    changed = await session.execute(
        update(dispatch)
        .where(dispatch.c.id == dispatch_id, dispatch.c.state == DispatchState.RUNNING)
        .values(state=DispatchState.PAUSED, pause_reason=reason)
        .returning(dispatch.c.id)
    )
    return changed.first() is not None


async def pause_all(session: AsyncSession, reason: str) -> None:
    """Stop whatever runs to more than one person; a single word to one may rather come twice than never."""
    await session.execute(
        update(dispatch)
        .where(dispatch.c.planned > 1, dispatch.c.state == DispatchState.RUNNING)
        .values(state=DispatchState.PAUSED, pause_reason=reason)
    )


async def end_all(session: AsyncSession, source: str, now: datetime) -> None:
    """End whatever is open of one kind of source: who still waits is skipped."""
    await session.execute(
        update(dispatch)
        .where(
            dispatch.c.source == source,
            dispatch.c.state.in_([DispatchState.RUNNING, DispatchState.PAUSED]),
        )
        .values(state=DispatchState.CANCELLED, finished_at=now)
    )


async def resume(session: AsyncSession, dispatch_id: int) -> bool:
    """Run a paused dispatch again, as a new generation of jobs; say whether it was paused."""
    changed = await session.execute(
        update(dispatch)
        .where(dispatch.c.id == dispatch_id, dispatch.c.state == DispatchState.PAUSED)
        .values(state=DispatchState.RUNNING, pause_reason="", generation=dispatch.c.generation + 1)
        .returning(dispatch.c.id)
    )
    return changed.first() is not None


async def cancel(session: AsyncSession, dispatch_id: int, now: datetime) -> bool:
    """End a dispatch: who waits is skipped; what is on its way is still recorded. Say whether it was open."""
    changed = await session.execute(
        update(dispatch)
        .where(
            dispatch.c.id == dispatch_id, dispatch.c.state.in_([DispatchState.RUNNING, DispatchState.PAUSED])
        )
        .values(state=DispatchState.CANCELLED, finished_at=now)
        .returning(dispatch.c.id)
    )
    return changed.first() is not None


def _to_dispatch(row: Any) -> Dispatch:
    return Dispatch(
        id=row.id,
        source=row.source,
        source_id=row.source_id,
        lane=Lane(row.lane),
        paid=bool(row.paid),
        state=DispatchState(row.state),
        pause_reason=row.pause_reason,
        generation=row.generation,
        planned=row.planned,
        created_at=row.created_at,
        finished_at=row.finished_at,
    )

"""Dispatches: written with all their deliveries at once, controlled, and counted in O(slices).

The deliveries of an audience are one INSERT ... SELECT, so that a million recipients never pass through
Python (measured: 0.5 s on SQLite, 3 s on PostgreSQL; `add_all` over a minute). Every member of the audience
has a row: who cannot be reached is skipped, with the reason.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    Insert,
    Integer,
    Select,
    and_,
    case,
    delete,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)
from sqlmodel.ext.asyncio.session import AsyncSession

from domain.delivery import DeliveryState, DispatchState, Lane, UnknownPolicy
from storage.tables import metadata

account_link = metadata.tables["account_link"]
delivery = metadata.tables["delivery"]
dispatch = metadata.tables["dispatch"]
member = metadata.tables["member"]
outcome_count = metadata.tables["outcome_count"]
slice_ = metadata.tables["slice"]

SLICE_SIZE = 500
COUNTERS = ("sent", "unreachable", "rejected", "skipped", "failed", "unknown")


@dataclass(frozen=True, slots=True)
class Dispatch:
    """A dispatch as services see it."""

    id: int
    source: str
    source_id: int
    lane: Lane
    state: DispatchState
    pause_reason: str
    generation: int
    planned: int
    created_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class AccountTally:
    """What the slices of one dispatch on one account add up to; `held` waits for `held_until`."""

    account_id: int
    planned: int
    done: int
    held: int
    held_until: datetime | None


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
        "unknown_policy": unknown_policy,
        "state": DispatchState.RUNNING,
        "pause_reason": "",
        "generation": 1,
        "planned": 0,
        "created_at": now,
        "useful_until": useful_until,
    }
    row = (await session.execute(insert(dispatch).values(values).returning(dispatch.c.id))).one()
    return int(row.id)


async def materialise(session: AsyncSession, dispatch_id: int, members: Select[tuple[int]]) -> int:
    """Write one delivery for each of `members` (a select of member ids), cut into slices; return how many."""
    last = await _cut_slices(session, dispatch_id, members)
    await session.execute(_deliveries_of(dispatch_id, members, last))
    return await _count(session, dispatch_id)


def named(member_ids: Sequence[int]) -> Select[tuple[int]]:
    """Select the members of these ids."""
    return select(member.c.id).where(member.c.id.in_(list(member_ids)))


def _targets(members: Select[tuple[int]]) -> Select[tuple[int, int, int, str]]:
    """Select for each member the chat they prefer: their active link on the first account, if any."""
    links = account_link.alias("candidate")
    preferred = (
        select(links.c.id)
        .where(links.c.member_id == member.c.id, links.c.state == "active")
        .order_by(links.c.account_id)
        .limit(1)
        .scalar_subquery()
    )
    blocked = exists().where(and_(account_link.c.member_id == member.c.id, account_link.c.state == "blocked"))
    link = account_link.alias("link")
    reason = case(
        (member.c.stopped_at.is_not(None), "stopped"),
        (link.c.id.is_not(None), ""),
        (blocked.correlate(member), "blocked"),
        else_="no_account",
    )
    return (
        select(
            member.c.id.label("member_id"),
            link.c.account_id.label("account_id"),
            link.c.chat_id.label("chat_id"),
            reason.label("reason"),
        )
        .select_from(
            member.outerjoin(link, and_(member.c.stopped_at.is_(None), link.c.id == preferred)),
        )
        .where(member.c.id.in_(members))
    )


async def _cut_slices(session: AsyncSession, dispatch_id: int, members: Select[tuple[int]]) -> dict[int, int]:
    """Write the slices that the audience needs now; return the last slice's number per account."""
    targets = _targets(members).subquery()
    per_account = (
        select(targets.c.account_id, func.count().label("planned"))
        .where(targets.c.account_id.is_not(None))
        .group_by(targets.c.account_id)
    )
    last = {
        row.account_id: (row.planned - 1) // SLICE_SIZE for row in (await session.execute(per_account)).all()
    }
    fresh = dict.fromkeys(("fence", "planned", *COUNTERS), 0) | {"done": False}
    rows = [
        {"dispatch_id": dispatch_id, "account_id": account_id, "number": number, **fresh}
        for account_id, highest in sorted(last.items())
        for number in range(highest + 1)
    ]
    if rows:
        await session.execute(insert(slice_), rows)
    return last


def _deliveries_of(dispatch_id: int, members: Select[tuple[int]], last: dict[int, int]) -> Insert:
    """Build the INSERT ... SELECT. Whoever gained a link since the slices were cut falls into the last one."""
    targets = _targets(members).subquery()
    running = func.row_number().over(partition_by=targets.c.account_id, order_by=targets.c.member_id) - 1
    number = running.op("/", precedence=8, return_type=Integer)(SLICE_SIZE)  # `//` makes PostgreSQL's a float
    highest = case(last, value=targets.c.account_id, else_=-1) if last else literal(-1)
    numbered = select(targets, number.label("number"), highest.label("highest")).subquery()
    capped = case((numbered.c.number > numbered.c.highest, numbered.c.highest), else_=numbered.c.number)
    # A join would be quadratic: the planner knows no figures of slices written in this transaction.
    slice_id = select(slice_.c.id).where(
        slice_.c.dispatch_id == dispatch_id,
        slice_.c.account_id == numbered.c.account_id,
        slice_.c.number == capped,
    )
    cut = numbered.c.highest >= 0
    rows = select(
        literal(dispatch_id),
        slice_id.scalar_subquery(),
        numbered.c.member_id,
        numbered.c.account_id,
        numbered.c.chat_id,
        case((cut, DeliveryState.WAITING.value), else_=DeliveryState.SKIPPED.value),
        case((cut, ""), (numbered.c.reason == "", "no_account"), else_=numbered.c.reason),
        literal(0),
    )
    columns = ["dispatch_id", "slice_id", "member_id", "account_id", "chat_id", "state", "reason", "attempt"]
    return insert(delivery).from_select(columns, rows)


async def _count(session: AsyncSession, dispatch_id: int) -> int:
    """Set the planned counters and the counts of the skipped from what was written."""
    grouped = (
        select(delivery.c.slice_id, delivery.c.reason, func.count().label("planned"))
        .where(delivery.c.dispatch_id == dispatch_id)
        .group_by(delivery.c.slice_id, delivery.c.reason)
    )
    rows = (await session.execute(grouped)).all()
    planned = {row.slice_id: row.planned for row in rows if row.slice_id is not None}
    skipped = {row.reason: row.planned for row in rows if row.slice_id is None}
    for number, count in planned.items():
        await session.execute(update(slice_).where(slice_.c.id == number).values(planned=count))
    if skipped:
        fields = {"dispatch_id": dispatch_id, "state": DeliveryState.SKIPPED}
        counts = [{**fields, "reason": reason, "count": count} for reason, count in skipped.items()]
        await session.execute(insert(outcome_count), counts)
    empty = and_(slice_.c.dispatch_id == dispatch_id, slice_.c.planned == 0)
    await session.execute(delete(slice_).where(empty))
    total = int(sum(planned.values()) + sum(skipped.values()))
    await session.execute(update(dispatch).where(dispatch.c.id == dispatch_id).values(planned=total))
    return total


async def read(session: AsyncSession, dispatch_id: int) -> Dispatch | None:
    row = (await session.execute(select(dispatch).where(dispatch.c.id == dispatch_id))).first()
    if row is None:
        return None
    return Dispatch(
        id=row.id,
        source=row.source,
        source_id=row.source_id,
        lane=Lane(row.lane),
        state=DispatchState(row.state),
        pause_reason=row.pause_reason,
        generation=row.generation,
        planned=row.planned,
        created_at=row.created_at,
        finished_at=row.finished_at,
    )


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
        )
        .where(slice_.c.dispatch_id == dispatch_id)
        .group_by(slice_.c.account_id)
    )
    rows = (await session.execute(sums)).all()
    counted = select(
        outcome_count.c.state, outcome_count.c.reason, outcome_count.c.count.label("number")
    ).where(outcome_count.c.dispatch_id == dispatch_id)
    reasons = {(row.state, row.reason): int(row.number) for row in (await session.execute(counted)).all()}
    counts = {name: int(sum(getattr(row, name) for row in rows)) for name in COUNTERS}
    counts["skipped"] = sum(count for (state, _), count in reasons.items() if state == DeliveryState.SKIPPED)
    accounts = tuple(
        AccountTally(row.account_id, int(row.planned), int(row.finished), int(row.held), row.held_until)
        for row in rows
    )
    return Tally(counts, reasons, accounts)


async def due_slices(session: AsyncSession, now: datetime, dispatch_id: int | None = None) -> list[DueSlice]:
    """Return every unfinished slice of running dispatches that is not held, in the order to send them."""
    wanted = (
        select(slice_.c.id, dispatch.c.generation, dispatch.c.lane)
        .join(dispatch, dispatch.c.id == slice_.c.dispatch_id)
        .where(
            dispatch.c.state == DispatchState.RUNNING,
            slice_.c.done.is_(False),
            or_(slice_.c.held_until.is_(None), slice_.c.held_until <= now),
        )
        .order_by(slice_.c.id)
    )
    if dispatch_id is not None:
        wanted = wanted.where(dispatch.c.id == dispatch_id)
    rows = (await session.execute(wanted)).all()
    return [DueSlice(row.id, row.generation, Lane(row.lane)) for row in rows]


async def pause(session: AsyncSession, dispatch_id: int, reason: str) -> bool:
    """Stop a running dispatch; say whether it was running."""
    changed = await session.execute(
        update(dispatch)
        .where(dispatch.c.id == dispatch_id, dispatch.c.state == DispatchState.RUNNING)
        .values(state=DispatchState.PAUSED, pause_reason=reason)
        .returning(dispatch.c.id)
    )
    return changed.first() is not None


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


async def rerun_failed(session: AsyncSession, dispatch_id: int) -> int:
    """Let the failed of a dispatch wait again, as a new generation; return how many there are."""
    failed = and_(delivery.c.dispatch_id == dispatch_id, delivery.c.state == DeliveryState.FAILED)
    changed = (
        update(delivery)
        .where(failed)
        .values(state=DeliveryState.WAITING, reason="", attempt=0, retry_at=None)
    )
    rows = (await session.execute(changed.returning(delivery.c.slice_id))).all()
    if not rows:
        return 0
    slices = {row.slice_id for row in rows}
    await session.execute(
        update(slice_).where(slice_.c.id.in_(slices)).values(failed=0, done=False, held_until=None)
    )
    await session.execute(
        delete(outcome_count).where(
            outcome_count.c.dispatch_id == dispatch_id, outcome_count.c.state == DeliveryState.FAILED
        )
    )
    await session.execute(
        update(dispatch)
        .where(dispatch.c.id == dispatch_id)
        .values(
            state=DispatchState.RUNNING,
            pause_reason="",
            finished_at=None,
            generation=dispatch.c.generation + 1,
        )
    )
    return len(rows)

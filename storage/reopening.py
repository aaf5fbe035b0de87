"""Deliveries that ended and shall wait again: the failed, and those that were perhaps received.

The counters follow what the UPDATE itself says, so that an outcome recorded beside it is neither lost nor counted
twice. Slices come before their dispatch, as they do for the recorder, so that none deadlock.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, bindparam, case, func, or_, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from domain.delivery import DeliveryState, DispatchState
from storage.tables import metadata

delivery = metadata.tables["delivery"]
dispatch = metadata.tables["dispatch"]
outcome_count = metadata.tables["outcome_count"]
slice_ = metadata.tables["slice"]

SHOWN = 50


class Overtaken(Exception):  # noqa: N818 - a fact
    """The dispatch was ended, or taken up again by somebody else, meanwhile: take everything back."""


async def parked(session: AsyncSession, dispatch_id: int) -> int:
    """Count those perhaps received about whom nobody has decided; its cost grows with them and the slices."""
    counted = select(func.count()).where(_parked(dispatch_id))
    return int((await session.execute(counted)).scalar_one())


@dataclass(frozen=True, slots=True)
class Doubtful:
    """A dispatch that some perhaps received, and nobody has decided about them."""

    id: int
    source: str
    parked: int


async def all_parked(session: AsyncSession, now: datetime) -> list[Doubtful]:
    """Return the dispatches that some perhaps received and that are of use still, the latest first."""
    found = with_parked(now).order_by(dispatch.c.id.desc()).limit(SHOWN)
    return [Doubtful(row.id, row.source, row.parked) for row in (await session.execute(found)).all()]


def with_parked(now: datetime) -> Select[tuple[int, str, int]]:
    """Select the dispatches that some perhaps received, undecided and of use still, by the slices that count any."""
    counted = select(dispatch.c.id, dispatch.c.source, func.count(delivery.c.id).label("parked")).join_from(
        dispatch, slice_, slice_.c.dispatch_id == dispatch.c.id
    )
    open_ones = or_(dispatch.c.unknown_left_at.is_(None), delivery.c.at > dispatch.c.unknown_left_at)
    unknown = and_(delivery.c.slice_id == slice_.c.id, delivery.c.state == DeliveryState.UNKNOWN, open_ones)
    return (
        counted.join(delivery, unknown)
        .where(slice_.c.unknown > 0, or_(dispatch.c.useful_until.is_(None), dispatch.c.useful_until > now))
        .group_by(dispatch.c.id, dispatch.c.source)
    )


async def leave(session: AsyncSession, dispatch_id: int, now: datetime) -> int:
    """Let those perhaps received stay so, unasked from now on; return how many they are."""
    count = await parked(session, dispatch_id)
    if count:
        mine = dispatch.c.id == dispatch_id
        await session.execute(update(dispatch).where(mine).values(unknown_left_at=now))
    return count


async def again_unknown(session: AsyncSession, dispatch_id: int, generation: int | None) -> int:
    """Let those perhaps received wait again, as a new generation; return how many they are.

    With `generation`, only if that is still the one: who presses twice does not send what is on its way again.
    """
    return await _again(
        session, dispatch_id, DeliveryState.UNKNOWN, _parked(dispatch_id), generation=generation
    )


async def again_failed(session: AsyncSession, dispatch_id: int) -> int:
    """Let the failed of a dispatch wait again, as a new generation; return how many there are."""
    return await _again(session, dispatch_id, DeliveryState.FAILED, _ended(dispatch_id, DeliveryState.FAILED))


async def _again(
    session: AsyncSession, dispatch_id: int, state: DeliveryState, which: Any, generation: int | None = None
) -> int:
    """Reopen what ended in `state`: a cancelled dispatch stays ended, and a paused one stays paused."""
    counts = await _reopen(session, which)
    if not counts:
        return 0
    await _uncount(session, dispatch_id, state, counts)
    paused = dispatch.c.state == DispatchState.PAUSED
    mine = and_(dispatch.c.id == dispatch_id, dispatch.c.state != DispatchState.CANCELLED)
    if generation is not None:
        mine = and_(mine, dispatch.c.generation == generation)
    reopened = (
        update(dispatch)
        .where(mine)
        .values(
            state=case((paused, DispatchState.PAUSED.value), else_=DispatchState.RUNNING.value),
            finished_at=None,
            generation=dispatch.c.generation + 1,
        )
        .returning(dispatch.c.id)
    )
    if (await session.execute(reopened)).first() is None:
        raise Overtaken
    return sum(counts.values())


async def _reopen(session: AsyncSession, which: Any) -> dict[tuple[int, str], int]:
    """Let deliveries wait, and return how many by slice and reason; the reason stays until the next try."""
    changed = update(delivery).where(which).values(state=DeliveryState.WAITING, attempt=0, retry_at=None)
    columns = (delivery.c.slice_id, delivery.c.reason)
    if session.get_bind().dialect.name == "postgresql":
        reopened = changed.returning(*columns).cte("reopened")
        grouped = select(*reopened.c, func.count().label("number")).group_by(*reopened.c)
        rows = (await session.execute(grouped)).all()
    else:  # SQLite has no UPDATE in a WITH, and one writer, so that counting first is the same
        counted = select(*columns, func.count().label("number")).where(which).group_by(*columns)
        rows = (await session.execute(counted)).all()
        if rows:
            await session.execute(changed)
    return {(row.slice_id, row.reason): row.number for row in rows}


async def _uncount(
    session: AsyncSession, dispatch_id: int, state: DeliveryState, counts: dict[tuple[int, str], int]
) -> None:
    slices: dict[int, int] = {}
    reasons: dict[str, int] = {}
    for (slice_id, reason), number in counts.items():
        slices[slice_id] = slices.get(slice_id, 0) + number
        reasons[reason] = reasons.get(reason, 0) + number
    counter = slice_.c[str(state)]
    fewer = (
        update(slice_)
        .where(slice_.c.id == bindparam("of"))
        .values({counter: counter - bindparam("fewer"), slice_.c.done: False, slice_.c.held_until: None})
    )
    connection = await session.connection()
    await connection.execute(fewer, [{"of": each, "fewer": slices[each]} for each in sorted(slices)])
    explained = (
        update(outcome_count)
        .where(outcome_count.c.dispatch_id == dispatch_id, outcome_count.c.state == str(state))
        .where(outcome_count.c.reason == bindparam("why"))
        .values(count=outcome_count.c.count - bindparam("fewer"))
    )
    await connection.execute(explained, [{"why": each, "fewer": reasons[each]} for each in sorted(reasons)])


def _ended(dispatch_id: int, state: DeliveryState) -> Any:
    """Select the deliveries of a dispatch that ended in a state, by the slices that count any."""
    with_some = select(slice_.c.id).where(slice_.c.dispatch_id == dispatch_id, slice_.c[str(state)] > 0)
    return and_(delivery.c.slice_id.in_(with_some), delivery.c.state == state)


def _parked(dispatch_id: int) -> Any:
    left_at = select(dispatch.c.unknown_left_at).where(dispatch.c.id == dispatch_id).scalar_subquery()
    return and_(_ended(dispatch_id, DeliveryState.UNKNOWN), or_(left_at.is_(None), delivery.c.at > left_at))

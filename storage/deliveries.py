"""Claiming deliveries of a slice in small groups, with one more look at everything that may have changed.

The fence stops a worker that was overtaken from sending, never from recording (`storage.outcomes`).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import (
    and_,
    bindparam,
    exists,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.engine import Row
from sqlalchemy.sql.dml import ReturningUpdate
from sqlmodel.ext.asyncio.session import AsyncSession

from domain.delivery import (
    MOVED,
    DeliveryState,
    DispatchState,
    Gathered,
    Held,
    Lane,
    Recipient,
    Skipped,
    UnknownPolicy,
    look_again,
)
from domain.digests import IN_DIGEST
from domain.nudges import SOURCE as NUDGE
from domain.pace import PaceKind
from domain.push_budget import counts
from domain.quiet_hours import QuietHours
from domain.rest_days import ASKED_FOR, RestDays, hold
from storage import candidates, chat_pace, digests, number_lists, push_budget
from storage.tables import metadata
from storage.tables.columns import UtcDateTime

delivery = metadata.tables["delivery"]
dispatch = metadata.tables["dispatch"]
member = metadata.tables["member"]
organisation = metadata.tables["organisation"]
pace = metadata.tables["pace"]
slice_ = metadata.tables["slice"]

NOTE_AFTER = timedelta(seconds=30)
"""A claim says that its slice is in hand still, if nobody has for so long (`outcomes.reap`)."""
Finding = Skipped | Held | Gathered | None
"""What keeps one recipient from being sent to, if anything does."""


@dataclass(frozen=True, slots=True)
class OpenSlice:
    """A slice in the hands of one worker, as long as its fence stands."""

    id: int
    fence: int
    opened_at: datetime
    generation: int
    account_id: int
    dispatch_id: int
    source: str
    source_id: int
    lane: Lane
    policy: UnknownPolicy
    topic_id: int | None
    useful_until: datetime | None
    waiting: int
    week_above: int
    """A number below all deliveries of this week."""
    kind: PaceKind = PaceKind.FREE
    """Paid where its dispatch is, and its account may."""
    home_only: bool = False
    """Only by an account that keeps its data in the home country."""
    each: int = 1
    """Messages that a recipient gets."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What holds a push back; an urgent one is outside of all."""

    quiet: QuietHours | None = None
    weekly_cap: int = 0
    rest: RestDays | None = None

    def of(self, lane: Lane) -> "Rules":
        """Return what holds a push of this lane back."""
        return self if lane is Lane.NORMAL else Rules()

    def hold(self, lane: Lane, source: str, now: datetime, zone: str) -> Held | None:
        """Say until when a push to somebody at home in this zone waits, whoever they are."""
        mine = self.of(lane)
        return hold(mine.quiet, None if source in ASKED_FOR else mine.rest, now, zone)


class Claim(NamedTuple):
    """A delivery to send now, to be recorded by its attempt id."""

    id: int
    attempt_id: str
    attempt: int
    member_id: int
    chat_id: int
    language: str
    moved: bool = False
    """Its last try found that the chat has a new id."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """What one claim brought: to send, skipped, held; all nothing when the slice has nothing to claim now.

    The next claim of the turn looks beyond `last` first.
    """

    claims: tuple[Claim, ...] = ()
    skipped: tuple[tuple[int, str], ...] = ()
    held: int = 0
    last: int = 0
    noted_at: datetime | None = None
    """When it was said, with this claim, that the slice is in hand."""

    @property
    def nothing(self) -> bool:
        return not (self.claims or self.skipped or self.held)


async def open_slice(
    session: AsyncSession, slice_id: int, generation: int, now: datetime
) -> OpenSlice | None:
    """Take a slice by raising its fence; `None` if it is done, or its dispatch is not running this generation."""
    running = select(dispatch.c.id).where(
        dispatch.c.state == DispatchState.RUNNING, dispatch.c.generation == generation
    )
    taken = (
        update(slice_)
        .where(slice_.c.id == slice_id, slice_.c.done.is_(False), slice_.c.dispatch_id.in_(running))
        .values(fence=slice_.c.fence + 1, opened_at=now, held_until=None)
        .returning(slice_.c.fence)
    )
    row = (await session.execute(taken)).first()
    if row is None:
        return None
    waiting = (
        select(func.count())
        .where(delivery.c.slice_id == slice_id, delivery.c.state == DeliveryState.WAITING)
        .scalar_subquery()
    )
    may_pay = exists().where(pace.c.account_id == slice_.c.account_id, pace.c.kind == PaceKind.PAID)
    found = (
        select(slice_.c.account_id, dispatch, waiting.label("waiting"), may_pay.label("may_pay"))
        .join(dispatch, dispatch.c.id == slice_.c.dispatch_id)
        .where(slice_.c.id == slice_id)
    )
    what = (await session.execute(found)).one()
    return OpenSlice(
        id=slice_id,
        fence=row.fence,
        opened_at=now,
        generation=generation,
        account_id=what.account_id,
        dispatch_id=what.id,
        source=what.source,
        source_id=what.source_id,
        lane=Lane(what.lane),
        policy=UnknownPolicy(what.unknown_policy),
        topic_id=what.topic_id,
        useful_until=what.useful_until,
        waiting=what.waiting,
        week_above=await push_budget.week_above(session, now),
        kind=PaceKind.PAID if what.paid and what.may_pay else PaceKind.FREE,
        home_only=what.home_only,
    )


async def claim(
    session: AsyncSession,
    taken: OpenSlice,
    *,
    limit: int,
    attempt_id: str,
    rules: Rules,
    now: datetime,
    beyond: int = 0,
) -> Claimed:
    """Claim up to `limit` deliveries: those to send are `sending` when the transaction commits.

    Those after the number `beyond` come first, so that no claim reads again what earlier ones of the turn went
    through. Whose chat was written to just now is left for a later claim.
    """
    look = candidates.look(
        session.get_bind().dialect.name,
        topical=taken.topic_id is not None,
        nudge=taken.source == NUDGE,
        home_only=taken.home_only,
    )
    await chat_pace.one_at_a_time(session, taken.account_id)
    given = chat_pace.given(now) | {
        "slice_id": taken.id,
        "dispatch": taken.dispatch_id,
        "fence": taken.fence,
        "generation": taken.generation,
        "account": taken.account_id,
        "topic": taken.topic_id,
        "notice": taken.source_id,
        "now": now,
        "most": limit,
    }
    rows = (await session.execute(look, given | {"beyond": beyond})).all()
    if not rows and beyond:
        rows = (await session.execute(look, given | {"beyond": 0})).all()
    if not rows:
        return Claimed()
    noted_at = now if now - taken.opened_at > NOTE_AFTER else None
    if noted_at is not None:
        await busy_with(session, taken.id, now)
    last, rows = rows[-1].id, [row for row in rows if not row.busy]
    capped = (
        await push_budget.above_cap(session, rows, rules.weekly_cap, taken.week_above, now)
        if counts(taken.source, taken.lane)
        else {}
    )
    holds = {zone: rules.hold(taken.lane, taken.source, now, zone) for zone in {row.zone for row in rows}}
    verdicts = _verdicts(rows, taken, capped, holds, now)
    ready = {row.id: row for row, verdict in verdicts if verdict is None}
    won = await _mark_sending(session, ready, attempt_id, now)
    held = [(row, verdict) for row, verdict in verdicts if isinstance(verdict, Held)]
    await _hold(session, held)
    gathered = [
        digests.Gathered(row.id, row.member_id, verdict.due_at)
        for row, verdict in verdicts
        if isinstance(verdict, Gathered)
    ]
    await digests.gather(session, gathered)
    return Claimed(
        claims=tuple(_claim_of(ready[number], attempt_id) for number in sorted(won)),
        skipped=(
            *((row.id, verdict.reason) for row, verdict in verdicts if isinstance(verdict, Skipped)),
            *((one.delivery_id, IN_DIGEST) for one in gathered),
        ),
        held=len(held),
        last=last,
        noted_at=noted_at,
    )


async def still_wanted(session: AsyncSession, taken: OpenSlice, attempt_id: str) -> set[int]:
    """Return what of an attempt may still leave us: it was not given up, and its dispatch runs."""
    found = (
        select(delivery.c.id)
        .join(dispatch, dispatch.c.id == delivery.c.dispatch_id)
        .where(
            delivery.c.slice_id == taken.id,
            delivery.c.attempt_id == attempt_id,
            delivery.c.state == DeliveryState.SENDING,
            dispatch.c.state == DispatchState.RUNNING,
        )
    )
    return set((await session.execute(found)).scalars().all())


async def attend(session: AsyncSession, slice_id: int, claim: Claim, now: datetime) -> None:
    """Note that an attempt is still under way, so that nobody takes it for abandoned."""
    under_way = and_(
        delivery.c.id == claim.id,
        delivery.c.attempt_id == claim.attempt_id,
        delivery.c.state == DeliveryState.SENDING,
    )
    await session.execute(update(delivery).where(under_way).values(at=now))
    await busy_with(session, slice_id, now)


async def busy_with(session: AsyncSession, slice_id: int, now: datetime) -> None:
    """Note that attempts of a slice are under way, so that `outcomes.reap` looks at it when they are abandoned."""
    await session.execute(update(slice_).where(slice_.c.id == slice_id).values(opened_at=now))


async def hold_slice(session: AsyncSession, taken: OpenSlice, now: datetime) -> datetime | None:
    """Return when the soonest of a slice's waiting deliveries may go, and hold the slice until then.

    `None` if nothing waits or the slice is another worker's by now. It may be `now`: a 429 or a pause came between.
    """
    soonest = (
        select(func.min(func.coalesce(delivery.c.retry_at, now, type_=UtcDateTime)))
        .join(slice_, and_(slice_.c.id == delivery.c.slice_id, slice_.c.fence == taken.fence))
        .where(delivery.c.slice_id == taken.id, delivery.c.state == DeliveryState.WAITING)
    )
    until: datetime | None = (await session.execute(soonest)).scalar()
    if until is not None and until > now:
        await session.execute(update(slice_).where(slice_.c.id == taken.id).values(held_until=until))
    return until


def _verdicts(
    rows: Sequence[Row[Any]],
    taken: OpenSlice,
    capped: Mapping[int, datetime],
    holds: Mapping[str, Held | None],
    now: datetime,
) -> list[tuple[Row[Any], Finding]]:
    """Look at each, and but once at those of whom the same is known: as a rule that is everybody."""
    known: dict[object, Finding] = {}
    verdicts = []
    for row in rows:
        until = capped.get(row.member_id) if capped else None
        facts = (until, row[candidates.FACTS])
        if facts not in known:
            known[facts] = _look(row, taken, until, holds[row.zone], now)
        verdicts.append((row, known[facts]))
    return verdicts


def _look(
    row: Row[Any], taken: OpenSlice, capped_until: datetime | None, held: Held | None, now: datetime
) -> Finding:
    recipient = Recipient(
        link_state=row.link_state,
        stopped=row.stopped_at is not None,
        active=row.status == "active",
        subscribed=bool(row.subscribed),
        held=held,
        capped_until=capped_until,
        settled=bool(row.settled),
        barred=bool(row.barred),
    )
    return look_again(recipient, useful_until=taken.useful_until, now=now)


async def _mark_sending(
    session: AsyncSession, ready: Collection[int], attempt_id: str, now: datetime
) -> set[int]:
    if not ready:
        return set()
    dialect = session.get_bind().dialect.name
    numbers = number_lists.numbers(dialect, ready)
    given = {"numbers": numbers, "new_attempt_id": attempt_id, "now": now}
    return set((await session.execute(_marked(dialect), given)).scalars().all())


@cache
def _marked(dialect: str) -> ReturningUpdate[tuple[int]]:
    return (
        update(delivery)
        .where(
            number_lists.among(dialect, delivery.c.id, "numbers"),
            delivery.c.state == DeliveryState.WAITING,
        )
        .values(
            state=DeliveryState.SENDING.value,
            reason="",
            attempt=delivery.c.attempt + 1,
            attempt_id=bindparam("new_attempt_id"),
            retry_at=None,
            at=bindparam("now", type_=UtcDateTime),
        )
        .returning(delivery.c.id)
    )


async def _hold(session: AsyncSession, held: Sequence[tuple[Row[Any], Held]]) -> None:
    groups: dict[Held, list[int]] = {}
    for row, verdict in held:
        groups.setdefault(verdict, []).append(row.id)
    for verdict, numbers in groups.items():
        waiting = and_(delivery.c.id.in_(numbers), delivery.c.state == DeliveryState.WAITING)
        await session.execute(
            update(delivery).where(waiting).values(retry_at=verdict.until, reason=verdict.reason)
        )


async def hold_back(
    session: AsyncSession, taken: OpenSlice, rules: Rules, zones: Collection[str], now: datetime
) -> None:
    """Hold at once all in the slice whose homes lie in quiet hours or rest days, before pace is spent on them.

    Of `zones`, those that there are; who lives in one that came up since is held when claimed.
    """
    for zone in sorted(zones):
        held = rules.hold(taken.lane, taken.source, now, zone)
        if held is None:
            continue
        living_there = (
            select(member.c.id)
            .join(organisation, organisation.c.id == member.c.home_id)
            .where(organisation.c.zone == zone)
        )
        await session.execute(
            update(delivery)
            .where(
                delivery.c.slice_id == taken.id,
                delivery.c.state == DeliveryState.WAITING,
                or_(delivery.c.retry_at.is_(None), delivery.c.retry_at < held.until),
                delivery.c.member_id.in_(living_there),
            )
            .values(retry_at=held.until, reason=held.reason)
        )


def _claim_of(row: Row[Any], attempt_id: str) -> Claim:
    moved = row.reason == MOVED
    return Claim(row.id, attempt_id, row.attempt + 1, row.member_id, row.chat_id, row.language, moved)

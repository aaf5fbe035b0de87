"""Delivery: everything that goes out but the direct answers, as dispatches with one delivery a recipient.

Start, resume, retry, boot and watchdog call one idempotent `kick`: every unfinished slice of a running dispatch
becomes a job with the key slice:generation, and resume and retry raise the generation (with the bare slice as
key, a resume while the old job winds down is swallowed and the slice stranded: reproduced).
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Protocol

from domain.clock import Clock
from domain.delivery import DispatchState, Lane, UnknownPolicy, policy_of
from domain.halts import MOST_IN_A_ROW
from domain.messages import Content
from domain.pace import Pace, PaceKind
from domain.throughput import Finish, Rest, finish, last
from services import killpoints
from services.pacer import Sleep
from services.pipeline import YIELD, Pipeline, Turn
from services.sender import Channel
from storage import audiences, dispatches, halts, materialise, outcomes, pace, reopening, shares
from storage.database import Database, Session
from storage.deliveries import OpenSlice, Rules
from storage.dispatches import Dispatch, DueSlice, Tally
from storage.jobs import Job, Jobs

SLICE_JOB = {Lane.NORMAL: "slice", Lane.URGENT: "urgent"}
"""The job of each lane: urgent ones have a place of their own."""
PLACES = {Lane.NORMAL: 32, Lane.URGENT: 8}
"""Slices that a process has in hand at most; they share the pace of their accounts."""
LONGEST_YIELD = 5.0
PAID_START = 0.5
"""Of its ceiling: what is paid for is not to begin slowly."""
KEPT_CONTENTS = 64
WHOLE_FROM = 10
STOP_GRACE = 7.0
"""Seconds for what is in flight when we stop: a server that answers within five leaves no doubt."""
LONGEST_UNNOTED = timedelta(minutes=5)
"""More than the time for which a worker has a slice in hand without saying so again, and clocks differ."""
WRITE_FIRST = timedelta(seconds=5)
"""After a tick that failed, every worker first has this long to write what it knows; then attempts are reaped."""

Source = Callable[[int, str], Awaitable[Content]]


class Engine(Protocol):
    """What this needs of a job engine: `scheduler.jobs` has it."""

    def handle(
        self, name: str, handler: Callable[[bytes], Awaitable[float | None]], *, urgent: bool = False
    ) -> None: ...


@dataclass(frozen=True, slots=True)
class PaceLimits:
    """What an account may do: where its rate starts, and the limit it stays under; `paid` is that of what is paid for."""

    start: float = 25.0
    ceiling: float = 30.0
    paid: float | None = None


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of a dispatch, live: their cost grows with the slices, not with the recipients.

    `rate` is how many a second go out really (`domain.throughput`); a finish is `estimated` where the pace says so,
    not what moves, and is `None` where nothing does.
    """

    state: DispatchState
    pause_reason: str
    planned: int
    sent: int
    unreachable: int
    rejected: int
    skipped: int
    failed: int
    unknown: int
    waiting: int
    held: int
    rate: float
    expected_finish: datetime | None
    skipped_by_reason: dict[str, int]
    reasons: dict[tuple[str, str], int]
    created_at: datetime
    finished_at: datetime | None
    parked: int = 0
    generation: int = 1
    stopped_accounts: int = 0
    estimated: bool = False

    @property
    def per_second(self) -> float:
        """Return the rate as people read it: whole from ten on."""
        return round(self.rate) if self.rate >= WHOLE_FROM else round(self.rate, 1)

    @property
    def stands_still(self) -> bool:
        """Say whether it had begun, could go on, and nothing goes out."""
        due = self.state is DispatchState.RUNNING and self.waiting
        return bool(due and not self.rate and self.expected_finish is None)


class Delivery:
    """Dispatches what is to be told, runs its slices, controls and counts it.

    A `sending` older than `stale_after` has lost its worker: channels give up well before, and an upload that takes
    longer says so (`services.sender`).
    In this order: fill `sources`, `serve` the engine, `boot`, start the engine, `tick` every few seconds;
    at the end `stop`, then stop the engine.
    """

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        jobs: Jobs,
        channels: Mapping[int, Channel],
        limits: Mapping[int, PaceLimits] | None = None,
        rules: Rules | None = None,
        sleep: Sleep = asyncio.sleep,
        stale_after: timedelta = timedelta(seconds=90),
        halt_after: int = MOST_IN_A_ROW,
    ) -> None:
        self._database = database
        self._clock = clock
        self._jobs = jobs
        self._stale_after = stale_after
        self._reaps_from = datetime.min.replace(tzinfo=UTC)
        self._reaped_at: datetime | None = None
        self._limits = {number: PaceLimits() for number in channels} | dict(limits or {})
        self._contents: OrderedDict[tuple[int, str], asyncio.Future[Content]] = OrderedDict()
        self.sources: dict[str, Source] = {}
        self.pipeline = Pipeline(
            database=database,
            clock=clock,
            channels=channels,
            contents=self._content,
            crowd=self._crowd,
            rules=rules or Rules(),
            sleep=sleep,
            halt_after=halt_after,
        )

    async def dispatch(
        self,
        session: Session,
        *,
        source: str,
        source_id: int,
        audience_id: int | None = None,
        member_ids: Sequence[int] = (),
        again_to: int | None = None,
        members: materialise.Members | None = None,
        author_id: int | None = None,
        lane: Lane = Lane.NORMAL,
        paid: bool = False,
        home_only: bool = False,
        unknown_policy: UnknownPolicy | None = None,
        useful_until: datetime | None = None,
        topic_id: int | None = None,
    ) -> int:
        """Write a dispatch and its deliveries in the caller's transaction, and return its id.

        It goes to an audience, to named members, to those of an earlier dispatch, or to a select of members.
        With `topic_id`, who leaves that topic meanwhile is skipped. A `paid` one goes beyond the free pace by the
        accounts that may pay; a `home_only` one goes by no account that keeps its data abroad.
        """
        now = self._clock()
        dispatch_id = await dispatches.create(
            session,
            source=source,
            source_id=source_id,
            author_id=author_id,
            lane=lane,
            paid=paid,
            home_only=home_only,
            unknown_policy=unknown_policy or policy_of(lane),
            useful_until=useful_until,
            topic_id=topic_id,
            now=now,
        )
        if audience_id is not None:
            members = audiences.members_of(await audiences.load(session, audience_id))
        elif again_to is not None:
            members = materialise.recipients(again_to)
        elif members is None:
            members = materialise.named(member_ids)
        await materialise.write(session, dispatch_id, members, self.pipeline.served, home_only=home_only)
        killpoints.reach("after_materialise")
        await outcomes.finish_empty(session, dispatch_id, now)
        await self._enqueue(session, await dispatches.due_slices(session, now, dispatch_id))
        killpoints.reach("before_dispatch_commit")
        return dispatch_id

    async def run_slice(self, slice_id: int, generation: int) -> Turn:
        """Work on a slice for a turn; the job engine calls it."""
        return await self.pipeline.run(slice_id, generation)

    def serve(self, engine: Engine) -> None:
        """Let a job engine call us for each slice; before it starts."""
        for lane, name in SLICE_JOB.items():
            engine.handle(name, self._work, urgent=lane is Lane.URGENT)

    async def _work(self, payload: bytes) -> float | None:
        number, _, generation = payload.decode().partition(":")
        slice_id = int(number)
        turn = await self.run_slice(slice_id, int(generation))
        if turn.again_in is None and not self.pipeline.stopping:
            now, served = self._clock(), self.pipeline.served
            async with self._database.begin() as session:
                await self._enqueue(session, await dispatches.following(session, slice_id, now, served))
        return turn.again_in

    async def pause(self, dispatch_id: int) -> bool:
        """Stop sending within a second; say whether it was running."""
        async with self._database.begin() as session:
            return await dispatches.pause(session, dispatch_id, "by_hand")

    async def resume(self, dispatch_id: int) -> bool:
        """Go on with what waits; say whether it was paused."""
        async with self._database.begin() as session:
            if not await dispatches.resume(session, dispatch_id):
                return False
            await self._enqueue(session, await dispatches.due_slices(session, self._clock(), dispatch_id))
        return True

    async def cancel(self, dispatch_id: int) -> bool:
        """End it: who still waits is skipped; say whether it was open."""
        now = self._clock()
        async with self._database.begin() as session:
            was_open = await dispatches.cancel(session, dispatch_id, now)
        if was_open:  # in a second transaction: the workers see the cancel at once, however many wait
            async with self._database.begin() as session:
                await outcomes.skip_cancelled(session, now)
        return was_open

    async def retry_failed(self, dispatch_id: int) -> int:
        """Send again to those for whom it failed without leaving us; return how many they are."""
        return await self._again(dispatch_id, lambda session: reopening.again_failed(session, dispatch_id))

    async def resolve_unknown(self, dispatch_id: int, *, again: bool, generation: int | None = None) -> int:
        """Send again to those who perhaps received it, or leave it at that; return how many they are.

        With `generation`, what was sent again meanwhile is not sent once more: `figures` tells which it is.
        """
        if again:
            return await self._again(
                dispatch_id, lambda session: reopening.again_unknown(session, dispatch_id, generation)
            )
        async with self._database.begin() as session:
            return await reopening.leave(session, dispatch_id, self._clock())

    async def _again(self, dispatch_id: int, reopen: Callable[[Session], Awaitable[int]]) -> int:
        try:
            async with self._database.begin() as session:
                count = await reopen(session)
                if count:
                    due = await dispatches.due_slices(session, self._clock(), dispatch_id)
                    await self._enqueue(session, due)
                return count
        except reopening.Overtaken:
            return 0

    async def dispatches_of(self, source: str, source_id: int) -> list[int]:
        """Return the dispatches of a source, oldest first."""
        async with self._database.read() as session:
            return await dispatches.of_source(session, source, source_id)

    async def figures(self, dispatch_id: int) -> Figures:
        """Return the figures of a dispatch as of now; raises `LookupError` for none."""
        async with self._database.read() as session:
            return await figures_of(session, dispatch_id, self._clock())

    async def kick(self) -> int:
        """Make a job of every slice that is due; safe at any time. Returns how many there are."""
        async with self._database.begin() as session:
            due = await dispatches.due_slices(session, self._clock())
            await self._enqueue(session, due)
            killpoints.reach("before_kick_commit")
        return len(due)

    async def boot(self) -> None:
        """Take up what a former run left: on one machine its attempts are lost at once, else when they are stale."""
        now = self._clock()
        async with self._database.begin() as session:
            for account_id, limits in self._limits.items():
                await self._set_pace(session, account_id, limits, now)
            await halts.probe_soon(session, sorted(self._limits), now)
            alone = self._jobs.memory is not None
            await outcomes.reap(
                session, now + timedelta(seconds=1) if alone else now - self._stale_after, now
            )
            await outcomes.finish(session, now)
        await self.kick()

    async def _set_pace(self, session: Session, account_id: int, limits: PaceLimits, now: datetime) -> None:
        await pace.ensure(session, account_id, rate=limits.start, ceiling=limits.ceiling, now=now)
        if limits.paid is None:
            await pace.pay_no_more(session, account_id)
            return
        start = limits.paid * PAID_START
        await pace.ensure(session, account_id, PaceKind.PAID, rate=start, ceiling=limits.paid, now=now)

    async def tick(self) -> None:
        """Watch over all dispatches: reap abandoned attempts, finish what is over, release what was held."""
        now, reaped_at = self._clock(), self._reaped_at
        try:
            async with self._database.begin() as session:
                if not self.pipeline.recorder.behind and now >= self._reaps_from:
                    await outcomes.reap(session, now - self._stale_after, now, opened_since=self._reap_since)
                    reaped_at = now
                await outcomes.skip_cancelled(session, now)
                await outcomes.finish(session, now)
                await shares.forget(session, now)
        except Exception:  # the database was away or full: workers hold outcomes that look abandoned
            self._reaps_from = now + WRITE_FIRST
            raise
        self._reaped_at = reaped_at
        await self.kick()

    @property
    def _reap_since(self) -> datetime | None:
        """Since when a slice was taken in hand of which an attempt can have become stale after the last look."""
        return None if self._reaped_at is None else self._reaped_at - self._stale_after - LONGEST_UNNOTED

    async def replied(self, account_id: int, count: int) -> None:
        """Note direct answers that went out beside the deliveries, so that the sum stays under the limit."""
        async with self._database.begin() as session:
            await pace.reserve(session, account_id, Lane.REPLY, count, self._clock())

    async def hold(self, account_id: int, seconds: float) -> None:
        """Hold an account whose server answered 429 to somebody beside the deliveries: it means the whole bot."""
        await self.pipeline.hold(account_id, self._clock() + timedelta(seconds=seconds))

    async def stop(self) -> None:
        """Begin nothing more, and record what is in flight, for as long as a stop may take."""
        self.pipeline.stopping = True
        await self.pipeline.drain(STOP_GRACE)

    async def _enqueue(self, session: Session, due: Sequence[DueSlice]) -> None:
        await self._jobs.enqueue(session, [_job(each) for each in due])

    async def _crowd(self, lane: Lane) -> float:
        """Stay back for as long as the others need for a turn each: the engine serves the oldest job first."""
        async with self._database.read() as session:
            waiting = await self._jobs.waiting(session, [SLICE_JOB[lane]])
        return min(LONGEST_YIELD, max(YIELD, waiting / PLACES[lane])) if waiting else 0.0

    async def _content(self, taken: OpenSlice, language: str) -> Content:
        """Make a dispatch's content once a language; all who ask meanwhile wait for the same one."""
        key = (taken.dispatch_id, language)
        future = self._contents.get(key)
        if future is not None and future.done() and not future.cancelled() and future.exception() is None:
            return future.result()
        if future is None or (future.done() and future.exception() is not None):
            render = self.sources[taken.source](taken.source_id, language)
            future = self._contents[key] = asyncio.ensure_future(render)
            while len(self._contents) > KEPT_CONTENTS:
                self._contents.popitem(last=False)
        return await asyncio.shield(future)


async def figures_of(session: Session, dispatch_id: int, now: datetime) -> Figures:
    """Return the figures of a dispatch; raises `LookupError` for none."""
    what = await dispatches.read(session, dispatch_id)
    if what is None:
        raise LookupError(dispatch_id)
    tally = await dispatches.tally(session, dispatch_id, now)
    figures = _figures(what, tally, now)
    if tally.counts["unknown"]:
        figures = replace(figures, parked=await reopening.parked(session, dispatch_id))
    if what.state not in {DispatchState.RUNNING, DispatchState.PAUSED}:
        return figures
    stopped = set(await halts.numbers(session))
    waits = sum(each.account_id in stopped and each.planned > each.done for each in tally.accounts)
    if waits or what.state is DispatchState.PAUSED:
        return replace(figures, stopped_accounts=waits)
    guessed = any(each.held or not each.begun for each in tally.accounts)
    over = _finish(tally, await _shares(session, what) if guessed else {}, now)
    return replace(figures, expected_finish=over.at, estimated=over.estimated) if over else figures


async def _shares(session: Session, what: Dispatch) -> dict[int, float]:
    """Return by account what is this dispatch's share of the pace if all go out that run."""
    paces = await pace.read_all(session)
    if what.paid:
        paces |= await pace.read_all(session, PaceKind.PAID)
    others = await dispatches.rivals(session, what)
    return {number: each.rate / (others.get(number, 0) + 1) for number, each in paces.items()}


def _finish(tally: Tally, shares: Mapping[int, float], now: datetime) -> Finish | None:
    """Return when a running dispatch will be over on all its accounts."""
    busy = [each for each in tally.accounts if each.planned > each.done]
    finishes = [
        finish(
            Rest(each.planned - each.done - each.held, each.held, each.held_until, each.begun),
            each.moved.rate(now.timestamp()),
            shares.get(each.account_id, Pace().rate),
            now,
        )
        for each in busy
    ]
    return last(finishes) if busy else Finish(now)


def _job(due: DueSlice) -> Job:
    name = f"{due.id}:{due.generation}"
    return Job(SLICE_JOB[due.lane], name.encode(), f"slice:{name}", 1 if due.lane is Lane.URGENT else 0)


def _figures(what: Dispatch, tally: Tally, now: datetime) -> Figures:
    open_now = what.state in {DispatchState.RUNNING, DispatchState.PAUSED}
    held = sum(each.held for each in tally.accounts) if open_now else 0
    remaining = sum(each.planned - each.done for each in tally.accounts) if open_now else 0
    running = what.state is DispatchState.RUNNING
    return Figures(
        state=what.state,
        pause_reason=what.pause_reason,
        planned=what.planned,
        waiting=remaining - held,
        held=held,
        rate=sum(each.moved.rate(now.timestamp()) for each in tally.accounts) if running else 0.0,
        expected_finish=None,
        skipped_by_reason={
            reason: count for (state, reason), count in sorted(tally.reasons.items()) if state == "skipped"
        },
        reasons=tally.reasons,
        created_at=what.created_at,
        finished_at=what.finished_at,
        generation=what.generation,
        estimated=False,
        **tally.counts,
    )

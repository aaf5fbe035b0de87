"""The pipeline: a slice in hand, its sends kept in flight so that latency never sets the rate.

Measured: at 200 ms latency, one group after the other holds 5/s of a pace of 25, and 125/s of 1000.
So a group's sends are started at their own instants and left to themselves; the loop goes on to the next group.
"""

import asyncio
import time
import uuid
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from typing import Any, Protocol

import structlog

from domain.accounts import Address
from domain.chat_pace import LONGEST_WAIT, ChatPace
from domain.clock import Clock
from domain.delivery import Busy, Lane, Moved, NotSent, Outcome, Sent, Unknown, decide
from domain.halts import FAILING, MOST_IN_A_ROW, UNAUTHORIZED, Streak
from domain.messages import MESSAGE, Content, Envelope, Media
from domain.pace import (
    LARGEST_GROUP,
    STAND_BACK,
    Granted,
    Later,
    PaceKind,
    group_size,
    in_flight_limit,
)
from services import killpoints
from services.recorder import Recorder
from services.turnstile import Turnstile
from services.valve import Valve
from storage import deliveries, media_files, outcomes, pace, shares
from storage.database import Database
from storage.deliveries import Claim, Claimed, OpenSlice, Rules
from storage.outcomes import Record

TURN_SECONDS = 1.0
SHORT_WAIT = 1.0
"""A wait up to this is slept through in place; a longer one gives the place away."""
LONGEST_RETURN = 60.0
YIELD = 0.2
"""How long a slice stays back at least when others want its place: they must be quicker than it."""
KEPT_FENCES = 256
STOPPED_FOR = 5.0
LATE = 0.5
"""Seconds after its instant at which a send looks again whether it is still wanted."""
CLAIM_AHEAD = 0.2
"""Seconds before its first send at which a group is claimed, so that a slow commit makes no send late."""
TOO_LATE = 0.02
"""Seconds after its first instant at which a group has lost its place in the pace."""
CATCH_UP = 0.99
"""The distance between sends while a group is late, as a share of the usual one.

Unlimited, the sends that a stall held back left together: at 0.93 of a limit that alone met a 429.
"""
LOOK_AGAIN = 0.02
"""Seconds between looks at whether the last turns are over, and at who else wants the pace."""
RECORD_GRACE = 2.0
FIRST_LANGUAGE = "zh_CN"
TOGETHER = 0.002
"""Seconds that are too short to wait for."""

log = structlog.get_logger(__name__)
Sleep = Callable[[float], Awaitable[None]]
Go = Callable[[str | None], Awaitable[Outcome]]
"""Lets one envelope leave us, with the id of its file."""


class Channel(Protocol):
    """A way out: sends one envelope and says what became of it; it never raises for what a server does."""

    async def send(self, envelope: Envelope, file_id: str | None) -> Outcome: ...


class Contents(Protocol):
    """Gives the content of a dispatch in a language, prepared once."""

    async def __call__(self, taken: OpenSlice, language: str) -> Content: ...


class Crowd(Protocol):
    """Says how many seconds to stay back for the slices that wait for a place; 0 if none do."""

    async def __call__(self, lane: Lane) -> float: ...


@dataclass(frozen=True, slots=True)
class Turn:
    """How a turn on a slice ended: over for now, or to be taken up again in so many seconds."""

    again_in: float | None = None


@dataclass(slots=True)
class Line:
    """What all sends of one account in this process share, those for nothing and those that are paid."""

    streak: Streak
    held_until: float = 0.0
    chats: ChatPace = field(default_factory=ChatPace)


@dataclass(slots=True)
class Flow:
    """What is in flight on one account in this process, of one kind of its pace."""

    line: Line
    rate: float = 25.0
    in_flight: int = 0
    free_at: float = 0.0
    latencies: deque[float] = field(default_factory=lambda: deque([0.3], maxlen=200))
    landed: asyncio.Event = field(default_factory=asyncio.Event)
    fences: dict[int, int] = field(default_factory=dict)
    turnstiles: dict[Lane, Turnstile] = field(default_factory=lambda: {lane: Turnstile() for lane in Lane})

    @property
    def limit(self) -> int:
        ordered = sorted(self.latencies)
        return in_flight_limit(self.rate, ordered[int(len(ordered) * 0.95)])

    def in_hand(self, taken: OpenSlice) -> None:
        """Note who has a slice in hand here, of the last few."""
        self.fences[taken.id] = max(taken.fence, self.fences.pop(taken.id, 0))
        while len(self.fences) > KEPT_FENCES:
            self.fences.pop(next(iter(self.fences)))

    async def room(self, count: int, most: float) -> None:
        while self.in_flight and self.in_flight + count > min(self.limit, most):
            self.landed.clear()
            await self.landed.wait()

    def land(self, seconds: float | None) -> None:
        self.in_flight -= 1
        if seconds is not None:
            self.latencies.append(seconds)
        self.landed.set()


@dataclass(slots=True)
class Group:
    """What was claimed together; `wanted` of it (`None`: all) may still leave us, as was last seen at `seen`."""

    taken: OpenSlice
    flow: Flow
    seen: float
    wanted: Collection[int] | None = None
    looking: asyncio.Lock = field(default_factory=asyncio.Lock)


class Pipeline:
    """Runs slices for the accounts this process has a channel for."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        channels: Mapping[int, Channel],
        contents: Contents,
        crowd: Crowd,
        rules: Rules,
        sleep: Sleep,
        halt_after: int = MOST_IN_A_ROW,
    ) -> None:
        self._halt_after = halt_after
        self._database = database
        self._clock = clock
        self._channels = channels
        self._contents = contents
        self._crowd = crowd
        self._rules = rules
        self._sleep = sleep
        self._lines: dict[int, Line] = {}
        self._flows: dict[tuple[int, PaceKind], Flow] = {}
        self._sending: set[asyncio.Task[None]] = set()
        self._uploads: dict[tuple[int, Media], asyncio.Lock] = {}
        self._file_ids: dict[tuple[int, Media], str | None] = {}
        self.recorder = Recorder(database=database, clock=clock)
        self._valve = Valve()
        self._turns = 0
        self.stopping = False

    @property
    def served(self) -> Collection[int]:
        """The accounts that this process has a channel for."""
        return self._channels.keys()

    async def run(self, slice_id: int, generation: int) -> Turn:
        """Send what a slice has to send, for a turn; safe to call for any slice at any time."""
        self._turns += 1
        try:
            return await self._run(slice_id, generation)
        finally:
            self._turns -= 1

    async def _run(self, slice_id: int, generation: int) -> Turn:
        taken = await self._open(slice_id, generation)
        if taken is None:
            return Turn()
        taken = replace(taken, each=await self._messages_each(taken))
        flow = self._flow(taken)
        flow.in_hand(taken)
        remaining = max(taken.waiting, 1)
        turn_ends = time.monotonic() + TURN_SECONDS
        while not self.stopping:
            size = group_size(flow.rate / taken.each, max(remaining, 1))
            granted = await self._ask(taken, flow, size)
            if granted is None:
                return Turn()
            if isinstance(granted, Later):
                return Turn(max(granted.at - self._now(), YIELD))
            flow.rate = 1 / granted.interval
            attempt_id = uuid.uuid4().hex
            try:
                claimed = await self._claim(taken, size, granted, attempt_id)
                granted = await self._in_time(taken, flow, len(claimed.claims), granted)
            except Exception:  # the database went away, perhaps after the commit: nothing of it has left
                self.recorder.release(taken.id, attempt_id)
                raise
            remaining -= size
            self._launch(taken, flow, claimed, granted)
            if claimed.nothing or remaining <= 0:  # no pace is asked for to find that nothing waits any more
                return await self._close(taken)
            if time.monotonic() > turn_ends:
                stay_back = await self._crowd(taken.lane)
                if stay_back:
                    return Turn(stay_back)
                turn_ends = time.monotonic() + TURN_SECONDS
        return Turn()

    async def drain(self, grace: float | None = None) -> None:
        """Wait for everything in flight, and for its recording; after `grace` seconds give up what is left.

        An attempt given up stays `sending` and is reaped: whether it was sent is not known.
        """
        if self.stopping:
            self._valve.open()
        try:
            async with asyncio.timeout(grace):
                while self._sending or (self.stopping and self._turns):
                    if self._sending:
                        await asyncio.wait(self._sending)
                    else:
                        await asyncio.sleep(LOOK_AGAIN)
        except TimeoutError:
            for task in self._sending:
                task.cancel()
        await self.recorder.drain(RECORD_GRACE if grace else None)

    def _flow(self, taken: OpenSlice) -> Flow:
        key = (taken.account_id, taken.kind)
        if key not in self._flows:
            line = self._lines.setdefault(taken.account_id, Line(Streak(self._halt_after)))
            self._flows[key] = Flow(line)
        return self._flows[key]

    async def _open(self, slice_id: int, generation: int) -> OpenSlice | None:
        if self.stopping:
            return None
        async with self._database.begin() as session:
            taken = await deliveries.open_slice(session, slice_id, generation, self._clock())
            if taken is None or taken.account_id not in self._channels:
                return None
            await deliveries.hold_back(session, taken, self._rules, self._clock())
        return taken

    async def _messages_each(self, taken: OpenSlice) -> int:
        """Say how many messages of the pace each recipient takes: the same in every language."""
        try:
            return (await self._contents(taken, FIRST_LANGUAGE)).messages
        except Exception:  # it fails its deliveries, one after the other
            log.exception("content not made", source=taken.source, source_id=taken.source_id)
            return 1

    async def _ask(self, taken: OpenSlice, flow: Flow, size: int) -> Granted | Later | None:
        """Ask for a share of the pace when it is this dispatch's turn; a long wait is not waited for here.

        `None` if the slice was taken in hand anew meanwhile: no pace is spent on what would claim nothing.
        """
        turnstile = flow.turnstiles[taken.lane]
        while True:
            async with turnstile.turn(taken.dispatch_id):
                while not turnstile.behind(taken.dispatch_id):
                    await flow.room(size, self._valve.width + LARGEST_GROUP)
                    if flow.fences.get(taken.id, 0) > taken.fence:
                        return None
                    granted = await self._reserve(taken, size)
                    if isinstance(granted, Granted) or self.stopping or granted.at - self._now() > SHORT_WAIT:
                        return granted
                    await self._wait_in_turn(turnstile, taken.dispatch_id, granted.at)

    async def _wait_in_turn(self, turnstile: Turnstile, dispatch_id: int, until: float) -> None:
        """Wait to ask again, unless one comes meanwhile who is due before."""
        while (wait := until - self._now()) > 0 and not turnstile.behind(dispatch_id):
            await self._sleep(max(min(wait, LOOK_AGAIN), 0.001))

    async def _reserve(self, taken: OpenSlice, size: int) -> Granted | Later:
        """Ask for the pace of `size` deliveries; who had more than others asks with less foresight than they do."""
        whose, now = (taken.account_id, taken.kind, taken.lane), self._clock()
        size *= taken.each
        async with self._database.begin() as session:
            known = await shares.read(session, *whose, now)
            back = STAND_BACK if known.ahead(taken.dispatch_id, size) else 0.0
            granted = await pace.reserve(
                session, taken.account_id, taken.lane, size, now, taken.kind, stand_back=back
            )
            if isinstance(granted, Granted):
                known = await shares.grant(session, *whose, known, taken.dispatch_id, size, now)
        self._flow(taken).turnstiles[taken.lane].shares = known
        return granted

    async def _claim(self, taken: OpenSlice, size: int, granted: Granted, attempt_id: str) -> Claimed:
        flow = self._flow(taken)
        flow.in_hand(taken)
        await self._sleep_until(max(granted.start, flow.free_at) - CLAIM_AHEAD)
        now = self._clock()
        async with self._database.begin() as session:
            claimed = await deliveries.claim(
                session, taken, limit=size, attempt_id=attempt_id, rules=self._rules, now=now
            )
            if claimed.skipped:
                await outcomes.skip(session, claimed.skipped, now)
            killpoints.reach("before_claim_commit")
        if claimed.claims:
            killpoints.reach("after_sending")
        return claimed

    async def _in_time(self, taken: OpenSlice, flow: Flow, count: int, granted: Granted) -> Granted:
        """Give a group whose claim came too late a new place: on top of those of others it would be too much."""
        while count and self._now() - granted.start > TOO_LATE:
            again = await self._reserve(taken, count)
            if isinstance(again, Granted):
                granted = again
            elif again.held:
                flow.line.held_until = max(flow.line.held_until, again.at)
                break
            else:
                await self._sleep_until(again.at)
        return granted

    async def _close(self, taken: OpenSlice) -> Turn:
        """Leave a slice that has nothing to claim now: done, or held until its soonest delivery."""
        now = self._clock()
        async with self._database.begin() as session:
            until = await deliveries.hold_slice(session, taken, now)
            await outcomes.finish(session, now, [taken.id])
            killpoints.reach("before_close_commit")
        if until is None:
            return Turn()
        wait = (until - now).total_seconds()
        return Turn(max(wait, YIELD)) if wait <= LONGEST_RETURN else Turn()

    def _launch(self, taken: OpenSlice, flow: Flow, claimed: Claimed, granted: Granted) -> None:
        flow.in_flight += len(claimed.claims)
        self._spawn(self._start(Group(taken, flow, self._now()), claimed.claims, granted))

    async def _start(self, group: Group, claims: Sequence[Claim], granted: Granted) -> None:
        """Start each send of a group at its own instant, as one task: those that wait need none."""
        interval = granted.interval * group.taken.each
        for place, claim in enumerate(claims):
            at = granted.start + place * interval
            if not self.stopping:
                await self._sleep_until(at)
            await self._valve.enter()
            if not self.stopping:
                await self._keep_distance(group.flow, interval)
            self._spawn(self._send_one(group, claim, at))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def _keep_distance(self, flow: Flow, interval: float) -> None:
        """Let not leave together what a stall, or a narrow valve, held back."""
        now = self._now()
        start = max(now, flow.free_at)
        flow.free_at = start + interval * CATCH_UP
        if start - now > TOGETHER:
            await self._sleep(start - now)

    async def _send_one(self, group: Group, claim: Claim, at: float) -> None:
        taken, flow = group.taken, group.flow
        latency: float | None = None
        halt: tuple[int, str] | None = None
        try:
            now = self._now()
            wait = flow.line.chats.ask(claim.chat_id, now)
            if 0 < wait <= LONGEST_WAIT:
                async with self._aside(flow):
                    now = await self._sleep_until(now + wait)
            if wait > LONGEST_WAIT or self.stopping:  # what has not left yet when we stop needs no doubt
                outcome: Outcome = Busy(self._clock() + timedelta(seconds=max(wait, 0.0)))
            elif flow.line.held_until > now:
                outcome = Busy(self._clock() + timedelta(seconds=flow.line.held_until - now))
            else:
                began = time.monotonic()
                outcome = await self._send(group, claim, at)
                killpoints.reach("after_server_acted")
                landed = time.monotonic()
                latency = landed - began
                if isinstance(outcome, NotSent) and outcome.account_dead:
                    halt = (taken.account_id, UNAUTHORIZED)
                elif flow.line.streak.note(outcome, began, landed):
                    halt = (taken.account_id, FAILING)
                if halt is not None:  # until the row says so to everybody
                    flow.line.held_until = max(flow.line.held_until, self._now() + STOPPED_FOR)
                if isinstance(outcome, Busy):
                    await self._hold(taken, flow, outcome)
        finally:
            self._valve.leave()
            flow.land(latency)
        verdict = decide(outcome, attempt=claim.attempt, policy=taken.policy, now=self._clock())
        moved_to = outcome.chat_id if isinstance(outcome, Moved) else None
        self.recorder.put(Record(claim.id, claim.attempt_id, verdict, moved_to), halt=halt)

    @asynccontextmanager
    async def _aside(self, flow: Flow) -> AsyncIterator[None]:
        """Take no room meanwhile: it is the chat that is waited for, not the server."""
        flow.in_flight -= 1
        flow.landed.set()
        self._valve.leave()
        try:
            yield
        finally:
            await self._valve.enter()
            flow.in_flight += 1

    async def _send(self, group: Group, claim: Claim, at: float) -> Outcome:
        taken = group.taken
        try:
            content = await self._contents(taken, claim.language)
        except Exception:  # a content that cannot be made fails its deliveries, not the worker
            log.exception("content not made", source=taken.source, source_id=taken.source_id)
            return NotSent("content")
        paid = taken.kind is PaceKind.PAID
        envelope = Envelope(Address(taken.account_id, claim.chat_id), content, paid)
        go = partial(self._go, group, claim, at, envelope)
        try:
            if content.media is None:
                return await go(None)
            return await self._send_media(taken.account_id, content.media, go)
        except Exception:  # the database is away: it has not left us, and nobody needs to doubt it
            log.exception("not sent", account=taken.account_id)
            return NotSent("database")

    async def _go(
        self, group: Group, claim: Claim, at: float, envelope: Envelope, file_id: str | None
    ) -> Outcome:
        """Let it leave us; one that is late (a stall, another's upload) looks first whether it still may."""
        if self._now() - max(at, group.seen) > LATE:
            await self._look_again(group, claim, at)
        if group.wanted is not None and claim.id not in group.wanted:
            return NotSent("stopped_meanwhile")
        try:
            return await self._channels[group.taken.account_id].send(envelope, file_id)
        except Exception:  # an adapter's bug must not lose an outcome: perhaps it was sent
            log.exception("channel raised", account=group.taken.account_id)
            return Unknown("channel_error")

    async def _look_again(self, group: Group, claim: Claim, at: float) -> None:
        """Look once for all of a group: a look for each would make a process that is late later still."""
        async with group.looking:
            now = self._now()
            if now - max(at, group.seen) > LATE:
                async with self._database.read() as session:
                    group.wanted = await deliveries.still_wanted(session, group.taken, claim.attempt_id)
                group.seen = now

    async def _send_media(self, account_id: int, media: Media, go: Go) -> Outcome:
        """Upload a file once an account, alone; everybody after that is sent its id.

        A message of another account's cannot be uploaded: the channel sends its words.
        """
        key = (account_id, media)
        if key not in self._file_ids:
            async with self._uploads.setdefault(key, asyncio.Lock()):
                known = self._file_ids.get(key) or await self._known_file(account_id, media)
                if known is None and media.kind != MESSAGE:
                    outcome = await go(None)
                    if isinstance(outcome, Sent) and outcome.file_id is not None:
                        self._file_ids[key] = outcome.file_id
                        await self._keep_file(account_id, media, outcome.file_id)
                    return outcome
                self._file_ids[key] = known
        return await go(self._file_ids[key])

    async def _known_file(self, account_id: int, media: Media) -> str | None:
        async with self._database.read() as session:
            return await media_files.find(session, account_id, media)

    async def _keep_file(self, account_id: int, media: Media, file_id: str) -> None:
        try:
            async with self._database.begin() as session:
                await media_files.keep(session, account_id, media, file_id)
        except Exception:  # the message is sent; the next process uploads the file once more
            log.exception("file id not kept", account=account_id)

    async def _hold(self, taken: OpenSlice, flow: Flow, busy: Busy) -> None:
        flow.line.held_until = max(flow.line.held_until, busy.retry_at.timestamp())
        log.warning("account held by its server", account=taken.account_id, until=busy.retry_at.isoformat())
        try:
            async with self._database.begin() as session:
                await pace.hold(session, taken.account_id, busy.retry_at, self._clock(), taken.kind)
        except Exception:  # this process keeps the hold all the same, and the outcome must be recorded
            log.exception("hold not written", account=taken.account_id)

    def _now(self) -> float:
        return self._clock().timestamp()

    async def _sleep_until(self, at: float) -> float:
        """Return the time after that, which is later when the process has much to do."""
        wait = at - (now := self._now())
        if wait <= TOGETHER:
            return now
        await self._sleep(wait)
        return self._now()

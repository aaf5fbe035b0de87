"""The pipeline: a slice in hand, its sends kept in flight so that latency never sets the rate.

Measured: at 200 ms latency, one group after the other holds 5/s of a pace of 25, and 125/s of 1000.
So a group's sends are started at their own instants and left to themselves; the loop goes on to the next group.
"""

import asyncio
import time
import uuid
from collections.abc import Collection, Coroutine, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol

import structlog

from domain.chat_pace import AGAIN
from domain.clock import Clock
from domain.delivery import Busy, Lane, Moved, Outcome, decide
from domain.halts import MOST_IN_A_ROW, Streak
from domain.pace import Granted, Later, PaceKind, group_size
from services import killpoints
from services.flow import Flow, Line
from services.pacer import Pacer, Sleep
from services.recorder import Recorder
from services.sender import Channel, Contents, Group, Send, Sender
from services.valve import Valve
from services.zones import Zones
from storage import deliveries, outcomes
from storage.database import Database
from storage.deliveries import Claim, Claimed, OpenSlice, Rules
from storage.outcomes import Record

TURN_SECONDS = 1.0
LONGEST_RETURN = 60.0
YIELD = 0.2
"""How long a slice stays back at least when others want its place: they must be quicker than it."""
CLAIM_AHEAD = 0.2
"""Seconds before its first send at which a group is claimed, so that a slow commit makes no send late."""
LOOK_AGAIN = 0.02
"""Seconds between looks at whether the last turns are over, and claim nothing more."""
RECORD_GRACE = 2.0
FIRST_LANGUAGE = "zh_CN"

log = structlog.get_logger(__name__)


class Crowd(Protocol):
    """Says how many seconds to stay back for the slices that wait for a place; 0 if none do."""

    async def __call__(self, lane: Lane) -> float: ...


@dataclass(frozen=True, slots=True)
class Turn:
    """How a turn on a slice ended: over for now, or to be taken up again in so many seconds."""

    again_in: float | None = None


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
        self._zones = Zones(clock)
        self._lines: dict[int, Line] = {}
        self._flows: dict[tuple[int, PaceKind], Flow] = {}
        self._sending: set[asyncio.Task[None]] = set()
        self.recorder = Recorder(database=database, clock=clock)
        self._valve = Valve()
        self._pacer = Pacer(
            database=database, clock=clock, sleep=sleep, valve=self._valve, stopping=lambda: self.stopping
        )
        self._sender = Sender(
            database=database,
            clock=clock,
            channel_of=lambda account_id: self._channels[account_id],
            contents=contents,
            pacer=self._pacer,
            stopping=lambda: self.stopping,
        )
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
        remaining, beyond = max(taken.waiting, 1), 0
        turn_ends = time.monotonic() + TURN_SECONDS
        while not self.stopping:
            size = group_size(flow.rate / taken.each, max(remaining, 1))
            granted = await self._pacer.ask(taken, flow, size)
            if granted is None:
                return Turn()
            if isinstance(granted, Later):
                return Turn(max(granted.at - self._pacer.now(), YIELD))
            flow.rate = 1 / granted.interval
            attempt_id = uuid.uuid4().hex
            try:
                claimed = await self._claim(taken, size, granted, attempt_id, beyond)
                granted = await self._pacer.in_time(taken, flow, len(claimed.claims), granted)
            except Exception:  # the database went away, perhaps after the commit: nothing of it has left
                self.recorder.release(taken.id, attempt_id)
                raise
            remaining, beyond = remaining - size, claimed.last
            taken = replace(taken, opened_at=claimed.noted_at or taken.opened_at)
            self._launch(taken, flow, claimed, granted)
            if claimed.nothing or remaining <= 0:  # no pace is asked for to find that nothing waits any more
                return await self._close(taken)
            if time.monotonic() > turn_ends:
                stay_back = await self._crowd(taken.lane)
                if stay_back:
                    return Turn(stay_back)
                turn_ends = time.monotonic() + TURN_SECONDS
        return Turn()

    async def hold(self, account_id: int, retry_at: datetime) -> None:
        """Send nothing by an account until then, in this process and in all others."""
        await self._pacer.hold(account_id, self._line(account_id), retry_at)

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
            self._flows[key] = Flow(self._line(taken.account_id))
        return self._flows[key]

    def _line(self, account_id: int) -> Line:
        return self._lines.setdefault(account_id, Line(Streak(self._halt_after)))

    async def _open(self, slice_id: int, generation: int) -> OpenSlice | None:
        if self.stopping:
            return None
        async with self._database.begin() as session:
            taken = await deliveries.open_slice(session, slice_id, generation, self._clock())
            if taken is None or taken.account_id not in self._channels:
                return None
            zones = await self._zones.read(session)
            await deliveries.hold_back(session, taken, self._rules, zones, self._clock())
        return taken

    async def _messages_each(self, taken: OpenSlice) -> int:
        """Say how many messages of the pace each recipient takes: the same in every language."""
        try:
            return (await self._contents(taken, FIRST_LANGUAGE)).messages
        except Exception:  # it fails its deliveries, one after the other
            log.exception("content not made", source=taken.source, source_id=taken.source_id)
            return 1

    async def _claim(
        self, taken: OpenSlice, size: int, granted: Granted, attempt_id: str, beyond: int = 0
    ) -> Claimed:
        flow = self._flow(taken)
        flow.in_hand(taken)
        await self._pacer.sleep_until(max(granted.start, flow.free_at) - CLAIM_AHEAD)
        now = self._clock()
        async with self._database.begin() as session:
            claimed = await deliveries.claim(
                session,
                taken,
                limit=size,
                attempt_id=attempt_id,
                rules=self._rules,
                now=now,
                beyond=beyond,
            )
            if claimed.skipped:
                await outcomes.skip(session, claimed.skipped, now)
            killpoints.reach("before_claim_commit")
        if claimed.claims:
            killpoints.reach("after_sending")
        return claimed

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
        return Turn(max(wait, AGAIN[taken.lane])) if wait <= LONGEST_RETURN else Turn()

    def _launch(self, taken: OpenSlice, flow: Flow, claimed: Claimed, granted: Granted) -> None:
        flow.in_flight += len(claimed.claims)
        self._spawn(self._start(Group(taken, flow, self._pacer.now()), claimed.claims, granted))

    async def _start(self, group: Group, claims: Sequence[Claim], granted: Granted) -> None:
        """Start each send of a group at its own instant, as one task: those that wait need none."""
        interval = granted.interval * group.taken.each
        for place, claim in enumerate(claims):
            at = granted.start + place * interval
            if not self.stopping:
                await self._pacer.sleep_until(at)
            await self._valve.enter()
            if not self.stopping:
                await self._pacer.keep_distance(group.flow, interval)
            self._spawn(self._send_one(group, claim, at))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def _send_one(self, group: Group, claim: Claim, at: float) -> None:
        taken, flow, send = group.taken, group.flow, Send(group, claim, at)
        try:
            if self.stopping:  # what has not left yet when we stop needs no doubt
                outcome: Outcome = Busy(self._clock())
            else:
                outcome = await self._sender.send(send)
        finally:
            self._valve.leave()
            flow.land(send.latency)
        verdict = decide(
            outcome, attempt=claim.attempt, policy=taken.policy, now=self._clock(), moved=claim.moved
        )
        moved_to = outcome.chat_id if isinstance(outcome, Moved) else None
        self.recorder.put(Record(claim.id, claim.attempt_id, verdict, moved_to), halt=send.halt)

"""Asking for the pace of an account: when it is this dispatch's turn, in time for its sends, and after a 429 not at all."""

from collections.abc import Awaitable, Callable
from datetime import datetime

import structlog

from domain.clock import Clock
from domain.pace import LARGEST_GROUP, STAND_BACK, Granted, Later, PaceKind, ahead
from services.flow import Flow, Line
from services.turnstile import Turnstile
from services.valve import Valve
from storage import pace, shares
from storage.database import Database
from storage.deliveries import OpenSlice

SHORT_WAIT = 1.0
"""A wait up to this is slept through in place; a longer one gives the place away."""
TOO_LATE = 0.02
"""Seconds after its first instant at which a group has lost its place in the pace."""
CATCH_UP = 0.99
"""The distance between sends while a group is late, as a share of the usual one.

Unlimited, the sends that a stall held back left together: at 0.93 of a limit that alone met a 429.
"""
LOOK_AGAIN = 0.02
"""Seconds between looks at who else wants the pace."""
TOGETHER = 0.002
"""Seconds that are too short to wait for."""

log = structlog.get_logger(__name__)
Sleep = Callable[[float], Awaitable[None]]


class Pacer:
    """Reserves for the slices of this process; `stopping` says that nothing more is to be waited for."""

    def __init__(
        self, *, database: Database, clock: Clock, sleep: Sleep, valve: Valve, stopping: Callable[[], bool]
    ) -> None:
        self._database = database
        self._clock = clock
        self._sleep = sleep
        self._valve = valve
        self._stopping = stopping

    async def ask(self, taken: OpenSlice, flow: Flow, size: int) -> Granted | Later | None:
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
                    granted = self._too_early(taken, flow, size) or await self.reserve(taken, flow, size)
                    if (
                        isinstance(granted, Granted)
                        or self._stopping()
                        or granted.at - self.now() > SHORT_WAIT
                    ):
                        return granted
                    await self._wait_in_turn(turnstile, taken.dispatch_id, granted.at)

    def _too_early(self, taken: OpenSlice, flow: Flow, size: int) -> Later | None:
        """Say when to ask, if it is known here that it would be refused now: a refusal is a trip to the database."""
        due = flow.arrival - ahead(taken.lane, self._stand_back(taken, flow, size))
        return Later(due) if due > self.now() else None

    def _stand_back(self, taken: OpenSlice, flow: Flow, size: int) -> float:
        shares = flow.turnstiles[taken.lane].shares
        return STAND_BACK if shares.ahead(taken.dispatch_id, size * taken.each) else 0.0

    async def _wait_in_turn(self, turnstile: Turnstile, dispatch_id: int, until: float) -> None:
        """Wait to ask again, unless one comes meanwhile who is due before."""
        while (wait := until - self.now()) > 0 and not turnstile.behind(dispatch_id):
            await self._sleep(max(min(wait, LOOK_AGAIN), 0.001))

    async def reserve(self, taken: OpenSlice, flow: Flow, size: int) -> Granted | Later:
        """Ask for the pace of `size` deliveries; who had more than others asks with less foresight than they do."""
        whose, now = (taken.account_id, taken.kind, taken.lane), self._clock()
        back, number = self._stand_back(taken, flow, size), size * taken.each
        async with self._database.begin() as session:
            granted = await pace.reserve(
                session, taken.account_id, taken.lane, number, now, taken.kind, stand_back=back
            )
            if isinstance(granted, Granted):
                await shares.grant(session, *whose, taken.dispatch_id, number, now)
            flow.turnstiles[taken.lane].shares = await shares.read(session, *whose, now)
        if isinstance(granted, Granted):
            flow.reserved(granted.start + number * granted.interval)
        elif not granted.held:
            flow.reserved(granted.at + ahead(taken.lane, back))
        return granted

    async def in_time(self, taken: OpenSlice, flow: Flow, count: int, granted: Granted) -> Granted:
        """Give a group whose claim came too late a new place: on top of those of others it would be too much."""
        while count and self.now() - granted.start > TOO_LATE:
            again = await self.reserve(taken, flow, count)
            if isinstance(again, Granted):
                granted = again
            elif again.held:
                flow.line.held_until = max(flow.line.held_until, again.at)
                break
            else:
                await self.sleep_until(again.at)
        return granted

    async def again(self, taken: OpenSlice, flow: Flow) -> None:
        """Wait for a new place for one send that has lost its own, unless its account is held."""
        async with flow.late:
            granted = await self.in_time(taken, flow, 1, Granted(0.0, 0.0))
        await self.sleep_until(granted.start)
        await self.keep_distance(flow, granted.interval * taken.each)

    async def keep_distance(self, flow: Flow, interval: float) -> None:
        """Let not leave together what a stall, or a narrow valve, held back."""
        now = self.now()
        start = max(now, flow.free_at)
        flow.free_at = start + interval * CATCH_UP
        if start - now > TOGETHER:
            await self._sleep(start - now)

    async def hold(
        self, account_id: int, line: Line, retry_at: datetime, kind: PaceKind = PaceKind.FREE
    ) -> None:
        """Hold an account after a 429: here at once, and everywhere by its rows."""
        line.held_until = max(line.held_until, retry_at.timestamp())
        log.warning("account held by its server", account=account_id, until=retry_at.isoformat())
        try:
            async with self._database.begin() as session:
                await pace.hold(session, account_id, retry_at, self._clock(), kind)
        except Exception:  # this process keeps the hold all the same, and the outcome must be recorded
            log.exception("hold not written", account=account_id)

    def now(self) -> float:
        return self._clock().timestamp()

    async def sleep_until(self, at: float) -> float:
        """Return the time after that, which is later when the process has much to do."""
        wait = at - (now := self.now())
        if wait <= TOGETHER:
            return now
        await self._sleep(wait)
        return self.now()

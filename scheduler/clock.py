"""The clock: APScheduler ticks, rows say what is due.

Memory store and UTC; every process may tick, since unique keys and conditional updates in the rows make each
occurrence happen once (sharing an APScheduler store is unsupported: measured, 10 firings where 6 were due).
`misfire_grace_time=None`: its default of one second drops late ticks.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from domain.clock import Clock
from services.toolbox import Toolbox

log = structlog.get_logger(__name__)

Work = Callable[[], Awaitable[object]]
STALE_TICKS = 3
STOP_GRACE = 2.0  # seconds


@dataclass(frozen=True, slots=True)
class Tick:
    """One thing to look at again and again."""

    name: str
    every: float  # seconds
    work: Work


@dataclass(slots=True)
class Took:
    """How often a tick came, how long it took in all, and how often it failed."""

    count: int = 0
    seconds: float = 0.0
    failed: int = 0


class Ticker:
    """Runs ticks; one that fails is logged and comes again."""

    def __init__(self, ticks: list[Tick], clock: Clock) -> None:
        self._ticks = ticks
        self._clock = clock
        self._scheduler = AsyncIOScheduler(timezone=UTC)
        self._running: set[asyncio.Task[None]] = set()
        self._stopping = False
        self.last: dict[str, datetime] = {}
        self.took = {tick.name: Took() for tick in ticks}

    def start(self) -> None:
        now = datetime.now(UTC)
        self.last = dict.fromkeys((tick.name for tick in self._ticks), self._clock())
        for number, tick in enumerate(self._ticks):
            self._scheduler.add_job(
                self._run,
                "interval",
                args=[tick],
                id=tick.name,
                seconds=tick.every,
                next_run_time=now + timedelta(seconds=0.2 * number),
                coalesce=True,
                max_instances=1,
                misfire_grace_time=None,
            )
        self._scheduler.start()

    async def stop(self) -> None:
        """Begin no more ticks and wait for those that run; APScheduler alone would cancel them halfway."""
        if not self._scheduler.running:
            return
        self._stopping = True
        if self._running:
            await asyncio.wait(self._running, timeout=STOP_GRACE)
        self._scheduler.shutdown(wait=False)
        await asyncio.sleep(0)  # it only asks the loop to

    def late(self) -> list[str]:
        """Name the ticks that did not come for three of their turns."""
        now = self._clock()
        return [
            tick.name
            for tick in self._ticks
            if (now - self.last[tick.name]).total_seconds() > STALE_TICKS * tick.every + 10
        ]

    def lags(self) -> dict[str, float]:
        """Return by how many seconds each tick is overdue."""
        now = self._clock()
        ages = {tick: (now - self.last[tick.name]).total_seconds() for tick in self._ticks}
        return {tick.name: max(0.0, age - tick.every) for tick, age in ages.items()}

    async def _run(self, tick: Tick) -> None:
        if self._stopping:
            return
        running = asyncio.create_task(self._work(tick))
        self._running.add(running)
        running.add_done_callback(self._running.discard)
        await running

    async def _work(self, tick: Tick) -> None:
        took, began = self.took[tick.name], time.monotonic()
        try:
            await tick.work()
        except Exception:
            took.failed += 1
            log.exception("tick_failed", tick=tick.name)
        took.count += 1
        took.seconds += time.monotonic() - began
        self.last[tick.name] = self._clock()


def ticks_of(toolbox: Toolbox, clock: Clock) -> list[Tick]:
    """List what every bridge looks at: what is due, held or abandoned, and the audit's seal."""
    return [
        Tick("notices", 2.0, toolbox.notices.start_due),
        Tick("invitations", 300.0, toolbox.expiry.tick),
        Tick("nudges", 30.0, toolbox.notices.nudges.tick),
        Tick("requests", 60.0, toolbox.notices.requests.tick),
        Tick("polls", 2.0, toolbox.polls.closing.tick),
        Tick("suggestions", 10.0, toolbox.suggestions.tick),
        Tick("ballots", 30.0, toolbox.polls.closing.count),
        Tick("digests", 10.0, toolbox.digests.tick),
        Tick("rest_days", 60.0, toolbox.rest_days.tick),
        Tick("service_days", 5.0, toolbox.service_days.tick),
        Tick("delivery", 2.0, toolbox.delivery.tick),
        Tick("halts", 5.0, toolbox.halts.tick),
        Tick("schedules", 5.0, toolbox.schedules.tick),
        Tick("holidays", 3600.0, toolbox.holiday_alerts.tick),
        Tick("sign_ins", 3600.0, toolbox.sign_ins.tidy),
        Tick("roster", 600.0, toolbox.roster.tidy),
        Tick("audit", 60.0, lambda: toolbox.audit.seal(clock())),
    ]

"""A valve before the wire: how many sends may be under way at once, so that a busy process stays quick.

As many as latency asks for, as long as the event loop has time to wait. When it has none, the process itself is what
is slow: more at once would make each later, cost more (up to a fifth, `python -m benchmarks delivery_cost`), and keep
a member who taps waiting behind the sends.
"""

import asyncio
import time
from collections import deque

LEAST, FIRST, MOST = 64, 256, 2000
TICK = 0.02
"""Seconds between looks at how busy the loop is."""
BUSY = 0.7
"""Share of its time that the loop's thread computes, from which on more at once do not help."""
WEIGHT = 0.15
"""Of the last look in that share: one busy moment makes nothing narrower."""
NARROWER, WIDER = 1.2, 1.5
"""By that at each look. Too narrow sets the rate, too wide only costs: so it widens sooner than it narrows."""


class Valve:
    """Enter it before a send, leave it after; it widens while some wait and the loop is not busy."""

    def __init__(self) -> None:
        self.width = float(FIRST)
        self._busy = 0.0
        self._inside = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._ticking = self._opened = False

    async def enter(self) -> None:
        """Wait to be let in; whoever lets in has counted it already."""
        if not self._ticking and not self._opened:
            self._tick_later()
        if self._inside < self.width and not self._waiting:
            self._inside += 1
            return
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(mine)
        try:
            await mine
        except asyncio.CancelledError:
            if mine.done() and not mine.cancelled():
                self.leave()
            raise

    def leave(self) -> None:
        self._inside -= 1
        self._let_in()

    def open(self) -> None:
        """Keep nobody waiting from now on."""
        self._opened, self.width = True, float("inf")
        self._let_in()

    def _let_in(self) -> None:
        while self._waiting and self._inside < self.width:
            first = self._waiting.popleft()
            if not first.cancelled():
                self._inside += 1
                first.set_result(None)

    def _tick_later(self) -> None:
        self._ticking = True
        asyncio.get_running_loop().call_later(TICK, self._tick, time.monotonic(), time.thread_time())

    def _tick(self, since: float, computed: float) -> None:
        self.adjust((time.thread_time() - computed) / (time.monotonic() - since))
        self._ticking = False
        if self._inside and not self._opened:
            self._tick_later()

    def adjust(self, busy: float) -> None:
        """Take note of which share of its time the loop computed."""
        if self._opened:
            return
        self._busy += WEIGHT * (busy - self._busy)
        if self._busy > BUSY:
            self.width = max(LEAST, self.width / NARROWER)
        elif self._waiting:
            self.width = min(MOST, self.width * WIDER)
            self._let_in()

"""A turnstile before the pace of an account: one slice at a time, and each dispatch as is its share of the fleet.

Without it the slices of a process would all ask for the same pace at the same instant, and a dispatch with many
slices in hand would have as many times the share of one that has few.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from domain.shares import Shares


class Turnstile:
    """Lets one through at a time; of those who wait, the dispatch with the least share, then who waits longest."""

    def __init__(self) -> None:
        self.shares = Shares()
        self._waiting: OrderedDict[int, deque[asyncio.Future[None]]] = OrderedDict()
        self._taken = False

    @asynccontextmanager
    async def turn(self, dispatch_id: int) -> AsyncIterator[None]:
        """Wait for a turn, and have it until the block ends."""
        if self._taken:
            await self._wait(dispatch_id)
        self._taken = True
        try:
            yield
        finally:
            self._pass_on()

    def behind(self, dispatch_id: int) -> bool:
        """Say whether one who waits is due before this dispatch."""
        return bool(self._waiting) and self.shares.at(self.shares.first(self._waiting)) < self.shares.at(
            dispatch_id
        )

    async def _wait(self, dispatch_id: int) -> None:
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(dispatch_id, deque()).append(mine)
        try:
            await mine
        except asyncio.CancelledError:
            if mine.done() and not mine.cancelled():
                self._pass_on()
            raise

    def _pass_on(self) -> None:
        """Give the turn to the dispatch that is due, which then waits behind its equals."""
        while self._waiting:
            dispatch_id = self.shares.first(self._waiting)
            queue = self._waiting.pop(dispatch_id)
            chosen = queue.popleft()
            if queue:
                self._waiting[dispatch_id] = queue
            if not chosen.cancelled():
                chosen.set_result(None)
                return
        self._taken = False

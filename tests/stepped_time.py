"""Time that goes on by itself once all that is done sleeps, so that what takes seconds takes none and meets no load."""

import asyncio
import heapq
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from typing import Any

from storage.database import Database, Session
from tests.conftest import HandClock

STILL = 50
"""Turns of the loop, none of them in a transaction, after which all there is to do is taken to sleep."""
TRANSACTION = 1.0
"""Milliseconds that a transaction takes; with none at all, who asks again and again until it is time would never end."""


class SteppedTime:
    """Moves a clock to whoever sleeps the shortest, when nobody does anything and no transaction is open."""

    def __init__(self, clock: HandClock, database: Database) -> None:
        self._clock = clock
        self._sleepers: list[tuple[Any, int, asyncio.Event]] = []
        self._slept = 0
        self._open = 0
        database.begin = self._counted(database.begin)  # type: ignore[method-assign]
        database.read = self._counted(database.read)  # type: ignore[method-assign]

    async def sleep(self, seconds: float) -> None:
        self._slept += 1
        woken = asyncio.Event()
        due = self._clock() + timedelta(seconds=seconds)
        heapq.heappush(self._sleepers, (due, self._slept, woken))
        await woken.wait()

    async def until_done(self, *work: Awaitable[Any]) -> None:
        """Do all of it, moving the clock as far as it takes."""
        doing = asyncio.gather(*work)
        while not doing.done():
            await self._stillness()
            if self._sleepers and not doing.done():
                due, _, woken = heapq.heappop(self._sleepers)
                self._clock.now = max(self._clock.now, due)
                woken.set()
        await doing

    async def _stillness(self) -> None:
        turns = 0
        while turns < STILL:
            await asyncio.sleep(0)
            turns = 0 if self._open else turns + 1

    def _counted(self, opened: Callable[[], AbstractAsyncContextManager[Session]]) -> Callable[[], Any]:
        @asynccontextmanager
        async def transaction() -> AsyncIterator[Session]:
            self._open += 1
            try:
                async with opened() as session:
                    yield session
            finally:
                self._open -= 1
                self._clock.forward(milliseconds=TRANSACTION)

        return transaction

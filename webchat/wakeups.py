"""Wakes those who wait in this process: bots in a long poll or webhook loop, people in an event stream."""

import asyncio
from collections import defaultdict
from typing import Any


class Wakeups:
    """One event a key; `ring` wakes all who wait for the key, and is forgotten by who comes later."""

    def __init__(self) -> None:
        self._waiting: dict[Any, set[asyncio.Future[None]]] = defaultdict(set)

    def ring(self, key: Any) -> None:
        for future in self._waiting.pop(key, ()):
            if not future.done():
                future.set_result(None)

    def ring_all(self) -> None:
        for key in list(self._waiting):
            self.ring(key)

    def bell(self, key: Any) -> asyncio.Future[None]:
        """Take a future before looking at the store, so that no ring is missed."""
        future = asyncio.get_running_loop().create_future()
        self._waiting[key].add(future)
        return future

    def drop(self, key: Any, future: asyncio.Future[None]) -> None:
        waiting = self._waiting.get(key)
        if waiting is not None:
            waiting.discard(future)
            if not waiting:
                del self._waiting[key]

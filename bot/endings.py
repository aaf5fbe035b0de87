"""Endings of updates, written together: whoever ends while a transaction runs waits for the next one, with all others."""

import asyncio

import structlog

from domain.clock import Clock
from storage import inbox
from storage.database import Database

DATABASE_AWAY = 1.0

log = structlog.get_logger(__name__)


class Endings:
    """Marks updates as handled; `note` returns when it is written, however long the database is away."""

    def __init__(self, *, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._waiting: dict[int, asyncio.Future[None]] = {}
        self._writer: asyncio.Task[None] | None = None

    async def note(self, inbox_id: int) -> None:
        future = self._waiting[inbox_id] = asyncio.get_running_loop().create_future()
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write())
        await future

    async def _write(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, {}
            await self._commit(list(batch))
            for future in batch.values():
                if not future.done():
                    future.set_result(None)

    async def _commit(self, numbers: list[int]) -> None:
        """Write until it is written: a handled update must not be handled again because the database was away."""
        while True:
            try:
                async with self._database.begin() as session:
                    await inbox.done(session, numbers, self._clock())
                    return
            except Exception:
                log.exception("inbox_not_written", updates=len(numbers))
                await asyncio.sleep(DATABASE_AWAY)

"""Endings of updates, written together: whoever ends while a transaction runs waits for the next one, with all others."""

import asyncio
from collections.abc import Sequence

import structlog

from domain.clock import Clock
from services.together import Together
from storage import inbox
from storage.database import Database

DATABASE_AWAY = 1.0

log = structlog.get_logger(__name__)


class Endings:
    """Marks updates as handled; `note` returns when it is written, however long the database is away."""

    def __init__(self, *, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._endings: Together[int, None] = Together(self._commit)

    async def note(self, inbox_id: int) -> None:
        await self._endings.ask(inbox_id)

    async def _commit(self, numbers: Sequence[int]) -> list[None]:
        """Write until it is written: a handled update must not be handled again because the database was away."""
        while True:
            try:
                async with self._database.begin() as session:
                    await inbox.done(session, numbers, self._clock())
                    return [None] * len(numbers)
            except Exception:
                log.exception("inbox_not_written", updates=len(numbers))
                await asyncio.sleep(DATABASE_AWAY)

"""Files on their way out: uploaded once an account, by their ids after that."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

import structlog

from domain.clock import Clock
from domain.delivery import Busy, Outcome, Sent
from domain.messages import MESSAGE, Media
from storage import media_files
from storage.database import Database

LONGEST_WAIT = 20.0
"""Seconds to wait for another's upload; after that a delivery gives its place away, and comes again."""
COMES_AGAIN = timedelta(seconds=5)

log = structlog.get_logger(__name__)
Ids = tuple[str | None, ...]
"""As what an account's server knows each file; `None` for one that has to be uploaded."""
Go = Callable[[Ids], Awaitable[Outcome]]
"""Lets one envelope leave us, with the ids of its files."""


class Uploads:
    """Knows as what each account's server knows a file."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._locks: dict[tuple[int, Sequence[Media]], asyncio.Lock] = {}
        self._ids: dict[tuple[int, Media], str | None] = {}

    async def send(self, account_id: int, files: Sequence[Media], go: Go) -> Outcome:
        """Upload a file, or those of an album, once an account, alone; everybody after that is sent their ids.

        A message of another account's cannot be uploaded: the channel sends its words.
        """
        if not self._has_all(account_id, files):
            lock = self._locks.setdefault((account_id, files), asyncio.Lock())
            try:
                async with asyncio.timeout(LONGEST_WAIT):
                    await lock.acquire()
            except TimeoutError:
                return Busy(self._clock() + COMES_AGAIN)
            try:
                ids = await self._look_up(account_id, files)
                if not self._has_all(account_id, files):
                    outcome = await go(ids)
                    await self._learn(account_id, files, outcome)
                    return outcome
            finally:
                lock.release()
                if self._has_all(account_id, files):
                    self._locks.pop((account_id, files), None)
        return await go(tuple(self._ids[account_id, media] for media in files))

    def _has_all(self, account_id: int, files: Sequence[Media]) -> bool:
        return all((account_id, media) in self._ids for media in files)

    async def _look_up(self, account_id: int, files: Sequence[Media]) -> Ids:
        found: list[str | None] = []
        for media in files:
            known = self._ids.get((account_id, media)) or await self._known(account_id, media)
            if known is not None or media.kind == MESSAGE:
                self._ids[account_id, media] = known
            found.append(known)
        return tuple(found)

    async def _learn(self, account_id: int, files: Sequence[Media], outcome: Outcome) -> None:
        if not isinstance(outcome, Sent):
            return
        told = outcome.album_ids or (() if outcome.file_id is None else (outcome.file_id,))
        for media, file_id in zip(files, told, strict=False):
            if (account_id, media) not in self._ids:
                self._ids[account_id, media] = file_id
                await self._keep(account_id, media, file_id)

    async def _known(self, account_id: int, media: Media) -> str | None:
        async with self._database.read() as session:
            return await media_files.find(session, account_id, media)

    async def _keep(self, account_id: int, media: Media, file_id: str) -> None:
        try:
            async with self._database.begin() as session:
                await media_files.keep(session, account_id, media, file_id)
        except Exception:  # the message is sent; the next process uploads the file once more
            log.exception("file id not kept", account=account_id)

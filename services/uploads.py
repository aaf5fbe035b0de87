"""Files on their way out: uploaded once an account, by their ids after that."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from domain.delivery import Outcome, Sent
from domain.messages import MESSAGE, Media
from storage import media_files
from storage.database import Database

log = structlog.get_logger(__name__)
Go = Callable[[str | None], Awaitable[Outcome]]
"""Lets one envelope leave us, with the id of its file."""


class Uploads:
    """Knows as what each account's server knows a file."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._locks: dict[tuple[int, Media], asyncio.Lock] = {}
        self._file_ids: dict[tuple[int, Media], str | None] = {}

    async def send(self, account_id: int, media: Media, go: Go) -> Outcome:
        """Upload a file once an account, alone; everybody after that is sent its id.

        A message of another account's cannot be uploaded: the channel sends its words.
        """
        key = (account_id, media)
        if key not in self._file_ids:
            async with self._locks.setdefault(key, asyncio.Lock()):
                known = self._file_ids.get(key) or await self._known(account_id, media)
                if known is None and media.kind != MESSAGE:
                    outcome = await go(None)
                    if isinstance(outcome, Sent) and outcome.file_id is not None:
                        self._file_ids[key] = outcome.file_id
                        await self._keep(account_id, media, outcome.file_id)
                    return outcome
                self._file_ids[key] = known
        return await go(self._file_ids[key])

    async def _known(self, account_id: int, media: Media) -> str | None:
        async with self._database.read() as session:
            return await media_files.find(session, account_id, media)

    async def _keep(self, account_id: int, media: Media, file_id: str) -> None:
        try:
            async with self._database.begin() as session:
                await media_files.keep(session, account_id, media, file_id)
        except Exception:  # the message is sent; the next process uploads the file once more
            log.exception("file id not kept", account=account_id)

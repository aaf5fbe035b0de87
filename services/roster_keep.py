"""Files of rosters that come in: sealed in a folder by their tokens, until their import is over."""

import asyncio
from datetime import datetime
from pathlib import Path

from domain.refusals import NotFound
from storage.sealing import Sealer

SEAL = "roster.file"


class KeptFiles:
    """Keeps files so that who finds the folder reads nothing."""

    def __init__(self, folder: Path, sealer: Sealer) -> None:
        self._folder = folder
        self._sealer = sealer

    async def keep(self, token: str, data: bytes) -> None:
        await asyncio.to_thread(self._keep, token, data)

    async def load(self, token: str) -> bytes:
        """Return the file; `NotFound` if it is gone."""
        return await asyncio.to_thread(self._load, token)

    async def drop(self, token: str) -> None:
        await asyncio.to_thread((self._folder / token).unlink, missing_ok=True)

    async def drop_strays(self, known: set[str], before: datetime) -> None:
        """Drop files that a crash left without an import."""
        await asyncio.to_thread(self._drop_strays, known, before)

    def _keep(self, token: str, data: bytes) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._folder / token
        path.touch(mode=0o600)
        path.write_bytes(self._sealer.seal(data, SEAL))

    def _load(self, token: str) -> bytes:
        try:
            return self._sealer.open((self._folder / token).read_bytes(), SEAL)
        except FileNotFoundError:
            raise NotFound from None

    def _drop_strays(self, known: set[str], before: datetime) -> None:
        if not self._folder.is_dir():
            return
        for path in self._folder.iterdir():
            if path.name not in known and path.stat().st_mtime < before.timestamp():
                path.unlink(missing_ok=True)

"""A process that takes a roster in, for the kill test.

    python -m tests.acceptance.roster_worker DATABASE_URL FOLDER NOW [WHERE NTH]

Goes on where an earlier process ended, or ends itself with SIGKILL ``before`` or ``after`` its nth commit.
"""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

from domain.roster import ImportState
from storage.database import Database, Session
from storage.sealing import Sealer
from tests import roster_world

PEOPLE = 12


class KillingDatabase(Database):
    """Ends the process at one of its commits."""

    def __init__(self, url: str, where: str, nth: int) -> None:
        super().__init__(url)
        self._where, self._nth, self._commits = where, nth, 0

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Session]:
        self._commits += 1
        async with super().begin() as session:
            yield session
            self._reach("before")
        self._reach("after")

    def _reach(self, where: str) -> None:
        if where == self._where and self._commits == self._nth:
            os.kill(os.getpid(), signal.SIGKILL)


def file() -> bytes:
    return roster_world.members(*((f"周{n}", f"138057401{n:02}", "宁波市委员会") for n in range(PEOPLE)))


async def work(url: str, folder: str, now: str, where: str = "", nth: str = "0") -> None:
    database = KillingDatabase(url, where, int(nth))
    sealer = Sealer({"test": bytes(range(32))}, "test")
    roster = roster_world.build(database, lambda: datetime.fromisoformat(now), sealer, Path(folder))
    found = await roster.current(None) or await roster.begin(None, file(), "a.csv")
    if found.state is not ImportState.READY:
        found = await roster.prepare(None, found.id)
    await roster.apply(None, found.id)
    await database.close()


if __name__ == "__main__":
    asyncio.run(work(*sys.argv[1:]))

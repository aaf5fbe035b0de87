"""Tenure: of all processes of the fleet one holds an account and polls it; alone, it handles its updates too."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import structlog

from domain.clock import Clock
from storage import leases
from storage.database import Database

log = structlog.get_logger(__name__)

RENEW_EVERY = 2.0
LEASE = timedelta(seconds=15)
"""How long another process waits for one that died; a database away for less costs nothing."""


class Tenure:
    """Holds one account as long as it can: `take` is called when it comes, `let_go` when it is lost."""

    def __init__(
        self,
        account_id: int,
        *,
        database: Database,
        clock: Clock,
        holder: str,
        take: Callable[[int], Awaitable[None]],
        let_go: Callable[[int], None],
        look: Callable[[], Awaitable[None]],
    ) -> None:
        self.account_id = account_id
        self.taken = asyncio.Event()
        self._database = database
        self._clock = clock
        self._holder = holder
        self._take = take
        self._let_go = let_go
        self._look = look
        self._until = datetime.min.replace(tzinfo=UTC)

    async def run(self) -> None:
        """Renew the lease until cancelled; what others kept meanwhile is looked for each time."""
        while True:
            try:
                await self.renew()
            except Exception:
                log.exception("lease_not_renewed", account_id=self.account_id)
                if self._clock() >= self._until:
                    self._lose()
            await asyncio.sleep(RENEW_EVERY)

    async def renew(self) -> None:
        """Take or keep the lease, and act on what changed."""
        now = self._clock()
        async with self._database.begin() as session:
            mine = await leases.take(session, self._name, self._holder, now=now, until=now + LEASE)
        if not mine:
            self._lose()
            return
        self._until = now + LEASE
        if self.taken.is_set():
            await self._look()
        else:
            await self._take(self.account_id)
            self.taken.set()

    async def give_back(self) -> None:
        """Let another process go on at once."""
        self.taken.clear()
        self._let_go(self.account_id)
        async with self._database.begin() as session:
            await leases.give_back(session, self._name, self._holder)

    @property
    def _name(self) -> str:
        return f"account:{self.account_id}"

    def _lose(self) -> None:
        if self.taken.is_set():
            log.warning("account_let_go", account_id=self.account_id)
            self.taken.clear()
            self._let_go(self.account_id)

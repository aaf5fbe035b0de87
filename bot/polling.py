"""Long polling: one lease holder an account fetches raw updates, and confirms them once they are kept."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import aiohttp
import orjson
import structlog

from domain.clock import Clock
from storage import leases
from storage.database import Database

log = structlog.get_logger(__name__)

POLL_SECONDS = 20
LEASE = timedelta(seconds=45)
"""Longer than one poll, so that a poller that lives keeps its lease."""
LONGEST_WAIT = 30.0
ALLOWED = ["message", "callback_query", "my_chat_member"]
CONFLICT = 409
UNAUTHORISED = (401, 404)

Receive = Callable[[int, list[dict[str, Any]]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Source:
    """Where one account's updates come from."""

    account_id: int
    name: str
    base_url: str
    token: str
    proxy: str | None = None


class PollRefused(Exception):  # noqa: N818 - a fact, met again after a while
    """The server refuses to be polled."""

    def __init__(self, code: int, description: str) -> None:
        super().__init__(description)
        self.code = code
        self.description = description


class Poller:
    """Polls one account until it is cancelled; `settled` says that no poll has failed lately."""

    def __init__(
        self, source: Source, *, database: Database, clock: Clock, holder: str, receive: Receive
    ) -> None:
        self.source = source
        self._database = database
        self._clock = clock
        self._holder = holder
        self._receive = receive
        self.settled = False

    async def run(self) -> None:
        timeout = aiohttp.ClientTimeout(total=POLL_SECONDS + 15, sock_connect=5)
        async with aiohttp.ClientSession(timeout=timeout) as http:
            wait, offset = 1.0, 0
            while True:
                try:
                    if not await self._lease():
                        self.settled = True  # another process polls
                        await asyncio.sleep(2)
                        continue
                    offset = await self._poll(http, offset, 0 if not self.settled else POLL_SECONDS)
                    self.settled, wait = True, 1.0
                except (PollRefused, aiohttp.ClientError, TimeoutError, orjson.JSONDecodeError) as error:
                    self.settled = False
                    self._say(error)
                    await asyncio.sleep(wait)
                    wait = min(wait * 2, LONGEST_WAIT)

    async def give_back(self) -> None:
        """Let another process poll at once."""
        async with self._database.begin() as session:
            await leases.give_back(session, self._lease_name, self._holder)

    @property
    def _lease_name(self) -> str:
        return f"poll:{self.source.account_id}"

    async def _lease(self) -> bool:
        now = self._clock()
        async with self._database.begin() as session:
            return await leases.take(session, self._lease_name, self._holder, now=now, until=now + LEASE)

    async def _poll(self, http: aiohttp.ClientSession, offset: int, seconds: int) -> int:
        """Fetch and keep what has come; the next call's offset confirms it."""
        wish = {"offset": offset, "timeout": seconds, "allowed_updates": ALLOWED}
        url = f"{self.source.base_url}/bot{self.source.token}/getUpdates"
        async with http.post(url, json=wish, proxy=self.source.proxy) as response:
            answer = orjson.loads(await response.read())
        if not answer.get("ok"):
            raise PollRefused(int(answer.get("error_code", 0)), str(answer.get("description", "")))
        updates = answer["result"]
        if updates:
            await self._receive(self.source.account_id, updates)
            return int(updates[-1]["update_id"]) + 1
        return offset

    def _say(self, error: Exception) -> None:
        """Log what went wrong without the URL, which holds the token."""
        if isinstance(error, PollRefused) and error.code == CONFLICT:
            log.error(
                "poll_conflict",
                account=self.source.name,
                hint="another program polls this bot, or a webhook is set",
            )
        elif isinstance(error, PollRefused) and error.code in UNAUTHORISED:
            log.error("poll_unauthorised", account=self.source.name, hint="check the account's token")
        else:
            log.warning("poll_failed", account=self.source.name, error=type(error).__name__)

"""Long polling: who holds an account fetches its raw updates, and confirms them once they are kept."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import aiohttp
import structlog

from bot import raw

log = structlog.get_logger(__name__)

POLL_SECONDS = 20
FIRST_WAIT = 1.0
LONGEST_WAIT = 30.0
SILENT_AFTER = POLL_SECONDS + 40.0
"""Seconds without an answered poll after which the poller is not well."""
ALLOWED = ["message", "callback_query", "my_chat_member"]
CONFLICT = 409
UNAUTHORISED = (401, 404)

Receive = Callable[[int, list[Any]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Source:
    """Where one account's updates come from."""

    account_id: int
    name: str
    base_url: str
    token: str
    proxy: str | None = None


class PollRefused(Exception):  # noqa: N818 - a fact, met again after a while
    """The server refuses to be polled, or answers what no Bot API server would."""

    def __init__(self, code: int, description: str, retry_after: float = 0.0) -> None:
        super().__init__(description)
        self.code = code
        self.retry_after = retry_after


class Poller:
    """Polls one account whenever it is held, until it is cancelled; whatever happens, it polls again."""

    def __init__(self, source: Source, *, held: asyncio.Event, receive: Receive) -> None:
        self.source = source
        self._held = held
        self._receive = receive
        self._offset = 0
        self._answered = 0.0

    async def run(self) -> None:
        timeout = aiohttp.ClientTimeout(total=POLL_SECONDS + 15, sock_connect=5)
        async with aiohttp.ClientSession(timeout=timeout) as http:
            wait = FIRST_WAIT
            while True:
                await self._held.wait()
                try:
                    await self._poll(http, POLL_SECONDS if self._answered else 0)
                except Exception as error:  # noqa: BLE001 - a poller that ends is a bot that is deaf
                    self._say(error)
                    self._answered = 0.0
                    await asyncio.sleep(max(wait, getattr(error, "retry_after", 0.0)))
                    wait = min(wait * 2, LONGEST_WAIT)
                else:
                    self._answered, wait = time.monotonic(), FIRST_WAIT

    def problem(self) -> str:
        """Say what is wrong, for `/readyz`; an account that another process holds is well."""
        if not self._held.is_set():
            return ""
        if not self._answered:
            return "the last poll failed, or none was answered yet"
        if time.monotonic() - self._answered > SILENT_AFTER:
            return "no poll was answered for a while"
        return ""

    async def _poll(self, http: aiohttp.ClientSession, seconds: int) -> None:
        """Fetch and keep what has come; the next call's offset confirms it."""
        wish = {"offset": self._offset, "timeout": seconds, "allowed_updates": ALLOWED}
        url = f"{self.source.base_url}/bot{self.source.token}/getUpdates"
        async with http.post(url, json=wish, proxy=self.source.proxy) as response:
            updates = _result(raw.decode(await response.read()))
        if updates:
            await self._receive(self.source.account_id, updates)
            numbers = [raw.number_of(each) for each in updates if raw.is_update(each)]
            self._offset = max([self._offset, *(number + 1 for number in numbers)])

    def _say(self, error: Exception) -> None:
        """Log what went wrong without the URL, which holds the token."""
        account = self.source.name
        code = error.code if isinstance(error, PollRefused) else 0
        if code == CONFLICT:
            hint = "another program polls this bot, or a webhook is set"
            log.error("poll_conflict", account=account, hint=hint)
        elif code in UNAUTHORISED:
            log.error("poll_unauthorised", account=account, hint="check the account's token")
        elif isinstance(error, PollRefused | aiohttp.ClientError | TimeoutError | ValueError):
            log.warning("poll_failed", account=account, error=type(error).__name__, code=code)
        else:
            log.error("poll_failed", account=account, exc_info=error)


def _result(answer: Any) -> list[Any]:
    """Take the updates out of the server's answer, or raise `PollRefused` with its reason."""
    if not isinstance(answer, dict):
        raise PollRefused(0, "no answer of a Bot API server")
    if not answer.get("ok"):
        parameters = answer.get("parameters") or {}
        raise PollRefused(
            int(answer.get("error_code", 0)),
            str(answer.get("description", "")),
            float(parameters.get("retry_after", 0)),
        )
    return list(answer["result"])

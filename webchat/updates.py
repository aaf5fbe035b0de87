"""Updates to bots: the long poll, and webhooks in order per chat (https://core.telegram.org/bots/api#getting-updates)."""

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import orjson
import structlog

from webchat.errors import BotApiError
from webchat.store import Row
from webchat.town import UPDATE_KINDS, Town

log = structlog.get_logger(__name__)

LONGEST_POLL = 50  # seconds, as tdlib/telegram-bot-api clamps it
LONGEST_BACKOFF = 60.0
WEBHOOK_TIMEOUT = aiohttp.ClientTimeout(total=60)
CHATS_AT_ONCE = 40
Answer = Callable[[Row, str, dict[str, Any]], Awaitable[Any]]


class Polls:
    """Long polls: one a bot, a second ends the first with 409."""

    def __init__(self, town: Town) -> None:
        self._town = town
        self._current: dict[int, asyncio.Future[str]] = {}  # resolved with what ended the poll

    async def get_updates(
        self, bot: Row, *, offset: int, limit: int, patience: float, allowed: str | None
    ) -> list[orjson.Fragment]:
        """Confirm all below `offset`, wait up to `patience` seconds for news, return at most `limit` updates."""
        if bot["webhook"]:
            raise BotApiError(
                409, "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the"
                " webhook first",
            )  # fmt: skip
        replaced = self._take_over(bot["id"])
        try:
            self._confirm(bot["id"], offset, allowed)
            return await self._wait(bot["id"], limit, min(patience, LONGEST_POLL), replaced)
        finally:
            if self._current.get(bot["id"]) is replaced:
                del self._current[bot["id"]]

    def end(self, bot_id: int, by: str = "setWebhook request") -> None:
        """End a bot's poll with a conflict."""
        earlier = self._current.pop(bot_id, None)
        if earlier is not None:
            earlier.set_result(by)
            self._town.wakeups.ring(("bot", bot_id))

    def _take_over(self, bot_id: int) -> asyncio.Future[str]:
        self.end(bot_id, "other getUpdates request; make sure that only one bot instance is running")
        replaced = self._current[bot_id] = asyncio.get_running_loop().create_future()
        return replaced

    def _confirm(self, bot_id: int, offset: int, allowed: str | None) -> None:
        store = self._town.store
        with store.begin():
            if allowed is not None:
                store.run("UPDATE bot SET allowed_updates = ? WHERE id = ?", allowed, bot_id)
            if offset < 0:
                kept = store.all(
                    "SELECT id FROM pending_update WHERE bot_id = ? ORDER BY id DESC LIMIT ?", bot_id, -offset
                )
                offset = kept[-1]["id"] if kept else 0
            if offset > 0:
                store.run("DELETE FROM pending_update WHERE bot_id = ? AND id < ?", bot_id, offset)

    async def _wait(
        self, bot_id: int, limit: int, patience: float, replaced: asyncio.Future[str]
    ) -> list[orjson.Fragment]:
        key = ("bot", bot_id)
        deadline = asyncio.get_running_loop().time() + patience
        while True:
            bell = self._town.wakeups.bell(key)
            try:
                updates = self._town.store.all(
                    "SELECT body FROM pending_update WHERE bot_id = ? ORDER BY id LIMIT ?", bot_id, limit
                )
                left = deadline - asyncio.get_running_loop().time()
                if updates or left <= 0 or self._town.closing:
                    return [orjson.Fragment(row["body"]) for row in updates]
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(left):
                        await bell
            finally:
                self._town.wakeups.drop(key, bell)
            if replaced.done():
                raise BotApiError(409, f"Conflict: terminated by {replaced.result()}")


class Webhooks:
    """Posts updates to the bots' webhooks: in order within a chat, the next only after a 2xx."""

    def __init__(self, town: Town, answer: Answer) -> None:
        self._town = town
        self._answer = answer
        self._loops: dict[int, asyncio.Task[None]] = {}
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        self._session = aiohttp.ClientSession(timeout=WEBHOOK_TIMEOUT)
        for bot in self._town.store.all("SELECT id FROM bot WHERE webhook IS NOT NULL"):
            self.watch(bot["id"])

    async def stop(self) -> None:
        for task in self._loops.values():
            task.cancel()
        await asyncio.gather(*self._loops.values(), return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    def watch(self, bot_id: int) -> None:
        """Start (again) to serve a bot's webhook."""
        self.forget(bot_id)
        self._loops[bot_id] = asyncio.create_task(self._serve(bot_id))

    def forget(self, bot_id: int) -> None:
        """Serve a bot's webhook no more; what is on its way may still arrive."""
        task = self._loops.pop(bot_id, None)
        if task is not None:
            task.cancel()

    async def _serve(self, bot_id: int) -> None:
        chats: dict[int, asyncio.Task[None]] = {}
        key = ("bot", bot_id)
        try:
            while True:
                bell = self._town.wakeups.bell(key)
                try:
                    bot = self._town.store.one("SELECT * FROM bot WHERE id = ?", bot_id)
                    if bot is None or not bot["webhook"]:
                        return
                    busy = {number for number, task in chats.items() if not task.done()}
                    chats = {number: chats[number] for number in busy}
                    for row in self._town.store.all(
                        "SELECT DISTINCT person_id FROM pending_update WHERE bot_id = ?", bot_id
                    ):
                        if row["person_id"] not in busy and len(chats) < CHATS_AT_ONCE:
                            task = asyncio.create_task(self._serve_chat(bot, row["person_id"]))
                            task.add_done_callback(lambda _task: self._town.wakeups.ring(key))
                            chats[row["person_id"]] = task
                    await bell
                finally:
                    self._town.wakeups.drop(key, bell)
        finally:
            for task in chats.values():
                task.cancel()

    async def _serve_chat(self, bot: Row, person_id: int) -> None:
        delay = 1.0
        while True:
            row = self._town.store.one(
                "SELECT id, body FROM pending_update WHERE bot_id = ? AND person_id = ? ORDER BY id LIMIT 1",
                bot["id"], person_id,
            )  # fmt: skip
            if row is None:
                return
            problem = await self._post(bot, row["body"])
            if problem is None:
                self._town.store.run(
                    "DELETE FROM pending_update WHERE bot_id = ? AND id = ?", bot["id"], row["id"]
                )
                delay = 1.0
                continue
            self._town.store.run(
                "UPDATE bot SET webhook_error = ?, webhook_error_at = ? WHERE id = ?",
                problem, self._town.now(), bot["id"],
            )  # fmt: skip
            await asyncio.sleep(delay)
            delay = min(delay * 2, LONGEST_BACKOFF)

    async def _post(self, bot: Row, body: str) -> str | None:
        """Post one update; returns what went wrong, or `None`. A method in the answer is carried out."""
        assert self._session is not None  # noqa: S101 - started before it serves
        hook = json.loads(bot["webhook"])
        headers = {"Content-Type": "application/json"}
        if hook.get("secret_token"):
            headers["X-Telegram-Bot-Api-Secret-Token"] = hook["secret_token"]
        try:
            async with self._session.post(
                hook["url"], data=body.encode(), headers=headers, allow_redirects=False
            ) as response:
                answer = await response.read()
                if not 200 <= response.status < 300:  # noqa: PLR2004 - the 2xx family
                    return f"Wrong response from the webhook: {response.status} {response.reason}"
        except (aiohttp.ClientError, TimeoutError) as error:
            return f"Connection failed: {type(error).__name__}"
        await self._carry_out(bot, answer)
        return None

    async def _carry_out(self, bot: Row, answer: bytes) -> None:
        try:
            wish = orjson.loads(answer)
        except orjson.JSONDecodeError:
            return
        if isinstance(wish, dict) and isinstance(wish.get("method"), str):
            method = wish.pop("method")
            try:
                await self._answer(bot, method, wish)
            except BotApiError as error:  # the bot is told nothing, as with Telegram
                log.info("webhook_method_refused", method=method, reason=error.description)
            except Exception:  # the update was taken: a failing answer must not bring it again
                log.exception("webhook_method_failed", method=method)


def allowed_kinds(value: Any) -> str | None:
    """Normalise ``allowed_updates``: `None` keeps what was set, an empty list means the default (all but few)."""
    if not isinstance(value, list):
        return None
    kinds = [kind for kind in value if kind in UPDATE_KINDS]
    return json.dumps(kinds) if kinds else ""

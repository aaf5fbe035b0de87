"""The way in: store an update, confirm it, hand it on; in order within a chat, side by side between chats.

Both libraries confirm an update before its handler has finished, so a crash loses what was in hand
(aiogram #1397; measured: 33 of 4,000 with 8 kills). Here a crash replays what was not done.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import timedelta
from typing import Any

import orjson
import structlog
from pydantic import ValidationError

from domain.clock import Clock
from services import killpoints
from storage import inbox
from storage.database import Database
from storage.inbox import Incoming, Waiting
from storage.sealing import Sealer

log = structlog.get_logger(__name__)

AT_ONCE = 32
PATIENCE = (0.5, 3.0)
"""Seconds before the second and the third attempt; what fails a third time is set aside."""
DONE_KEPT = timedelta(days=2)
"""Long enough that a server which repeats an update meets its row."""
QUARANTINED_KEPT = timedelta(days=7)
SEAL_CONTEXT = "inbox"

Update = dict[str, Any]
Feed = Callable[[int, Update], Awaitable[None]]
Apologise = Callable[[int, Update, str], Awaitable[None]]
Lane = tuple[int, int | None]


class Inbox:
    """Keeps and hands on updates: `feed` handles one, `apologise` tells a person that theirs failed."""

    def __init__(
        self, *, database: Database, clock: Clock, sealer: Sealer, feed: Feed, apologise: Apologise
    ) -> None:
        self._database = database
        self._clock = clock
        self._sealer = sealer
        self._feed = feed
        self._apologise = apologise
        self._lanes: dict[Lane, deque[Waiting]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._places = asyncio.Semaphore(AT_ONCE)
        self._stopping = False
        self.handled = 0
        self.quarantined = 0

    async def boot(self, account_ids: Sequence[int]) -> int:
        """Take up what a former run kept and did not finish; returns how many."""
        async with self._database.read() as session:
            left = await inbox.waiting(session, account_ids)
        self._line_up(left)
        return len(left)

    async def receive(self, account_id: int, updates: Iterable[Update]) -> None:
        """Keep updates and hand them on; when this returns they may be confirmed to the server."""
        incoming = [
            Incoming(account_id, each["update_id"], chat_of(each), orjson.dumps(each)) for each in updates
        ]
        async with self._database.begin() as session:
            fresh = await inbox.keep(session, incoming, self._clock())
        killpoints.reach("after_inbox_commit")
        self._line_up(fresh)

    async def reap(self) -> None:
        now = self._clock()
        async with self._database.begin() as session:
            await inbox.reap(session, done_before=now - DONE_KEPT, quarantined_before=now - QUARANTINED_KEPT)

    async def idle(self) -> None:
        """Wait until nothing is in hand."""
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def stop(self, grace: float = 4.0) -> None:
        """Begin nothing more and finish what is in hand; the rest stays for the next run."""
        self._stopping = True
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=grace)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    @property
    def in_hand(self) -> int:
        return sum(len(line) for line in self._lanes.values())

    def _line_up(self, updates: Iterable[Waiting]) -> None:
        for each in updates:
            lane = (each.account_id, each.chat_id)
            line = self._lanes.get(lane)
            if line is not None:
                line.append(each)
                continue
            self._lanes[lane] = deque([each])
            task = asyncio.create_task(self._serve(lane))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _serve(self, lane: Lane) -> None:
        line = self._lanes[lane]
        try:
            while line and not self._stopping:
                async with self._places:
                    await self._handle(line[0])
                line.popleft()
        finally:
            del self._lanes[lane]

    async def _handle(self, waiting: Waiting) -> None:
        try:
            update: Update = orjson.loads(waiting.raw)
            await self._feed(waiting.account_id, update)
        except (orjson.JSONDecodeError, ValidationError) as error:
            await self._set_aside(waiting, error, told=None)
        except Exception as error:  # noqa: BLE001 - whatever a handler raises, the next update must come
            await self._failed(waiting, update, error)
        else:
            async with self._database.begin() as session:
                await inbox.done(session, waiting.id, self._clock())
            self.handled += 1

    async def _failed(self, waiting: Waiting, update: Update, error: Exception) -> None:
        async with self._database.begin() as session:
            attempts = await inbox.failed(session, waiting.id, type(error).__name__)
        if attempts > len(PATIENCE):
            await self._set_aside(waiting, error, told=update)
            return
        log.warning("update_failed", inbox_id=waiting.id, attempt=attempts, exc_info=error)
        await asyncio.sleep(PATIENCE[attempts - 1])
        if not self._stopping:
            await self._handle(waiting)

    async def _set_aside(self, waiting: Waiting, error: Exception, told: Update | None) -> None:
        sealed = self._sealer.seal(waiting.raw, SEAL_CONTEXT)
        async with self._database.begin() as session:
            await inbox.quarantine(session, waiting.id, sealed, type(error).__name__, self._clock())
        self.quarantined += 1
        log.error("update_quarantined", inbox_id=waiting.id, exc_info=error if told else None)
        if told is not None:
            await self._apologise(waiting.account_id, told, incident(waiting.id))


def incident(inbox_id: int) -> str:
    """Return the short code a person can tell an operator; it names the inbox row."""
    return f"T{inbox_id:05d}"


def chat_of(update: Update) -> int | None:
    """Find the chat an update belongs to, so that it waits in that chat's line."""
    for name, event in update.items():
        if name == "update_id" or not isinstance(event, dict):
            continue
        message = event.get("message") if name == "callback_query" else event
        chat = (message or {}).get("chat") or event.get("from") or event.get("user") or {}
        number = chat.get("id")
        return number if isinstance(number, int) else None
    return None

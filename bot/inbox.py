"""The way in: store an update, confirm it, hand it on; in order within a chat, side by side between chats.

Both libraries confirm an update before its handler has finished, so a crash loses what was in hand
(aiogram #1397; measured: 33 of 4,000 with 8 kills). Here a crash replays what was not done.
On one machine the process that holds an account handles its updates. Of several, each handles the chats that it has
claimed (`bot.claims`): those it is handed updates of, and when it has plenty in hand, others claim the rest.
An update changes state once: the row notes in the handler's own transaction that it took effect, and an update
that comes again is then only answered, from the state.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import timedelta
from functools import partial
from typing import TypeVar

import orjson
import structlog

from bot import raw
from bot.claims import Claims, Overtaken, fence
from bot.endings import Endings
from bot.raw import Update
from domain.clock import Clock
from services import killpoints
from storage import inbox
from storage.claims import Chat
from storage.database import Database, Effect, Session, after_commit, with_each_change
from storage.inbox import Incoming, Waiting
from storage.sealing import Sealer

log = structlog.get_logger(__name__)

AT_ONCE = 32
MOST_CHATS = 2 * AT_ONCE
"""Of several processes one claims no more chats while it has so many in hand: the others have time for them."""
MOST_IN_HAND = 1000
"""What lies in memory; a longer backlog stays in the table and is read on as the line moves."""
PATIENCE = (0.5, 3.0)
"""Seconds before the second and the third attempt; what fails a third time is set aside."""
DATABASE_AWAY = 1.0
DONE_KEPT = timedelta(days=2)
"""Long enough that a server which repeats an update meets its row."""
QUARANTINED_KEPT = timedelta(days=7)
SEAL_CONTEXT = "inbox"

Feed = Callable[[int, Update, bool], Awaitable[None]]
Apologise = Callable[[int, Update, str], Awaitable[None]]
Lane = tuple[int, int | None]
T = TypeVar("T")


class Undecodable(Exception):  # noqa: N818 - a fact
    """An update of a shape we do not know; trying again would not help."""


class NotNow(Exception):  # noqa: N818 - a fact
    """The messenger cannot be answered for `seconds`; nothing was sent, and nobody is to blame."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds


class Inbox:
    """Keeps and hands on updates.

    `feed` handles one, or only answers it when it took effect before; `apologise` tells a person that theirs failed.
    """

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        sealer: Sealer,
        feed: Feed,
        apologise: Apologise,
        claims: Claims | None = None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._sealer = sealer
        self._endings = Endings(database=database, clock=clock)
        self._feed = feed
        self._apologise = apologise
        self._claims = claims
        self._held: set[int] = set()
        self._lanes: dict[Lane, deque[Waiting]] = {}
        self._in_hand: set[int] = set()
        self._over: set[int] = set()
        self._effective: set[int] = set()
        self._behind = False
        self._lining_up = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self._places = asyncio.Semaphore(AT_ONCE)
        self._stopping = asyncio.Event()

    async def take(self, account_id: int) -> None:
        """Handle an account's updates from now on, first those that were left behind."""
        self._held.add(account_id)
        await self.look()

    def let_go(self, account_id: int) -> None:
        """Handle no more of an account's updates than those that run now."""
        self._held.discard(account_id)

    async def receive(self, account_id: int, updates: Iterable[object]) -> None:
        """Keep updates and hand them on; when this returns they may be confirmed to the server."""
        incoming = [
            Incoming(account_id, raw.number_of(each), raw.chat_of(each), raw.encode(each))
            for each in updates
            if raw.is_update(each)
        ]
        async with self._lining_up:
            self._over.clear()
            async with self._database.begin() as session:
                fresh = await inbox.keep(session, incoming, self._clock())
                if self._claims is not None:
                    fresh = await self._claim(self._claims, session, fresh)
            killpoints.reach("after_inbox_commit")
            if len(self._in_hand) + len(fresh) > MOST_IN_HAND:
                self._behind = True
            if not self._behind:
                self._line_up(fresh)

    async def look(self) -> None:
        """Take up what is kept and not in hand: after a crash, from another process, or of a long backlog."""
        room = MOST_IN_HAND - len(self._in_hand)
        if not self._held or room < MOST_IN_HAND / 2:
            return
        async with self._lining_up:
            self._over.clear()
            limit = len(self._in_hand) + room
            left = await self._left(limit)
            self._behind = len(left) == limit
            self._line_up(left)

    async def _left(self, limit: int) -> list[Waiting]:
        if self._claims is None:
            async with self._database.read() as session:
                return await inbox.waiting(session, sorted(self._held), limit=limit)
        chats = await self._claims.seek(self._held, self._in_hand, limit=limit)
        if not chats:
            return []
        async with self._database.begin() as session:
            return await self._claims.take(session, chats, new=self._room_for_chats, limit=limit)

    async def _claim(self, claims: Claims, session: Session, fresh: Iterable[Waiting]) -> list[Waiting]:
        """Return what waits in the chats of these updates that are ours; who has plenty leaves new ones to others."""
        chats = [_chat(each.account_id, each.chat_id) for each in fresh if each.account_id in self._held]
        new = 0 if self._behind else self._room_for_chats
        return await claims.take(session, chats, new=new, limit=MOST_IN_HAND)

    @property
    def _room_for_chats(self) -> int:
        return MOST_CHATS - len(self._lanes)

    async def tidy(self) -> None:
        """Let other processes have chats that have nothing in hand."""
        if self._claims is not None:
            async with self._lining_up:
                await self._claims.let_idle_go({_chat(*lane) for lane in self._lanes})

    async def reap(self) -> None:
        """Drop what is long over."""
        now = self._clock()
        async with self._database.begin() as session:
            await inbox.reap(session, done_before=now - DONE_KEPT, quarantined_before=now - QUARANTINED_KEPT)

    async def idle(self) -> None:
        """Wait until nothing is in hand."""
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def stop(self, grace: float = 2.0) -> None:
        """Begin nothing more and finish what is in hand; the rest stays for the next run."""
        self._stopping.set()
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=grace)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def _line_up(self, updates: Iterable[Waiting]) -> None:
        for each in updates:
            lane = (each.account_id, each.chat_id)
            if not self._ours(lane) or each.id in self._in_hand or each.id in self._over:
                continue
            self._in_hand.add(each.id)
            line = self._lanes.get(lane)
            if line is not None:
                _stand_in(line, each)
                continue
            self._lanes[lane] = deque([each])
            task = asyncio.create_task(self._serve(lane))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _ours(self, lane: Lane) -> bool:
        mine = self._claims is None or self._claims.holds(_chat(*lane))
        return mine and lane[0] in self._held

    async def _serve(self, lane: Lane) -> None:
        """Handle what stands in a line; a place is held while an update runs, not while it waits."""
        line = self._lanes[lane]
        try:
            while line and self._ours(lane) and not self._stopping.is_set():
                async with self._places:
                    again_in = await self._handle(line[0])
                if again_in is None:
                    self._leave(line.popleft())
                else:
                    await self._pause(again_in)
        finally:
            del self._lanes[lane]
            self._in_hand.difference_update(each.id for each in line)
            if self._claims is not None:
                self._claims.rest(_chat(*lane))
                if self._claims.left_some and len(self._lanes) < AT_ONCE:
                    self._claims.hungry.set()

    def _leave(self, over: Waiting) -> None:
        self._in_hand.discard(over.id)
        self._effective.discard(over.id)
        self._over.add(over.id)

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)

    async def _handle(self, waiting: Waiting) -> float | None:
        """Handle one update; returns the seconds until it is to be tried again, `None` when it is over."""
        try:
            await self._feed_once(waiting)
        except (orjson.JSONDecodeError, Undecodable) as error:
            await self._set_aside(waiting, error)
        except Overtaken:
            self._lose(waiting)
        except NotNow as error:
            log.warning("update_waits", inbox_id=waiting.id, seconds=error.seconds)
            return error.seconds
        except Exception as error:  # noqa: BLE001 - whatever a handler raises, the next update must come
            if await self._overtaken(waiting):
                return None
            return await self._failed(waiting, error)
        else:
            killpoints.reach("before_inbox_done")
            await self._endings.note(waiting.id)
        return None

    async def _overtaken(self, waiting: Waiting) -> bool:
        """Say whether an update that failed here is another process's by now: that one counts."""
        claims, chat = self._claims, _chat(waiting.account_id, waiting.chat_id)
        if claims is None or await self._write(lambda session: claims.still_ours(session, chat)):
            return False
        self._lose(waiting)
        return True

    def _lose(self, waiting: Waiting) -> None:
        log.warning("update_taken_over", inbox_id=waiting.id)
        if self._claims is not None:
            self._claims.lose(_chat(waiting.account_id, waiting.chat_id))

    async def _feed_once(self, waiting: Waiting) -> None:
        chat, claims = _chat(waiting.account_id, waiting.chat_id), self._claims
        again = waiting.took_effect or waiting.id in self._effective
        token = with_each_change.set(Effect(self._note, waiting))
        fenced = fence.set(None if claims is None else partial(claims.check, chat=chat))
        try:
            await self._feed(waiting.account_id, orjson.loads(waiting.raw), again)
        finally:
            fence.reset(fenced)
            with_each_change.reset(token)

    async def _note(self, session: Session, updates: Sequence[Waiting]) -> None:
        """Note in a transaction which updates take effect with it."""
        numbers = [each.id for each in updates]
        if self._claims is None:
            await inbox.effective(session, numbers)
        else:
            chats = {each.id: _chat(each.account_id, each.chat_id) for each in updates}
            await self._claims.note(session, chats)

        async def remember() -> None:
            self._effective.update(numbers)

        after_commit(session, remember)

    async def _failed(self, waiting: Waiting, error: Exception) -> float | None:
        attempts = await self._write(lambda session: inbox.failed(session, waiting.id, type(error).__name__))
        if attempts <= len(PATIENCE):
            log.warning("update_failed", inbox_id=waiting.id, attempt=attempts, exc_info=error)
            return PATIENCE[attempts - 1]
        await self._set_aside(waiting, error)
        try:
            await self._apologise(waiting.account_id, orjson.loads(waiting.raw), incident(waiting.id))
        except Exception:  # the person hears nothing, but the next update must come
            log.exception("apology_failed", incident=incident(waiting.id))
        return None

    async def _set_aside(self, waiting: Waiting, error: Exception) -> None:
        sealed = self._sealer.seal(raw.outline(waiting.raw), SEAL_CONTEXT)
        name = type(error).__name__
        await self._write(lambda session: inbox.quarantine(session, waiting.id, sealed, name, self._clock()))
        told = None if isinstance(error, Undecodable | orjson.JSONDecodeError) else error
        log.error("update_quarantined", incident=incident(waiting.id), error=name, exc_info=told)

    async def _write(self, write: Callable[[Session], Awaitable[T]]) -> T:
        """Write until it is written: a handled update must not be handled again because the database was away."""
        while True:
            try:
                async with self._database.begin() as session:
                    return await write(session)
            except Exception:
                log.exception("inbox_not_written")
                await asyncio.sleep(DATABASE_AWAY)


def _chat(account_id: int, chat_id: int | None) -> Chat:
    return account_id, chat_id or 0


def _stand_in(line: deque[Waiting], update: Waiting) -> None:
    """Put an update where its number says, behind the one in hand: webhooks may overtake each other."""
    place = len(line)
    while place > 1 and line[place - 1].update_id > update.update_id:
        place -= 1
    line.insert(place, update)


def incident(inbox_id: int) -> str:
    """Return the short code a person can tell an operator; it names the inbox row."""
    return f"T{inbox_id:05d}"

"""The chats that this process handles, of all processes of the fleet: claimed by row, as long as it renews its lease."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta

import structlog

from domain.clock import Clock
from storage import claims
from storage.claims import Chat
from storage.database import Database, Session, after_commit
from storage.inbox import Waiting

log = structlog.get_logger(__name__)

LEASE = timedelta(seconds=10)
"""How long the chats of a process that died wait for another."""
RENEW_EVERY = 2.0
LOOK_EVERY = 0.25
"""Seconds until a process sees what another kept for its chats; what it keeps itself it sees at once."""
KEPT_IDLE = timedelta(seconds=5)
"""How long a chat stays where it was handled last, whose cache knows its dialogue."""

fence: ContextVar[Callable[[Session], Awaitable[None]] | None] = ContextVar("fence", default=None)
"""Raises in a transaction for the update in hand when its chat is another process's by now."""


class Overtaken(Exception):  # noqa: N818 - a fact
    """This process stood still for too long: another handles the chat now, and what was begun is taken back."""


class Claims:
    """Holds chats; `forget` is called with each that it holds no more, or with `None` for all."""

    def __init__(
        self, *, database: Database, clock: Clock, holder: str, forget: Callable[[Chat | None], None]
    ) -> None:
        self._database = database
        self._clock = clock
        self._holder = holder
        self._forget = forget
        self._mine: dict[Chat, datetime] = {}
        self._until = datetime.min.replace(tzinfo=UTC)
        self.hungry = asyncio.Event()
        """Set when there is room for what was left, so that a look does not wait for its time."""
        self.left_some = False

    def holds(self, chat: Chat) -> bool:
        return chat in self._mine and self._clock() < self._until

    def rest(self, chat: Chat) -> None:
        """Note that a chat has nothing in hand from now on."""
        if chat in self._mine:
            self._mine[chat] = self._clock()

    def lose(self, chat: Chat) -> None:
        """Forget a chat that another process has taken."""
        self._mine.pop(chat, None)
        self._forget(chat)

    async def take(self, session: Session, chats: Iterable[Chat], *, new: int, limit: int) -> list[Waiting]:
        """Claim up to `new` of these chats besides those held; return what waits in all that are ours then."""
        now = self._clock()
        if now >= self._until:
            return []
        wanted = dict.fromkeys(chats)
        fresh = [chat for chat in wanted if chat not in self._mine]
        self.left_some = self.left_some or len(fresh) > new
        won = await claims.take(session, fresh[: max(new, 0)], self._holder, now)

        async def remember() -> None:
            self._mine.update(dict.fromkeys(won, now))

        after_commit(session, remember)
        ours = won | {chat for chat in wanted if chat in self._mine}
        return await claims.waiting(session, ours, limit=limit)

    async def seek(self, accounts: Collection[int], but: Collection[int], *, limit: int) -> list[Chat]:
        """Return chats that this process has or may claim, with updates other than those in hand."""
        self.left_some = False
        async with self._database.read() as session:
            found = await claims.open_chats(
                session, sorted(accounts), self._holder, self._clock(), limit=limit + len(but)
            )
        return list(dict.fromkeys(chat for number, chat in found if number not in but))

    async def note(self, session: Session, updates: Mapping[int, Chat]) -> None:
        """Note that updates take effect with this transaction, if all are ours to handle."""
        if not await claims.effective(session, updates, self._holder):
            raise Overtaken

    async def check(self, session: Session, chat: Chat) -> None:
        """Raise unless the chat is ours until this transaction ends."""
        if not await self.still_ours(session, chat):
            raise Overtaken

    async def still_ours(self, session: Session, chat: Chat) -> bool:
        return await claims.still_mine(session, chat, self._holder)

    async def let_idle_go(self, busy: Collection[Chat]) -> None:
        """Let others have what has had nothing in hand for a while."""
        before = self._clock() - KEPT_IDLE
        idle = [chat for chat, since in self._mine.items() if since < before and chat not in busy]
        if not idle:
            return
        for chat in idle:
            self.lose(chat)
        async with self._database.begin() as session:
            await claims.give_back(session, idle, self._holder)

    async def renew(self) -> None:
        """Go on holding; what was not renewed in time is lost."""
        now = self._clock()
        if now >= self._until:
            if self._mine:
                log.warning("chats_let_go", chats=len(self._mine))
            self._lose_all()
        async with self._database.begin() as session:
            await claims.renew(session, self._holder, now=now, until=now + LEASE)
        self._until = now + LEASE

    async def run(self, look: Callable[[], Awaitable[None]], tidy: Callable[[], Awaitable[None]]) -> None:
        """Renew, look for more and tidy until cancelled."""
        renewed = 0.0
        while True:
            try:
                if time.monotonic() - renewed >= RENEW_EVERY:
                    await self.renew()
                    renewed = time.monotonic()
                    await tidy()
                await look()
            except Exception:
                log.exception("chats_not_claimed")
            await self._wait()
            self.hungry.clear()

    async def reap(self) -> None:
        async with self._database.begin() as session:
            await claims.reap(session, self._clock())

    async def give_all_back(self) -> None:
        """Let other processes go on at once."""
        self._lose_all()
        self._until = datetime.min.replace(tzinfo=UTC)
        async with self._database.begin() as session:
            await claims.give_all_back(session, self._holder)

    def _lose_all(self) -> None:
        self._mine.clear()
        self._forget(None)

    async def _wait(self) -> None:
        try:
            await asyncio.wait_for(self.hungry.wait(), LOOK_EVERY)
        except TimeoutError:
            return

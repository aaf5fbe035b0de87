"""One delivery on its way out: its files first, the last look, and what its server said.

What waits for another's upload, or for a server that wants patience, has lost its place in the pace: it takes a new one,
and is looked at again, before it leaves. An album has no keyboard, so its text and buttons follow in a message of
their own. What cannot be told safely of that message is unknown: to try the delivery again would bring the album twice.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from typing import Protocol

import structlog

from domain.accounts import Address
from domain.clock import Clock
from domain.delivery import Busy, NotSent, Outcome, Rejected, Sent, Unknown, Unreachable
from domain.halts import FAILING, UNAUTHORIZED
from domain.messages import Content, Envelope
from domain.pace import PaceKind
from domain.words import WordsOf
from services import killpoints
from services.flow import Flow
from services.pacer import TOO_LATE, Pacer
from services.uploads import Ids, Uploads
from storage import deliveries
from storage.database import Database
from storage.deliveries import Claim, OpenSlice

LATE = 0.5
"""Seconds after its instant at which a send looks again whether it is still wanted."""
STOPPED_FOR = 5.0
PATIENCE = timedelta(seconds=10)
"""How long the words of an album wait in place for a server that wants patience."""
ATTEND_EVERY = 20.0
"""Seconds after which an upload under way says again that it is: its attempt is not taken for abandoned."""

log = structlog.get_logger(__name__)


class Channel(Protocol):
    """A way out: sends one envelope and says what became of it; it never raises for what a server does."""

    async def send(self, envelope: Envelope, file_id: str | None) -> Outcome: ...


class Contents(Protocol):
    """Gives the content of a dispatch in a language, prepared once."""

    async def __call__(self, taken: OpenSlice, language: str) -> Content: ...


@dataclass(slots=True)
class Group:
    """What was claimed together; `wanted` of it (`None`: all) may still leave us, as was last seen at `seen`."""

    taken: OpenSlice
    flow: Flow
    seen: float
    wanted: Collection[int] | None = None
    looking: asyncio.Lock = field(default_factory=asyncio.Lock)


@dataclass(slots=True)
class Send:
    """One of a group, due `at`; of how long its server took, and whether its account has to stop, it is told."""

    group: Group
    claim: Claim
    at: float
    latency: float | None = None
    halt: tuple[int, str] | None = None


class Sender:
    """Sends what was claimed, by the channels of this process."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        channel_of: Callable[[int], Channel],
        contents: Contents,
        pacer: Pacer,
        stopping: Callable[[], bool],
    ) -> None:
        self._database = database
        self._clock = clock
        self._channel_of = channel_of
        self._contents = contents
        self._pacer = pacer
        self._stopping = stopping
        self._uploads = Uploads(database, clock)
        self._words = WordsOf()

    async def send(self, send: Send) -> Outcome:
        """Send a delivery, an album with the words that follow it, and say what became of the whole."""
        taken = send.group.taken
        try:
            content = await self._contents(taken, send.claim.language)
        except Exception:  # a content that cannot be made fails its deliveries, not the worker
            log.exception("content not made", source=taken.source, source_id=taken.source_id)
            return NotSent("content")
        if not (content.album and content.keyboard):
            return await self._leave(send, content)
        outcome = await self._leave(send, replace(content, text="", entities=(), keyboard=()))
        return await self._follow(send, self._words(content)) if isinstance(outcome, Sent) else outcome

    async def _follow(self, send: Send, words: Content) -> Outcome:
        outcome = await self._leave(send, words)
        if isinstance(outcome, Busy) and outcome.retry_at - self._clock() <= PATIENCE:
            waits_since = self._pacer.now()
            await self._pacer.sleep_until(outcome.retry_at.timestamp())
            outcome = await self._leave(send, words, waits_since)
        told = isinstance(outcome, Sent | Unreachable | Rejected | Unknown)
        return outcome if told else Unknown("album_alone")

    async def _leave(self, send: Send, content: Content, waits_since: float | None = None) -> Outcome:
        taken, now = send.group.taken, self._pacer.now()
        paid = taken.kind is PaceKind.PAID
        envelope = Envelope(Address(taken.account_id, send.claim.chat_id), content, paid)
        go = partial(self._go, send, envelope, now if waits_since is None else waits_since)
        files = content.album or (() if content.media is None else (content.media,))
        try:
            return await (self._uploads.send(taken.account_id, files, go) if files else go(()))
        except Exception:  # the database is away: it has not left us, and nobody needs to doubt it
            log.exception("not sent", account=taken.account_id)
            return NotSent("database")

    async def _go(self, send: Send, envelope: Envelope, ready_at: float, ids: Ids) -> Outcome:
        """Let it leave us; one that is late (a stall, another's upload) looks first whether it still may."""
        group, now = send.group, self._pacer.now()
        if now - ready_at > TOO_LATE:
            if not self._stopping():
                taken = group.taken if envelope.content.album else replace(group.taken, each=1)
                await self._pacer.again(taken, group.flow)
            if self._stopping():
                return Busy(self._clock())
            now = self._pacer.now()
        if group.flow.line.held_until > now:
            return Busy(self._clock() + timedelta(seconds=group.flow.line.held_until - now))
        if now - max(send.at, group.seen) > LATE:
            await self._look_again(send)
        if group.wanted is not None and send.claim.id not in group.wanted:
            return NotSent("stopped_meanwhile")
        return await self._ask(send, envelope, ids)

    async def _ask(self, send: Send, envelope: Envelope, ids: Ids) -> Outcome:
        taken, line, began = send.group.taken, send.group.flow.line, time.monotonic()
        if None in ids:
            async with self._attended(taken.id, send.claim):
                outcome = await self._carry(envelope, ids)
        else:
            outcome = await self._carry(envelope, ids)
        killpoints.reach("after_server_acted")
        landed = time.monotonic()
        send.latency = landed - began
        if isinstance(outcome, NotSent) and outcome.account_dead:
            send.halt = (taken.account_id, UNAUTHORIZED)
        elif line.streak.note(outcome, began, landed):
            send.halt = (taken.account_id, FAILING)
        if send.halt is not None:  # until the row says so to everybody
            line.held_until = max(line.held_until, self._pacer.now() + STOPPED_FOR)
        if isinstance(outcome, Busy):
            await self._pacer.hold(taken.account_id, line, outcome.retry_at, taken.kind)
        return outcome

    async def _carry(self, envelope: Envelope, ids: Ids) -> Outcome:
        file_id = None
        if envelope.content.album:
            envelope = replace(envelope, album_ids=ids)
        elif ids:
            (file_id,) = ids
        try:
            return await self._channel_of(envelope.to.account_id).send(envelope, file_id)
        except Exception:  # an adapter's bug must not lose an outcome: perhaps it was sent
            log.exception("channel raised", account=envelope.to.account_id)
            return Unknown("channel_error")

    @asynccontextmanager
    async def _attended(self, slice_id: int, claim: Claim) -> AsyncIterator[None]:
        over = asyncio.Event()
        attending = asyncio.create_task(self._attend(slice_id, claim, over))
        try:
            yield
        finally:
            over.set()
            await attending

    async def _attend(self, slice_id: int, claim: Claim, over: asyncio.Event) -> None:
        while not await passed(over, ATTEND_EVERY):
            try:
                async with self._database.begin() as session:
                    await deliveries.attend(session, slice_id, claim, self._clock())
            except Exception:  # the database is away: the next time will do
                log.exception("upload not attended", delivery=claim.id)

    async def _look_again(self, send: Send) -> None:
        """Look once for all of a group: a look for each would make a process that is late later still."""
        group = send.group
        async with group.looking:
            now = self._pacer.now()
            if now - max(send.at, group.seen) > LATE:
                async with self._database.read() as session:
                    group.wanted = await deliveries.still_wanted(session, group.taken, send.claim.attempt_id)
                group.seen = now


async def passed(event: asyncio.Event, seconds: float) -> bool:
    """Say whether an event came within so many seconds."""
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return False
    return True

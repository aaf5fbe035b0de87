"""Digests: what is above a member's weekly cap comes as one message, whose button opens their own list."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

import structlog

from domain.clock import Clock
from domain.delivery import Lane
from domain.digests import NOW, SOURCE, USEFUL, Cadence, Entry, due
from domain.messages import Button, Content
from domain.permissions import Actor
from domain.refusals import NotFound
from locales import speak
from services.audit import Audit
from services.delivery import Delivery
from services.walls import PAGE
from storage import digests
from storage.database import Database
from storage.deliveries import Rules

OPEN = "digest:open:{number}:0"
"""The button below a digest, as `handlers.digests` reads it."""
SETTINGS = "go:digest"

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Line:
    """One thing in a digest: the message as it would have come alone."""

    delivery_id: int
    entry: Entry
    content: Content


@dataclass(frozen=True, slots=True)
class Page:
    """A page of one's own digest."""

    lines: tuple[Line, ...]
    total: int
    more: bool


@dataclass(frozen=True, slots=True)
class Choice:
    """How often a member's digest comes, above how many pushes a week, and what waits for the next."""

    cadence: Cadence
    cap: int
    waiting: int


class Digests:
    """Sends digests when they are due, and shows each member what theirs holds."""

    def __init__(
        self, *, database: Database, clock: Clock, audit: Audit, delivery: Delivery, rules: Rules
    ) -> None:
        self._database = database
        self._clock = clock
        self._audit = audit
        self._delivery = delivery
        self._rules = rules
        delivery.sources[SOURCE] = self.content

    async def content(self, digest_id: int, language: str) -> Content:
        """Make the message: the same for all who get this digest, what it holds opens for each alone."""
        words = speak(language)
        rows = (
            (Button(words("digests.button.open"), OPEN.format(number=digest_id)),),
            (Button(words("notices.button.why"), SETTINGS),),
        )
        return Content(words("digests.message"), keyboard=rows)

    async def tick(self) -> int:
        """Send what is due, zone by zone, unless its night or rest day holds it; returns how many digests."""
        now = self._clock()
        async with self._database.read() as session:
            zones = await digests.due_zones(session, now)
        sent = 0
        for zone in zones:
            if self._rules.hold(Lane.NORMAL, SOURCE, now, zone) is None:
                sent += await self._send(zone)
        return sent

    async def page(
        self, actor: Actor, digest_id: int, language: str, page: int = 0, account_id: int | None = None
    ) -> Page:
        """Return a page of one's own digest; of another's nothing is there."""
        async with self._database.read() as session:
            now = self._clock()
            total = await digests.count(session, actor.member_id, digest_id, now, account_id)
            found = await digests.entries(
                session,
                actor.member_id,
                digest_id,
                now,
                offset=page * PAGE,
                limit=PAGE + 1,
                account_id=account_id,
            )
        lines = [Line(number, entry, await self._render(entry, language)) for number, entry in found[:PAGE]]
        return Page(tuple(lines), total, len(found) > PAGE)

    async def open(
        self, actor: Actor, delivery_id: int, language: str, account_id: int | None = None
    ) -> Content:
        """Return one thing of one's own digests, as it would have come alone."""
        async with self._database.read() as session:
            found = await digests.entry(session, actor.member_id, delivery_id, account_id)
        if found is None:
            raise NotFound
        return await self._render(found, language)

    async def choice(self, actor: Actor) -> Choice:
        """Return how often the actor's digest comes, and how much waits for the next."""
        async with self._database.read() as session:
            cadence = await digests.cadence_of(session, actor.member_id)
            waiting = await digests.count(session, actor.member_id, NOW, self._clock())
        return Choice(cadence, self._rules.weekly_cap, waiting)

    async def choose(self, actor: Actor, cadence: Cadence) -> Choice:
        """Let the digest come weekly or daily; what waits comes with the next. Twice the same changes nothing."""
        async with self._database.begin() as session:
            if await digests.choose(session, actor.member_id, cadence):
                zone = await digests.zone_of(session, actor.member_id)
                await digests.bring_forward(session, actor.member_id, due(cadence, self._clock(), zone))
                await self._audit.note(
                    session,
                    actor_id=actor.member_id,
                    action=f"digest.{cadence}",
                    subject="member",
                    subject_id=actor.member_id,
                    person_id=actor.member_id,
                )
        return await self.choice(actor)

    async def _send(self, zone: str) -> bool:
        """Write the digest of a zone with its dispatch; of two who tick, one does."""
        now = self._clock()
        async with self._database.begin() as session:
            day = now.astimezone(ZoneInfo(zone)).date()
            digest_id = await digests.begin(session, zone, day, now)
            if digest_id is None:
                return False
            await self._delivery.dispatch(
                session,
                source=SOURCE,
                source_id=digest_id,
                members=digests.recipients(digest_id),
                useful_until=now + USEFUL,
            )
        log.info("digest sent", digest=digest_id, zone=zone)
        return True

    async def _render(self, entry: Entry, language: str) -> Content:
        return await self._delivery.sources[entry.source](entry.source_id, language)

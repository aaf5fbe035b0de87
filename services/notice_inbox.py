"""A member's notices: the latest, a search, one of them, why it came, and the confirmation."""

from dataclasses import dataclass
from datetime import datetime

from domain.clock import Clock
from domain.notices import Notice
from domain.permissions import Actor
from domain.refusals import NotFound
from domain.topics import Topic
from services.audiences import Audiences, Part
from services.walls import PAGE
from storage import notices, topics
from storage.database import Database

MOST_SEARCHED = 60
"""Characters of a search text that are looked at."""


@dataclass(frozen=True, slots=True)
class Received:
    """A notice as its recipient sees it."""

    notice: Notice
    confirmed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Why:
    """Why a member got a notice: the part of its audience that they belong to, and the topic they chose."""

    notice: Notice
    part: Part | None
    topic: Topic | None


class NoticeInbox:
    """Shows a member what was sent to them; a recipient sees a notice by their delivery."""

    def __init__(self, *, database: Database, clock: Clock, audiences: Audiences) -> None:
        self._database = database
        self._clock = clock
        self._audiences = audiences

    async def latest(
        self, actor: Actor, page: int = 0, search: str = "", account_id: int | None = None
    ) -> tuple[list[Notice], bool]:
        """Return a page of the member's notices, and whether more follow."""
        async with self._database.read() as session:
            found = await notices.received(
                session,
                actor.member_id,
                search=search.strip()[:MOST_SEARCHED],
                offset=page * PAGE,
                limit=PAGE + 1,
                account_id=account_id,
            )
        return found[:PAGE], len(found) > PAGE

    async def open(self, actor: Actor, notice_id: int, account_id: int | None = None) -> Received:
        """Return one of the member's notices, if the account they look from may show it."""
        async with self._database.read() as session:
            found = await notices.received_one(session, actor.member_id, notice_id, account_id)
            if found is None:
                raise NotFound
            return Received(found, await notices.confirmed_at(session, notice_id, actor.member_id))

    async def confirm(self, actor: Actor, notice_id: int, account_id: int | None = None) -> Received:
        """Write down 收到; pressed again it keeps its first time."""
        async with self._database.begin() as session:
            found = await notices.received_one(session, actor.member_id, notice_id, account_id)
            if found is None or not found.needs_confirmation:
                raise NotFound
            at = await notices.confirm(session, notice_id, actor.member_id, self._clock())
        return Received(found, at)

    async def why(self, actor: Actor, notice_id: int) -> Why:
        """Say for whom a notice was meant, as far as the member is concerned."""
        found = (await self.open(actor, notice_id)).notice
        if found.audience_id is None:
            return Why(found, None, None)
        part = await self._audiences.part_of(actor, found.audience_id)
        topic = None
        if found.topic_id is not None:
            async with self._database.read() as session:
                topic = await topics.get(session, found.topic_id)
        return Why(found, part, topic)

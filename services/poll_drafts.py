"""Drafts of polls: question, options and settings, whom they ask, and when they open and close."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from domain.audiences import Audience
from domain.clock import Clock, day_of
from domain.notices import topic_of
from domain.permissions import Action, Actor
from domain.polls import (
    LiveNeedsNames,
    Poll,
    PollNotDraft,
    PollState,
    ResultOwed,
    check_options,
    check_question,
)
from domain.reach import Reach
from domain.refusals import NotFound
from services.audiences import Audiences, Part
from services.audit import Audit
from services.senders import covering_sender, outermost
from services.walls import paths_of, require
from storage import audiences as stored_audiences
from storage import polls
from storage.database import Database, Session

SAME_DRAFT = timedelta(minutes=10)


class _Keep:
    """Says that a field stays as it is, where `None` means to empty it."""


KEEP = _Keep()


@dataclass(frozen=True, slots=True)
class PollPreview:
    """What a secretary looks at before opening; without an audience there is no reach yet."""

    poll: Poll
    audience: Audience | None
    parts: tuple[Part, ...]
    reach: Reach | None
    must_type: bool


class PollDrafts:
    """Lets an author write and aim a poll; a draft is theirs alone."""

    def __init__(self, *, database: Database, clock: Clock, audit: Audit, audiences: Audiences) -> None:
        self._database = database
        self._clock = clock
        self._audit = audit
        self._audiences = audiences

    def may_open(self, actor: Actor) -> bool:
        return actor.may_somewhere(Action.SEND_NOTICE, day_of(self._clock()))

    async def for_actor(self, actor: Actor, poll_id: int, action: Action = Action.SEE_REPORT) -> Poll:
        """Return a poll: a draft to its author, any other to who may do `action` where it was sent from."""
        async with self._database.read() as session:
            return await self._reachable(session, actor, poll_id, action)

    async def owed(self, actor: Actor) -> Poll | None:
        """Return the author's oldest closed poll whose result is not published."""
        async with self._database.read() as session:
            return await polls.owed(session, actor.member_id)

    async def draft(self, actor: Actor, question: str) -> Poll:
        """Begin a poll; the same question sent again a moment later is the same draft."""
        now = self._clock()
        paths_of(actor, Action.SEND_NOTICE, now)
        asked = check_question(question)
        async with self._database.begin() as session:
            owed = await polls.owed(session, actor.member_id)
            if owed is not None:
                raise ResultOwed(id=owed.id, question=owed.question)
            poll_id = await polls.same_draft(session, actor.member_id, asked, now - SAME_DRAFT)
            if poll_id is None:
                sender = await outermost(session, actor, now)
                poll_id = await polls.add(
                    session,
                    organisation_id=sender.organisation_id,
                    author_id=actor.member_id,
                    question=asked,
                    now=now,
                )
            return await self._draft(session, actor, poll_id)

    async def rewrite(
        self,
        actor: Actor,
        poll_id: int,
        *,
        question: str | None = None,
        options: Sequence[str] | None = None,
        multiple: bool | None = None,
        suggestions: bool | None = None,
        anonymous: bool | None = None,
        live: bool | None = None,
        opens_at: datetime | _Keep | None = KEEP,
        closes_at: datetime | _Keep | None = KEEP,
    ) -> Poll:
        """Change what is given of a draft. A poll that becomes anonymous shows its result at closing only."""
        given: dict[str, Any] = {
            "question": None if question is None else check_question(question),
            "options": None if options is None else list(check_options(options)),
            "multiple": multiple,
            "suggestions": suggestions,
            "anonymous": anonymous,
            "live": False if anonymous else live,
        }
        values = {name: value for name, value in given.items() if value is not None}
        values |= {} if isinstance(opens_at, _Keep) else {"opens_at": opens_at}
        values |= {} if isinstance(closes_at, _Keep) else {"closes_at": closes_at}
        async with self._database.begin() as session:
            found = await self._draft(session, actor, poll_id)
            if live and not anonymous and (found.anonymous if anonymous is None else anonymous):
                raise LiveNeedsNames
            if values:
                await polls.write(session, poll_id, **values)
            return await self._draft(session, actor, poll_id)

    async def audience(self, actor: Actor, poll_id: int) -> Audience | None:
        """Return whom a poll asks."""
        found = await self.for_actor(actor, poll_id)
        return None if found.audience_id is None else await self._audiences.load(found.audience_id)

    async def choose(self, actor: Actor, poll_id: int, audience: Audience | None) -> Poll:
        """Say whom a draft asks; it goes out in the name of the innermost organisation that covers them."""
        now = self._clock()
        async with self._database.begin() as session:
            await self._draft(session, actor, poll_id)
            if audience is None:
                await polls.write(session, poll_id, audience_id=None, topic_id=None)
            else:
                audience_id = await self._audiences.save(session, actor, audience)
                await polls.write(
                    session,
                    poll_id,
                    audience_id=audience_id,
                    topic_id=topic_of(await stored_audiences.load(session, audience_id)),
                    organisation_id=await covering_sender(session, actor, audience_id, now),
                )
            return await self._draft(session, actor, poll_id)

    async def discard(self, actor: Actor, poll_id: int) -> None:
        """Throw a draft away."""
        async with self._database.begin() as session:
            await self._draft(session, actor, poll_id)
            await polls.discard(session, poll_id)

    async def _draft(self, session: Session, actor: Actor, poll_id: int) -> Poll:
        found = await self._reachable(session, actor, poll_id, Action.SEND_NOTICE)
        if found.state is not PollState.DRAFT:
            raise PollNotDraft
        return found

    async def _reachable(self, session: Session, actor: Actor, poll_id: int, action: Action) -> Poll:
        found = await polls.read(session, poll_id)
        if found is None:
            raise NotFound
        if found.state is PollState.DRAFT and found.sender.author_id != actor.member_id:
            raise NotFound
        require(actor, action, found.sender.path, self._clock())
        return found

    async def _note(self, session: Session, actor_id: int, found: Poll, what: str) -> None:
        await self._audit.note(
            session,
            actor_id=actor_id,
            action=f"poll.{what}",
            subject="poll",
            subject_id=found.id,
            organisation_id=found.sender.organisation_id,
        )

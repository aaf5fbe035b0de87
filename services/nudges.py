"""Nudges: a person's own secretary, the author or the clock reminds who has not confirmed a notice, once."""

from dataclasses import dataclass

import structlog

from domain.clock import Clock, day_of
from domain.messages import Button, Content
from domain.notices import CONFIRM, WHY, Notice, check_draft
from domain.nudges import (
    EVERYBODY,
    SOURCE,
    USEFUL,
    AlreadyNudged,
    Circle,
    check_after,
    check_nudge,
    circle_of,
    too_late,
)
from domain.permissions import Action, Actor
from domain.reach import Reach
from domain.refusals import NotFound
from domain.richtext import join, shorten, styled
from locales import speak
from services import notice_content
from services.audiences import Audiences
from services.audit import Audit
from services.delivery import Delivery
from services.notice_reports import own_homes, reachable
from storage import grants, notices, nudges
from storage.database import Database, Session
from storage.nudges import Nudged

log = structlog.get_logger(__name__)
EXCERPT = 300
OPEN = "inbox:open:{number}:0"


@dataclass(frozen=True, slots=True)
class Nudging:
    """What a nudge would do now: whom it would reach and when, of everybody or of one's own."""

    notice: Notice
    reach: Reach
    everybody: bool
    earlier: Nudged | None


class Nudges:
    """Reminds those who got a notice and have not confirmed it; nobody twice of the same notice."""

    def __init__(
        self, *, database: Database, clock: Clock, audit: Audit, audiences: Audiences, delivery: Delivery
    ) -> None:
        self._database = database
        self._clock = clock
        self._audit = audit
        self._audiences = audiences
        self._delivery = delivery
        delivery.sources[SOURCE] = self.content

    async def content(self, notice_id: int, language: str) -> Content:
        """Make the reminder: what is to be confirmed, and the button for it."""
        async with self._database.read() as session:
            found = await notices.read(session, notice_id)
        if found is None:
            raise NotFound
        words = speak(language)
        sign = notice_content.footer(found.sender, language)
        parts = (
            styled(words("nudge.message"), "bold"),
            shorten(found.content, EXCERPT),
            styled(sign, "italic"),
        )
        whole = join(*(each for part in parts if part.text for each in (part, "\n\n")))
        rows = (
            (Button(words("notices.button.confirm"), f"{CONFIRM}:{notice_id}"),),
            (
                Button(words("nudge.button.read"), OPEN.format(number=notice_id)),
                Button(words("notices.button.why"), f"{WHY}:{notice_id}"),
            ),
        )
        return Content(whole.text.rstrip(), whole.entities, None, rows)

    async def look(self, actor: Actor, notice_id: int) -> Nudging:
        """Say whom the actor's nudge would remind now."""
        async with self._database.read() as session:
            found, circle = await self._circle(session, actor, notice_id)
            members = nudges.to_nudge(notice_id, circle.homes)
            reach = await self._audiences.reach_of_members(
                session, members, self._clock(), home_only=found.sensitive
            )
            earlier = await nudges.nudged(session, notice_id)
        return Nudging(found, reach, not circle.homes, earlier)

    async def nudge(self, actor: Actor, notice_id: int) -> int:
        """Remind whom the actor may remind; returns how many. Once: of two who press, one does."""
        async with self._database.begin() as session:
            found, circle = await self._circle(session, actor, notice_id)
            check_nudge(found)
            members = await self._send(session, found, circle, actor.member_id)
            if not members:
                raise AlreadyNudged
        return members

    async def nudge_after(self, actor: Actor, notice_id: int, days: int | None) -> Notice:
        """Let a draft remind by itself, so many days after it is sent; `None`: it will not."""
        check_after(days)
        async with self._database.begin() as session:
            found = await reachable(session, actor, notice_id, Action.SEND_NOTICE, self._clock())
            check_draft(found)
            if days is not None and not found.needs_confirmation:
                raise NotFound
            await nudges.write_after(session, notice_id, days)
            return await reachable(session, actor, notice_id, Action.SEND_NOTICE, self._clock())

    async def tick(self) -> int:
        """Send the nudges that notices were told to send by themselves; returns how many notices did."""
        async with self._database.read() as session:
            waiting = await nudges.due(session, self._clock())
        for notice_id in waiting:
            try:
                async with self._database.begin() as session:
                    await self._send_due(session, notice_id)
            except Exception:  # one that cannot go must not keep the others waiting
                log.exception("nudge not sent", notice=notice_id)
        return len(waiting)

    async def _circle(self, session: Session, actor: Actor, notice_id: int) -> tuple[Notice, Circle]:
        now = self._clock()
        found = await notices.received_one(session, actor.member_id, notice_id)
        if found is None:
            found = await reachable(session, actor, notice_id, Action.SEE_REPORT, now)
        return found, circle_of(found, actor, own_homes(actor, now), now)

    async def _send_due(self, session: Session, notice_id: int) -> None:
        """Send a notice's own nudge, unless it is too late for it or its author may send no more."""
        found = await notices.read(session, notice_id)
        if found is None or found.sent_at is None or found.nudge_after is None:
            return
        on = day_of(self._clock())
        author = await grants.actor_of_member(session, found.sender.author_id, on)
        may = author is not None and author.may(Action.SEND_NOTICE, found.sender.path, on)
        if not may or too_late(found.sent_at, found.nudge_after, self._clock()):
            await nudges.begin(session, notice_id, [EVERYBODY], None, self._clock())
        elif await nudges.count(session, notice_id):  # nobody yet: perhaps it waits in their digests
            await self._send(session, found, Circle(), None)

    async def _send(self, session: Session, found: Notice, circle: Circle, by_id: int | None) -> int:
        """Take the nudge and send it; who is in it was not reminded of this notice before."""
        now = self._clock()
        taken = await nudges.begin(session, found.id, circle.scopes, by_id, now)
        members = await nudges.count(session, found.id, circle.homes) if taken else 0
        if not members:
            return 0
        dispatch_id = await self._delivery.dispatch(
            session,
            source=SOURCE,
            source_id=found.id,
            members=nudges.to_nudge(found.id, circle.homes),
            author_id=by_id,
            topic_id=found.topic_id,
            home_only=found.sensitive,
            useful_until=now + USEFUL,
        )
        await nudges.went_out(session, found.id, taken, dispatch_id)
        await self._audit.note(
            session,
            actor_id=by_id,
            action="notice.nudged",
            subject="notice",
            subject_id=found.id,
            organisation_id=found.sender.organisation_id,
        )
        return members

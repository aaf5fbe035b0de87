"""Repeating notices: planned by a rule, each time a copy with its own report, as long as their author may send them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from domain.clock import Clock
from domain.messages import Button, Content
from domain.notices import Notice, NoticeMovedOn, NoticeState, check_draft, check_number
from domain.permissions import Action, Actor
from domain.recurrence import Occurrence, Rule
from domain.refusals import NotFound
from domain.repeats import (
    KIND,
    SHOWN,
    USEFUL_FOR,
    NoticeNotRepeating,
    Outlook,
    code_of,
    outlook,
    outlook_of_moment,
    rule_of,
)
from domain.schedules import Due
from locales import speak
from services.audiences import Audiences
from services.audit import Audit
from services.delivery import Delivery
from services.holidays import Holidays
from services.notice_reports import reachable
from services.notices import Notices
from services.schedules import Schedules
from services.walls import PAGE, paths_of
from storage import notices, repeats, schedules
from storage.database import Database, Session
from storage.deliveries import Rules

ENDED = "repeat_ended"
"""Source of the word to an author that their notice repeats no more."""
EXCERPT = 60


@dataclass(frozen=True, slots=True)
class Repeating:
    """A repeating notice: its rule, whether it is paused, its next dates, and its latest copies."""

    notice: Notice
    rule: Rule
    paused: bool
    next: tuple[Outlook, ...]
    copies: tuple[Notice, ...]


class Repeats:
    """Lets a draft go out again and again; the clock sends a copy of it each time."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        audit: Audit,
        audiences: Audiences,
        delivery: Delivery,
        notices: Notices,
        schedules: Schedules,
        holidays: Holidays,
        rules: Rules,
    ) -> None:
        self._database = database
        self._clock = clock
        self._audit = audit
        self._audiences = audiences
        self._delivery = delivery
        self._notices = notices
        self._schedules = schedules
        self._holidays = holidays
        self._rules = rules
        schedules.handlers[KIND] = self.come
        delivery.sources[ENDED] = self.ended_content

    def now(self) -> datetime:
        return self._clock()

    async def preview(
        self, actor: Actor, notice_id: int, code: str, at: str
    ) -> tuple[Notice, Rule, list[Outlook]]:
        """Return a notice with the rule of these buttons, and the next dates it would bring."""
        found = await self._notices.for_actor(actor, notice_id, Action.SEND_NOTICE)
        rule = rule_of(code, at, found.sender.zone)
        return found, rule, await self._outlooks(rule.zone, await self._schedules.preview(rule, SHOWN))

    async def outlook(self, zone: str, at: datetime) -> Outlook:
        """Say what a single moment comes to: what day it is, and what will hold a notice then."""
        calendar = await self._holidays.calendar()
        quiet, rest = self._rules.quiet, self._rules.rest
        return outlook_of_moment(at, zone=zone, calendar=calendar, quiet=quiet, rest=rest)

    async def start(
        self, actor: Actor, notice_id: int, code: str, at: str, typed: int | None = None
    ) -> Notice:
        """Let a draft repeat, or give a repeating notice another rule; the same again changes nothing."""
        found = await self._notices.for_actor(actor, notice_id, Action.SEND_NOTICE)
        rule = rule_of(code, at, found.sender.zone)
        if found.state is not NoticeState.REPEATING:
            check_draft(found)
            check_number(await self._count(actor, found), typed)
        async with self._database.begin() as session:
            if found.state is not NoticeState.REPEATING:
                aimed_at = found.audience_id
                to = NoticeState.REPEATING
                if not await notices.step(session, notice_id, [found.state], to, aimed_at=aimed_at):
                    raise NoticeMovedOn
            before = await schedules.read_of(session, KIND, notice_id)
            if before is None or before.dropped or before.rule != rule:
                await self._plan(session, notice_id, rule)
                await self._note(session, actor.member_id, found, "repeats")
            return await reachable(session, actor, notice_id, Action.SEND_NOTICE, self._clock())

    async def look(self, actor: Actor, notice_id: int) -> Repeating:
        """Return a repeating notice with its next dates and what became of the last ones."""
        found = await self._repeating(actor, notice_id)
        async with self._database.read() as session:
            planned = await schedules.read_of(session, KIND, notice_id)
            sent = await repeats.copies(session, notice_id, 3)
        if planned is None:
            raise NoticeNotRepeating
        coming = [] if planned.dropped else await self._schedules.upcoming(KIND, notice_id, SHOWN)
        ahead = await self._outlooks(planned.rule.zone, coming)
        return Repeating(found, planned.rule, planned.dropped, tuple(ahead), tuple(sent))

    async def listed(self, actor: Actor, page: int = 0) -> tuple[list[Notice], bool]:
        """Return a page of what repeats from the actor's subtrees, and whether more follow."""
        paths = paths_of(actor, Action.SEE_REPORT, self._clock())
        async with self._database.read() as session:
            found = await repeats.repeating(session, paths, offset=page * PAGE, limit=PAGE + 1)
        return found[:PAGE], len(found) > PAGE

    async def pause(self, actor: Actor, notice_id: int) -> None:
        """Let nothing come until it is resumed."""
        found = await self._repeating(actor, notice_id)
        async with self._database.begin() as session:
            if await self._schedules.drop(session, KIND, notice_id):
                await self._note(session, actor.member_id, found, "repeat_paused")

    async def resume(self, actor: Actor, notice_id: int) -> None:
        """Let it come again from now on; what fell into the pause is not made up for."""
        found = await self._repeating(actor, notice_id)
        async with self._database.begin() as session:
            planned = await schedules.read_of(session, KIND, notice_id)
            if planned is not None and planned.dropped:
                await self._plan(session, notice_id, planned.rule)
                await self._note(session, actor.member_id, found, "repeat_resumed")

    async def end(self, actor: Actor, notice_id: int) -> None:
        """End it; what has gone out stays."""
        await self._leave(actor, notice_id, NoticeState.CANCELLED, "repeat_ended")

    async def recall(self, actor: Actor, notice_id: int) -> Notice:
        """Make it a draft again, its author's alone, to be changed."""
        return await self._leave(actor, notice_id, NoticeState.DRAFT, "repeat_recalled")

    async def come(self, session: Session, due: Due) -> None:
        """Send a copy; if its author may send it no more, it ends and they are told. Schedules call it once a date."""
        found = await notices.read(session, due.subject_id)
        if found is None or found.state is not NoticeState.REPEATING:
            return
        if not await self._notices.may_still_send(session, found):
            await self._end_without_right(session, found)
            return
        copy = await notices.read(session, await repeats.copy(session, found.id, self._clock()))
        if copy is None:
            raise NotFound
        await self._notices.start(session, copy, copy.sender.author_id)

    async def ended_content(self, notice_id: int, language: str) -> Content:
        """Make the word to an author whose notice ended with their right."""
        async with self._database.read() as session:
            found = await notices.read(session, notice_id)
        if found is None:
            raise NotFound
        words = speak(language)
        text = words("notices.hidden") if found.sensitive else found.content.text[:EXCERPT]
        return Content(
            words("repeats.ended.alert", text=text),
            keyboard=((Button(words("menu.home"), "go:menu"),),),
        )

    async def _end_without_right(self, session: Session, found: Notice) -> None:
        await notices.step(session, found.id, [NoticeState.REPEATING], NoticeState.CANCELLED)
        await self._schedules.drop(session, KIND, found.id)
        await self._delivery.dispatch(
            session, source=ENDED, source_id=found.id, member_ids=[found.sender.author_id]
        )
        await self._note(session, found.sender.author_id, found, "right_ended")

    async def _leave(self, actor: Actor, notice_id: int, to: NoticeState, what: str) -> Notice:
        """Stop repeating; doing so twice changes nothing."""
        found = await self._notices.for_actor(actor, notice_id, Action.SEND_NOTICE)
        if found.state is to:
            return found
        async with self._database.begin() as session:
            if not await notices.step(session, notice_id, [NoticeState.REPEATING], to):
                raise NoticeNotRepeating
            await self._schedules.drop(session, KIND, notice_id)
            await self._note(session, actor.member_id, found, what)
        return found

    async def _plan(self, session: Session, notice_id: int, rule: Rule) -> None:
        await self._schedules.plan(session, kind=KIND, subject_id=notice_id, rule=rule, useful_for=USEFUL_FOR)

    async def _repeating(self, actor: Actor, notice_id: int) -> Notice:
        found = await self._notices.for_actor(actor, notice_id, Action.SEND_NOTICE)
        if found.state is not NoticeState.REPEATING:
            raise NoticeNotRepeating
        return found

    async def _outlooks(self, zone: str, coming: Iterable[Occurrence]) -> list[Outlook]:
        calendar = await self._holidays.calendar()
        quiet, rest = self._rules.quiet, self._rules.rest
        return [outlook(each, zone=zone, calendar=calendar, quiet=quiet, rest=rest) for each in coming]

    async def _count(self, actor: Actor, found: Notice) -> int:
        if found.audience_id is None:
            return 0
        return await self._audiences.count(actor, await self._audiences.load(found.audience_id))

    async def _note(self, session: Session, actor_id: int, found: Notice, what: str) -> None:
        await self._audit.note(
            session,
            actor_id=actor_id,
            action=f"notice.{what}",
            subject="notice",
            subject_id=found.id,
            organisation_id=found.sender.organisation_id,
        )


def codes(rule: Rule) -> tuple[str, str]:
    """Return the codes of a rule's pattern and time, for buttons."""
    return code_of(rule.pattern), f"{rule.at:%H%M}"

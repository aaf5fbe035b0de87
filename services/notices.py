"""Notices: written, aimed, previewed, sent now or at a time, and controlled while they go out."""

from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

import structlog

from domain import spoken_times
from domain.audiences import Audience
from domain.clock import Clock, day_of
from domain.delivery import Lane
from domain.messages import Content
from domain.notices import (
    Notice,
    NoticeForNobody,
    NoticeMovedOn,
    NoticeState,
    check_draft,
    check_number,
    check_step,
    check_time,
    must_type,
)
from domain.permissions import Action, Actor
from domain.reach import Reach
from domain.refusals import NotFound
from domain.send_requests import LANES, Way
from services import notice_content
from services.audiences import Audiences, Part
from services.audit import Audit
from services.delivery import Delivery
from services.media import MediaStore
from services.notice_drafts import NoticeDrafts
from services.notice_inbox import NoticeInbox
from services.notice_reports import NoticeReports, reachable
from services.nudges import Nudges
from services.paid import Paid
from services.send_requests import SendRequests
from services.urgent import Urgent
from services.walls import PAGE, paths_of
from storage import grants, notices
from storage.database import Database, Session

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Preview:
    """What a secretary looks at before sending; without an audience there is no reach yet."""

    notice: Notice
    audience: Audience | None
    parts: tuple[Part, ...]
    reach: Reach | None

    @property
    def must_type(self) -> bool:
        return self.reach is not None and must_type(self.reach.total)


class Notices(NoticeDrafts):
    """The secretary's side; `inbox` is the member's, `reports` tells what became of each, `nudges` reminds.

    `requests` sends for a price or urgently, when a second person agrees; `paid` and `urgent` say what that comes to.
    """

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        audit: Audit,
        audiences: Audiences,
        delivery: Delivery,
        media: MediaStore,
    ) -> None:
        super().__init__(database=database, clock=clock, audit=audit, audiences=audiences, media=media)
        self._delivery = delivery
        self.inbox = NoticeInbox(database=database, clock=clock, audiences=audiences)
        self.reports = NoticeReports(database=database, clock=clock, audit=audit, delivery=delivery)
        self.nudges = Nudges(
            database=database, clock=clock, audit=audit, audiences=audiences, delivery=delivery
        )
        self.paid = Paid(database=database, clock=clock)
        self.urgent = Urgent(database=database, clock=clock, audiences=audiences)
        self.requests = SendRequests(
            database=database,
            clock=clock,
            audit=audit,
            audiences=audiences,
            delivery=delivery,
            notices=self,
            terms={Way.PAID: self.paid, Way.URGENT: self.urgent},
        )
        delivery.sources[notices.SOURCE] = self.content

    async def content(self, notice_id: int, language: str) -> Content:
        """Make what goes out for a notice in a language; the delivery asks once for each."""
        async with self._database.read() as session:
            found = await notices.read(session, notice_id)
        if found is None:
            raise NotFound
        return notice_content.render(found, language)

    async def desk(self, actor: Actor, page: int = 0) -> tuple[list[Notice], bool]:
        """Return a page of one's drafts and of the notices of one's subtree, and whether more follow."""
        paths = paths_of(actor, Action.SEE_REPORT, self._clock())
        async with self._database.read() as session:
            found = await notices.desk(session, actor.member_id, paths, offset=page * PAGE, limit=PAGE + 1)
        return found[:PAGE], len(found) > PAGE

    async def preview(self, actor: Actor, notice_id: int) -> Preview:
        """Return a draft or a scheduled notice with what would become of it if it went now."""
        found = await self.for_actor(actor, notice_id, Action.SEND_NOTICE)
        if found.audience_id is None:
            return Preview(found, None, (), None)
        audience = await self._audiences.load(found.audience_id)
        start = max(found.scheduled_at or self._clock(), self._clock())
        return Preview(
            notice=found,
            audience=audience,
            parts=await self._audiences.parts(audience),
            reach=await self._audiences.reach(actor, audience, start, home_only=found.sensitive),
        )

    async def moments(self, actor: Actor, notice_id: int) -> tuple[Notice, list[datetime]]:
        """Return a notice with a few good moments to send it."""
        found = await self.for_actor(actor, notice_id, Action.SEND_NOTICE)
        return found, spoken_times.offered(self._clock(), ZoneInfo(found.sender.zone))

    async def read_time(self, actor: Actor, notice_id: int, typed: str) -> datetime | None:
        """Read a typed time as it is meant where the notice comes from; `None` if it is no time."""
        found = await self.for_actor(actor, notice_id, Action.SEND_NOTICE)
        return spoken_times.read(typed, self._clock(), ZoneInfo(found.sender.zone))

    async def test(self, actor: Actor, notice_id: int, language: str) -> Content:
        """Return the message as recipients get it, marked as a test, for its author."""
        found = await self.for_actor(actor, notice_id, Action.SEND_NOTICE)
        return notice_content.render_test(found, language)

    async def send(self, actor: Actor, notice_id: int, typed: int | None = None) -> Notice:
        """Send a draft now; pressed twice it is sent once."""
        found = await self.for_actor(actor, notice_id, Action.SEND_NOTICE)
        if found.state in {NoticeState.SENDING, NoticeState.SENT}:
            return found
        check_step(found.state, NoticeState.SENDING)
        check_number(await self._count(actor, found), typed)
        async with self._database.begin() as session:
            if not await self.start(session, found, actor.member_id):
                raise NoticeMovedOn
            return await self._mine(session, actor, notice_id)

    async def schedule(self, actor: Actor, notice_id: int, at: datetime, typed: int | None = None) -> Notice:
        """Let a draft go at a time; once it is scheduled, the same again changes nothing."""
        now = self._clock()
        found = await self.for_actor(actor, notice_id, Action.SEND_NOTICE)
        if found.state is NoticeState.SCHEDULED and found.scheduled_at == at:
            return found
        check_draft(found)
        check_time(at, now)
        check_number(await self._count(actor, found), typed)
        async with self._database.begin() as session:
            to = NoticeState.SCHEDULED
            aimed_at = found.audience_id
            if not await notices.step(
                session, notice_id, [found.state], to, aimed_at=aimed_at, scheduled_at=at
            ):
                raise NoticeMovedOn
            await self._note(session, actor.member_id, found, "scheduled")
            return await self._mine(session, actor, notice_id)

    async def unschedule(self, actor: Actor, notice_id: int) -> Notice:
        """Make a scheduled notice a draft again: its author's alone, whoever took it back."""
        found = await self.for_actor(actor, notice_id, Action.SEND_NOTICE)
        if found.state is NoticeState.DRAFT:
            return found
        async with self._database.begin() as session:
            states, to = [NoticeState.SCHEDULED], NoticeState.DRAFT
            if not await notices.step(session, notice_id, states, to, scheduled_at=None):
                raise NoticeMovedOn
            await self._note(session, actor.member_id, found, "unscheduled")
        return replace(found, state=to, scheduled_at=None)

    async def start_due(self) -> int:
        """Send what is scheduled for now or before, and close what is over; the clock calls it. Returns how many."""
        async with self._database.read() as session:
            waiting = await notices.due(session, self._clock())
            under_way = await notices.any_under_way(session)
        for notice_id in waiting:
            try:
                async with self._database.begin() as session:
                    await self._start_scheduled(session, notice_id)
            except Exception:  # one that cannot start must not keep the others waiting
                log.exception("notice not started", notice=notice_id)
        if under_way:
            async with self._database.begin() as session:
                await notices.settle(session)
        return len(waiting)

    # While it goes out

    async def pause(self, actor: Actor, notice_id: int) -> None:
        found, dispatch_id = await self._under_way(actor, notice_id)
        if await self._delivery.pause(dispatch_id):
            await self._noted(actor, found, "paused")

    async def resume(self, actor: Actor, notice_id: int) -> None:
        found, dispatch_id = await self._under_way(actor, notice_id)
        if await self._delivery.resume(dispatch_id):
            await self._noted(actor, found, "resumed")

    async def cancel(self, actor: Actor, notice_id: int) -> None:
        """End it: who has not got it yet will not."""
        found, dispatch_id = await self._under_way(actor, notice_id)
        if await self._delivery.cancel(dispatch_id):
            await self._noted(actor, found, "cancelled")
            async with self._database.begin() as session:
                await notices.settle(session)

    async def retry_failed(self, actor: Actor, notice_id: int) -> int:
        """Try once more to send to those for whom it failed without leaving us; returns how many."""
        found, dispatch_id = await self._under_way(actor, notice_id)
        if found.state is NoticeState.CANCELLED:
            raise NoticeMovedOn
        count = await self._delivery.retry_failed(dispatch_id)
        if count:
            async with self._database.begin() as session:
                await notices.step(session, notice_id, [NoticeState.SENT], NoticeState.SENDING)
                await self._note(session, actor.member_id, found, "retried")
        return count

    async def resolve_unknown(self, actor: Actor, notice_id: int, *, again: bool, seen: int) -> int:
        """Send again to those who perhaps received it, or leave it at that; returns how many.

        `seen` is the generation that was looked at: what was sent again since then is not sent once more.
        """
        found, dispatch_id = await self._under_way(actor, notice_id)
        if again and found.state is NoticeState.CANCELLED:
            raise NoticeMovedOn
        count = await self._delivery.resolve_unknown(dispatch_id, again=again, generation=seen)
        if count:
            async with self._database.begin() as session:
                if again:
                    await notices.step(session, notice_id, [NoticeState.SENT], NoticeState.SENDING)
                await self._note(session, actor.member_id, found, "sent_again" if again else "left_unknown")
        return count

    async def _under_way(self, actor: Actor, notice_id: int) -> tuple[Notice, int]:
        async with self._database.read() as session:
            found = await reachable(session, actor, notice_id, Action.SEND_NOTICE, self._clock())
            dispatch_id = await notices.dispatch_of(session, notice_id)
        if dispatch_id is None:
            raise NoticeMovedOn
        return found, dispatch_id

    async def _count(self, actor: Actor, found: Notice) -> int:
        if found.audience_id is None:
            raise NoticeForNobody
        return await self._audiences.count(actor, await self._audiences.load(found.audience_id))

    async def start(self, session: Session, found: Notice, actor_id: int, way: Way | None = None) -> bool:
        """Send a notice unless it was changed meanwhile; of two who start it, one does. The right is the caller's to check."""
        started = await notices.step(
            session,
            found.id,
            [found.state],
            NoticeState.SENDING,
            aimed_at=found.audience_id,
            sensitive=found.sensitive,
            urgent=way is Way.URGENT,
            sent_at=self._clock(),
        )
        if started:
            await self._delivery.dispatch(
                session,
                source=notices.SOURCE,
                source_id=found.id,
                audience_id=found.audience_id,
                author_id=found.sender.author_id,
                topic_id=found.topic_id,
                lane=Lane.NORMAL if way is None else LANES[way],
                paid=way is Way.PAID,
                home_only=found.sensitive,
            )
            await self._note(session, actor_id, found, "sent")
        return started

    async def may_still_send(self, session: Session, found: Notice) -> bool:
        """Say whether a notice's author may send it today, from there, and to all whom it is for."""
        on = day_of(self._clock())
        author = await grants.actor_of_member(session, found.sender.author_id, on)
        return (
            author is not None
            and found.audience_id is not None
            and author.may(Action.SEND_NOTICE, found.sender.path, on)
            and await self._audiences.allowed(session, author, found.audience_id)
        )

    async def _start_scheduled(self, session: Session, notice_id: int) -> None:
        """Send a scheduled notice, if its author may still."""
        found = await notices.read(session, notice_id)
        if found is None or found.state is not NoticeState.SCHEDULED:
            return
        if await self.may_still_send(session, found):
            await self.start(session, found, found.sender.author_id)
        else:
            await notices.step(session, notice_id, [found.state], NoticeState.CANCELLED)
            await self._note(session, found.sender.author_id, found, "right_ended")

    async def _mine(self, session: Session, actor: Actor, notice_id: int) -> Notice:
        return await reachable(session, actor, notice_id, Action.SEND_NOTICE, self._clock())

    async def _noted(self, actor: Actor, found: Notice, what: str) -> None:
        async with self._database.begin() as session:
            await self._note(session, actor.member_id, found, what)

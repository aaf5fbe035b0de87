"""Notices: written, aimed, previewed, sent now or at a time, and controlled while they go out."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from domain import spoken_times
from domain.audiences import Audience
from domain.clock import Clock, day_of
from domain.messages import Content, Media
from domain.notices import (
    Notice,
    NoticeForNobody,
    NoticeMovedOn,
    NoticeState,
    Sender,
    check_content,
    check_draft,
    check_number,
    check_step,
    check_time,
    covering,
    must_type,
    topic_of,
)
from domain.permissions import Action, Actor
from domain.reach import Reach
from domain.refusals import NotFound
from domain.richtext import RichText
from services import notice_content
from services.audiences import Audiences, Part
from services.audit import Audit
from services.delivery import Delivery
from services.media import MediaStore
from services.notice_inbox import NoticeInbox
from services.notice_reports import NoticeReports, reachable
from services.walls import PAGE, paths_of
from storage import audiences as stored_audiences
from storage import grants, media_files, notices, organisations
from storage.database import Database, Session

SAME_DRAFT = timedelta(minutes=10)


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


class Notices:
    """The secretary's side; `inbox` is the member's, `reports` tells what became of each."""

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
        self._database = database
        self._clock = clock
        self._audit = audit
        self._audiences = audiences
        self._delivery = delivery
        self.media = media
        self.inbox = NoticeInbox(database=database, clock=clock, audiences=audiences)
        self.reports = NoticeReports(database=database, clock=clock, audit=audit, delivery=delivery)
        delivery.sources[notices.SOURCE] = self.content

    async def content(self, notice_id: int, language: str) -> Content:
        """Make what goes out for a notice in a language; the delivery asks once for each."""
        async with self._database.read() as session:
            found = await notices.read(session, notice_id)
        if found is None:
            raise NotFound
        return notice_content.render(found, language)

    async def for_actor(self, actor: Actor, notice_id: int, action: Action = Action.SEE_REPORT) -> Notice:
        """Return a notice: a draft to its author, any other to who may do `action` where it was sent from."""
        async with self._database.read() as session:
            return await reachable(session, actor, notice_id, action, self._clock())

    def may_write(self, actor: Actor) -> bool:
        return actor.may_somewhere(Action.SEND_NOTICE, day_of(self._clock()))

    async def desk(self, actor: Actor, page: int = 0) -> tuple[list[Notice], bool]:
        """Return a page of one's drafts and of the notices of one's subtree, and whether more follow."""
        paths = paths_of(actor, Action.SEE_REPORT, self._clock())
        async with self._database.read() as session:
            found = await notices.desk(session, actor.member_id, paths, offset=page * PAGE, limit=PAGE + 1)
        return found[:PAGE], len(found) > PAGE

    # Writing

    async def draft(self, actor: Actor, content: RichText, media: Media | None = None) -> Notice:
        """Begin a draft; the same content sent again a moment later is the same draft."""
        now = self._clock()
        node = actor.nodes(Action.SEND_NOTICE, day_of(now))
        paths_of(actor, Action.SEND_NOTICE, now)
        async with self._database.begin() as session:
            sender = await self._sender(session, actor, node[0].organisation_id)
            check_content(content, media, notice_content.footers(sender))
            notice_id = await notices.same_draft(session, actor.member_id, content, media, now - SAME_DRAFT)
            if notice_id is None:
                notice_id = await notices.add(
                    session,
                    organisation_id=sender.organisation_id,
                    author_id=actor.member_id,
                    content=content,
                    media=media,
                    now=now,
                )
            return await self._draft(session, actor, notice_id)

    async def rewrite(self, actor: Actor, notice_id: int, content: RichText, media: Media | None) -> Notice:
        """Give a draft another text and file."""
        async with self._database.begin() as session:
            found = await self._draft(session, actor, notice_id)
            check_content(content, media, notice_content.footers(found.sender))
            await notices.write_content(session, notice_id, content, media)
            return await self._draft(session, actor, notice_id)

    async def choose(self, actor: Actor, notice_id: int, audience: Audience | None) -> Notice:
        """Say whom a draft is for; it goes out in the name of the innermost organisation that covers them."""
        on = day_of(self._clock())
        held = [g for g in actor.grants if g.holds(Action.SEND_NOTICE, g.path, on)]
        async with self._database.begin() as session:
            found = await self._draft(session, actor, notice_id)
            audience_id, topic_id, sender_id = None, None, found.sender.organisation_id
            if audience is not None:
                audience_id = await self._audiences.save(session, actor, audience)
                topic_id = topic_of(audience)
                meant = await stored_audiences.load(session, audience_id)
                sender_id = covering(meant, [(grant.organisation_id, grant.path) for grant in held])
            sender = await self._sender(session, actor, sender_id)
            check_content(found.content, found.media, notice_content.footers(sender))
            await notices.write_audience(
                session, notice_id, audience_id=audience_id, topic_id=topic_id, organisation_id=sender_id
            )
            return await self._draft(session, actor, notice_id)

    async def ask_confirmation(self, actor: Actor, notice_id: int, *, needed: bool) -> Notice:
        """Say whether recipients are asked to press 收到."""
        async with self._database.begin() as session:
            await self._draft(session, actor, notice_id)
            await notices.write_confirmation(session, notice_id, needed=needed)
            return await self._draft(session, actor, notice_id)

    async def discard(self, actor: Actor, notice_id: int) -> None:
        """Throw a draft away."""
        async with self._database.begin() as session:
            await self._draft(session, actor, notice_id)
            await notices.discard(session, notice_id)

    async def audience(self, actor: Actor, notice_id: int) -> Audience | None:
        """Return whom a notice is for."""
        found = await self.for_actor(actor, notice_id)
        return None if found.audience_id is None else await self._audiences.load(found.audience_id)

    # Sending

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
            reach=await self._audiences.reach(actor, audience, start),
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
            await self._start(session, found, found.state, actor.member_id)
            return await self._again(session, notice_id)

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
            if not await notices.step(session, notice_id, [NoticeState.DRAFT], to, scheduled_at=at):
                raise NoticeMovedOn
            await self._note(session, actor.member_id, found, "scheduled")
            return await self._again(session, notice_id)

    async def unschedule(self, actor: Actor, notice_id: int) -> Notice:
        """Make a scheduled notice a draft again."""
        found = await self.for_actor(actor, notice_id, Action.SEND_NOTICE)
        if found.state is NoticeState.DRAFT:
            return found
        async with self._database.begin() as session:
            states, to = [NoticeState.SCHEDULED], NoticeState.DRAFT
            if not await notices.step(session, notice_id, states, to, scheduled_at=None):
                raise NoticeMovedOn
            await self._note(session, actor.member_id, found, "unscheduled")
            return await self._again(session, notice_id)

    async def start_due(self) -> int:
        """Send what is scheduled for now or before, and close what is over; the clock calls it. Returns how many."""
        async with self._database.read() as session:
            waiting = await notices.due(session, self._clock())
            under_way = await notices.any_under_way(session)
        for notice_id in waiting:
            async with self._database.begin() as session:
                await self._start_scheduled(session, notice_id)
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

    async def known_file(self, account_id: int, media: Media, file_id: str | None = None) -> str | None:
        """Return what an account's server calls a file; with `file_id`, remember it."""
        if file_id is None:
            async with self._database.read() as session:
                return await media_files.find(session, account_id, media)
        async with self._database.begin() as session:
            await media_files.keep(session, account_id, media, file_id)
        return file_id

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

    async def _start(self, session: Session, found: Notice, state: NoticeState, actor_id: int) -> None:
        to = NoticeState.SENDING
        if not await notices.step(session, found.id, [state], to, sent_at=self._clock()):
            return
        await self._delivery.dispatch(
            session,
            source=notices.SOURCE,
            source_id=found.id,
            audience_id=found.audience_id,
            author_id=found.sender.author_id,
            topic_id=found.topic_id,
        )
        await self._note(session, actor_id, found, "sent")

    async def _start_scheduled(self, session: Session, notice_id: int) -> None:
        """Send a scheduled notice, if its author may still send from there."""
        found = await notices.read(session, notice_id)
        if found is None:
            return
        on = day_of(self._clock())
        author = await grants.actor_of_member(session, found.sender.author_id, on)
        if author is not None and author.may(Action.SEND_NOTICE, found.sender.path, on):
            await self._start(session, found, NoticeState.SCHEDULED, author.member_id)
        elif await notices.step(session, notice_id, [NoticeState.SCHEDULED], NoticeState.CANCELLED):
            await self._note(session, found.sender.author_id, found, "right_ended")

    async def _draft(self, session: Session, actor: Actor, notice_id: int) -> Notice:
        found = await reachable(session, actor, notice_id, Action.SEND_NOTICE, self._clock())
        check_draft(found)
        return found

    async def _again(self, session: Session, notice_id: int) -> Notice:
        found = await notices.read(session, notice_id)
        if found is None:
            raise NotFound
        return found

    async def _sender(self, session: Session, actor: Actor, organisation_id: int) -> Sender:
        node = await organisations.get(session, organisation_id)
        if node is None:
            raise NotFound
        return Sender(
            organisation_id=node.id,
            path=node.path,
            name=node.name,
            name_en=node.name_en,
            zone=node.zone,
            author_id=actor.member_id,
            author=actor.name,
        )

    async def _noted(self, actor: Actor, found: Notice, what: str) -> None:
        async with self._database.begin() as session:
            await self._note(session, actor.member_id, found, what)

    async def _note(self, session: Session, actor_id: int, found: Notice, what: str) -> None:
        await self._audit.note(
            session,
            actor_id=actor_id,
            action=f"notice.{what}",
            subject="notice",
            subject_id=found.id,
            organisation_id=found.sender.organisation_id,
        )

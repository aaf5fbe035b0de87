"""Drafts of notices: their content, whom they are for, whether they are to be confirmed."""

from collections.abc import Sequence
from datetime import timedelta

from domain.audiences import Audience
from domain.clock import Clock, day_of
from domain.messages import Media
from domain.notices import Notice, Sender, check_content, check_draft, covering, joined, topic_of
from domain.permissions import Action, Actor
from domain.richtext import RichText
from services import notice_content
from services.audiences import Audiences
from services.audit import Audit
from services.media import MediaStore
from services.notice_reports import reachable
from services.walls import paths_of
from storage import audiences as stored_audiences
from storage import media_files, notices, organisations
from storage.database import Database, Session

SAME_DRAFT = timedelta(minutes=10)


class NoticeDrafts:
    """Lets an author write and aim a notice; a draft is theirs alone."""

    def __init__(
        self, *, database: Database, clock: Clock, audit: Audit, audiences: Audiences, media: MediaStore
    ) -> None:
        self._database = database
        self._clock = clock
        self._audit = audit
        self._audiences = audiences
        self.media = media

    def may_write(self, actor: Actor) -> bool:
        return actor.may_somewhere(Action.SEND_NOTICE, day_of(self._clock()))

    async def for_actor(self, actor: Actor, notice_id: int, action: Action = Action.SEE_REPORT) -> Notice:
        """Return a notice: a draft to its author, any other to who may do `action` where it was sent from."""
        async with self._database.read() as session:
            return await reachable(session, actor, notice_id, action, self._clock())

    async def audience(self, actor: Actor, notice_id: int) -> Audience | None:
        """Return whom a notice is for."""
        found = await self.for_actor(actor, notice_id)
        return None if found.audience_id is None else await self._audiences.load(found.audience_id)

    async def draft(
        self, actor: Actor, content: RichText, media: Media | None = None, *, group: str | None = None
    ) -> Notice:
        """Begin a draft; the same content sent again a moment later is the same draft.

        `group` is the album that its file belongs to: the others are added by `join`.
        """
        now = self._clock()
        node = actor.nodes(Action.SEND_NOTICE, day_of(now))
        paths_of(actor, Action.SEND_NOTICE, now)
        async with self._database.begin() as session:
            sender = await self._sender(session, actor, node[0].organisation_id)
            check_content(content, media, notice_content.footers(sender))
            notice_id = (
                await notices.same_draft(session, actor.member_id, content, media, now - SAME_DRAFT)
                if group is None
                else await notices.draft_of_group(session, actor.member_id, group, now - SAME_DRAFT)
            )
            if notice_id is None:
                notice_id = await notices.add(
                    session,
                    organisation_id=sender.organisation_id,
                    author_id=actor.member_id,
                    content=content,
                    media=media,
                    now=now,
                    group=group,
                )
            return await self._draft(session, actor, notice_id)

    async def begun_by(self, actor: Actor, group: str) -> Notice | None:
        """Return one's own draft that a file of this album began a moment ago."""
        async with self._database.begin() as session:
            since = self._clock() - SAME_DRAFT
            notice_id = await notices.draft_of_group(session, actor.member_id, group, since)
            return None if notice_id is None else await self._draft(session, actor, notice_id)

    async def join(self, actor: Actor, group: str, content: RichText, media: Media) -> Notice | None:
        """Add a file to the draft that its album began; its words too, if the draft has none."""
        async with self._database.begin() as session:
            since = self._clock() - SAME_DRAFT
            notice_id = await notices.draft_of_group(session, actor.member_id, group, since)
            if notice_id is None:
                return None
            found = await self._draft(session, actor, notice_id)
            words = found.content if found.content.text else content
            check_content(words, media, notice_content.footers(found.sender))
            more = joined(found, media)
            await notices.write_content(session, notice_id, words, found.media, more, group)
            return await self._draft(session, actor, notice_id)

    async def rewrite(
        self,
        actor: Actor,
        notice_id: int,
        content: RichText,
        media: Media | None,
        *,
        more: Sequence[Media] = (),
        group: str | None = None,
    ) -> Notice:
        """Give a draft another text and other files."""
        async with self._database.begin() as session:
            found = await self._draft(session, actor, notice_id)
            check_content(content, media, notice_content.footers(found.sender))
            await notices.write_content(session, notice_id, content, media, more, group)
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

    async def mark_sensitive(self, actor: Actor, notice_id: int, *, sensitive: bool) -> Notice:
        """Say whether it touches personal matters: then it goes by no account that keeps its data abroad."""
        async with self._database.begin() as session:
            await self._draft(session, actor, notice_id)
            await notices.write_sensitive(session, notice_id, sensitive=sensitive)
            return await self._draft(session, actor, notice_id)

    async def discard(self, actor: Actor, notice_id: int) -> None:
        """Throw a draft away."""
        async with self._database.begin() as session:
            await self._draft(session, actor, notice_id)
            await notices.discard(session, notice_id)

    async def known_file(self, account_id: int, media: Media, file_id: str | None = None) -> str | None:
        """Return what an account's server calls a file; with `file_id`, remember it."""
        if file_id is None:
            async with self._database.read() as session:
                return await media_files.find(session, account_id, media)
        async with self._database.begin() as session:
            await media_files.keep(session, account_id, media, file_id)
        return file_id

    async def _draft(self, session: Session, actor: Actor, notice_id: int) -> Notice:
        found = await reachable(session, actor, notice_id, Action.SEND_NOTICE, self._clock())
        check_draft(found)
        return found

    async def _sender(self, session: Session, actor: Actor, organisation_id: int) -> Sender:
        node = (await organisations.of_ids(session, [organisation_id]))[organisation_id]
        return Sender(
            organisation_id=node.id,
            path=node.path,
            name=node.name,
            name_en=node.name_en,
            zone=node.zone,
            author_id=actor.member_id,
            author=actor.name,
        )

    async def _note(self, session: Session, actor_id: int, found: Notice, what: str) -> None:
        await self._audit.note(
            session,
            actor_id=actor_id,
            action=f"notice.{what}",
            subject="notice",
            subject_id=found.id,
            organisation_id=found.sender.organisation_id,
        )

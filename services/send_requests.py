"""Sending beyond the usual: asked for by a notice's author, decided by a second person, and looked at again."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Protocol

from domain.clock import Clock, day_of
from domain.delivery import Lane
from domain.messages import Button, Content
from domain.notices import Notice, NoticeMovedOn, NoticeState, check_draft
from domain.organisations import chain_of
from domain.paid import rose
from domain.permissions import Action, Actor
from domain.reach import Reach
from domain.refusals import NotFound
from domain.richtext import join, shorten
from domain.send_requests import (
    ANSWER_WITHIN,
    LANES,
    NOT_OFFERED,
    Extent,
    NobodyApproves,
    PriceRose,
    RequestIsDecided,
    RequestIsOutdated,
    RequestNeedsAnother,
    RequestState,
    SendRequest,
    Way,
    fingerprint,
)
from locales import Words, speak
from services import notice_content
from services.audiences import Audiences, Part
from services.audit import Audit
from services.delivery import Delivery
from services.notice_reports import reachable
from services.senders import author_of
from services.walls import PAGE, paths_of, require
from storage import grants, send_requests
from storage.database import Database, Session
from storage.send_requests import Told

ASKED, DECIDED = "send_asked", "send_decided"
EXCERPT = 300
SEE = "reqs:see:{number}:0"
DECIDED_USEFUL = timedelta(hours=24)
"""A day after it, what was decided is no news."""


class Sends(Protocol):
    """What sends a notice: `services.notices` has it."""

    async def start(self, session: Session, found: Notice, actor_id: int, way: Way | None = None) -> bool: ...
    async def may_still_send(self, session: Session, found: Notice) -> bool: ...


class Terms(Protocol):
    """What one way of sending comes to: `services.paid` and `services.urgent` have one each."""

    async def extent(self, session: Session, found: Notice) -> Extent: ...


@dataclass(frozen=True, slots=True)
class Shown:
    """A request with what decides about it: for whom the notice is, whom it reaches now, and who was told of it."""

    request: SendRequest
    parts: tuple[Part, ...] = ()
    reach: Reach = field(default_factory=Reach)
    told: tuple[Told, ...] = ()


class SendRequests:
    """Takes requests of notices' authors, and sends when a second person says so."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        audit: Audit,
        audiences: Audiences,
        delivery: Delivery,
        notices: Sends,
        terms: Mapping[Way, Terms],
    ) -> None:
        self._database = database
        self._clock = clock
        self._audit = audit
        self._audiences = audiences
        self._delivery = delivery
        self._notices = notices
        self._terms = terms
        delivery.sources[ASKED] = self._content_for_approvers
        delivery.sources[DECIDED] = self._content_for_asker

    async def waiting_for(self, actor: Actor, notice_id: int) -> SendRequest | None:
        """Return the request that waits for one's own draft."""
        async with self._database.read() as session:
            found = await reachable(session, actor, notice_id, Action.SEND_NOTICE, self._clock())
            return await send_requests.waiting_for(session, found.id)

    async def ask(self, actor: Actor, notice_id: int, way: Way, seen: int = 0) -> SendRequest:
        """Ask for a second person's word, at no more than the price that was seen; pressed twice, asked once."""
        async with self._database.begin() as session:
            await send_requests.lock_notice(session, notice_id)
            found = await reachable(session, actor, notice_id, Action.SEND_NOTICE, self._clock())
            check_draft(found)
            waits = await send_requests.waiting_for(session, notice_id)
            if waits is not None and waits.is_for(way, found, seen):
                return waits
            extent = await self._terms[way].extent(session, found)
            if not extent.offered or not await self._notices.may_still_send(session, found):
                raise NOT_OFFERED[way]
            if extent.stars > seen:
                raise PriceRose(stars=extent.stars)
            if waits is not None:
                state = RequestState.OUTDATED if waits.way is way else RequestState.WITHDRAWN
                await self._decide(session, waits, state, None)
            return await self._add(session, actor, found, way, extent)

    async def waiting(self, actor: Actor, page: int = 0) -> tuple[list[SendRequest], bool]:
        """Return a page of what waits for the actor's decision, and whether more follow."""
        paths = paths_of(actor, Action.APPROVE_SENDING, self._clock())
        async with self._database.read() as session:
            found = await send_requests.waiting(
                session, paths, but=actor.member_id, offset=page * PAGE, limit=PAGE + 1
            )
        return found[:PAGE], len(found) > PAGE

    async def for_actor(self, actor: Actor, request_id: int) -> SendRequest:
        """Return a request of one's own, or one that one may decide."""
        async with self._database.read() as session:
            return await self._reachable(session, actor, request_id)

    async def shown(self, request: SendRequest) -> Shown:
        """Return a request that one has with what decides about it, as of now."""
        if request.notice.audience_id is None:
            return Shown(request)
        parts = await self._audiences.parts(await self._audiences.load(request.notice.audience_id))
        async with self._database.read() as session:
            reach = await self._audiences.reach_of(session, request.notice, LANES[request.way])
            told = await send_requests.told(session, ASKED, request.id)
        return Shown(request, parts, reach, tuple(told))

    async def sample(self, actor: Actor, request_id: int, language: str) -> tuple[Notice, Content]:
        """Return the notice of a request that one has, and the message as recipients would get it, marked as a test."""
        asked = await self.for_actor(actor, request_id)
        meant = replace(asked.notice, urgent=asked.way is Way.URGENT)
        return meant, notice_content.render_test(meant, language)

    async def approve(self, actor: Actor, request_id: int) -> SendRequest:
        """Send the notice as it was asked for, if all is as it was; pressed twice, it is sent once."""
        async with self._database.begin() as session:
            asked = await self._to_decide(session, actor, request_id)
            if self._is_done(actor, asked, RequestState.APPROVED):
                return asked
            stands = await self._stands(session, asked)
            state = RequestState.APPROVED if stands else RequestState.OUTDATED
            await self._decide(session, asked, state, actor.member_id)
            if stands and not await self._notices.start(session, asked.notice, actor.member_id, asked.way):
                raise NoticeMovedOn
            await self._tell_asker(session, asked)
            done = await self._noted(session, actor.member_id, asked.id)
        if not stands:
            raise RequestIsOutdated
        return done

    async def refuse(self, actor: Actor, request_id: int) -> SendRequest:
        """Say no to somebody else's request; they are told, and may still send as usual."""
        async with self._database.begin() as session:
            asked = await self._to_decide(session, actor, request_id)
            if self._is_done(actor, asked, RequestState.REFUSED):
                return asked
            await self._decide(session, asked, RequestState.REFUSED, actor.member_id)
            await self._tell_asker(session, asked)
            return await self._noted(session, actor.member_id, asked.id)

    async def withdraw(self, actor: Actor, request_id: int) -> SendRequest:
        """Take one's own request back, as long as nobody decided."""
        async with self._database.begin() as session:
            asked = await self._reachable(session, actor, request_id)
            if asked.asked_by != actor.member_id:
                raise NotFound
            if self._is_done(actor, asked, RequestState.WITHDRAWN):
                return asked
            await self._decide(session, asked, RequestState.WITHDRAWN, actor.member_id)
            return await self._noted(session, actor.member_id, asked.id)

    async def tick(self) -> None:
        """End what nobody decided in time, and what went another way; who asked is told of the former."""
        async with self._database.read() as session:
            over = await send_requests.over(session, self._clock())
        for request_id, state in over:
            async with self._database.begin() as session:
                asked = await send_requests.read(session, request_id)
                ended = await send_requests.decide(session, request_id, state, by=None, at=self._clock())
                if ended and asked is not None and state is RequestState.EXPIRED:
                    await self._tell_asker(session, asked)
                    await self._noted(session, None, request_id)

    async def _add(
        self, session: Session, actor: Actor, found: Notice, way: Way, extent: Extent
    ) -> SendRequest:
        now = self._clock()
        approvers = await grants.nearest_holders(
            session, Action.APPROVE_SENDING, chain_of(found.sender.path), day_of(now), but=actor.member_id
        )
        if not approvers:
            raise NobodyApproves
        number = await send_requests.add(
            session,
            way=way,
            notice_id=found.id,
            digest=fingerprint(found),
            messages=extent.messages,
            stars=extent.stars,
            asked_by=actor.member_id,
            asked_at=now,
        )
        if number is None:
            raise NoticeMovedOn
        await self._tell(session, ASKED, number, approvers, ANSWER_WITHIN[way])
        return await self._noted(session, actor.member_id, number)

    async def _stands(self, session: Session, asked: SendRequest) -> bool:
        """Say whether what was asked for is still the notice, its price and its author's right."""
        found = asked.notice
        if found.state is not NoticeState.DRAFT or fingerprint(found) != asked.digest:
            return False
        extent = await self._terms[asked.way].extent(session, found)
        dearer = rose(asked.stars, extent.stars)
        return extent.messages > 0 and not dearer and await self._notices.may_still_send(session, found)

    async def _to_decide(self, session: Session, actor: Actor, request_id: int) -> SendRequest:
        """Return somebody else's request that the actor may decide, and let its notice stay as it is."""
        seen = await self._reachable(session, actor, request_id)
        await send_requests.lock_notice(session, seen.notice.id)
        asked = await self._reachable(session, actor, request_id)
        if asked.asked_by == actor.member_id:
            raise RequestNeedsAnother
        if asked.state is RequestState.ASKED and self._clock() >= asked.expires_at:
            raise RequestIsDecided
        return asked

    def _is_done(self, actor: Actor, asked: SendRequest, wanted: RequestState) -> bool:
        """Say whether the same person decided the same already; refuses what was decided otherwise."""
        if asked.state is RequestState.ASKED:
            return False
        if (asked.state, asked.decided_by) != (wanted, actor.member_id):
            raise RequestIsDecided
        return True

    async def _decide(
        self, session: Session, asked: SendRequest, state: RequestState, by: int | None
    ) -> None:
        if not await send_requests.decide(session, asked.id, state, by=by, at=self._clock()):
            raise RequestIsDecided

    async def _reachable(self, session: Session, actor: Actor, request_id: int) -> SendRequest:
        asked = await send_requests.read(session, request_id)
        if asked is None:
            raise NotFound
        if asked.asked_by != actor.member_id:
            require(actor, Action.APPROVE_SENDING, asked.notice.sender.path, self._clock())
        return asked

    async def _tell_asker(self, session: Session, asked: SendRequest) -> None:
        await self._tell(session, DECIDED, asked.id, [asked.asked_by], DECIDED_USEFUL)

    async def _tell(
        self, session: Session, source: str, number: int, members: list[int], useful: timedelta
    ) -> None:
        """Tell at once: it is for the hour, and later it is over."""
        await self._delivery.dispatch(
            session,
            source=source,
            source_id=number,
            member_ids=members,
            lane=Lane.URGENT,
            useful_until=self._clock() + useful,
        )

    async def _noted(self, session: Session, actor_id: int | None, request_id: int) -> SendRequest:
        found = await send_requests.read(session, request_id)
        if found is None:
            raise NotFound
        await self._audit.note(
            session,
            actor_id=actor_id,
            action=f"notice.{found.way}_{found.state}",
            subject="notice",
            subject_id=found.notice.id,
            organisation_id=found.notice.sender.organisation_id,
            detail={"messages": found.messages, "stars": found.stars, "request": found.id},
        )
        return found

    async def _content_for_approvers(self, request_id: int, language: str) -> Content:
        """Say what is asked for; a sensitive notice's own words are left for a look at it."""
        words, found = speak(language), await self._load(request_id)
        said = words(
            f"requests.told.asked.{found.way}",
            asker=author_of(words, found.asker),
            n=(await self.shown(found)).reach.reachable,
            messages=found.messages,
            stars=found.stars,
        )
        if found.notice.sensitive:
            return Content(said, keyboard=_see(words, "asked", found))
        text = join(said, "\n\n", shorten(found.notice.content, EXCERPT))
        return Content(text.text, text.entities, keyboard=_see(words, "asked", found))

    async def _content_for_asker(self, request_id: int, language: str) -> Content:
        words, found = speak(language), await self._load(request_id)
        text = words(f"requests.told.{found.state}.{found.way}", stars=found.stars)
        return Content(text, keyboard=_see(words, "decided", found))

    async def _load(self, request_id: int) -> SendRequest:
        async with self._database.read() as session:
            found = await send_requests.read(session, request_id)
        if found is None:
            raise LookupError(request_id)
        return found


def _see(words: Words, what: str, found: SendRequest) -> tuple[tuple[Button, ...], ...]:
    return ((Button(words(f"requests.told.button.{what}"), SEE.format(number=found.id)),),)

"""Sending a notice quickly for a price: offered, asked for, approved by a second person, and never by itself."""

from collections import Counter
from dataclasses import dataclass
from typing import Protocol

from domain.clock import Clock, day_of
from domain.delivery import Lane
from domain.messages import Button, Content
from domain.notices import Notice, NoticeMovedOn, NoticeState, check_draft
from domain.organisations import chain_of
from domain.pace import PaceKind
from domain.paid import (
    ANSWER_WITHIN,
    NobodyApprovesPaid,
    Offer,
    PaidIsDecided,
    PaidIsOutdated,
    PaidNeedsAnother,
    PaidNotOffered,
    PaidPriceRose,
    PaidRequest,
    PaidState,
    fingerprint,
    messages_each,
    offer_of,
    rose,
)
from domain.permissions import Action, Actor
from domain.refusals import NotFound
from domain.richtext import join, shorten
from locales import speak
from services.audit import Audit
from services.delivery import Delivery
from services.notice_reports import reachable
from services.senders import author_of
from services.walls import PAGE, paths_of, require
from storage import audiences, grants, pace, paid
from storage.database import Database, Session

ASKED, DECIDED = "paid_asked", "paid_decided"
EXCERPT = 300
SEE = "pays:see:{number}:0"


class Sends(Protocol):
    """What sends a notice: `services.notices` has it."""

    async def start(self, session: Session, found: Notice, actor_id: int, *, paid: bool = False) -> bool: ...
    async def may_still_send(self, session: Session, found: Notice) -> bool: ...


@dataclass(frozen=True, slots=True)
class Look:
    """What a price would buy for a notice now, if anything, and the request that waits, if one does."""

    offer: Offer | None = None
    waiting: PaidRequest | None = None


class Paid:
    """Offers a price to a notice's author, and sends for it when a second person says so."""

    def __init__(
        self, *, database: Database, clock: Clock, audit: Audit, delivery: Delivery, notices: Sends
    ) -> None:
        self._database = database
        self._clock = clock
        self._audit = audit
        self._delivery = delivery
        self._notices = notices
        delivery.sources[ASKED] = self._content_for_approvers
        delivery.sources[DECIDED] = self._content_for_asker

    async def look(self, actor: Actor, notice_id: int) -> Look:
        """Say what a draft would cost; nothing where no account may pay, or where it goes quickly anyhow."""
        async with self._database.read() as session:
            found = await reachable(session, actor, notice_id, Action.SEND_NOTICE, self._clock())
            if found.state is not NoticeState.DRAFT:
                return Look()
            offer = await self._offer(session, found)
            waits = await paid.waiting_for(session, notice_id)
        return Look(offer if offer.worth_it else None, waits)

    async def ask(self, actor: Actor, notice_id: int, seen: int) -> PaidRequest:
        """Ask for a second person's word, at no more than the price that was seen; pressed twice, asked once."""
        async with self._database.begin() as session:
            await paid.lock_notice(session, notice_id)
            found = await reachable(session, actor, notice_id, Action.SEND_NOTICE, self._clock())
            check_draft(found)
            waits = await paid.waiting_for(session, notice_id)
            if waits is not None and waits.digest == fingerprint(found) and waits.stars <= seen:
                return waits
            offer = await self._offer(session, found)
            if not offer.worth_it or not await self._notices.may_still_send(session, found):
                raise PaidNotOffered
            if offer.stars > seen:
                raise PaidPriceRose(stars=offer.stars)
            if waits is not None:
                await self._decide(session, waits, PaidState.OUTDATED, None)
            return await self._add(session, actor, found, offer)

    async def waiting(self, actor: Actor, page: int = 0) -> tuple[list[PaidRequest], bool]:
        """Return a page of what waits for the actor's decision, and whether more follow."""
        paths = paths_of(actor, Action.APPROVE_SPENDING, self._clock())
        async with self._database.read() as session:
            found = await paid.waiting(
                session, paths, but=actor.member_id, offset=page * PAGE, limit=PAGE + 1
            )
        return found[:PAGE], len(found) > PAGE

    async def for_actor(self, actor: Actor, request_id: int) -> PaidRequest:
        """Return a request of one's own, or one that one may decide."""
        async with self._database.read() as session:
            return await self._reachable(session, actor, request_id)

    async def approve(self, actor: Actor, request_id: int) -> PaidRequest:
        """Send the notice for its price, if all is as it was asked for; pressed twice, it is sent once."""
        async with self._database.begin() as session:
            asked = await self._to_decide(session, actor, request_id)
            if self._is_done(actor, asked, PaidState.APPROVED):
                return asked
            stands = await self._stands(session, asked)
            state = PaidState.APPROVED if stands else PaidState.OUTDATED
            await self._decide(session, asked, state, actor.member_id)
            if stands and not await self._notices.start(session, asked.notice, actor.member_id, paid=True):
                raise NoticeMovedOn
            await self._tell_asker(session, asked)
            done = await self._noted(session, actor.member_id, asked.id)
        if not stands:
            raise PaidIsOutdated
        return done

    async def refuse(self, actor: Actor, request_id: int) -> PaidRequest:
        """Say no to somebody else's request; they are told, and may still send for nothing."""
        async with self._database.begin() as session:
            asked = await self._to_decide(session, actor, request_id)
            if self._is_done(actor, asked, PaidState.REFUSED):
                return asked
            await self._decide(session, asked, PaidState.REFUSED, actor.member_id)
            await self._tell_asker(session, asked)
            return await self._noted(session, actor.member_id, asked.id)

    async def withdraw(self, actor: Actor, request_id: int) -> PaidRequest:
        """Take one's own request back, as long as nobody decided."""
        async with self._database.begin() as session:
            asked = await self._reachable(session, actor, request_id)
            if asked.asked_by != actor.member_id:
                raise NotFound
            if self._is_done(actor, asked, PaidState.WITHDRAWN):
                return asked
            await self._decide(session, asked, PaidState.WITHDRAWN, actor.member_id)
            return await self._noted(session, actor.member_id, asked.id)

    async def tick(self) -> None:
        """End what nobody decided in time, and what went another way; who asked is told of the former."""
        async with self._database.read() as session:
            over = await paid.over(session, self._clock())
        for request_id, state in over:
            async with self._database.begin() as session:
                asked = await paid.read(session, request_id)
                ended = await paid.decide(session, request_id, state, by=None, at=self._clock())
                if ended and asked is not None and state is PaidState.EXPIRED:
                    await self._tell_asker(session, asked)
                    await self._noted(session, None, request_id)

    async def _add(self, session: Session, actor: Actor, found: Notice, offer: Offer) -> PaidRequest:
        approvers = await grants.nearest_holders(
            session,
            Action.APPROVE_SPENDING,
            chain_of(found.sender.path),
            day_of(self._clock()),
            but=actor.member_id,
        )
        if not approvers:
            raise NobodyApprovesPaid
        number = await paid.add(
            session,
            notice_id=found.id,
            digest=fingerprint(found),
            messages=offer.messages,
            stars=offer.stars,
            asked_by=actor.member_id,
            asked_at=self._clock(),
        )
        if number is None:
            raise NoticeMovedOn
        await self._tell(session, ASKED, number, approvers)
        return await self._noted(session, actor.member_id, number)

    async def _offer(self, session: Session, found: Notice) -> Offer:
        """Price a notice as of now; the weekly cap is left out, since a week may end before it goes."""
        quick = await pace.read_all(session, PaceKind.PAID)
        recipients = Counter[int]()
        if quick and found.audience_id is not None:
            meant = await audiences.load(session, found.audience_id)
            for group in await audiences.groups(
                session, meant, weekly_cap=0, now=self._clock(), home_only=found.sensitive
            ):
                if group.account_id is not None and not group.reason:
                    recipients[group.account_id] += group.members
        return offer_of(
            recipients,
            messages_each(found),
            free={number: each.rate for number, each in (await pace.read_all(session)).items()},
            paid={number: each.rate for number, each in quick.items()},
        )

    async def _stands(self, session: Session, asked: PaidRequest) -> bool:
        """Say whether what was asked for is still the notice, its price and its author's right."""
        found = asked.notice
        if found.state is not NoticeState.DRAFT or fingerprint(found) != asked.digest:
            return False
        offer = await self._offer(session, found)
        dearer = rose(asked.stars, offer.stars)
        return offer.messages > 0 and not dearer and await self._notices.may_still_send(session, found)

    async def _to_decide(self, session: Session, actor: Actor, request_id: int) -> PaidRequest:
        """Return somebody else's request that the actor may decide, and let its notice stay as it is."""
        seen = await self._reachable(session, actor, request_id)
        await paid.lock_notice(session, seen.notice.id)
        asked = await self._reachable(session, actor, request_id)
        if asked.asked_by == actor.member_id:
            raise PaidNeedsAnother
        if asked.state is PaidState.ASKED and self._clock() >= asked.expires_at:
            raise PaidIsDecided
        return asked

    def _is_done(self, actor: Actor, asked: PaidRequest, wanted: PaidState) -> bool:
        """Say whether the same person decided the same already; refuses what was decided otherwise."""
        if asked.state is PaidState.ASKED:
            return False
        if (asked.state, asked.decided_by) != (wanted, actor.member_id):
            raise PaidIsDecided
        return True

    async def _decide(self, session: Session, asked: PaidRequest, state: PaidState, by: int | None) -> None:
        if not await paid.decide(session, asked.id, state, by=by, at=self._clock()):
            raise PaidIsDecided

    async def _reachable(self, session: Session, actor: Actor, request_id: int) -> PaidRequest:
        asked = await paid.read(session, request_id)
        if asked is None:
            raise NotFound
        if asked.asked_by != actor.member_id:
            require(actor, Action.APPROVE_SPENDING, asked.notice.sender.path, self._clock())
        return asked

    async def _tell_asker(self, session: Session, asked: PaidRequest) -> None:
        await self._tell(session, DECIDED, asked.id, [asked.asked_by])

    async def _tell(self, session: Session, source: str, number: int, members: list[int]) -> None:
        """Tell at once: it is for the hour, and a day later it is over."""
        await self._delivery.dispatch(
            session,
            source=source,
            source_id=number,
            member_ids=members,
            lane=Lane.URGENT,
            useful_until=self._clock() + ANSWER_WITHIN,
        )

    async def _noted(self, session: Session, actor_id: int | None, request_id: int) -> PaidRequest:
        found = await paid.read(session, request_id)
        if found is None:
            raise NotFound
        await self._audit.note(
            session,
            actor_id=actor_id,
            action=f"notice.paid_{found.state}",
            subject="notice",
            subject_id=found.notice.id,
            organisation_id=found.notice.sender.organisation_id,
            detail={"messages": found.messages, "stars": found.stars, "request": found.id},
        )
        return found

    async def _content_for_approvers(self, request_id: int, language: str) -> Content:
        words, found = speak(language), await self._load(request_id)
        asked = words(
            "paid.told.asked",
            asker=author_of(words, found.asker),
            n=found.messages,
            stars=found.stars,
        )
        text = join(asked, "\n\n", shorten(found.notice.content, EXCERPT))
        return Content(text.text, text.entities, keyboard=((_see(words("paid.told.button.asked"), found),),))

    async def _content_for_asker(self, request_id: int, language: str) -> Content:
        words, found = speak(language), await self._load(request_id)
        text = words(f"paid.told.{found.state}", stars=found.stars)
        return Content(text, keyboard=((_see(words("paid.told.button.decided"), found),),))

    async def _load(self, request_id: int) -> PaidRequest:
        async with self._database.read() as session:
            found = await paid.read(session, request_id)
        if found is None:
            raise LookupError(request_id)
        return found


def _see(label: str, found: PaidRequest) -> Button:
    return Button(label, SEE.format(number=found.id))

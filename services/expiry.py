"""Invitations that run out: the clock closes them, and who made them hears of it, gently and seldom."""

from dataclasses import dataclass
from datetime import datetime

import structlog

from domain.clock import Clock, day_of
from domain.invitations import TELL_EVERY, is_decent
from domain.messages import Button, Content
from domain.permissions import Action, Actor
from locales import speak
from services.audit import Audit
from services.delivery import Delivery
from services.walls import PAGE
from storage import expiry, grants
from storage.database import Database
from storage.expiry import RanOut

SOURCE = "invitations_expired"
EXPIRED = "iexp:0"
"""The button that opens the list, as `handlers.expired` reads it."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Page:
    """A page of members whose invitations ran out, and whether more follow."""

    lines: tuple[RanOut, ...]
    more: bool


class Expiry:
    """Closes invitations, lists those that ran out, and tells who made them at most once a week."""

    def __init__(self, *, database: Database, clock: Clock, audit: Audit, delivery: Delivery) -> None:
        self._database = database
        self._clock = clock
        self._audit = audit
        self._delivery = delivery
        delivery.sources[SOURCE] = self.content

    async def content(self, maker_id: int, language: str) -> Content:
        """Make the word to a secretary: how many, and where to go; no names stand in it."""
        async with self._database.read() as session:
            members = await expiry.count_told(session, maker_id)
        words = speak(language)
        button = Button(words("expired.alert.button"), EXPIRED)
        return Content(text=words.plural("expired.alert", members), keyboard=((button,),))

    async def ran_out(self, actor: Actor, page: int = 0) -> Page:
        """Return whose invitations by the actor ran out unused, where the actor may still invite."""
        on = day_of(self._clock())
        async with self._database.read() as session:
            found = await expiry.ran_out(session, actor.member_id, offset=page * PAGE, limit=PAGE + 1)
        mine = tuple(one for one in found[:PAGE] if actor.may(Action.INVITE, one.path, on))
        return Page(mine, len(found) > PAGE)

    async def tick(self) -> None:
        """Close what ran out, then tell who made it, by day and at most weekly."""
        now = self._clock()
        while await self._close(now):
            pass
        async with self._database.read() as session:
            makers = await expiry.makers(session, now)
        for maker in makers:
            if is_decent(now, maker.zone):
                await self._tell(maker.member_id, now)

    async def _close(self, now: datetime) -> bool:
        async with self._database.begin() as session:
            closed = await expiry.close(session, now)
            for one in closed:
                await self._audit.note(
                    session,
                    actor_id=None,
                    action="invitation.expired",
                    subject="member",
                    subject_id=one.member_id,
                    organisation_id=one.home_id,
                )
        return bool(closed)

    async def _tell(self, maker_id: int, now: datetime) -> None:
        """Tell one maker; of two who tick, one does. Who may invite no more is not troubled."""
        async with self._database.begin() as session:
            if not await expiry.tell(session, maker_id, now):
                return
            actor = await grants.actor_of_member(session, maker_id, day_of(now))
            if actor is not None and actor.may_somewhere(Action.INVITE, day_of(now)):
                await self._delivery.dispatch(
                    session,
                    source=SOURCE,
                    source_id=maker_id,
                    member_ids=[maker_id],
                    useful_until=now + TELL_EVERY,
                )
        log.info("expired invitations told", member=maker_id)

"""Single alerts about joining: told privately to the person who can act, with one suggested step."""

from datetime import timedelta

from domain.clock import Clock, day_of
from domain.messages import Button, Content
from domain.organisations import chain_of
from domain.permissions import Action
from locales import speak
from services.delivery import Delivery
from storage import grants, invitations
from storage.database import Session

LINK_WAITING = "link_waiting"
LINK_JOINED = "link_joined"
USEFUL = timedelta(days=7)
APPROVALS = "go:approvals"
HOME = "go:menu"


class Alerts:
    """Tells a secretary that somebody waits, and a member that they are in."""

    def __init__(self, *, clock: Clock, delivery: Delivery) -> None:
        self._clock = clock
        self._delivery = delivery
        delivery.sources[LINK_WAITING] = _link_waiting
        delivery.sources[LINK_JOINED] = _link_joined

    async def link_waiting(self, session: Session, link_id: int, member_id: int, home_path: str) -> None:
        """Tell those who can approve a link, at the nearest organisation where anybody else can, and only once."""
        if await invitations.told(session, LINK_WAITING, link_id):
            return
        now = self._clock()
        holders = await grants.nearest_holders(
            session, Action.APPROVE_LINK, chain_of(home_path), day_of(now), but=member_id
        )
        if holders:
            await self._delivery.dispatch(
                session,
                source=LINK_WAITING,
                source_id=link_id,
                member_ids=holders,
                useful_until=now + USEFUL,
            )

    async def link_joined(self, session: Session, link_id: int, member_id: int) -> None:
        """Tell a member that their chat was approved."""
        await self._delivery.dispatch(
            session,
            source=LINK_JOINED,
            source_id=link_id,
            member_ids=[member_id],
            useful_until=self._clock() + USEFUL,
        )


async def _link_waiting(_link_id: int, language: str) -> Content:
    words = speak(language)
    button = Button(text=words("alerts.waiting.button"), data=APPROVALS)
    return Content(text=words("alerts.waiting"), keyboard=((button,),))


async def _link_joined(_link_id: int, language: str) -> Content:
    words = speak(language)
    return Content(text=words("alerts.joined"), keyboard=((Button(text=words("menu.home"), data=HOME),),))

"""What sending a notice quickly would cost: priced by the accounts that may pay, and never asked for by itself."""

from collections import Counter

from domain.clock import Clock
from domain.notices import Notice, NoticeState
from domain.pace import PaceKind
from domain.paid import Offer, messages_each, offer_of
from domain.permissions import Action, Actor
from domain.send_requests import Extent
from services.notice_reports import reachable
from storage import audiences, pace
from storage.database import Database, Session


class Paid:
    """Offers a price to a notice's author."""

    def __init__(self, *, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def look(self, actor: Actor, notice_id: int) -> Offer | None:
        """Say what a draft would cost; nothing where no account may pay, or where it goes quickly anyhow."""
        async with self._database.read() as session:
            found = await reachable(session, actor, notice_id, Action.SEND_NOTICE, self._clock())
            if found.state is not NoticeState.DRAFT:
                return None
            offer = await self._offer(session, found)
        return offer if offer.worth_it else None

    async def extent(self, session: Session, found: Notice) -> Extent:
        """Say what a notice comes to now."""
        offer = await self._offer(session, found)
        return Extent(offer.messages, offer.stars, offered=offer.worth_it)

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

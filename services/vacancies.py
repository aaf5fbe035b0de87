"""Vacancies: an organisation lost its last secretary, told privately to who can appoint one."""

from collections.abc import Sequence
from datetime import timedelta

from domain.clock import Clock, day_of
from domain.messages import Button, Content
from domain.organisations import Organisation, chain_of
from domain.permissions import Action
from locales import speak
from services.delivery import Delivery
from storage import grants, organisations
from storage.database import Database, Session

SOURCE = "vacancy"
USEFUL = timedelta(days=7)


class Vacancies:
    """Tells the nearest who may grant roles, and names nobody."""

    def __init__(self, *, database: Database, clock: Clock, delivery: Delivery) -> None:
        self._database = database
        self._clock = clock
        self._delivery = delivery
        delivery.sources[SOURCE] = self.content

    async def tell(self, session: Session, left: Sequence[Organisation], *, but: int) -> None:
        """Tell, in the caller's transaction, about each organisation that `but` leaves without a secretary."""
        now = self._clock()
        for each in left:
            holders = await grants.nearest_holders(
                session, Action.GRANT_ROLE, chain_of(each.path), day_of(now), but=but
            )
            if holders:
                await self._delivery.dispatch(
                    session,
                    source=SOURCE,
                    source_id=each.id,
                    member_ids=holders,
                    useful_until=now + USEFUL,
                )

    async def content(self, organisation_id: int, language: str) -> Content:
        """Make the alert; its button opens the organisation's card."""
        words = speak(language)
        async with self._database.read() as session:
            found = (await organisations.of_ids(session, [organisation_id]))[organisation_id]
        name = found.name_en if language == "en" and found.name_en else found.name
        button = Button(text=words("vacancies.button"), data=f"org:{organisation_id}:0")
        return Content(text=words("vacancies.alert", name=name), keyboard=((button,),))

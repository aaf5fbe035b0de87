"""The yearly reminder to enter next year's holidays, told once to the secretaries of the whole city."""

from datetime import timedelta

from domain.clock import Clock, day_of
from domain.messages import Button, Content
from domain.permissions import Action
from locales import speak
from services.delivery import Delivery
from services.holidays import Holidays
from storage import grants, holidays
from storage.database import Database

SOURCE = "holidays_missing"
TOLD_FROM_MONTH = 11
USEFUL = timedelta(days=30)
HOLIDAYS = "go:holidays"


class HolidayAlerts:
    """Looks now and then whether next year is known; from November on it says so, once for each year."""

    def __init__(self, *, database: Database, clock: Clock, holidays: Holidays, delivery: Delivery) -> None:
        self._database = database
        self._clock = clock
        self._holidays = holidays
        self._delivery = delivery
        delivery.sources[SOURCE] = _content

    async def tick(self) -> bool:
        """Tell the secretaries at the roots that next year is missing; `False` if there was nothing to tell."""
        now = self._clock()
        today = day_of(now)
        missing = (await self._holidays.calendar()).missing_year(today)
        if missing is None or today.month < TOLD_FROM_MONTH:
            return False
        async with self._database.begin() as session:
            holders = await grants.holders_at_roots(session, Action.ENTER_HOLIDAYS, today)
            if not holders or not await holidays.mark_told(session, missing):
                return False
            await self._delivery.dispatch(
                session, source=SOURCE, source_id=missing, member_ids=holders, useful_until=now + USEFUL
            )
        return True


async def _content(year: int, language: str) -> Content:
    words = speak(language)
    button = Button(text=words("holidays.alert.button"), data=HOLIDAYS)
    return Content(text=words("holidays.alert", year=year), keyboard=((button,),))

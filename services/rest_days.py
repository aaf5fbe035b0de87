"""The calendar behind the rest days that hold pushes: brought up to date outside any transaction."""

from domain.rest_days import RestDays
from services.holidays import Holidays


class RestWatch:
    """Gives the rules of delivery the calendar as it is now; without rest days it has nothing to do."""

    def __init__(self, *, holidays: Holidays, rest: RestDays | None) -> None:
        self._holidays = holidays
        self._rest = rest

    async def tick(self) -> None:
        if self._rest is not None:
            self._rest.calendar = await self._holidays.calendar()

"""The book of service days that member, secretary, calendar and clock read: who decides, and the days as they stand."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from domain.clock import Clock, day_of
from domain.holidays import Calendar
from domain.organisations import Organisation, chain_of
from domain.refusals import NotFound
from domain.service_days import (
    HORIZON,
    Proposal,
    ServiceDay,
    decider,
    month_of,
    months_from,
    propose,
    refreshed,
    text_for,
)
from services.holidays import Holidays
from storage import organisations, service_days
from storage.database import Database, Session

LOOK_BACK = timedelta(days=31)
"""A day that was moved may lie in the month after its own."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A day with the activities that hold somewhere."""

    day: ServiceDay
    text: str


class ServiceDayBook:
    """Reads the days, and keeps the rows of the coming year in step with rule and holidays."""

    def __init__(self, *, database: Database, clock: Clock, holidays: Holidays) -> None:
        self._database = database
        self._clock = clock
        self._holidays = holidays

    def today(self, at: Organisation) -> date:
        """Return the local day where an organisation is."""
        return day_of(self._clock(), ZoneInfo(at.zone))

    async def decider_of(self, session: Session, path: str) -> Organisation:
        """Return whose service day holds at a path."""
        found = await organisations.get(session, decider(path, await service_days.set_up(session)))
        if found is None:
            raise NotFound
        return found

    async def calendar(self, session: Session | None = None) -> Calendar:
        return await self._holidays.calendar(session)

    async def days(self, deciding: Organisation, since: date | None = None) -> list[ServiceDay]:
        """Return the days from a month on (the present one), written if they are not yet."""
        first = month_of(since or self.today(deciding))
        wanted = set(months_from(self.today(deciding), HORIZON))
        async with self._database.read() as session:
            found = await service_days.of_organisation(session, deciding.id, first)
        if wanted <= {day.month for day in found}:
            return found
        async with self._database.begin() as session:
            await self.keep_rows(session, deciding)
            return await service_days.of_organisation(session, deciding.id, first)

    async def upcoming(self, deciding: Organisation) -> list[ServiceDay]:
        """Return the days that are not over, in order."""
        today = self.today(deciding)
        found = await self.days(deciding, today - LOOK_BACK)
        return [day for day in found if day.date >= today]

    async def entries(self, days: Iterable[ServiceDay], path: str) -> list[Entry]:
        """Return days with the activities that hold at a path."""
        listed = list(days)
        async with self._database.read() as session:
            texts = await service_days.texts(session, [day.id for day in listed], chain_of(path))
        return [Entry(day, text_for(path, texts.get(day.id, {}))) for day in listed]

    async def keep_rows(self, session: Session, deciding: Organisation) -> None:
        """Write the months that are missing, and put right what nobody has decided and the rule says otherwise now."""
        now, today = self._clock(), self.today(deciding)
        calendar = await self.calendar(session)
        says = {
            month: propose(month, deciding.holiday_policy, calendar) for month in months_from(today, HORIZON)
        }
        found = await service_days.of_organisation(session, deciding.id, month_of(today))
        known = {day.month for day in found}
        missing = [(month, each) for month, each in says.items() if month not in known]
        await service_days.add_missing(session, deciding.id, missing, now)
        for day in found:
            if day.month in says and refreshed(day, says[day.month], now) != day:
                await self._refresh(session, day.id, says, now)

    async def _refresh(
        self, session: Session, day_id: int, says: dict[date, Proposal], now: datetime
    ) -> None:
        held = await service_days.get(session, day_id, hold=True)
        if held is not None:
            await service_days.save(session, refreshed(held, says[held.month], now))

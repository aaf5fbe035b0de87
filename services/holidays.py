"""Holidays as a use case: the calendar everybody asks, and years entered from their official table."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date, time

from domain.clock import CITY_ZONE, Clock, day_of
from domain.holidays import SATURDAY, Calendar, Span, YearTable, spans
from domain.organisations import HolidayPolicy, chain_of
from domain.permissions import Action, Actor
from domain.recurrence import NthWeekday, Occurrence, Rule, dates, place
from domain.refusals import NotAllowed, Refusal
from services.audit import Audit
from storage import holidays
from storage.database import Database, Session

FIRST_YEAR, LAST_YEAR = 2004, 2100
NINE = time(9)
SERVICE_DAY = NthWeekday(1, SATURDAY)
Changed = Callable[[Session], Awaitable[None]]


class YearOutOfRange(Refusal):
    """Holidays are kept for the years 2004 to 2100."""


@dataclass(frozen=True, slots=True)
class YearLook:
    """A year as it is shown: where it is known from, what differs in it, and the first Saturdays that move."""

    year: int
    known: bool
    entered: bool
    spans: tuple[Span, ...]
    moved: tuple[Occurrence, ...]


class Holidays:
    """Keeps the calendar at hand; `changed` are told of each change, within its transaction."""

    def __init__(self, *, database: Database, clock: Clock, audit: Audit) -> None:
        self._database = database
        self._clock = clock
        self._audit = audit
        self._cached = Calendar()
        self._versions: dict[int, str] = {}
        self.changed: list[Changed] = []

    async def calendar(self, session: Session | None = None) -> Calendar:
        """Return the calendar as it is now; within a transaction, as that transaction sees it."""
        if session is not None:
            return await self._fresh(session)
        async with self._database.read() as reading:
            return await self._fresh(reading)

    def this_year(self) -> int:
        """Return the year it is in the city."""
        return day_of(self._clock()).year

    async def look(self, year: int, draft: YearTable | None = None) -> YearLook:
        """Show a year, or what it would be with a table that is not entered yet."""
        if not FIRST_YEAR <= year <= LAST_YEAR:
            raise YearOutOfRange
        calendar = await self.calendar()
        if draft is not None:
            calendar = calendar.with_year(draft)
        return look(calendar, year)

    async def enter(self, table: YearTable, *, actor_id: int | None = None) -> bool:
        """Put a year's official table in the place of what was known of it; `False` if it changes nothing."""
        async with self._database.begin() as session:
            if not FIRST_YEAR <= table.year <= LAST_YEAR:
                raise YearOutOfRange
            if not await holidays.write(session, table, self._clock()):
                return False
            await self._tell(session, table.year, "entered", actor_id, days=len(table.days))
        return True

    async def remove(self, year: int, *, actor_id: int | None = None) -> bool:
        """Take an entered year out again; `False` if there is none."""
        async with self._database.begin() as session:
            if not await holidays.remove(session, year):
                return False
            await self._tell(session, year, "removed", actor_id)
        return True

    def check(self, actor: Actor) -> None:
        """Refuse whoever is no secretary of the whole city."""
        held = actor.nodes(Action.ENTER_HOLIDAYS, day_of(self._clock()))
        if not any(len(chain_of(grant.path)) == 1 for grant in held):
            raise NotAllowed

    async def _fresh(self, session: Session) -> Calendar:
        found = await holidays.versions(session)
        if found != self._versions:
            self._cached = Calendar(await holidays.read_all(session))
            self._versions = found
        return self._cached

    async def _tell(
        self, session: Session, year: int, what: str, actor_id: int | None, **detail: int
    ) -> None:
        await self._audit.note(
            session,
            actor_id=actor_id,
            action=f"holidays.{what}",
            subject="holiday_year",
            subject_id=year,
            detail={**detail},
        )
        for each in self.changed:
            await each(session)


def look(calendar: Calendar, year: int) -> YearLook:
    """Describe a year of a calendar."""
    rule = Rule(SERVICE_DAY, NINE, CITY_ZONE.key, HolidayPolicy.NEXT_FREE_SATURDAY)
    placed = [place(rule, day, calendar) for day in dates(SERVICE_DAY, date(year, 1, 1), date(year, 12, 31))]
    return YearLook(
        year=year,
        known=calendar.knows(year),
        entered=year in calendar.entered,
        spans=tuple(spans(calendar.year(year))),
        moved=tuple(each for each in placed if each.moved_because is not None),
    )

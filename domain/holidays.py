"""Holidays: what kind of day a date is, from the library's official tables and the years an operator entered.

A year that neither knows is unknown: its days say so, and nothing is moved because of them. The table of a
year also rules the last days of December before it, where the New Year's bridge often begins.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum

from chinese_calendar import constants

SATURDAY = 5
ONE_DAY = timedelta(days=1)
LONGEST_REST = 30
BRIDGE_STARTS = (12, 25)
ASKED_FROM_MONTH = 10


class DayKind(StrEnum):
    """What a date is to those who work."""

    WORKDAY = "workday"
    REST = "rest"  # a plain weekend
    HOLIDAY = "holiday"  # a public holiday, bridge days with it
    ADJUSTED_WORKDAY = "adjusted_workday"  # 调休上班: a weekend day on which work is done
    UNKNOWN = "unknown"  # nobody has entered this year


@dataclass(frozen=True, slots=True)
class HolidayName:
    """A holiday's name in both languages; either may be missing."""

    zh: str = ""
    en: str = ""

    def said(self, language: str) -> str:
        """Return the name for a language, or the one there is."""
        return (self.zh or self.en) if language.startswith("zh") else (self.en or self.zh)

    def __str__(self) -> str:
        return self.zh or self.en


NO_NAME = HolidayName()
_FULL = {"清明": "清明节", "端午": "端午节", "中秋": "中秋节"}
NAMES: Mapping[str, HolidayName] = {
    each.value: HolidayName(_FULL.get(each.chinese, each.chinese), each.value) for each in constants.Holiday
}
FIRST_KNOWN = min(constants.holidays).year
LAST_KNOWN = max(constants.holidays).year


@dataclass(frozen=True, slots=True)
class Day:
    """A date's kind, and the holiday it belongs to (an adjusted workday makes up for one)."""

    kind: DayKind
    name: HolidayName = NO_NAME

    @property
    def collides(self) -> bool:
        """Say whether people who planned this day have it taken from them."""
        return self.kind in {DayKind.HOLIDAY, DayKind.ADJUSTED_WORKDAY}


@dataclass(frozen=True, slots=True)
class YearTable:
    """A year as an operator entered it: only what differs from Monday-to-Friday stands in it."""

    year: int
    days: Mapping[date, Day] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Span:
    """Days in a row of one kind and name, as people read them."""

    first: date
    last: date
    day: Day


class Calendar:
    """All years that are known; what was entered stands above the library's."""

    def __init__(self, entered: Iterable[YearTable] = ()) -> None:
        self._entered = {table.year: table for table in entered}

    @property
    def entered(self) -> Mapping[int, YearTable]:
        return self._entered

    def with_year(self, table: YearTable) -> "Calendar":
        """Return this calendar with a table in the place of what it knew of that year."""
        return Calendar({**self._entered, table.year: table}.values())

    def knows(self, year: int) -> bool:
        """Say whether the year's official table is known."""
        return year in self._entered or FIRST_KNOWN <= year <= LAST_KNOWN

    def day(self, day: date) -> Day:
        """Say what a date is; of an unknown year only that it is unknown."""
        bridge = self._bridge(day)
        if bridge is not None:
            return bridge
        table = self._entered.get(day.year)
        if table is not None:
            return table.days.get(day) or _plain(day)
        if not self.knows(day.year):
            return Day(DayKind.UNKNOWN)
        return _official(day)

    def is_free_saturday(self, day: date) -> bool:
        """Say whether it is a Saturday that is known to be neither a holiday nor worked on."""
        return day.weekday() == SATURDAY and self.day(day).kind is DayKind.REST

    def is_workday(self, day: date) -> bool:
        """Say whether people work; in an unknown year Monday to Friday count (ask `knows` before showing it)."""
        kind = self.day(day).kind
        if kind is DayKind.UNKNOWN:
            return day.weekday() < SATURDAY
        return kind in {DayKind.WORKDAY, DayKind.ADJUSTED_WORKDAY}

    def last_workday_at_or_before(self, day: date) -> date:
        """Return the nearest working day looking back; in an unknown year Monday to Friday count."""
        for back in range(LONGEST_REST):
            found = day - back * ONE_DAY
            if self.is_workday(found):
                return found
        return day  # a table of nothing but rest: the day itself is as good as any

    def year(self, year: int) -> dict[date, Day]:
        """Return what differs from Monday-to-Friday in a year and in the bridge before it, in order."""
        first, last = date(year - 1, *BRIDGE_STARTS), date(year, 12, 31)
        days = (first + number * ONE_DAY for number in range((last - first).days + 1))
        found = {day: self.day(day) for day in days}
        return {day: each for day, each in found.items() if each.collides}

    def missing_year(self, today: date) -> int | None:
        """Return next year if it ought to be known by now: announced in autumn, it is asked for from October on."""
        wanted = today.year + 1
        return wanted if today.month >= ASKED_FROM_MONTH and not self.knows(wanted) else None

    def _bridge(self, day: date) -> Day | None:
        if (day.month, day.day) < BRIDGE_STARTS:
            return None
        table = self._entered.get(day.year + 1)
        if table is not None:
            return table.days.get(day)
        official = _official(day) if day.year < LAST_KNOWN else None
        return official if official is not None and official.collides else None


def spans(days: Mapping[date, Day]) -> list[Span]:
    """Join days in a row that are alike."""
    found: list[Span] = []
    for day, what in sorted(days.items()):
        if found and found[-1].day == what and found[-1].last + ONE_DAY == day:
            found[-1] = Span(found[-1].first, day, what)
        else:
            found.append(Span(day, day, what))
    return found


def _official(day: date) -> Day:
    if day in constants.workdays:
        return Day(DayKind.ADJUSTED_WORKDAY, NAMES[constants.workdays[day]])
    if day in constants.holidays:
        return Day(DayKind.HOLIDAY, NAMES[constants.holidays[day]])
    return _plain(day)


def _plain(day: date) -> Day:
    return Day(DayKind.WORKDAY if day.weekday() < SATURDAY else DayKind.REST)

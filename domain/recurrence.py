"""Recurrence: on which dates something comes again, at which instant, and where a holiday moves it.

Three rules for what a month, a year or a clock does not have:
a day of the month beyond its end is its last day (31 in April is the 30th; 29 February is the 28th);
a local time that a zone skips is the first that exists after it; one that comes twice is the first of the two.
"""

import calendar as months
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import count, islice
from typing import Literal
from zoneinfo import ZoneInfo

from domain.holidays import Calendar, Day
from domain.organisations import HolidayPolicy
from domain.refusals import Refusal

ONE_DAY = timedelta(days=1)
ONE_WEEK = timedelta(days=7)
ONE_SECOND = timedelta(seconds=1)
LAST_DATE = date(2299, 12, 31)
LONGEST_MOVE = 8 * ONE_WEEK
LONGEST_INTERVAL = 3660
YEAR_MONTHS = 12
SATURDAY = 5
LAST: Literal[-1] = -1


class RuleNotUnderstood(Refusal):
    """The recurrence is not one that can be: a part is missing, unknown or out of its range."""

    def __init__(self, part: str = "") -> None:
        super().__init__(part=part)


@dataclass(frozen=True, slots=True)
class Once:
    """On one date."""

    at: date


@dataclass(frozen=True, slots=True)
class Every:
    """Every so many days, counted from a date."""

    days: int
    since: date

    def __post_init__(self) -> None:
        _within(self.days, 1, LONGEST_INTERVAL, "days")


@dataclass(frozen=True, slots=True)
class MonthDay:
    """On a day of each month; where the month is shorter, on its last day."""

    day: int

    def __post_init__(self) -> None:
        _within(self.day, 1, 31, "day")


@dataclass(frozen=True, slots=True)
class NthWeekday:
    """On the first to fourth, or the last (-1), Monday (0) to Sunday (6) of each month."""

    n: int
    weekday: int

    def __post_init__(self) -> None:
        if self.n != LAST:
            _within(self.n, 1, 4, "n")
        _within(self.weekday, 0, 6, "weekday")


@dataclass(frozen=True, slots=True)
class Yearly:
    """On a date of each year; 29 February is 28 February in common years."""

    month: int
    day: int

    def __post_init__(self) -> None:
        _within(self.month, 1, YEAR_MONTHS, "month")
        _within(self.day, 1, _length(2024, self.month), "day")


Pattern = Once | Every | MonthDay | NthWeekday | Yearly


@dataclass(frozen=True, slots=True)
class Rule:
    """A pattern of dates, the local time of day in a zone, and what a holiday does to it."""

    pattern: Pattern
    at: time
    zone: str
    policy: HolidayPolicy = HolidayPolicy.KEEP

    def __post_init__(self) -> None:
        if self.at.tzinfo is not None or self.at.second or self.at.microsecond:
            raise RuleNotUnderstood("at")
        if not _is_zone(self.zone):
            raise RuleNotUnderstood("zone")

    def moment(self, day: date) -> datetime:
        """Return the instant (UTC) of the rule's time on a date."""
        return instant(day, self.at, self.zone)


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One time it comes: as planned and where it came to lie, with the reason if it moved.

    `confirmed` is false where a person has to say: the year's table is unknown, or the policy is by hand.
    """

    planned: date
    date: date
    at: datetime
    moved_because: Day | None = None
    confirmed: bool = True


def dates(pattern: Pattern, start: date, end: date) -> Iterator[date]:
    """Yield the pattern's dates from `start` to `end`, both included."""
    for day in _dates_from(pattern, start):
        if day > end:
            return
        yield day


def occurrences(rule: Rule, after: datetime, before: datetime, calendar: Calendar) -> Iterator[Occurrence]:
    """Yield what comes later than `after` and not later than `before`, in order."""
    for each in _occurrences_later(rule, after, calendar):
        if each.at > before:
            return
        yield each


def next_after(rule: Rule, moment: datetime, calendar: Calendar, n: int = 5) -> list[Occurrence]:
    """Return the next `n` occurrences later than a moment; fewer if it ends before."""
    return list(islice(_occurrences_later(rule, moment, calendar), n))


def following(rule: Rule, planned: date, calendar: Calendar) -> Occurrence | None:
    """Return the occurrence that is planned next after a planned date, wherever a holiday moves either."""
    return next(occurrences_from(rule, planned + ONE_DAY, calendar), None)


def occurrences_from(rule: Rule, start: date, calendar: Calendar) -> Iterator[Occurrence]:
    """Yield the occurrences planned at or after a date.

    One that would move onto or beyond the next planned date falls away: the next one is its substitute.
    """
    days = _dates_from(rule.pattern, start)
    day = next(days, None)
    while day is not None:
        upcoming = next(days, None)
        found = place(rule, day, calendar)
        if upcoming is None or found.date == day or found.date < upcoming:
            yield found
        day = upcoming


def place(rule: Rule, planned: date, calendar: Calendar) -> Occurrence:
    """Say where a planned date comes to lie under the rule's holiday policy."""
    day = calendar.day(planned)
    if rule.policy is HolidayPolicy.KEEP:
        return Occurrence(planned, planned, rule.moment(planned))
    if not calendar.knows(planned.year):
        return Occurrence(planned, planned, rule.moment(planned), confirmed=False)
    if not day.collides:
        return Occurrence(planned, planned, rule.moment(planned))
    moved = None if rule.policy is HolidayPolicy.BY_HAND else next_free_saturday(planned, calendar)
    if moved is None:
        return Occurrence(planned, planned, rule.moment(planned), confirmed=False)
    return Occurrence(planned, moved, rule.moment(moved), moved_because=day)


def next_free_saturday(after: date, calendar: Calendar) -> date | None:
    """Return the next Saturday known to be free, or `None` if an unknown year comes first."""
    saturday = after + ONE_DAY * ((SATURDAY - after.weekday() - 1) % 7 + 1)
    while saturday <= after + LONGEST_MOVE and calendar.knows(saturday.year):
        if calendar.is_free_saturday(saturday):
            return saturday
        saturday += ONE_WEEK
    return None


def instant(day: date, at: time, zone: str) -> datetime:
    """Return the UTC instant of a local time: the first of two, or the first that exists after a gap."""
    local = datetime.combine(day, at, ZoneInfo(zone))
    found = local.astimezone(UTC)
    if found.astimezone(local.tzinfo).replace(tzinfo=None) == local.replace(tzinfo=None):
        return found
    return _end_of_gap(local)


def _end_of_gap(local: datetime) -> datetime:
    """Find, by halving, the first second whose local time is past a skipped one."""
    wanted = local.replace(tzinfo=None)
    before, after = sorted(local.replace(fold=fold).astimezone(UTC) for fold in (0, 1))
    while after - before > ONE_SECOND:
        middle = before + (after - before) // 2
        middle = middle.replace(microsecond=0)
        if middle.astimezone(local.tzinfo).replace(tzinfo=None) < wanted:
            before = middle
        else:
            after = middle
    return after


def _occurrences_later(rule: Rule, moment: datetime, calendar: Calendar) -> Iterator[Occurrence]:
    start = moment.astimezone(UTC).date() - LONGEST_MOVE - 2 * ONE_DAY
    return (each for each in occurrences_from(rule, start, calendar) if each.at > moment)


def _dates_from(pattern: Pattern, start: date) -> Iterator[date]:
    """Yield the pattern's dates at or after a date, up to the end of what we reckon with."""
    for day in _all_from(pattern, start):
        if day > LAST_DATE:
            return
        if day >= start:
            yield day


def _all_from(pattern: Pattern, start: date) -> Iterator[date]:
    """Yield dates in order, none of the pattern's missing after `start`; a few earlier ones may come first."""
    match pattern:
        case Once(at=day):
            return iter((day,))
        case Every(days=days, since=since):
            steps = max(0, -((since - start).days // days))
            return (since + ONE_DAY * days * step for step in count(steps))
        case MonthDay(day=day):
            return (date(y, m, min(day, _length(y, m))) for y, m in _months_from(start))
        case NthWeekday(n=n, weekday=weekday):
            return (_nth(y, m, n, weekday) for y, m in _months_from(start))
        case Yearly(month=month, day=day):
            return (date(y, month, min(day, _length(y, month))) for y in count(start.year))


def _months_from(start: date) -> Iterator[tuple[int, int]]:
    for number in count(start.year * YEAR_MONTHS + start.month - 1):
        yield number // YEAR_MONTHS, number % YEAR_MONTHS + 1


def _nth(year: int, month: int, n: int, weekday: int) -> date:
    if n == LAST:
        last = date(year, month, _length(year, month))
        return last - ONE_DAY * ((last.weekday() - weekday) % 7)
    first = date(year, month, 1)
    return first + ONE_DAY * ((weekday - first.weekday()) % 7 + 7 * (n - 1))


def _length(year: int, month: int) -> int:
    return months.monthrange(year, month)[1]


def _within(number: object, low: int, high: int, part: str) -> None:
    if not isinstance(number, int) or isinstance(number, bool) or not low <= number <= high:
        raise RuleNotUnderstood(part)


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True

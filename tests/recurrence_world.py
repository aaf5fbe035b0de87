"""An independent oracle of recurrence: a walk over days, dateutil's rules, and a walk over the instants of a zone."""

from calendar import monthrange
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import chinese_calendar
from dateutil import rrule
from hypothesis import strategies as st

from domain.recurrence import Every, MonthDay, NthWeekday, Once, Pattern, Yearly

ZONES = ["Asia/Shanghai", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "UTC"]
LAST_OFFICIAL = 2026
FIRST, LAST = date(2004, 1, 1), date(2100, 12, 31)
ONE_DAY = timedelta(days=1)


def at(hour: int, minute: int = 0) -> time:
    return time(hour, minute)


days = st.dates(FIRST, LAST)
times = st.builds(time, st.integers(0, 23), st.integers(0, 59))
patterns = st.one_of(
    st.builds(Once, days),
    st.builds(Every, st.integers(1, 400), days),
    st.builds(MonthDay, st.integers(1, 31)),
    st.builds(MonthDay, st.integers(29, 31)),
    st.builds(NthWeekday, st.sampled_from([1, 2, 3, 4, -1]), st.integers(0, 6)),
    st.dates(date(2024, 1, 1), date(2024, 12, 31)).map(lambda day: Yearly(day.month, day.day)),
    st.just(Yearly(2, 29)),
)


def walk(pattern: Pattern, start: date, end: date) -> Iterator[date]:
    """Ask each day by itself whether it is meant."""
    day = start
    while day <= end:
        if is_meant(pattern, day):
            yield day
        day += ONE_DAY


def is_meant(pattern: Pattern, day: date) -> bool:
    length = monthrange(day.year, day.month)[1]
    match pattern:
        case Once(at=only):
            return day == only
        case Every(days=step, since=since):
            return day >= since and (day.toordinal() - since.toordinal()) % step == 0
        case MonthDay(day=number):
            return day.day == number or (day.day == length < number)
        case NthWeekday(n=-1, weekday=weekday):
            return day.weekday() == weekday and day.day + 7 > length
        case NthWeekday(n=n, weekday=weekday):
            return day.weekday() == weekday and (day.day - 1) // 7 == n - 1
        case Yearly(month=month, day=number):
            return day.month == month and (day.day == number or (day.day == length < number))


def by_dateutil(pattern: Pattern, start: date, end: date) -> list[date]:
    """Say the same with dateutil's recurrence rules (RFC 5545)."""
    span = {
        "dtstart": datetime.combine(start, time.min),
        "until": datetime.combine(end, time.min),
        "cache": False,
    }
    match pattern:
        case Once(at=only):
            return [only] if start <= only <= end else []
        case Every(days=step, since=since):
            rule = rrule.rrule(rrule.DAILY, interval=step, **span | {"dtstart": _midnight(since)})
        case MonthDay(day=number):
            rule = rrule.rrule(
                rrule.MONTHLY, bymonthday=range(min(number, 28), number + 1), bysetpos=-1, **span
            )
        case NthWeekday(n=n, weekday=weekday):
            rule = rrule.rrule(rrule.MONTHLY, byweekday=rrule.weekday(weekday, n), **span)
        case Yearly(month=month, day=number):
            around = range(min(number, 28), number + 1)
            rule = rrule.rrule(rrule.YEARLY, bymonth=month, bymonthday=around, bysetpos=-1, **span)
    return [day for day in (each.date() for each in rule) if start <= day <= end]


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min)


def first_instant(day: date, clock: time, zone: str) -> datetime:
    """Walk minute by minute to the first instant whose local time is not before the wanted one.

    Forward in UTC a local time falls back only to come a second time: so this is the first of two, and
    after a gap the first there is.
    """
    wanted, here = datetime.combine(day, clock), ZoneInfo(zone)
    moment = datetime.combine(day, clock, UTC) - timedelta(hours=15)
    while moment.astimezone(here).replace(tzinfo=None) < wanted:
        moment += timedelta(minutes=1)
    return moment


def first_instants(zone: str, clocks: list[time]) -> Iterator[tuple[date, time, datetime]]:
    """Say the same of every day at once, in one walk by quarters of an hour; clocks in order, on the quarter."""
    here, moment = ZoneInfo(zone), datetime.combine(FIRST, time.min, UTC) - timedelta(hours=15)
    day = FIRST
    while day <= LAST:
        for clock in clocks:
            wanted = datetime.combine(day, clock)
            while moment.astimezone(here).replace(tzinfo=None) < wanted:
                moment += timedelta(minutes=15)
            yield day, clock, moment
        day += ONE_DAY


def free_saturday_after(day: date) -> date | None:
    """Ask the library itself, day by day, for the next Saturday that is a plain weekend."""
    day += ONE_DAY
    while day.year <= LAST_OFFICIAL:
        if day.weekday() == 5 and chinese_calendar.get_holiday_detail(day) == (True, None):
            return day
        day += ONE_DAY
    return None


def placed(pattern: Pattern, start: date, end: date) -> Iterator[tuple[date, date]]:
    """Yield planned dates with the day each comes to lie on under "next free Saturday", as people would do it.

    A planned date whose substitute would come on or after the next planned date has none of its own.
    """
    planned = list(walk(pattern, start, end + timedelta(days=430)))
    for number, day in enumerate(planned):
        if day > end:
            return
        if chinese_calendar.get_holiday_detail(day)[1] is None:
            yield day, day
            continue
        moved = free_saturday_after(day)
        assert moved is not None
        if number + 1 == len(planned) or moved < planned[number + 1]:
            yield day, moved

"""Repeating a notice: the patterns that buttons offer, as short codes, and what each date comes to.

``w2`` every Wednesday, ``d15`` on the 15th, ``d31`` on a month's last day, ``f0`` its first Monday,
``l4`` its last Friday, ``y0701`` each 1 July; a time of day is ``0900``.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from domain.delivery import Held
from domain.holidays import Calendar, Day, DayKind
from domain.quiet_hours import QuietHours
from domain.recurrence import (
    LAST,
    Every,
    MonthDay,
    NthWeekday,
    Occurrence,
    Pattern,
    Rule,
    RuleNotUnderstood,
    Yearly,
)
from domain.refusals import Refusal
from domain.rest_days import RestDays, hold

KIND = "notice"
"""The kind of a notice's schedule."""
USEFUL_FOR = timedelta(hours=24)
"""An occurrence that could not go out for so long is left out: the next one follows."""
SHOWN = 5
A_MONDAY = date(2024, 1, 1)
WEEK = 7
TIMES = tuple(time(hour) for hour in range(8, 21))

_CODE = re.compile(r"(?P<kind>[wdfly])(?P<number>\d{1,4})", re.ASCII)
_TIME = re.compile(r"(?P<hour>\d{2})(?P<minute>\d{2})", re.ASCII)


class NoticeNotRepeating(Refusal):
    """The notice does not repeat any more, or not yet."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """One of the next dates: what kind of day it is, and what will hold the notice that day."""

    occurrence: Occurrence
    day: Day
    held: Held | None

    @property
    def is_special(self) -> bool:
        """Say whether the day needs a word: a holiday, a weekend day that is worked on, an unknown year."""
        return self.day.kind in {DayKind.HOLIDAY, DayKind.ADJUSTED_WORKDAY, DayKind.UNKNOWN}


def pattern_of(code: str) -> Pattern:
    """Read a pattern's code; raises `RuleNotUnderstood` for what no button says."""
    found = _CODE.fullmatch(code)
    if found is None:
        raise RuleNotUnderstood("pattern")
    number = int(found["number"])
    match found["kind"]:
        case "w":
            return Every(WEEK, A_MONDAY + timedelta(days=number)) if number < WEEK else _no("weekday")
        case "d":
            return MonthDay(number)
        case "f":
            return NthWeekday(1, number)
        case "l":
            return NthWeekday(LAST, number)
        case _:
            return Yearly(*divmod(number, 100))


def code_of(pattern: Pattern) -> str:
    """Write the code of a pattern that a button could say."""
    match pattern:
        case Every(days=7, since=since):
            return f"w{since.weekday()}"
        case MonthDay(day=day):
            return f"d{day}"
        case NthWeekday(n=n, weekday=weekday):
            return f"{'f' if n == 1 else 'l'}{weekday}"
        case Yearly(month=month, day=day):
            return f"y{month:02}{day:02}"
        case _:
            raise RuleNotUnderstood("pattern")


def rule_of(code: str, at: str, zone: str) -> Rule:
    """Read a pattern and a time of day as a rule in a zone. It keeps its dates: a rest day holds the delivery."""
    found = _TIME.fullmatch(at)
    if found is None:
        raise RuleNotUnderstood("at")
    try:
        clock = time(int(found["hour"]), int(found["minute"]))
    except ValueError:
        raise RuleNotUnderstood("at") from None
    return Rule(pattern_of(code), clock, zone)


def outlook(
    occurrence: Occurrence, *, zone: str, calendar: Calendar, quiet: QuietHours | None, rest: RestDays | None
) -> Outlook:
    """Say what a date comes to."""
    local = occurrence.at.astimezone(ZoneInfo(zone)).date()
    return Outlook(occurrence, calendar.day(local), hold(quiet, rest, occurrence.at, zone))


def outlook_of_moment(
    at: datetime, *, zone: str, calendar: Calendar, quiet: QuietHours | None, rest: RestDays | None
) -> Outlook:
    """Say what a single moment comes to."""
    day = at.astimezone(ZoneInfo(zone)).date()
    return outlook(Occurrence(day, day, at), zone=zone, calendar=calendar, quiet=quiet, rest=rest)


def _no(part: str) -> Pattern:
    raise RuleNotUnderstood(part)

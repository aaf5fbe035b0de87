"""Rules of the service day: where each month's comes to lie, what may be changed about it, and who decides.

It is the first Saturday of the month (DOMAIN.md 2). What a rule says is a proposal: members are told nothing
before a person has confirmed the date.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from domain.holidays import Calendar, Day, DayKind, HolidayName
from domain.organisations import HolidayPolicy, chain_of
from domain.recurrence import SATURDAY, NthWeekday, Rule, place
from domain.refusals import Refusal

ONE_DAY = timedelta(days=1)
ONE_WEEK = timedelta(days=7)
PATTERN = NthWeekday(1, SATURDAY)
AT = time(9)
"""When people are reminded and secretaries asked, in the local time of their organisation."""
SERVICE_MONTH = 3
YEAR_MONTHS = 12
HORIZON = 13
"""So many months stand in the rows: the present one and a year."""
SHOWN = 3
LONGEST_ACTIVITIES = 500


class DayState(StrEnum):
    """What became of a month's service day."""

    PROPOSED = "proposed"  # the rule knows a date; nobody has confirmed it
    UNCONFIRMED = "unconfirmed"  # the rule does not know: the year's table is missing, or it is moved by hand
    CONFIRMED = "confirmed"
    CANCELLED = "cancelled"

    @property
    def open(self) -> bool:
        """Say whether a person still has to decide."""
        return self in {DayState.PROPOSED, DayState.UNCONFIRMED}


class Why(StrEnum):
    """Why a service day does not lie, or perhaps should not lie, on the first Saturday."""

    NONE = ""
    HOLIDAY = "holiday"
    ADJUSTED_WORKDAY = "adjusted_workday"
    UNKNOWN_YEAR = "unknown_year"
    BY_HAND = "by_hand"


class ServiceDayMovedOn(Refusal):
    """The service day was changed meanwhile: what was pressed is not what stands there now."""


class ServiceDayOver(Refusal):
    """The date lies in the past."""


class ServiceDayOutOfMonth(Refusal):
    """The date lies outside the month, and the days before the next service day."""

    def __init__(self, first: str = "", last: str = "") -> None:
        super().__init__(first=first, last=last)


class ActivitiesTooLong(Refusal):
    """The text about the activities is too long."""

    def __init__(self, most: int = LONGEST_ACTIVITIES) -> None:
        super().__init__(most=most)


@dataclass(frozen=True, slots=True)
class Proposal:
    """What the rule says of a month; not `certain` where a person has to say."""

    planned: date
    date: date
    why: Why
    holiday: HolidayName
    certain: bool

    @property
    def state(self) -> DayState:
        return DayState.PROPOSED if self.certain else DayState.UNCONFIRMED


@dataclass(frozen=True, slots=True)
class ServiceDay:
    """One month's service day of the organisation that decides; `month` is the first of the month.

    `revision` rises whenever the date changes or the day is cancelled; `told_revision` is what members know.
    """

    id: int
    organisation_id: int
    month: date
    planned: date
    date: date
    state: DayState
    why: Why
    holiday: HolidayName
    revision: int
    told_revision: int | None
    changed_at: datetime
    decided_at: datetime | None = None
    decided_by: int | None = None

    @property
    def moved(self) -> bool:
        return self.date != self.planned

    @property
    def follows(self) -> "Proposal":
        """Return what the rule said when this was written last."""
        return Proposal(
            self.planned, self.date, self.why, self.holiday, self.state is not DayState.UNCONFIRMED
        )


# Where it comes to lie


def month_of(day: date) -> date:
    """Return the first of a day's month: what a month's service day is known by."""
    return day.replace(day=1)


def months_from(day: date, n: int) -> Iterator[date]:
    """Yield the first of the month of a day, and of the months after it, `n` in all."""
    number = day.year * YEAR_MONTHS + day.month - 1
    for each in range(number, number + n):
        yield date(each // YEAR_MONTHS, each % YEAR_MONTHS + 1, 1)


def first_saturday(month: date) -> date:
    first = month_of(month)
    return first + ONE_DAY * ((SATURDAY - first.weekday()) % 7)


def propose(month: date, policy: HolidayPolicy, calendar: Calendar) -> Proposal:
    """Say where a month's service day comes to lie, and why if not on the first Saturday."""
    planned = first_saturday(month)
    found = place(Rule(PATTERN, AT, "UTC", policy), planned, calendar)
    day = calendar.day(planned)
    return Proposal(planned, found.date, _why(day), day.name, found.confirmed)


def refreshed(day: ServiceDay, says: Proposal, now: datetime) -> ServiceDay:
    """Return an undecided day as the rule says today; what a person decided stays."""
    if not day.state.open or says == day.follows:
        return day
    return replace(
        day,
        planned=says.planned,
        date=says.date,
        why=says.why,
        holiday=says.holiday,
        state=says.state,
        revision=day.revision + (says.date != day.date),
        changed_at=now,
    )


def confirm(day: ServiceDay, seen: date, *, by: int, today: date, now: datetime) -> ServiceDay:
    """Confirm the date that was seen; a second time changes nothing."""
    if seen != day.date or day.state is DayState.CANCELLED:
        raise ServiceDayMovedOn
    if day.state is DayState.CONFIRMED:
        return day
    if day.date < today:
        raise ServiceDayOver
    return replace(day, state=DayState.CONFIRMED, decided_at=now, decided_by=by, changed_at=now)


def move(day: ServiceDay, to: date, *, by: int, today: date, now: datetime) -> ServiceDay:
    """Put the day on another date of its month and confirm it; the same again changes nothing."""
    if day.state is DayState.CONFIRMED and day.date == to:
        return day
    check_open(day, today)
    if to <= today:
        raise ServiceDayOver
    first, last = span(day.month)
    if not first <= to <= last:
        raise ServiceDayOutOfMonth(first.isoformat(), last.isoformat())
    changed = to != day.date or day.state is DayState.CANCELLED
    return replace(
        day,
        date=to,
        state=DayState.CONFIRMED,
        why=Why.BY_HAND if to != day.date else day.why,
        revision=day.revision + changed,
        decided_at=now,
        decided_by=by,
        changed_at=now,
    )


def cancel(day: ServiceDay, *, by: int, today: date, now: datetime) -> ServiceDay:
    """Let the month go without one; a second time changes nothing."""
    if day.state is DayState.CANCELLED:
        return day
    check_open(day, today)
    return replace(
        day,
        state=DayState.CANCELLED,
        revision=day.revision + 1,
        decided_at=now,
        decided_by=by,
        changed_at=now,
    )


def is_over(day: ServiceDay, today: date) -> bool:
    """Say whether nothing can be done about it any more; one that was missed or cancelled can still be held later."""
    return (day.date if day.state is DayState.CONFIRMED else span(day.month)[1]) < today


def check_open(day: ServiceDay, today: date) -> None:
    """Refuse to change what is over."""
    if is_over(day, today):
        raise ServiceDayOver


def span(month: date) -> tuple[date, date]:
    """Return the first and the last date a month's service day may be moved to: before the next month's."""
    upcoming = [*months_from(month, 2)][1]
    return month, first_saturday(upcoming) - ONE_DAY


def offered(day: ServiceDay, today: date, calendar: Calendar) -> list[date]:
    """Return the Saturdays it may be moved to: those known to be free; of an unknown year all."""
    first, last = span(day.month)
    saturdays = (first_saturday(day.month) + ONE_WEEK * number for number in range(6))
    return [
        each
        for each in saturdays
        if first <= each <= last
        and each > today
        and (each != day.date or day.state is DayState.CANCELLED)
        and (calendar.is_free_saturday(each) or not calendar.knows(each.year))
    ]


def _why(day: Day) -> Why:
    return {
        DayKind.HOLIDAY: Why.HOLIDAY,
        DayKind.ADJUSTED_WORKDAY: Why.ADJUSTED_WORKDAY,
        DayKind.UNKNOWN: Why.UNKNOWN_YEAR,
    }.get(day.kind, Why.NONE)


# Who decides, and whose words hold


def nearest(path: str, among: Iterable[int]) -> int | None:
    """Return the innermost organisation of a path that is one of these."""
    known = set(among)
    return next((each for each in reversed(chain_of(path)) if each in known), None)


def decider(path: str, set_up: Iterable[int]) -> int:
    """Return whose service day holds at a path: the nearest that keeps its own, else the root."""
    found = nearest(path, set_up)
    return chain_of(path)[0] if found is None else found


def text_for(path: str, texts: Mapping[int, str]) -> str:
    """Return the activities that hold at a path: those of the nearest organisation that has written any."""
    found = nearest(path, texts)
    return "" if found is None else texts[found]

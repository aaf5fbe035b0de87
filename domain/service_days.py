"""Rules of the service day: where each month's comes to lie, who is asked when, and when members are reminded.

It is the first Saturday of the month (DOMAIN.md 2). What a rule says is a proposal: members are told nothing
before a person has confirmed the date.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from domain.holidays import Calendar, Day, DayKind, HolidayName
from domain.organisations import HolidayPolicy, chain_of
from domain.recurrence import SATURDAY, NthWeekday, Rule, instant, place
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
LEADS = (1, 2, 3, 7)
"""Days before that a member may choose to be reminded."""
NO_REMINDERS = 0
"""Stands in the place of a lead time for who chose not to be reminded at all."""
TELL_AHEAD = 14
"""Days before at which members are told at the earliest: who confirms a whole year does not push twelve times."""
NUDGES = (10, 8)
"""Days before at which who has to confirm is asked again."""
LONGEST_ACTIVITIES = 500
LONGEST_ASK = 60


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


class StepKind(StrEnum):
    """What the clock does about a service day, each once."""

    ASK = "ask"
    NUDGE = "nudge"
    ANNOUNCE = "announce"
    CHANGE = "change"
    REMIND = "remind"


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


@dataclass(frozen=True, slots=True)
class Anchor:
    """Whose members hear of a day in one wording and one zone: an organisation and what lies below it."""

    organisation_id: int
    path: str
    zone: str


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that is due, or was: `key` tells it from others of its kind; it is useless after `until`."""

    kind: StepKind
    key: int
    due: datetime
    until: datetime
    leads: frozenset[int] = frozenset()


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


def check_open(day: ServiceDay, today: date) -> None:
    """Refuse to change what is over; a cancelled one may be taken up again until its month ends."""
    over = day.date < today if day.state is not DayState.CANCELLED else span(day.month)[1] <= today
    if over:
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


# When


def asks(day: ServiceDay, zone: str, calendar: Calendar, ahead: int) -> list[Step]:
    """Return when the one who confirms is asked and asked again, the last first; each on a working day."""
    until = end_of(day.date, zone)
    leads = [(StepKind.ASK, 0, ahead), *((StepKind.NUDGE, each, each) for each in NUDGES if each < ahead)]
    steps = [
        Step(kind, key, instant(working_day(day.date, lead, calendar), AT, zone), until)
        for kind, key, lead in leads
    ]
    return sorted(steps, key=lambda step: step.due, reverse=True)


def reminders(day: ServiceDay, zone: str, calendar: Calendar) -> list[Step]:
    """Return the reminders of a confirmed date in order; lead times that fall on one working day are one.

    None is due before members are told of the date: who hears of it today needs no reminder of today.
    """
    leads: dict[date, set[int]] = {}
    for lead in LEADS:
        leads.setdefault(working_day(day.date, lead, calendar), set()).add(lead)
    steps = (
        Step(StepKind.REMIND, on.toordinal(), instant(on, AT, zone), end_of(on, zone), frozenset(which))
        for on, which in sorted(leads.items())
    )
    told = told_at(day, zone, calendar)
    return [step for step in steps if step.due > told]


def telling(day: ServiceDay, zone: str, calendar: Calendar) -> Step | None:
    """Return what members have to be told: the date, or that it is another or none; `None` if they know."""
    if day.told_revision == day.revision or day.decided_at is None:
        return None
    if day.told_revision is not None:
        until = end_of(max(day.date, day.planned), zone)
        return Step(StepKind.CHANGE, day.revision, day.decided_at, until)
    if day.state is not DayState.CONFIRMED:
        return None
    until = end_of(day.date, zone)
    return Step(StepKind.ANNOUNCE, day.revision, told_at(day, zone, calendar), until)


def told_at(day: ServiceDay, zone: str, calendar: Calendar) -> datetime:
    """Return when members hear of a date that is decided: at once, but not sooner than two weeks before."""
    earliest = instant(working_day(day.date, TELL_AHEAD, calendar), AT, zone)
    return earliest if day.decided_at is None else max(day.decided_at, earliest)


def working_day(on: date, lead: int, calendar: Calendar) -> date:
    """Return the last working day at or before so many days before a date."""
    return calendar.last_workday_at_or_before(on - ONE_DAY * lead)


def end_of(day: date, zone: str) -> datetime:
    """Return the instant at which a local day ends."""
    return instant(day + ONE_DAY, time(0), zone)


def deepest_first(anchors: Iterable[Anchor]) -> list[Anchor]:
    """Order anchors so that each comes before those above it: who has heard from the nearer is not told again."""
    return sorted(anchors, key=lambda anchor: (-len(chain_of(anchor.path)), anchor.path))


def text_for(path: str, texts: Mapping[int, str]) -> str:
    """Return the activities that hold at a path: those of the nearest organisation that has written any."""
    found = nearest(path, texts)
    return "" if found is None else texts[found]


def read_leads(text: str) -> frozenset[int]:
    """Read ``7,1``, or ``off`` as none; raises `ValueError` on a lead time that cannot be chosen."""
    if text.strip().lower() == "off":
        return frozenset()
    found = frozenset(int(part) for part in text.split(","))
    if not found <= set(LEADS):
        msg = f"choose from {', '.join(map(str, LEADS))}, or off"
        raise ValueError(msg)
    return found

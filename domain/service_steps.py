"""What is done about a service day and when: who confirms is asked, members are told and reminded, each once."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time
from enum import StrEnum

from domain.holidays import Calendar
from domain.organisations import chain_of
from domain.recurrence import instant
from domain.service_days import AT, ONE_DAY, DayState, ServiceDay

LEADS = (1, 2, 3, 7)
"""Days before that a member may choose to be reminded."""
NO_REMINDERS = 0
"""Stands in the place of a lead time for who chose not to be reminded at all."""
TELL_AHEAD = 14
"""Days before at which members are told at the earliest: who confirms a whole year does not push twelve times."""
NUDGES = (10, 8)
"""Days before at which who has to confirm is asked again."""
LONGEST_ASK = 60


class StepKind(StrEnum):
    """What the clock does about a service day, each once."""

    ASK = "ask"
    NUDGE = "nudge"
    ANNOUNCE = "announce"
    CHANGE = "change"
    REMIND = "remind"


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


def read_leads(text: str) -> frozenset[int]:
    """Read ``7,1``, or ``off`` as none; raises `ValueError` on a lead time that cannot be chosen."""
    if text.strip().lower() == "off":
        return frozenset()
    found = frozenset(int(part) for part in text.split(","))
    if not found <= set(LEADS):
        msg = f"choose from {', '.join(map(str, LEADS))}, or off"
        raise ValueError(msg)
    return found

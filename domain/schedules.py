"""Schedules: what the clock hands to whoever acts, what becomes of an occurrence, and when one is tried again."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from domain.recurrence import Occurrence

ASK_AHEAD = timedelta(days=21)
"""So long before an unconfirmed date a person is asked."""

_TRY_AGAIN = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=15), timedelta(hours=1))


class OccurrenceState(StrEnum):
    """What became of one time that something was to come."""

    WAITING = "waiting"  # for its time, or for another attempt
    UNCONFIRMED = "unconfirmed"  # for a person to say whether the date holds
    DONE = "done"
    TOO_LATE = "too_late"  # nobody would have had any use of it any more
    FAILED = "failed"  # it was tried until it was too late
    SKIPPED = "skipped"  # a person said: not this time


OPEN = (OccurrenceState.WAITING, OccurrenceState.UNCONFIRMED)


@dataclass(frozen=True, slots=True)
class Due:
    """An occurrence in the hands of a handler: whose it is, as planned, where it came to lie, how long it is of use."""

    occurrence_id: int
    schedule_id: int
    kind: str
    subject_id: int
    planned: date
    date: date
    at: datetime
    useful_until: datetime
    state: OccurrenceState
    attempts: int = 0
    asked: bool = False

    @property
    def moved(self) -> bool:
        return self.date != self.planned


def look_at(coming: Occurrence) -> datetime:
    """Say when the clock looks at an occurrence: at its time, or early enough to ask a person."""
    return coming.at if coming.confirmed else coming.at - ASK_AHEAD


def ended(due: Due, now: datetime) -> OccurrenceState | None:
    """Say how an occurrence ended if it is of no use any more."""
    if now <= due.useful_until:
        return None
    return OccurrenceState.FAILED if due.attempts else OccurrenceState.TOO_LATE


def try_again_at(due: Due, now: datetime) -> datetime:
    """Say when a failed occurrence comes again: later each time, and once at its very end."""
    wait = _TRY_AGAIN[min(due.attempts, len(_TRY_AGAIN) - 1)]
    return min(now + wait, max(due.useful_until, now + _TRY_AGAIN[0]))

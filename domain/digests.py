"""Digests: what is above a member's weekly cap is gathered, and comes as one message (DOMAIN.md 3.1)."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from domain.push_budget import WEEK_OPENS, next_week

SOURCE = "digest"
IN_DIGEST = "in_digest"
"""The reason of a delivery that ended in a digest instead of going out alone."""
NOW = 0
"""The number of a digest that has not gone out yet: what is gathered so far."""
USEFUL = timedelta(days=7)
STALE = timedelta(days=14)
"""What was not gathered for so long (the member had stopped) is not news any more."""


class Cadence(StrEnum):
    """How often a member's digest comes."""

    WEEKLY = "weekly"
    DAILY = "daily"


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing in a digest: a notice, a poll's call, or a nudge to confirm a notice."""

    source: str
    source_id: int


def due(cadence: Cadence, now: datetime, zone: str) -> datetime:
    """Return when the next digest comes: Monday, or the next morning, 08:00 local."""
    if cadence is Cadence.WEEKLY:
        return next_week(now, zone)
    local = now.astimezone(ZoneInfo(zone))
    day = local.date() + timedelta(days=local.time() >= WEEK_OPENS)
    return datetime.combine(day, WEEK_OPENS, ZoneInfo(zone)).astimezone(UTC)

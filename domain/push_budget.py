"""The weekly cap on pushes: counted from Monday, local; above it a push waits for the digest (DOMAIN.md 3.1)."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from domain.delivery import Lane

COUNTED_SOURCES = ("notice", "poll", "nudge", "service_day")
"""Sources that count against the cap: answers, and reminders one asked for, do not."""
COUNTED_LANE = Lane.NORMAL
"""Nor does what is urgent."""
WEEK_OPENS = time(8)


def week_start(now: datetime, zone: str) -> datetime:
    """Return the last Monday, 00:00 local, as UTC."""
    local = now.astimezone(ZoneInfo(zone))
    monday = local.date() - timedelta(days=local.weekday())
    return datetime.combine(monday, time(0), ZoneInfo(zone)).astimezone(UTC)


def next_week(now: datetime, zone: str) -> datetime:
    """Return next Monday, 08:00 local, as UTC: when the weekly digest comes."""
    local = now.astimezone(ZoneInfo(zone))
    monday = local.date() + timedelta(days=7 - local.weekday())
    return datetime.combine(monday, WEEK_OPENS, ZoneInfo(zone)).astimezone(UTC)


def counts(source: str, lane: Lane) -> bool:
    """Say whether a push counts against the cap, and waits for the digest above it."""
    return source in COUNTED_SOURCES and lane is COUNTED_LANE


def is_capped(pushes: int, cap: int) -> bool:
    """Say whether a member with so many pushes this week gets no more alone; a cap of 0 is no cap."""
    return cap > 0 and pushes >= cap

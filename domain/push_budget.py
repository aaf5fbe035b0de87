"""The weekly cap on pushes: counted from Monday, local; above it a push waits (DOMAIN.md 3.1)."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

COUNTED_SOURCES = ("notice", "poll", "nudge")
"""Sources that count against the cap: answers, and reminders one asked for, do not."""
WEEK_OPENS = time(8)


def week_start(now: datetime, zone: str) -> datetime:
    """Return the last Monday, 00:00 local, as UTC."""
    local = now.astimezone(ZoneInfo(zone))
    monday = local.date() - timedelta(days=local.weekday())
    return datetime.combine(monday, time(0), ZoneInfo(zone)).astimezone(UTC)


def next_week(now: datetime, zone: str) -> datetime:
    """Return next Monday, 08:00 local, as UTC: when a capped push may go."""
    local = now.astimezone(ZoneInfo(zone))
    monday = local.date() + timedelta(days=7 - local.weekday())
    return datetime.combine(monday, WEEK_OPENS, ZoneInfo(zone)).astimezone(UTC)


def capped_until(pushes: int, cap: int, now: datetime, zone: str) -> datetime | None:
    """Return until when a member with so many pushes this week waits; a cap of 0 is no cap."""
    return next_week(now, zone) if cap and pushes >= cap else None

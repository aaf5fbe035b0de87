"""Times that are offered for a poll: it closes in three days, a week or two, at the end of the working day."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

CLOSES = time(18)
DAYS = (3, 7, 14)


def closings(start: datetime, zone: ZoneInfo) -> list[datetime]:
    """Return a few good moments to close a poll that opens then."""
    first = start.astimezone(zone).date()
    return [datetime.combine(first + timedelta(days=days), CLOSES, zone).astimezone(UTC) for days in DAYS]

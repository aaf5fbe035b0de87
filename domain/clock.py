"""The type of a clock: rules take the time as a value, services are given a clock, only edges own one."""

from collections.abc import Callable
from datetime import date, datetime
from zoneinfo import ZoneInfo

Clock = Callable[[], datetime]
"""Returns the time now, aware, UTC."""

CITY_ZONE = ZoneInfo("Asia/Shanghai")


def day_of(now: datetime, zone: ZoneInfo = CITY_ZONE) -> date:
    """Return the local day: grants and terms begin and end with it."""
    return now.astimezone(zone).date()

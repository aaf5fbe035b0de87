"""Rest days: on weekends and public holidays a push waits for the next working day (DOMAIN.md 3.2)."""

from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from domain.delivery import Held
from domain.holidays import LONGEST_REST, Calendar
from domain.quiet_hours import QuietHours
from domain.recurrence import instant

DAY_OPENS = time(8)
ONE_DAY = timedelta(days=1)
ASKED_FOR = frozenset({"link_joined", "service_reminder", "service_change"})
"""Sources that rest days do not hold: answers to what one just did, reminders one asked for, and that the date one
was told does not hold: on Monday nobody need be told of Saturday.
"""


@dataclass(slots=True)
class RestDays:
    """Knows which days people work; `calendar` is replaced when a year's table is entered.

    Adjusted workdays are worked on; of an unknown year Saturdays and Sundays rest.
    """

    calendar: Calendar = field(default_factory=Calendar)

    def held_until(self, now: datetime, zone: str) -> datetime | None:
        """Return the opening (UTC) of the next working day if `now` lies on a rest day, or `None`."""
        day = now.astimezone(ZoneInfo(zone)).date()
        for ahead in range(LONGEST_REST):
            if self.calendar.is_workday(day + ahead * ONE_DAY):
                return instant(day + ahead * ONE_DAY, DAY_OPENS, zone) if ahead else None
        return None


def hold(quiet: QuietHours | None, rest: RestDays | None, now: datetime, zone: str) -> Held | None:
    """Say until when a push waits that would leave now: through the night, and the rest days after it."""
    night = None if quiet is None else quiet.held_until(now, zone)
    morning = None if rest is None else rest.held_until(night or now, zone)
    if morning is not None:
        return Held(morning, "rest_day")
    return None if night is None else Held(night, "quiet_hours")

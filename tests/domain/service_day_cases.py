"""Service days as the rules see them."""

from dataclasses import replace
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from domain.holidays import Calendar
from domain.organisations import HolidayPolicy
from domain.service_days import DayState, ServiceDay, propose

SHANGHAI = "Asia/Shanghai"
KNOWN = Calendar()
NEXT = HolidayPolicy.NEXT_FREE_SATURDAY
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
months = st.builds(date, st.integers(2005, 2100), st.integers(1, 12), st.just(1))
"""Years beyond those the library knows as well: there Monday to Friday count as worked on."""
MARCH, OCTOBER = date(2026, 3, 1), date(2026, 10, 1)


def at(day: date, hour: int = 9, minute: int = 0, zone: str = SHANGHAI) -> datetime:
    return datetime.combine(day, time(hour, minute), ZoneInfo(zone)).astimezone(UTC)


def a_day(month: date, state: DayState | None = None, policy: HolidayPolicy = NEXT, **fields) -> ServiceDay:
    says = propose(month, policy, fields.pop("calendar", KNOWN))
    made = ServiceDay(
        id=1,
        organisation_id=1,
        month=month,
        planned=says.planned,
        date=says.date,
        state=state or says.state,
        why=says.why,
        holiday=says.holiday,
        revision=0,
        told_revision=None,
        changed_at=LONG_AGO,
        decided_at=LONG_AGO if state and not state.open else None,
    )
    return replace(made, **fields)

"""Rest days: held until people work again, in their own zone, and by the official calendar where it is known."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.delivery import Held
from domain.holidays import Calendar, Day, DayKind, YearTable
from domain.quiet_hours import QuietHours
from domain.reach import Group, reach_of
from domain.rest_days import RestDays, hold

SHANGHAI = "Asia/Shanghai"
ZONES = st.sampled_from([SHANGHAI, "Europe/London", "America/New_York", "UTC"])
MOMENTS = st.datetimes(datetime(2024, 1, 1), datetime(2029, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


def local(*fields: int, zone: str = SHANGHAI) -> datetime:
    return datetime(*fields, tzinfo=ZoneInfo(zone)).astimezone(UTC)  # type: ignore[misc]


@pytest.mark.parametrize(
    ("now", "until"),
    [
        (local(2026, 3, 6, 12), None),  # a Friday
        (local(2026, 3, 7, 0), local(2026, 3, 9, 8)),  # a Saturday
        (local(2026, 3, 8, 23, 59), local(2026, 3, 9, 8)),  # a Sunday
        (local(2026, 10, 1, 9), local(2026, 10, 8, 8)),  # National Day: the 7th is its last
        (local(2026, 10, 10, 9), None),  # a Saturday on which people work instead
        (local(2026, 2, 14, 12), None),  # the same before Spring Festival
        (local(2026, 2, 15, 12), local(2026, 2, 24, 8)),
        (local(2040, 10, 1, 9), None),  # an unknown year: a Monday is worked on
        (local(2040, 10, 6, 9), local(2040, 10, 8, 8)),
    ],
)
def test_a_push_waits_for_the_next_working_day(now: datetime, until: datetime | None):
    assert RestDays().held_until(now, SHANGHAI) == until


def test_a_year_that_was_entered_counts():
    rest = RestDays()
    day = local(2040, 10, 1, 9)
    rest.calendar = Calendar([YearTable(2040, {date(2040, 10, 1): Day(DayKind.HOLIDAY)})])
    assert rest.held_until(day, SHANGHAI) == local(2040, 10, 2, 8)


def test_a_calendar_of_nothing_but_rest_holds_nothing_for_ever():
    rests = {date(2040, 1, 1) + timedelta(days=number): Day(DayKind.HOLIDAY) for number in range(366)}
    assert RestDays(Calendar([YearTable(2040, rests)])).held_until(local(2040, 5, 1, 9), SHANGHAI) is None


@given(MOMENTS, ZONES)
@settings(max_examples=50)
def test_a_hold_ends_at_eight_on_the_first_working_day(now: datetime, zone: str):
    calendar = Calendar()
    until = RestDays(calendar).held_until(now, zone)
    today = now.astimezone(ZoneInfo(zone)).date()
    assert (until is None) == calendar.is_workday(today)
    if until is None:
        return
    opens = until.astimezone(ZoneInfo(zone))
    assert opens.time() == time(8)
    between = (opens.date() - today).days
    assert calendar.is_workday(opens.date())
    assert not any(calendar.is_workday(today + timedelta(days=number)) for number in range(between))


@pytest.mark.parametrize(
    ("now", "held"),
    [
        (local(2026, 3, 5, 22), Held(local(2026, 3, 6, 8), "quiet_hours")),
        (local(2026, 3, 6, 22), Held(local(2026, 3, 9, 8), "rest_day")),  # Friday night runs into the weekend
        (local(2026, 3, 7, 12), Held(local(2026, 3, 9, 8), "rest_day")),
        (local(2026, 3, 8, 22), Held(local(2026, 3, 9, 8), "quiet_hours")),
        (local(2026, 3, 9, 7), Held(local(2026, 3, 9, 8), "quiet_hours")),
        (local(2026, 3, 9, 8), None),
    ],
)
def test_nights_and_rest_days_are_one_hold(now: datetime, held: Held | None):
    assert hold(QuietHours(), RestDays(), now, SHANGHAI) == held


def test_without_either_nothing_is_held():
    assert hold(None, None, local(2026, 3, 7, 23), SHANGHAI) is None


def test_the_reach_says_how_many_wait_over_rest_days_and_until_when():
    groups = [Group("", SHANGHAI, 1, False, 5), Group("", "Pacific/Apia", 1, False, 2)]
    friday_noon = local(2026, 3, 6, 12)  # in Apia it is Friday, 17:00
    saturday = friday_noon + timedelta(hours=7)  # 19:00 in Shanghai, 00:00 on Saturday in Apia
    found = reach_of(groups, quiet=None, rest=RestDays(), rates={1: 10.0}, now=saturday)
    assert (found.at_once, found.resting, found.reachable) == (5, 2, 7)
    assert found.resting_until == local(2026, 3, 9, 8, zone="Pacific/Apia")


def test_what_is_above_the_cap_waits_for_a_monday_that_is_worked_on():
    groups = [Group("", SHANGHAI, 1, True, 5)]
    before = local(2026, 9, 30, 12)
    found = reach_of(groups, quiet=QuietHours(), rest=RestDays(), rates={1: 10.0}, now=before)
    assert found.capped_until == local(2026, 10, 8, 8)

"""Quiet hours and the weekly cap, in local time."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.push_budget import is_capped, next_week, week_start
from domain.quiet_hours import QuietHours, parse

SHANGHAI = "Asia/Shanghai"
moments = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
times = st.builds(time, st.integers(0, 23), st.integers(0, 59))
zones = st.sampled_from([SHANGHAI, "Europe/London", "America/New_York", "UTC"])


@given(times, times, moments, zones)
def test_a_hold_ends_at_the_end_of_quiet_within_a_day_and_outside_of_it(start, end, now, zone):
    quiet = QuietHours(start, end)
    until = quiet.held_until(now, zone)
    if until is None:
        return
    assert now < until <= now + timedelta(hours=25)
    assert quiet.held_until(until, zone) is None


@pytest.mark.parametrize(
    ("hour", "minute", "day"),
    [
        (20, 59, None),
        (21, 0, 5),
        (23, 59, 5),
        (0, 0, 4),
        (7, 59, 4),
        (8, 0, None),
    ],
)
def test_the_night_is_quiet_from_nine_to_eight(hour, minute, day):
    now = datetime(2026, 3, 4, hour, minute, tzinfo=ZoneInfo(SHANGHAI))
    expected = None if day is None else datetime(2026, 3, day, 0, tzinfo=UTC)
    assert QuietHours().held_until(now, SHANGHAI) == expected


def test_hours_within_a_day_are_quiet_too():
    noon = QuietHours(time(12), time(14))
    assert noon.held_until(datetime(2026, 3, 4, 13, tzinfo=UTC), "UTC") == datetime(
        2026, 3, 4, 14, tzinfo=UTC
    )
    assert noon.held_until(datetime(2026, 3, 4, 14, tzinfo=UTC), "UTC") is None


def test_the_setting_is_read():
    assert parse("21:00-08:00") == QuietHours()
    assert parse(" Off ") is None


@pytest.mark.parametrize("text", ["", "21:00", "nine-eight", "25:00-08:00"])
def test_a_wrong_setting_is_refused(text):
    with pytest.raises(ValueError, match=r".+"):
        parse(text)


@given(moments, zones)
def test_a_week_starts_on_monday_and_the_next_one_at_eight(now, zone):
    start, following = week_start(now, zone).astimezone(ZoneInfo(zone)), next_week(now, zone)
    assert (start.weekday(), start.time()) == (0, time(0))
    assert start <= now < following
    assert following.astimezone(ZoneInfo(zone)).time() == time(8)
    assert week_start(following, zone) > start.astimezone(UTC)


def test_the_push_after_the_last_of_the_week_is_above_the_cap_and_a_cap_of_nothing_is_none():
    assert [is_capped(pushes, 3) for pushes in (2, 3, 9)] == [False, True, True]
    assert not is_capped(9, 0)

"""Codes of repeating: what a button says is read back as it was, and a forged one is refused."""

from datetime import UTC, date, datetime, time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.delivery import Held
from domain.holidays import Calendar, DayKind
from domain.quiet_hours import QuietHours
from domain.recurrence import Once, RuleNotUnderstood, dates
from domain.repeats import code_of, outlook_of_moment, pattern_of, rule_of
from domain.rest_days import RestDays

CODES = st.one_of(
    st.builds("w{}".format, st.integers(0, 6)),
    st.builds("d{}".format, st.integers(1, 31)),
    st.builds("{}{}".format, st.sampled_from("fl"), st.integers(0, 6)),
    st.dates().map(lambda day: f"y{day:%m%d}"),
)


@given(CODES)
@settings(max_examples=50)
def test_a_code_is_read_back_as_it_was(code: str):
    assert code_of(pattern_of(code)) == code


@pytest.mark.parametrize(
    ("code", "first"),
    [
        ("w2", date(2026, 3, 4)),
        ("d15", date(2026, 3, 15)),
        ("d31", date(2026, 3, 31)),
        ("f0", date(2026, 4, 6)),
        ("l4", date(2026, 3, 27)),
        ("y0701", date(2026, 7, 1)),
        ("y0229", date(2027, 2, 28)),
    ],
)
def test_a_code_means_what_its_button_says(code: str, first: date):
    assert next(dates(pattern_of(code), date(2026, 3, 4), date(2028, 1, 1))) == first


@pytest.mark.parametrize(
    "code", ["", "w7", "w", "d0", "d32", "f7", "y0000", "y1301", "y0231", "x1", "w1 ", "d٣", "w99999"]
)
def test_a_forged_pattern_is_refused(code: str):
    with pytest.raises(RuleNotUnderstood):
        pattern_of(code)


@pytest.mark.parametrize("at", ["", "9", "2400", "0960", "900 ", "abcd"])
def test_a_forged_time_is_refused(at: str):
    with pytest.raises(RuleNotUnderstood):
        rule_of("w2", at, "Asia/Shanghai")


def test_a_rule_keeps_its_dates_in_the_zone_it_comes_from():
    rule = rule_of("w2", "0930", "Asia/Shanghai")
    assert (rule.at, rule.zone) == (time(9, 30), "Asia/Shanghai")
    assert code_of(rule.pattern) == "w2"
    with pytest.raises(RuleNotUnderstood):
        code_of(Once(date(2026, 1, 1)))


def test_an_outlook_says_what_day_it_is_and_what_holds_it():
    national_day = datetime(2026, 10, 1, 1, 0, tzinfo=UTC)
    found = outlook_of_moment(
        national_day,
        zone="Asia/Shanghai",
        calendar=Calendar(),
        quiet=QuietHours(),
        rest=RestDays(),
    )
    assert found.day.kind is DayKind.HOLIDAY
    assert found.held == Held(datetime(2026, 10, 8, 0, 0, tzinfo=UTC), "rest_day")

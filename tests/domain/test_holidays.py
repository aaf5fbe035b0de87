"""Holidays: the library's years against the domain's figures, entered years, and years nobody knows."""

from collections import Counter
from datetime import date, timedelta

import pytest

from domain.holidays import Calendar, Day, DayKind, HolidayName, YearTable
from domain.organisations import HolidayPolicy
from domain.recurrence import NthWeekday, Rule, dates, next_free_saturday, place
from tests.recurrence_world import at

CALENDAR = Calendar()
FIRST_SATURDAY = NthWeekday(1, 5)
SATURDAYS = list(dates(FIRST_SATURDAY, date(2011, 1, 1), date(2026, 12, 31)))
NEW_YEAR = HolidayName("元旦", "New Year's Day")


def year_2027() -> YearTable:
    return YearTable(
        2027,
        {
            date(2026, 12, 31): Day(DayKind.HOLIDAY, NEW_YEAR),
            date(2027, 1, 1): Day(DayKind.HOLIDAY, NEW_YEAR),
            date(2027, 1, 2): Day(DayKind.HOLIDAY, NEW_YEAR),
            date(2027, 1, 9): Day(DayKind.ADJUSTED_WORKDAY, NEW_YEAR),
        },
    )


def test_the_first_saturdays_collide_as_the_domain_says():
    found = Counter(CALENDAR.day(day).kind for day in SATURDAYS)
    assert len(SATURDAYS) == 192
    assert found == {DayKind.REST: 139, DayKind.HOLIDAY: 43, DayKind.ADJUSTED_WORKDAY: 10}


def test_every_october_collides_and_no_march():
    collide = {(day.year, day.month) for day in SATURDAYS if CALENDAR.day(day).collides}
    assert {year for year, month in collide if month == 10} == set(range(2011, 2027))
    assert not [year for year, month in collide if month == 3]


def test_the_next_free_saturday_always_stays_in_the_month():
    rule = Rule(FIRST_SATURDAY, at(9), "Asia/Shanghai", HolidayPolicy.NEXT_FREE_SATURDAY)
    for day in SATURDAYS:
        found = place(rule, day, CALENDAR)
        assert found.confirmed
        assert (found.date.month, found.date.weekday()) == (day.month, 5)
        assert (found.moved_because is not None) == (found.date != day) == CALENDAR.day(day).collides


def test_the_four_that_move_in_2026():
    rule = Rule(FIRST_SATURDAY, at(9), "Asia/Shanghai", HolidayPolicy.NEXT_FREE_SATURDAY)
    placed = [place(rule, day, CALENDAR) for day in SATURDAYS if day.year == 2026]
    assert {(p.planned.month, p.planned.day, p.date.day) for p in placed if p.moved_because} == {
        (1, 3, 10),
        (4, 4, 11),
        (5, 2, 16),
        (10, 3, 17),
    }


def test_seven_days_before_is_mostly_a_rest_day():
    rule = Rule(FIRST_SATURDAY, at(9), "Asia/Shanghai", HolidayPolicy.NEXT_FREE_SATURDAY)
    before = [place(rule, day, CALENDAR).date - timedelta(days=7) for day in SATURDAYS]
    assert sum(not CALENDAR.is_workday(day) for day in before) == 154
    for day in before:
        workday = CALENDAR.last_workday_at_or_before(day)
        assert workday <= day
        assert CALENDAR.is_workday(workday)
        assert not any(
            CALENDAR.is_workday(workday + timedelta(days=n)) for n in range(1, (day - workday).days + 1)
        )


@pytest.mark.parametrize(
    ("day", "kind", "zh", "en"),
    [
        (date(2026, 10, 3), DayKind.HOLIDAY, "国庆节", "National Day"),
        (date(2026, 10, 10), DayKind.ADJUSTED_WORKDAY, "国庆节", "National Day"),
        (date(2026, 3, 7), DayKind.REST, "", ""),
        (date(2026, 3, 6), DayKind.WORKDAY, "", ""),
        (date(2027, 3, 6), DayKind.UNKNOWN, "", ""),
        (date(2003, 3, 6), DayKind.UNKNOWN, "", ""),
    ],
)
def test_a_day_has_a_kind_and_a_name_in_both_languages(day, kind, zh, en):
    found = CALENDAR.day(day)
    assert (found.kind, found.name.said("zh_CN"), found.name.said("en")) == (kind, zh, en)


def test_a_name_given_in_one_language_serves_both():
    assert HolidayName(zh="抗战胜利纪念日").said("en") == "抗战胜利纪念日"
    assert HolidayName(en="Asian Games").said("zh_CN") == "Asian Games"


def test_an_unknown_year_is_never_guessed_about():
    assert not CALENDAR.knows(2027)
    assert not CALENDAR.is_free_saturday(date(2027, 3, 6))
    assert CALENDAR.is_workday(date(2027, 3, 5))  # Monday to Friday, which `knows` tells apart
    assert next_free_saturday(date(2026, 12, 26), CALENDAR) is None
    assert CALENDAR.year(2027) == {}


def test_an_entered_year_is_known_and_rules_the_december_before():
    calendar = Calendar([year_2027()])
    assert calendar.knows(2027)
    assert calendar.day(date(2027, 1, 2)) == Day(DayKind.HOLIDAY, NEW_YEAR)
    assert calendar.day(date(2026, 12, 31)).kind is DayKind.HOLIDAY
    assert calendar.day(date(2026, 12, 30)).kind is DayKind.WORKDAY
    assert next_free_saturday(date(2027, 1, 2), calendar) == date(2027, 1, 16)
    assert list(calendar.year(2027)) == sorted(year_2027().days)


def test_an_entered_year_stands_above_the_library():
    calendar = Calendar([YearTable(2026, {})])
    assert calendar.day(date(2026, 10, 3)).kind is DayKind.REST


def test_a_table_of_nothing_but_rest_has_no_workday():
    days = {date(2027, 1, 1) + timedelta(days=n): Day(DayKind.HOLIDAY) for n in range(365)}
    assert Calendar([YearTable(2027, days)]).last_workday_at_or_before(date(2027, 6, 1)) == date(2027, 6, 1)

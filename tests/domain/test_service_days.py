"""Rules of the service day: where it comes to lie, what may be changed, who decides and whose words hold."""

from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain import service_days
from domain.holidays import NO_NAME, Calendar, Day, DayKind, HolidayName, YearTable
from domain.organisations import HolidayPolicy
from domain.service_days import (
    DayState,
    ServiceDayMovedOn,
    ServiceDayOutOfMonth,
    ServiceDayOver,
    Why,
    decider,
    first_saturday,
    months_from,
    offered,
    propose,
    refreshed,
    span,
    text_for,
)
from domain.service_steps import Anchor, deepest_first
from tests.domain.service_day_cases import KNOWN, LONG_AGO, MARCH, NEXT, OCTOBER, a_day, at, months


def year(number: int, policy: HolidayPolicy = NEXT) -> Iterator[service_days.Proposal]:
    return (propose(month, policy, KNOWN) for month in months_from(date(number, 1, 1), 12))


# Where it comes to lie


def test_the_year_2026_moves_four_times():
    moved = {
        each.planned: (each.date, each.why, each.holiday.zh)
        for each in year(2026)
        if each.date != each.planned
    }
    assert moved == {
        date(2026, 1, 3): (date(2026, 1, 10), Why.HOLIDAY, "元旦"),
        date(2026, 4, 4): (date(2026, 4, 11), Why.HOLIDAY, "清明节"),
        date(2026, 5, 2): (date(2026, 5, 16), Why.HOLIDAY, "劳动节"),
        date(2026, 10, 3): (date(2026, 10, 17), Why.HOLIDAY, "国庆节"),
    }


def test_sixteen_years_count_as_the_domain_says():
    found = [each for number in range(2011, 2027) for each in year(number)]
    moved = [each for each in found if each.date != each.planned]
    assert len(found) == 192
    assert sum(each.why is Why.HOLIDAY for each in moved) == 43
    assert sum(each.why is Why.ADJUSTED_WORKDAY for each in moved) == 10
    assert all(each.date.month == each.planned.month for each in found)
    assert not [each for each in moved if each.planned.month == service_days.SERVICE_MONTH]
    assert len([each for each in moved if each.planned.month == 10]) == 16


def test_a_kept_day_stays_and_says_what_it_falls_on():
    kept = propose(OCTOBER, HolidayPolicy.KEEP, KNOWN)
    assert (kept.date, kept.why, kept.state) == (date(2026, 10, 3), Why.HOLIDAY, DayState.PROPOSED)


def test_by_hand_a_collision_is_left_open_and_a_free_day_is_not():
    assert propose(OCTOBER, HolidayPolicy.BY_HAND, KNOWN).state is DayState.UNCONFIRMED
    assert propose(OCTOBER, HolidayPolicy.BY_HAND, KNOWN).date == date(2026, 10, 3)
    assert propose(MARCH, HolidayPolicy.BY_HAND, KNOWN).state is DayState.PROPOSED


def test_an_unknown_year_is_not_guessed_until_its_table_is_entered():
    january = date(2027, 1, 1)
    unknown = propose(january, NEXT, KNOWN)
    assert (unknown.date, unknown.why, unknown.state) == (
        date(2027, 1, 2),
        Why.UNKNOWN_YEAR,
        DayState.UNCONFIRMED,
    )
    new_year = Day(DayKind.HOLIDAY, HolidayName("元旦", "New Year's Day"))
    entered = Calendar([YearTable(2027, {date(2027, 1, number): new_year for number in (1, 2, 3)})])
    known = propose(january, NEXT, entered)
    assert (known.date, known.why, known.state) == (date(2027, 1, 9), Why.HOLIDAY, DayState.PROPOSED)
    day = a_day(january)
    again = refreshed(day, known, at(date(2026, 12, 1)))
    assert (again.date, again.state, again.revision) == (date(2027, 1, 9), DayState.PROPOSED, 1)


def test_what_a_person_decided_is_not_put_right_by_the_rule():
    decided = a_day(date(2027, 1, 1), DayState.CONFIRMED)
    says = propose(date(2027, 1, 1), HolidayPolicy.KEEP, KNOWN)
    assert refreshed(decided, says, at(date(2026, 12, 1))) is decided


# Deciding


def test_confirming_what_was_seen_holds_and_twice_is_once():
    day = a_day(MARCH)
    done = service_days.confirm(day, day.date, by=7, today=date(2026, 2, 25), now=at(date(2026, 2, 25)))
    assert (done.state, done.decided_by, done.revision) == (DayState.CONFIRMED, 7, 0)
    again = service_days.confirm(done, day.date, by=8, today=date(2026, 2, 26), now=at(date(2026, 2, 26)))
    assert again is done


def test_a_button_of_another_date_confirms_nothing():
    with pytest.raises(ServiceDayMovedOn):
        service_days.confirm(a_day(OCTOBER), date(2026, 10, 3), by=1, today=MARCH, now=LONG_AGO)


def test_a_day_that_is_over_cannot_be_confirmed_moved_or_cancelled():
    day, now = a_day(MARCH, DayState.CONFIRMED), at(date(2026, 3, 8))
    values = {"by": 1, "today": date(2026, 3, 8), "now": now}
    with pytest.raises(ServiceDayOver):
        service_days.confirm(a_day(MARCH), day.date, **values)
    with pytest.raises(ServiceDayOver):
        service_days.move(day, date(2026, 3, 14), **values)
    with pytest.raises(ServiceDayOver):
        service_days.cancel(day, **values)


def test_a_move_confirms_and_raises_the_revision_once():
    values = {"by": 1, "today": date(2026, 2, 20), "now": at(date(2026, 2, 20))}
    moved = service_days.move(a_day(MARCH), date(2026, 3, 14), **values)
    assert (moved.state, moved.date, moved.why, moved.revision) == (
        DayState.CONFIRMED,
        date(2026, 3, 14),
        Why.BY_HAND,
        1,
    )
    assert service_days.move(moved, date(2026, 3, 14), **values) is moved


def test_a_day_that_nobody_confirmed_in_time_can_be_held_later_in_its_month():
    values = {"by": 1, "now": at(date(2026, 3, 8))}
    late = service_days.move(a_day(MARCH), date(2026, 3, 21), today=date(2026, 3, 8), **values)
    assert (late.state, late.date) == (DayState.CONFIRMED, date(2026, 3, 21))
    with pytest.raises(ServiceDayOver):
        service_days.move(a_day(MARCH), date(2026, 4, 18), today=date(2026, 4, 5), **values)


@pytest.mark.parametrize("to", [date(2026, 2, 28), date(2026, 4, 4), date(2027, 3, 6)])
def test_a_move_stays_before_the_next_months_day(to: date):
    with pytest.raises(ServiceDayOutOfMonth):
        service_days.move(a_day(MARCH), to, by=1, today=date(2026, 2, 1), now=LONG_AGO)


def test_nothing_is_moved_to_today_or_before():
    with pytest.raises(ServiceDayOver):
        service_days.move(a_day(MARCH), date(2026, 3, 4), by=1, today=date(2026, 3, 4), now=LONG_AGO)


def test_a_cancelled_day_can_be_taken_up_again_with_a_date_but_not_with_an_old_button():
    values = {"by": 1, "today": date(2026, 3, 1), "now": at(date(2026, 3, 1))}
    gone = service_days.cancel(a_day(MARCH, DayState.CONFIRMED, told_revision=0), **values)
    assert (gone.state, gone.revision) == (DayState.CANCELLED, 1)
    assert service_days.cancel(gone, **values) is gone
    with pytest.raises(ServiceDayMovedOn):
        service_days.confirm(gone, gone.date, **values)
    back = service_days.move(gone, date(2026, 3, 21), **values)
    assert (back.state, back.revision) == (DayState.CONFIRMED, 2)


def test_free_saturdays_are_offered_and_of_an_unknown_year_all():
    assert offered(a_day(OCTOBER), date(2026, 9, 20), KNOWN) == [
        date(2026, 10, 24),
        date(2026, 10, 31),
    ]
    assert offered(a_day(date(2027, 1, 1)), date(2026, 12, 20), KNOWN) == [
        date(2027, 1, number) for number in (9, 16, 23, 30)
    ]


@given(months, st.integers(-20, 40))
@settings(max_examples=50)
def test_what_is_offered_can_be_chosen(month: date, ahead: int):
    day = a_day(month)
    today = day.date - timedelta(days=ahead)
    for each in offered(day, today, KNOWN) if today <= day.date else []:
        moved = service_days.move(day, each, by=1, today=today, now=LONG_AGO)
        assert moved.date == each
        assert span(month)[0] <= each <= span(month)[1]
        assert each.weekday() == 5


# Who decides, and whose words hold


def test_the_nearest_who_keeps_their_own_decides_else_the_root():
    assert decider("/1/2/3/", []) == 1
    assert decider("/1/2/3/", [2, 9]) == 2
    assert decider("/1/2/3/", [1, 2, 3]) == 3


def test_the_nearest_text_holds():
    assert text_for("/1/2/3/", {1: "市", 2: "区"}) == "区"
    assert text_for("/1/2/3/", {9: "别处"}) == ""


def test_the_deepest_are_told_first():
    anchors = [Anchor(1, "/1/", "UTC"), Anchor(3, "/1/2/3/", "UTC"), Anchor(2, "/1/2/", "UTC")]
    assert [each.organisation_id for each in deepest_first(anchors)] == [3, 2, 1]


def test_first_saturdays_fall_on_the_first_seven_days():
    for month in months_from(date(2004, 1, 1), 12 * 97):
        found = first_saturday(month)
        assert found.weekday() == 5
        assert (found.month, found.day <= 7) == (month.month, True)
    assert propose(MARCH, NEXT, KNOWN).holiday == NO_NAME

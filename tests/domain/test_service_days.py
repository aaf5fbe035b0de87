"""Rules of the service day: where it comes to lie, who is asked and reminded when, what may be changed."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain import service_days
from domain.holidays import NO_NAME, Calendar, Day, DayKind, HolidayName, YearTable
from domain.organisations import HolidayPolicy
from domain.refusals import Refusal
from domain.service_days import (
    DayState,
    ServiceDay,
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
from domain.service_steps import (
    LEADS,
    TELL_AHEAD,
    Anchor,
    StepKind,
    asks,
    deepest_first,
    read_leads,
    reminders,
    telling,
    working_day,
)

SHANGHAI = "Asia/Shanghai"
ZONES = ["Asia/Shanghai", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "UTC"]
KNOWN = Calendar()
NEXT = HolidayPolicy.NEXT_FREE_SATURDAY
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
months = st.builds(date, st.integers(2005, 2100), st.integers(1, 12), st.just(1))
"""Years beyond those the library knows as well: there Monday to Friday count as worked on."""


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


MARCH = date(2026, 3, 1)
OCTOBER = date(2026, 10, 1)


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


# When


def test_members_are_reminded_at_nine_on_the_working_day_before():
    found = {
        step.due.astimezone(ZoneInfo(SHANGHAI)).isoformat()[:16]: set(step.leads)
        for step in reminders(a_day(MARCH, DayState.CONFIRMED), SHANGHAI, KNOWN)
    }
    assert found == {  # 28 February 2026 was worked on, to make up for the Spring Festival
        "2026-02-28T09:00": {7},
        "2026-03-04T09:00": {3},
        "2026-03-05T09:00": {2},
        "2026-03-06T09:00": {1},
    }


def test_lead_times_that_fall_on_one_working_day_are_one_reminder():
    day = a_day(date(2026, 5, 1), DayState.CONFIRMED, date=date(2026, 5, 6))
    steps = reminders(day, SHANGHAI, KNOWN)
    assert [(service_days.date.fromordinal(step.key), set(step.leads)) for step in steps] == [
        (date(2026, 4, 29), {7}),
        (date(2026, 4, 30), {1, 2, 3}),
    ]


def test_a_reminder_that_was_due_before_the_date_was_decided_does_not_come():
    decided = at(date(2026, 3, 5), 15)
    day = a_day(MARCH, DayState.CONFIRMED, decided_at=decided)
    assert [date.fromordinal(step.key) for step in reminders(day, SHANGHAI, KNOWN)] == [date(2026, 3, 6)]


@given(months, st.sampled_from(list(HolidayPolicy)), st.sampled_from(ZONES))
@settings(max_examples=50)
def test_a_reminder_comes_on_a_working_day_before_the_day_and_each_lead_once(
    month: date, policy: HolidayPolicy, zone: str
):
    day = a_day(month, DayState.CONFIRMED, policy)
    steps = reminders(day, zone, KNOWN)
    told = KNOWN.last_workday_at_or_before(day.date - timedelta(days=TELL_AHEAD))
    later = [each for each in LEADS if working_day(day.date, each, KNOWN) > told]
    assert sorted(lead for step in steps for lead in step.leads) == sorted(later)
    for step in steps:
        on = date.fromordinal(step.key)
        assert KNOWN.is_workday(on)
        assert on < day.date
        assert step.due == at(on, zone=zone)
        assert step.due < step.until <= at(on + timedelta(days=1), 0, zone=zone)
        for lead in step.leads:
            between = (on + timedelta(days=n) for n in range(1, (day.date - on).days - lead + 1))
            assert on <= day.date - timedelta(days=lead)
            assert not any(KNOWN.is_workday(each) for each in between)


@given(months, st.integers(1, 60))
@settings(max_examples=50)
def test_who_confirms_is_asked_on_working_days_before_the_day(month: date, ahead: int):
    day = a_day(month)
    steps = asks(day, SHANGHAI, KNOWN, ahead)
    assert [step.kind for step in steps].count(StepKind.ASK) == 1
    assert steps == sorted(steps, key=lambda step: step.due, reverse=True)
    for step in steps:
        on = step.due.astimezone(ZoneInfo(SHANGHAI)).date()
        assert KNOWN.is_workday(on)
        assert on < day.date


def test_the_question_comes_two_weeks_before_and_again_at_ten_and_eight_days():
    steps = asks(a_day(date(2026, 6, 1)), SHANGHAI, KNOWN, 14)
    assert [(step.kind, step.key, step.due) for step in steps] == [
        (StepKind.NUDGE, 8, at(date(2026, 5, 29))),
        (StepKind.NUDGE, 10, at(date(2026, 5, 27))),
        (StepKind.ASK, 0, at(date(2026, 5, 22))),
    ]


def test_members_are_told_what_they_do_not_know():
    confirmed = a_day(MARCH, DayState.CONFIRMED)
    cancelled = a_day(MARCH, DayState.CANCELLED, revision=1)
    kinds = [
        telling(each, SHANGHAI, KNOWN)
        for each in (
            a_day(MARCH),
            confirmed,
            replace(confirmed, told_revision=0),
            replace(confirmed, told_revision=0, revision=1),
            cancelled,
            replace(cancelled, told_revision=0),
            replace(cancelled, told_revision=1),
        )
    ]
    said = [step and (step.kind, step.key) for step in kinds]
    change = (StepKind.CHANGE, 1)
    assert said == [None, (StepKind.ANNOUNCE, 0), None, change, None, change, None]


def test_a_day_that_is_confirmed_long_before_is_told_two_weeks_before_on_a_working_day():
    day = a_day(date(2026, 6, 1), DayState.CONFIRMED, decided_at=at(date(2026, 1, 5)))
    news = telling(day, SHANGHAI, KNOWN)
    assert news is not None
    assert news.due == at(date(2026, 5, 22))


def test_no_reminder_comes_with_the_announcement():
    """Between the two lies the Spring Festival: both fall on 14 February."""
    day = a_day(date(2026, 2, 1), DayState.CONFIRMED, date=date(2026, 2, 28))
    news = telling(day, SHANGHAI, KNOWN)
    assert news is not None
    assert news.due == at(date(2026, 2, 14))
    assert [date.fromordinal(step.key) for step in reminders(day, SHANGHAI, KNOWN)] == [
        date(2026, 2, 25),
        date(2026, 2, 26),
        date(2026, 2, 27),
    ]


events = st.lists(
    st.tuples(
        st.integers(0, 45),
        st.sampled_from([9, 12, 20]),
        st.sampled_from(["confirm", "move", "cancel", "look"]),
    ),
    max_size=8,
)


@given(months, events, st.integers(0, 30), st.sampled_from([-1, 1, 3]))
@settings(max_examples=60)
def test_whatever_is_decided_when_and_however_the_clock_runs_each_thing_happens_once_and_in_time(
    month: date, decisions: list[tuple[int, int, str]], choice: int, jump: int
):
    """Play the clock over a model of the rows: days go on, jump back once, or are missed three at a time."""
    day = a_day(month)
    first = day.date - timedelta(days=45)
    done: set[tuple[StepKind, int]] = set()
    sent: list[tuple[StepKind, date, date, int]] = []
    numbers = [*range(20), *range(20 + jump - 1, 60, 1)]
    for number in numbers:
        today = first + timedelta(days=number)
        for hour in (9, 12, 20):
            now = at(today, hour)
            for _, _, what in (each for each in decisions if each[:2] == (number, hour)):
                day = decided(day, what, choice, today, now)
            day = played(day, now, done, sent)
    reminders_sent = [(on, about) for kind, on, about, _ in sent if kind is StepKind.REMIND]
    assert all(KNOWN.is_workday(on) and on < about for on, about in reminders_sent)
    assert len({on for on, _ in reminders_sent}) == len(reminders_sent)
    told = [revision for kind, _, _, revision in sent if kind is not StepKind.REMIND]
    assert told == sorted(set(told))
    assert [kind for kind, *_ in sent].count(StepKind.ANNOUNCE) <= 1


def decided(day: ServiceDay, what: str, choice: int, today: date, now: datetime) -> ServiceDay:
    """Try a decision; what is refused changes nothing."""
    values = {"by": 1, "today": today, "now": now}
    try:
        if what == "confirm":
            return service_days.confirm(day, day.date, **values)
        if what == "move":
            return service_days.move(day, day.month + timedelta(days=choice), **values)
        if what == "cancel":
            return service_days.cancel(day, **values)
    except Refusal:
        pass
    return day


def played(day: ServiceDay, now: datetime, done: set[tuple[StepKind, int]], sent: list) -> ServiceDay:
    """Do what the clock does with a day that is decided."""
    news = telling(day, SHANGHAI, KNOWN)
    steps = [news] if news else []
    if day.state is DayState.CONFIRMED and day.told_revision == day.revision:
        steps = reminders(day, SHANGHAI, KNOWN)
    for step in steps:
        if step.due > now or (step.kind, step.key) in done:
            continue
        done.add((step.kind, step.key))
        if now <= step.until:
            on = now.astimezone(ZoneInfo(SHANGHAI)).date()
            sent.append((step.kind, on, day.date, day.revision))
        if step.kind is not StepKind.REMIND:
            return played(replace(day, told_revision=day.revision), now, done, sent)
    return day


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


@pytest.mark.parametrize(("text", "leads"), [("7,1", {7, 1}), ("off", set()), (" 3 ", {3})])
def test_lead_times_are_read(text: str, leads: set[int]):
    assert read_leads(text) == leads


@pytest.mark.parametrize("text", ["", "5", "seven", "7;1"])
def test_lead_times_that_cannot_be_are_refused(text: str):
    with pytest.raises(ValueError, match=r"choose from|invalid literal"):
        read_leads(text)


def test_first_saturdays_fall_on_the_first_seven_days():
    for month in months_from(date(2004, 1, 1), 12 * 97):
        found = first_saturday(month)
        assert found.weekday() == 5
        assert (found.month, found.day <= 7) == (month.month, True)
    assert propose(MARCH, NEXT, KNOWN).holiday == NO_NAME

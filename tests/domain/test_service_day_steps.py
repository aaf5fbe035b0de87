"""When a service day is asked about, told of and reminded of: each once, in time, on working days."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain import service_days
from domain.organisations import HolidayPolicy
from domain.refusals import Refusal
from domain.service_days import DayState, ServiceDay
from domain.service_steps import (
    LEADS,
    TELL_AHEAD,
    StepKind,
    asks,
    read_leads,
    reminders,
    telling,
    working_day,
)
from tests.domain.service_day_cases import KNOWN, MARCH, SHANGHAI, a_day, at, months

ZONES = ["Asia/Shanghai", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "UTC"]


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


@pytest.mark.parametrize(("text", "leads"), [("7,1", {7, 1}), ("off", set()), (" 3 ", {3})])
def test_lead_times_are_read(text: str, leads: set[int]):
    assert read_leads(text) == leads


@pytest.mark.parametrize("text", ["", "5", "seven", "7;1"])
def test_lead_times_that_cannot_be_are_refused(text: str):
    with pytest.raises(ValueError, match=r"choose from|invalid literal"):
        read_leads(text)

"""Recurrence: examples of each pattern, the rules for what does not exist, and properties against an oracle."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.holidays import Calendar, Day, DayKind, YearTable
from domain.organisations import HolidayPolicy
from domain.recurrence import (
    Every,
    MonthDay,
    NthWeekday,
    Once,
    Rule,
    RuleNotUnderstood,
    Yearly,
    dates,
    following,
    instant,
    next_after,
    occurrences,
)
from domain.recurrence_json import from_json, to_json
from tests.recurrence_world import (
    FIRST,
    LAST,
    ZONES,
    at,
    by_dateutil,
    days,
    first_instant,
    first_instants,
    patterns,
    placed,
    times,
    walk,
)

CALENDAR = Calendar()
SHANGHAI = "Asia/Shanghai"
KEEP, MOVE, BY_HAND = HolidayPolicy.KEEP, HolidayPolicy.NEXT_FREE_SATURDAY, HolidayPolicy.BY_HAND
zones = st.sampled_from(ZONES)
policies = st.sampled_from(list(HolidayPolicy))
rules = st.builds(Rule, patterns, times, zones, policies)
moments = st.datetimes(datetime(2004, 1, 1), datetime(2099, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        (Once(date(2026, 2, 3)), ["2026-02-03"]),
        (Every(10, date(2025, 12, 30)), ["2026-01-09", "2026-01-19", "2026-01-29"]),
        (MonthDay(15), ["2026-01-15", "2026-02-15", "2026-03-15"]),
        (MonthDay(31), ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30"]),
        (NthWeekday(1, 5), ["2026-01-03", "2026-02-07", "2026-03-07"]),
        (NthWeekday(-1, 4), ["2026-01-30", "2026-02-27", "2026-03-27"]),
        (Yearly(2, 29), ["2026-02-28", "2027-02-28", "2028-02-29"]),
    ],
)
def test_each_pattern_has_its_dates(pattern, expected):
    found = dates(pattern, date(2026, 1, 1), date(2030, 1, 1))
    assert [next(found).isoformat() for _ in expected] == expected


@settings(max_examples=40)
@given(patterns, days, st.integers(0, 800))
def test_dates_are_those_of_the_oracles(pattern, start, length):
    end = start + timedelta(days=length)
    found = list(dates(pattern, start, end))
    assert found == list(walk(pattern, start, end))
    assert found == by_dateutil(pattern, start, end)


@settings(max_examples=40)
@given(days, times, zones)
def test_instants_are_those_of_the_oracle(day, clock, zone):
    assert instant(day, clock, zone) == first_instant(day, clock, zone)


@pytest.mark.parametrize(
    ("day", "clock", "zone", "expected"),
    [
        (date(2026, 3, 8), at(2, 30), "America/New_York", "2026-03-08T07:00"),  # skipped: 2:30 is 3:00
        (date(2026, 11, 1), at(1, 30), "America/New_York", "2026-11-01T05:30"),  # twice: the first
        (date(2026, 10, 4), at(2, 15), "Australia/Lord_Howe", "2026-10-03T15:30"),  # half an hour: 2:30
        (date(2026, 4, 5), at(1, 45), "Australia/Lord_Howe", "2026-04-04T14:45"),
        (date(2011, 12, 30), at(9), "Pacific/Apia", "2011-12-30T10:00"),  # a day that never was: 31st, 0:00
        (date(2011, 12, 31), at(9), "Pacific/Apia", "2011-12-30T19:00"),
        (date(2011, 12, 29), at(9), "Pacific/Apia", "2011-12-29T19:00"),
    ],
)
def test_what_a_clock_skips_or_repeats(day, clock, zone, expected):
    assert instant(day, clock, zone) == datetime.fromisoformat(expected).replace(tzinfo=UTC)
    assert first_instant(day, clock, zone) == instant(day, clock, zone)


@settings(max_examples=40)
@given(rules, moments)
def test_the_next_ones_come_in_order_each_planned_once(rule, moment):
    found = next_after(rule, moment, CALENDAR)
    assert [each.at for each in found] == sorted(each.at for each in found)
    assert len({each.planned for each in found}) == len({each.date for each in found}) == len(found)
    assert all(each.at > moment for each in found)
    for one, other in pairwise(found):
        assert following(rule, one.planned, CALENDAR) == other


@settings(max_examples=40)
@given(rules, moments, st.integers(1, 60), st.integers(1, 60))
def test_a_span_is_the_sum_of_its_parts(rule, moment, one, two):
    middle, end = moment + timedelta(days=one), moment + timedelta(days=one + two)
    whole = list(occurrences(rule, moment, end, CALENDAR))
    assert whole == [*occurrences(rule, moment, middle, CALENDAR), *occurrences(rule, middle, end, CALENDAR)]


@settings(max_examples=40)
@given(rules, moments)
def test_what_moved_has_a_reason_and_what_did_not_has_none(rule, moment):
    for each in next_after(rule, moment, CALENDAR, n=3):
        moved = each.date != each.planned
        assert moved == (each.moved_because is not None)
        assert not moved or (rule.policy is MOVE and CALENDAR.is_free_saturday(each.date) and each.confirmed)
        if each.confirmed and rule.policy is not KEEP:
            assert CALENDAR.knows(each.planned.year)
            assert not CALENDAR.day(each.date).collides


def check_placed(pattern, clock, zone, start, end):
    rule = Rule(pattern, clock, zone, MOVE)
    found = [
        (each.planned, each.date, each.at)
        for each in occurrences(
            rule, first_instant(start, time(0), zone), first_instant(end, time(0), zone), CALENDAR
        )
    ]
    early = start - timedelta(days=70)
    expected = [(day, moved, first_instant(moved, clock, zone)) for day, moved in placed(pattern, early, end)]
    low, high = first_instant(start, time(0), zone), first_instant(end, time(0), zone)
    assert found == [each for each in expected if low < each[2] <= high]


official = st.dates(date(2004, 4, 1), date(2026, 6, 1))


@settings(max_examples=25, deadline=None)
@given(patterns, times, zones, official, st.integers(1, 90))
def test_moved_occurrences_are_those_of_the_oracle(pattern, clock, zone, start, length):
    check_placed(pattern, clock, zone, start, start + timedelta(days=length))


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(patterns, times, zones, official, st.integers(1, 180))
def test_moved_occurrences_are_those_of_the_oracle_far_and_wide(pattern, clock, zone, start, length):
    check_placed(pattern, clock, zone, start, start + timedelta(days=length))


def test_what_ends_gives_no_more():
    rule = Rule(Once(date(2026, 3, 4)), at(9), SHANGHAI)
    moment = rule.moment(date(2026, 3, 4))
    assert next_after(rule, moment - timedelta(minutes=1), CALENDAR)[0].at == moment
    assert next_after(rule, moment, CALENDAR) == []
    assert following(rule, date(2026, 3, 4), CALENDAR) is None


def test_a_date_moved_onto_the_next_one_is_that_one():
    weekly = Rule(Every(7, date(2026, 9, 26)), at(9), SHANGHAI, MOVE)
    found = next_after(weekly, datetime(2026, 9, 20, tzinfo=UTC), CALENDAR, n=2)
    assert [each.planned for each in found] == [date(2026, 10, 17), date(2026, 10, 24)]


def test_a_moved_date_is_found_when_its_planned_day_is_long_past():
    rule = Rule(NthWeekday(1, 5), at(9), SHANGHAI, MOVE)
    found = next_after(rule, datetime(2026, 10, 16, 12, tzinfo=UTC), CALENDAR, n=1)
    assert (found[0].planned, found[0].date) == (date(2026, 10, 3), date(2026, 10, 17))
    assert found[0].moved_because == CALENDAR.day(date(2026, 10, 3))


@pytest.mark.parametrize(
    ("policy", "day", "confirmed"),
    [
        (KEEP, date(2026, 10, 3), True),
        (BY_HAND, date(2026, 10, 3), False),
        (BY_HAND, date(2026, 11, 7), True),
        (MOVE, date(2026, 11, 7), True),
        (KEEP, date(2027, 3, 6), True),
        (BY_HAND, date(2027, 3, 6), False),
        (MOVE, date(2027, 3, 6), False),
    ],
)
def test_who_has_to_confirm(policy, day, confirmed):
    rule = Rule(Once(day), at(9), SHANGHAI, policy)
    (found,) = next_after(rule, datetime(2026, 1, 1, tzinfo=UTC), CALENDAR)
    assert (found.date, found.confirmed) == (day, confirmed)


def test_a_table_without_a_free_saturday_leaves_the_date_to_a_person():
    worked = {date(2027, 1, 2) + timedelta(days=7 * n): Day(DayKind.ADJUSTED_WORKDAY) for n in range(52)}
    calendar = Calendar([YearTable(2027, worked)])
    rule = Rule(NthWeekday(1, 5), at(9), SHANGHAI, MOVE)
    found = next_after(rule, datetime(2027, 1, 1, tzinfo=UTC), calendar, n=1)
    assert (found[0].date, found[0].confirmed) == (date(2027, 1, 2), False)


@settings(max_examples=40)
@given(rules)
def test_a_rule_reads_back_from_its_one_text(rule):
    text = to_json(rule)
    assert from_json(text) == rule
    assert to_json(from_json(text)) == text


def test_the_text_is_canonical():
    assert to_json(Rule(NthWeekday(1, 5), at(9), SHANGHAI, MOVE)) == (
        '{"at":"09:00","pattern":{"kind":"nth_weekday","n":1,"weekday":5},'
        '"policy":"next_free_saturday","zone":"Asia/Shanghai"}'
    )


@pytest.mark.parametrize(
    ("was", "becomes", "part"),
    [
        ('"n":1', '"n":0', "n"),
        ('"n":1', '"n":5', "n"),
        ('"n":1', '"n":true', "n"),
        ('"n":1', '"n":"1"', "n"),
        ('"n":1,', "", "pattern"),
        ('"n":1,', '"n":1,"m":2,', "pattern"),
        ('"weekday":5', '"weekday":7', "weekday"),
        ("nth_weekday", "weekly", "pattern"),
        ('"nth_weekday"', "[]", "pattern"),
        ("09:00", "24:00", "at"),
        ("09:00", "09:00:30", "at"),
        ('"09:00"', "9", "at"),
        (SHANGHAI, "Asia", "zone"),
        (SHANGHAI, "../etc/passwd", "zone"),
        (SHANGHAI, "", "zone"),
        (f'"{SHANGHAI}"', "8", "zone"),
        ("next_free_saturday", "ask", "policy"),
        ('"next_free_saturday"', "{}", "policy"),
        ('"at"', '"when"', "rule"),
        ("{", "", "json"),
        ("{", "[" * 300, "json"),
        (SHANGHAI, "A" * 500, "json"),
    ],
)
def test_a_wrong_text_is_refused_by_its_part(was, becomes, part):
    text = to_json(Rule(NthWeekday(1, 5), at(9), SHANGHAI, MOVE))
    with pytest.raises(RuleNotUnderstood) as refusal:
        from_json(text.replace(was, becomes, 1))
    assert refusal.value.fields == {"part": part}


@pytest.mark.parametrize(
    "pattern",
    [
        '{"kind":"once","at":"2026-02-30"}',
        '{"kind":"once","at":20260203}',
        '{"kind":"once","at":"20260203"}',
        '{"kind":"every","days":0,"since":"2026-01-01"}',
        '{"kind":"every","days":99999,"since":"2026-01-01"}',
        '{"kind":"month_day","day":32}',
        '{"kind":"month_day","day":1.5}',
        '{"kind":"yearly","month":2,"day":30}',
        '{"kind":"yearly","month":13,"day":1}',
        '"once"',
        "null",
    ],
)
def test_a_wrong_pattern_is_refused(pattern):
    with pytest.raises(RuleNotUnderstood):
        from_json(f'{{"at":"09:00","pattern":{pattern},"policy":"keep","zone":"UTC"}}')


def test_a_time_finer_than_a_minute_is_refused():
    with pytest.raises(RuleNotUnderstood):
        Rule(MonthDay(1), time(9, 0, 1), "UTC")


@pytest.mark.slow
@settings(max_examples=400, deadline=None)
@given(patterns)
def test_the_whole_span_of_years_is_that_of_the_oracles(pattern):
    found = list(dates(pattern, FIRST, LAST))
    assert found == list(walk(pattern, FIRST, LAST))
    assert found == by_dateutil(pattern, FIRST, LAST)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("zone", ZONES)
def test_every_day_of_the_years_has_its_instants_in_each_zone(zone):
    clocks = [at(0), at(1, 45), at(2), at(2, 15), at(2, 30), at(23, 45)]
    for day, clock, expected in first_instants(zone, clocks):
        assert instant(day, clock, zone) == expected, (day, clock)

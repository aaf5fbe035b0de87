"""The pace: never faster than its rate, held by a 429, rising slowly, urgent first."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.delivery import Lane
from domain.pace import CREEP_EVERY, SLOWEST, STAND_BACK, Granted, Later, Pace, group_size, in_flight_limit

bulk = st.sampled_from([Lane.NORMAL, Lane.URGENT])
requests = st.lists(st.tuples(bulk, st.integers(1, 100), st.floats(0, 2)), min_size=1, max_size=60)


@given(requests, st.floats(1, 1000))
def test_no_second_holds_more_than_the_rate(asked, rate):
    pace, now, sends = Pace(rate=rate, ceiling=rate, changed_at=1e9), 1000.0, []
    for lane, count, passed in asked:
        now += passed
        pace, granted = pace.reserve(lane, count, now)
        if isinstance(granted, Granted):
            sends += [granted.start + n * granted.interval for n in range(count)]
    assert sends == sorted(sends)
    for first, later in zip(sends, sends[int(rate) + 1 :], strict=False):
        assert later - first >= 1 - 1e-6


@given(st.lists(st.tuples(st.sampled_from(Lane), st.integers(1, 5)), max_size=40))
def test_nothing_is_reserved_more_than_a_second_ahead(asked):
    pace = Pace(rate=25, ceiling=30)
    for lane, count in asked:
        pace, granted = pace.reserve(lane, count, 1000.0)
        if isinstance(granted, Granted) and lane is not Lane.REPLY:
            assert granted.start - 1000.0 <= 1


@given(st.floats(1, 1000), st.lists(st.floats(0, 100), max_size=30))
def test_the_rate_creeps_up_and_stays_under_the_ceiling(rate, passed):
    pace, now = Pace(rate=min(rate, 25.0), ceiling=30), 0.0
    for seconds in passed:
        now += seconds
        before = pace
        pace = pace.crept(now)
        assert before.rate <= pace.rate <= pace.top < 30
        assert pace.rate == before.rate or now - before.changed_at >= CREEP_EVERY


def test_a_429_holds_everyone_and_halves_the_rate_once():
    pace = Pace(rate=24).slowed(retry_at=110, now=100).slowed(retry_at=105, now=101)
    assert (pace.rate, pace.held_until) == (12, 110)
    for lane in (Lane.NORMAL, Lane.URGENT):
        assert pace.reserve(lane, 1, 109)[1] == Later(110, held=True)
    assert isinstance(pace.reserve(Lane.NORMAL, 1, 110)[1], Granted)


def climb(pace, until):
    """Let seconds pass until the rate is there; return the pace and how many they were."""
    start, seconds = pace.changed_at, 0
    while pace.rate < until:
        seconds += 1
        pace = pace.crept(start + seconds)
        assert seconds < 2000
    return pace, seconds


def test_it_comes_back_quickly_to_what_was_good_and_hardly_to_what_was_refused():
    pace = Pace(rate=20, ceiling=30).slowed(retry_at=100, now=99)
    assert (pace.rate, pace.refused) == (10, 20)
    pace, seconds = climb(pace, 0.97 * 20)
    assert pace.rate == pytest.approx(19.4)
    assert seconds <= 15
    pace, seconds = climb(pace, 20)
    assert seconds >= 60
    pace, seconds = climb(pace, 1.03 * 20)
    assert seconds >= 60
    assert climb(pace, pace.top)[1] <= 20, "once passed, it holds nothing back"


def test_the_first_step_comes_a_second_after_the_hold():
    pace = Pace(rate=20, ceiling=30).slowed(retry_at=100, now=95)
    assert pace.crept(100.9).rate == 10 < pace.crept(101).rate


@given(st.integers(1, 60))
def test_the_rate_never_falls_to_nothing(times):
    pace = Pace(rate=25)
    for number in range(times):
        pace = pace.slowed(retry_at=number * 10 + 1, now=number * 10)
    assert pace.rate >= SLOWEST


def test_an_urgent_send_overtakes_the_normal_lane():
    pace = Pace(rate=10, ceiling=30, changed_at=1000)
    pace, _ = pace.reserve(Lane.NORMAL, 4, 1000)
    pace, refused = pace.reserve(Lane.NORMAL, 1, 1000)
    assert refused == Later(pytest.approx(1000.1))
    pace, granted = pace.reserve(Lane.URGENT, 1, 1000)
    assert granted == Granted(pytest.approx(1000.4), pytest.approx(0.1))


def test_a_reply_starts_at_once_and_pushes_the_rest_back():
    pace = Pace(rate=10, ceiling=20, arrival=1000.5, changed_at=1000)
    pace, granted = pace.reserve(Lane.REPLY, 1, 1000)
    assert granted == Granted(1000, 0.05)
    assert pace.arrival == pytest.approx(1000.6)


def test_a_reply_that_is_given_while_the_account_is_held_is_counted():
    pace = Pace(rate=10, ceiling=20, arrival=1000, held_until=1000.1, changed_at=1000)
    pace, _ = pace.reserve(Lane.REPLY, 10, 1000)
    assert pace.reserve(Lane.NORMAL, 1, 1000)[1] == Later(1000.1, held=True)
    assert pace.reserve(Lane.NORMAL, 1, 1000.2)[1] == Later(pytest.approx(1000.7))


@pytest.mark.parametrize(
    ("rate", "remaining", "size"),
    [(25, 500, 5), (1000, 500, 200), (9000, 2000, 1000), (1, 9, 1), (1000, 7, 7)],
)
def test_a_group_is_a_fifth_of_a_second(rate, remaining, size):
    assert group_size(rate, remaining) == size


@pytest.mark.parametrize(("rate", "p95", "limit"), [(25, 0.2, 16), (1000, 0.3, 600), (1000, 20, 2000)])
def test_enough_is_kept_in_flight_for_the_latency(rate, p95, limit):
    assert in_flight_limit(rate, p95) == limit


def shared_by_two(behind: float) -> tuple[int, int]:
    """Let two workers, each with a notice of its own, ask for one pace for a minute; the second's clock is behind."""
    pace, granted, asks_at = Pace(rate=29.0, ceiling=30.0, changed_at=1e12), [0, 0], [0.0, 0.0]
    group = group_size(pace.rate, 500)
    for step in range(60_000):
        now = 1000 + step / 1000
        for worker, clock in enumerate((now, now - behind)):
            if asks_at[worker] > now:
                continue
            back = STAND_BACK if granted[worker] > granted[1 - worker] + group else 0.0
            pace, answer = pace.reserve(Lane.NORMAL, group, clock, back)
            if isinstance(answer, Granted):
                granted[worker] += group
                asks_at[worker] = now + 0.005
            else:
                asks_at[worker] = answer.at - clock + now
    return granted[0], granted[1]


@pytest.mark.parametrize("behind", [0.0, 0.05, 0.09])
def test_clocks_that_differ_by_less_than_a_tenth_of_a_second_change_nothing(behind):
    first, second = shared_by_two(behind)
    assert abs(first - second) <= 0.03 * (first + second)


@pytest.mark.parametrize("behind", [0.12, 0.3, 1.0])
def test_a_worker_further_behind_gets_only_what_the_others_leave(behind):
    first, second = shared_by_two(behind)
    assert second < 0.01 * first
    assert first + second >= 60 * 28.5  # nothing of the pace is lost by it

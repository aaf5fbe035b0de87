"""How quickly a dispatch really goes out, against all the answers there were; and what is said of the rest."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.throughput import WINDOW, Finish, Moved, Rest, finish, last, window_of

NOON = datetime(2026, 3, 4, 4, tzinfo=UTC)
NINE = NOON + timedelta(hours=21)
START = 1_000_000_000.0


def counted(answers: list[float], at: float) -> Moved:
    """Count answers into windows, as a slice does."""
    moved, since, window = [0, 0], None, None
    for each in sorted(answers):
        here = window_of(each)
        if window is None or here > window + 1:
            moved, since = [0, 0], each
        elif here == window + 1:
            moved = [0, moved[0]]
        moved[0], window = moved[0] + 1, here
    here = window_of(at)
    if window is None or here > window + 1:
        return Moved()
    return Moved(*moved, since) if here == window else Moved(0, moved[0], since)


@given(
    per_second=st.integers(1, 60),
    began=st.floats(0, WINDOW),
    lasted=st.floats(2, 60),
)
def test_what_goes_out_steadily_has_its_rate_from_the_second_second_on(per_second, began, lasted):
    first = START + began
    answers = [first + n / per_second for n in range(int(lasted * per_second))]
    rate = counted(answers, answers[-1]).rate(answers[-1])
    assert rate == pytest.approx(per_second, rel=0.12, abs=2.1 / min(WINDOW, max(1, lasted)) + 0.1)


@given(stood=st.floats(0, 40))
def test_what_stands_still_says_so_within_two_windows(stood):
    answers = [START + n / 25 for n in range(25 * 60)]
    rate = counted(answers, answers[-1] + stood).rate(answers[-1] + stood)
    assert 0 <= rate <= 26
    if stood > 2 * WINDOW:
        assert rate == 0


def test_three_answers_at_once_are_no_rate_yet():
    assert Moved(3, 0, START).rate(START) == 3
    assert Moved().rate(START) == 0


def test_what_moves_is_over_at_the_rate_at_which_it_moves():
    assert finish(Rest(50, 0, None, begun=True), 5.0, 25.0, NOON) == Finish(NOON + timedelta(seconds=10))


def test_what_has_not_begun_gets_an_estimate_from_its_share():
    over = finish(Rest(50, 0, None, begun=False), 0.0, 25.0, NOON)
    assert over == Finish(NOON + timedelta(seconds=2), estimated=True)


def test_of_what_had_begun_and_stands_still_nothing_is_said():
    assert finish(Rest(50, 0, None, begun=True), 0.0, 25.0, NOON) is None
    assert last([Finish(NOON), None]) is None


def test_what_is_held_goes_out_at_its_share_once_it_may():
    over = finish(Rest(10, 25, NINE, begun=True), 5.0, 25.0, NOON)
    assert over == Finish(NINE + timedelta(seconds=1), estimated=True)
    assert finish(Rest(0, 25, NINE, begun=True), 0.0, 25.0, NOON) == over


def test_of_several_accounts_the_last_counts():
    assert last([Finish(NINE), Finish(NOON, estimated=True)]) == Finish(NINE, estimated=True)

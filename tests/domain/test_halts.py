"""When an account stops by itself, and how soon it is looked at again."""

from datetime import timedelta
from itertools import pairwise

import pytest

from domain.delivery import Busy, NotSent, Rejected, Sent, Unknown, Unreachable
from domain.halts import FIRST_PROBE, LONGEST_PROBE, Streak, next_probe


def walk(streak: Streak, outcome, number: int, *, every: float, begins: float = 0.0) -> list[bool]:
    """Note so many sends, each begun when the one before had landed."""
    times = [begins + every * each for each in range(number + 1)]
    return [streak.note(outcome, began, landed) for began, landed in pairwise(times)]


def test_lost_answers_stop_it_at_the_limit():
    assert walk(Streak(20), Unknown("502"), 20, every=0.01) == [False] * 19 + [True]


def test_what_was_in_flight_when_a_server_went_away_counts_once():
    streak = Streak(20)
    assert not any(streak.note(Unknown("reset"), 0.0, 1.0 + number / 1000) for number in range(500))
    assert streak.doubts == 1


def test_refused_connections_stop_it_only_when_they_last():
    streak = Streak(20)
    refused = NotSent("ClientConnectorError")
    assert not any(walk(streak, refused, 90, every=0.1))
    assert any(walk(streak, refused, 20, every=0.1, begins=9.0))


@pytest.mark.parametrize("answer", [Sent(1), Rejected("bad"), Unreachable("blocked"), Busy(None)])
def test_any_answer_of_the_server_begins_anew(answer):
    streak = Streak(20)
    walk(streak, Unknown("502"), 19, every=0.1)
    assert not streak.note(answer, 5.0, 5.1)
    assert not any(walk(streak, Unknown("502"), 19, every=0.1, begins=6.0))


def test_what_is_our_own_fault_says_nothing_of_the_server():
    streak = Streak(2)
    assert not any(walk(streak, NotSent("content"), 50, every=1.0))
    assert not any(walk(Streak(0), Unknown("502"), 50, every=1.0))


def test_it_is_looked_at_after_a_minute_and_then_ever_less_often():
    waits = [next_probe(None)]
    for _ in range(6):
        waits.append(next_probe(waits[-1]))
    assert waits[0] == FIRST_PROBE == timedelta(minutes=1)
    assert [each.seconds // 60 for each in waits] == [1, 2, 4, 8, 15, 15, 15]
    assert waits[-1] == LONGEST_PROBE

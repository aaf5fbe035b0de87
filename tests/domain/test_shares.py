"""Shares of a pace: who goes next, and who begins where."""

from hypothesis import given
from hypothesis import strategies as st

from domain.shares import Shares


def test_one_who_begins_makes_up_for_nothing():
    shares = Shares({1: 500.0, 2: 480.0}).after(3, 10)
    assert shares.granted == {1: 500.0, 2: 480.0, 3: 490.0}


def test_of_equals_goes_who_waits_longest():
    assert Shares({1: 5.0, 2: 3.0, 3: 3.0}).first([1, 3, 2]) == 3
    assert Shares().first([7, 4]) == 7


def test_ahead_is_who_had_more_than_so_many_beyond_another():
    shares = Shares({1: 10.0, 2: 20.0})
    assert [shares.ahead(2, by) for by in (9, 10)] == [True, False]
    assert not Shares({1: 10.0}).ahead(1, 0)
    assert not shares.ahead(3, 0)


@given(st.lists(st.integers(1, 50), min_size=30, max_size=60), st.integers(2, 5))
def test_shares_of_those_who_always_wait_stay_within_a_group_of_each_other(sizes: list[int], many: int):
    shares, waiting = Shares(), list(range(many))
    for size in sizes:
        chosen = shares.first(waiting)
        shares = shares.after(chosen, size)
        waiting.remove(chosen)
        waiting.append(chosen)
    times = [shares.at(each) for each in waiting]
    assert max(times) - min(times) <= max(sizes)

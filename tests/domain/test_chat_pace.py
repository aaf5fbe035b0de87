"""How often one chat is written to."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.chat_pace import GROUP_GAP, LONGEST_WAIT, MOST_KEPT, PRIVATE_GAP, ChatPace

asks = st.lists(st.tuples(st.sampled_from([1, 2, -1]), st.floats(0, 3)), min_size=2, max_size=40)


@given(asks=asks)
def test_a_private_chat_is_written_to_once_a_second_and_a_group_twenty_times_a_minute(asks):
    pace, now = ChatPace(), 1_000_000.0
    written: dict[int, list[float]] = {}
    for chat, passed in asks:
        now += passed
        wait = pace.ask(chat, now)
        if wait <= LONGEST_WAIT:
            written.setdefault(chat, []).append(now + wait)
    for chat, times in written.items():
        gap = GROUP_GAP if chat < 0 else PRIVATE_GAP
        assert all(later - earlier >= gap - 1e-6 for earlier, later in pairwise(times))
        if chat < 0:
            assert all(sum(start <= at < start + 60 for at in times) <= 20 for start in times)


def test_who_would_wait_long_takes_no_place_and_what_is_over_is_dropped():
    pace = ChatPace()
    assert [pace.ask(7, 100.0) for _ in range(4)] == pytest.approx([0.0, 1.1, 2.2, 2.2])
    for chat in range(MOST_KEPT):
        pace.ask(chat + 100, 200.0 + 2 * chat)
    assert len(pace.free_at) == 1


def test_at_a_fast_pace_what_is_kept_is_looked_through_now_and_then_only():
    pace = ChatPace()
    for chat in range(4 * MOST_KEPT):
        pace.ask(chat, 100.0 + chat / 1e5)
    assert pace.most >= 2 * MOST_KEPT, (
        "each chat is still busy: looking through them all each time finds none"
    )
    for chat in range(4 * MOST_KEPT):
        pace.ask(chat, 200.0 + chat)
    assert len(pace.free_at) <= pace.most + 1

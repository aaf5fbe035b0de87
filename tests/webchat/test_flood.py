"""Flood limits: what is paid passes beyond the free limit, up to its own, and one chat stays one chat."""

import pytest

from webchat.errors import BotApiError
from webchat.flood import Flood


def passed(flood: Flood, now: float, *, paid: bool, first: int = 1, most: int = 5000) -> int:
    """Send to one chat after the other at one instant, and return how many pass."""
    for number in range(most):
        try:
            flood.check(1, first + number, now, paid=paid)
        except BotApiError:
            return number
    return most


def test_a_bot_has_thirty_for_nothing_and_a_thousand_paid_ones_a_second_beside_each_other():
    flood = Flood()
    counts = [
        (passed(flood, at, paid=True, first=10_000), passed(flood, at, paid=False)) for at in (0, 60, 61, 62)
    ]
    burst, second = counts[0], counts[3]
    assert burst == (pytest.approx(1000, abs=2), pytest.approx(30, abs=2))
    assert second == (pytest.approx(1000, abs=2), pytest.approx(30, abs=2))


def test_one_chat_has_its_own_limit_whatever_is_paid():
    flood = Flood()
    for _ in range(6):
        flood.check(1, 7, 0.0, paid=True)
    with pytest.raises(BotApiError, match="retry after"):
        flood.check(1, 7, 0.0, paid=True)
    flood.check(1, 8, 0.0, paid=True)

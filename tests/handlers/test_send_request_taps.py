"""What the buttons of a request carry."""

import pytest

from domain.send_requests import Way
from handlers.send_request_taps import Ask, Asked

LARGE = 2**58


@pytest.mark.parametrize(
    "tap",
    [
        *(Ask(step="look", way=way, id=LARGE, stars=LARGE) for way in Way),
        Asked(step="page", id=LARGE, page=-LARGE),
    ],
)
def test_the_largest_tap_is_within_64_bytes(tap: Ask | Asked):
    assert len(tap.pack().encode()) <= 64

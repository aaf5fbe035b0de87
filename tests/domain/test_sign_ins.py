"""How long one stays signed in."""

from datetime import UTC, datetime, timedelta

import pytest

from domain.sign_ins import LASTS, UNUSED, SignIn, holds

BEGAN = datetime(2026, 3, 4, 1, tzinfo=UTC)
MOMENT = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("seen", "now", "held"),
    [
        (timedelta(), UNUSED - MOMENT, True),
        (timedelta(), UNUSED, False),
        (LASTS - UNUSED + MOMENT, LASTS - MOMENT, True),
        (LASTS - MOMENT, LASTS, False),
    ],
)
def test_a_sign_in_ends_with_the_working_day_or_when_nobody_uses_it(seen, now, held):
    sign_in = SignIn(1, 2, "zh_CN", at_home=True, opened_at=BEGAN, seen_at=BEGAN + seen)
    assert holds(sign_in, BEGAN + now) is held

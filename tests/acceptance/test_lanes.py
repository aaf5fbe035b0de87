"""A member's tap while a broadcast to 100,000 runs at the ceiling, by one process, and on PostgreSQL by one a role.

`python -m benchmarks lanes` says how long it takes.
"""

from pathlib import Path

import pytest

from tests.acceptance.busy_lanes import ALL_ROLES, SPLIT_ROLES, tap_amid_a_broadcast

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]
TAPS = 40


async def test_a_menu_tap_is_answered_within_a_second_and_the_broadcast_keeps_its_rate(
    database, tmp_path: Path
):
    roles = ALL_ROLES if database.dialect == "sqlite" else SPLIT_ROLES
    tapped = await tap_amid_a_broadcast(database, tmp_path, roles, TAPS)
    assert tapped.p95 < 1.0
    assert tapped.share >= 0.9

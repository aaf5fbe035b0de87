"""How long a member waits for the answer to a tap while a broadcast to 100,000 runs at the ceiling.

    python -m benchmarks.lanes [TAPS]

The bridge as it runs, over real HTTP to our chat server, every method of which but the poll takes 200 +- 100 ms: on
SQLite one process with all roles, on PostgreSQL a bot, two workers and a clock. An answer to a tap is two requests,
the screen and that the tap was heard; a tap is over when the member's chat shows the screen.
"""

import statistics
import sys
import tempfile
from functools import partial
from pathlib import Path

from benchmarks.common import fresh, run, show
from tests.acceptance.busy_lanes import (
    ALL_ROLES,
    CEILING,
    EVERYBODY,
    SPLIT_ROLES,
    Tapped,
    tap_amid_a_broadcast,
)

TAPS = 100
SLOWEST, LEAST = 1.0, 0.9
CASES = {
    "SQLite, one process": ("sqlite", ALL_ROLES),
    "PostgreSQL, a bot, two workers, a clock": ("postgresql", SPLIT_ROLES),
}


async def main(taps: int = TAPS) -> None:
    found = {name: await _measure(*case, taps) for name, case in CASES.items()}
    slowest, least = max(each.p95 for each in found.values()), min(each.share for each in found.values())
    show(
        f"{taps} taps amid a broadcast to {EVERYBODY:,} at {CEILING:.0f}/s",
        ("", "median, ms", "p95, ms", "slowest, ms", "broadcast a second", "with answers", "of the allowed"),
        [_row(name, each) for name, each in found.items()],
        bar=(
            f"While a broadcast of {EVERYBODY:,} runs at the ceiling, a menu tap is answered with p95 under {SLOWEST:.0f} s, "
            f"and both together hold {LEAST} of the allowed rate"
        ),
        reached=f"{slowest * 1000:.0f} ms, {least:.2f} of the allowed rate",
        met=slowest < SLOWEST and least >= LEAST,
        note="What answers people is taken from the pace of the broadcast: the screen is a message, that a tap was heard is none.",
    )


async def _measure(engine: str, roles: tuple[tuple[str, ...], ...], taps: int) -> Tapped:
    with tempfile.TemporaryDirectory(prefix="tongdao-bench-") as folder:
        async with fresh(engine, "lanes") as database:
            return await tap_amid_a_broadcast(database, Path(folder), roles, taps)


def _row(name: str, tapped: Tapped) -> tuple[str, ...]:
    times = (statistics.median(tapped.waits), tapped.p95, max(tapped.waits))
    rates = (f"{tapped.broadcast:.1f}", f"{tapped.together:.1f}", f"{tapped.share:.2f}")
    return (name, *(f"{each * 1000:.0f}" for each in times), *rates)


if __name__ == "__main__":
    run(partial(main, *map(int, sys.argv[1:2])))

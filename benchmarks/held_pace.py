"""Whether two workers on PostgreSQL hold a pace of 1000/s at 200 +- 100 ms of latency, and never exceed it.

The fake server counts per second; the first and last two seconds are left out, everything else is looked at.
"""

import asyncio
from contextlib import AsyncExitStack

from benchmarks.common import run, show
from benchmarks.fake_server import Stats, fake_server
from benchmarks.worker import Used, filled, running_workers

CEILING, SENDS, WORKERS = 1000, 30_000, 2
LEAST, MOST, MOST_IN_A_SECOND = 970, 1000, 1010
EDGE = 2
"""Seconds left out at the beginning and at the end."""


async def main() -> None:
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(filled("postgresql", "held_pace", SENDS, rate=CEILING))
        server = await stack.enter_async_context(fake_server(latency_ms=200, spread_ms=100))
        async with running_workers(database, server, rate=CEILING, ceiling=CEILING, count=WORKERS) as workers:
            for worker in workers:
                worker.begin()
            used = await asyncio.gather(*(worker.ended() for worker in workers))
        stats = await server.stats()
    _show(stats, used)


def _show(stats: Stats, used: list[Used]) -> None:
    middle = stats.seconds[EDGE : -EDGE - 1]
    held = sum(middle) / len(middle)
    met = LEAST <= held <= MOST and stats.busiest <= MOST_IN_A_SECOND and not stats.doubled
    below = sum(second < LEAST for second in middle)
    cpu = [f"{each.cpu / stats.taken * WORKERS * 1e6:.0f} us" for each in used]
    show(
        f"{SENDS:,} sends by {WORKERS} workers on PostgreSQL, pace {CEILING}/s",
        ("", "figure"),
        [
            ("held, mean a second", f"{held:.0f}"),
            ("least and most in a whole second", f"{min(middle)} to {max(middle)}"),
            (f"whole seconds below {LEAST}, of all", f"{below} of {len(middle)}"),
            ("most in any second, wherever it begins", f"{stats.busiest}"),
            ("sent, of them twice", f"{stats.taken:,}, {stats.doubled}"),
            ("CPU of each worker a delivery of its half", ", ".join(cpu)),
            ("CPU of each worker", ", ".join(f"{each.cpu / each.seconds:.0%}" for each in used)),
        ],
        bar=f"Held pace at {CEILING}/s with {WORKERS} workers on PostgreSQL: {LEAST}-{MOST}/s, "
        f"never over {MOST_IN_A_SECOND} in any second",
        reached=f"a mean of {held:.0f}/s, at most {stats.busiest}, and {below} of {len(middle)} whole seconds below {LEAST}",
        met=met,
    )


if __name__ == "__main__":
    run(main)

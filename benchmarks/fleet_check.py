"""How much more real workers cost PostgreSQL than the sum of their steps, where both can be had.

Real workers send to the fake server at 200 ms of latency; what PostgreSQL's processes use meanwhile is set against the
simulation of the same plan, which knows nothing but the steps that `database_cost` measured, one after the other in a
loop. Between other things, on connections that waited, a step costs more; docs/scaling.md reckons with the worst ratio.
What the workers use themselves stands beside it: at 30/s a group is six messages, and those who have nothing to send
look for a job all the same.
"""

import asyncio
from contextlib import AsyncExitStack

from benchmarks.common import run, show
from benchmarks.database_cost import Measure, settle
from benchmarks.fake_server import fake_server
from benchmarks.fleet import Plan, Simulation
from benchmarks.scaling import RUNS, steps
from benchmarks.worker import Worker, filled, running_workers

LATENCY, SPREAD = 200, 100
WAITING = 100_000
WARM, MEASURED = 8.0, 12.0
"""Seconds until connections are open and statements known, and seconds that are looked at."""


async def main() -> None:
    rows: list[tuple[str, ...]] = []
    for pace, workers in RUNS:
        (real, own), found = await _run(pace, workers), _simulated(pace, workers)
        cells = (f"{real:.0f}", f"{found:.0f}", f"{real / found:.2f}", f"{own:.0f}")
        rows.append((f"{pace}/s, {workers} workers", *cells))
    show(
        "CPU of PostgreSQL a delivery, and of all workers together",
        ("", "real, us", "simulated, us", "real of simulated", "all workers, us"),
        rows,
        note=f"On one account, {MEASURED:.0f} seconds amid a notice to {WAITING:,}; one worker ticks as a clock.",
    )


async def _run(pace: int, workers: int) -> tuple[float, float]:
    """Return the microseconds of PostgreSQL, and of the workers, that a delivery takes, once all is under way."""
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(filled("postgresql", "fleet_check", WAITING, rate=pace))
        server = await stack.enter_async_context(fake_server(latency_ms=LATENCY, spread_ms=SPREAD))
        started = running_workers(database, server, rate=pace, ceiling=pace, count=workers, clocks=1)
        running = await stack.enter_async_context(started)
        await settle(database)
        measure = Measure(database)
        for worker in running:
            worker.begin()
        await asyncio.sleep(WARM)
        before, sent = (measure.cpu(), _cpu(running)), (await server.stats()).taken
        await asyncio.sleep(MEASURED)
        after, count = (measure.cpu(), _cpu(running)), (await server.stats()).taken - sent
        return (after[0] - before[0]) / count * 1e6, (after[1] - before[1]) / count * 1e6


def _cpu(workers: list[Worker]) -> float:
    return sum(worker.cpu() for worker in workers)


def _simulated(pace: int, workers: int) -> float:
    paid = 1 if pace > 30 else 0
    plan = Plan("", cores=2, paid=paid, workers=workers, accounts=1, members=WAITING, seconds=MEASURED)
    run = Simulation(plan, steps()).simulate()
    return run.busy / sum(run.sent.values()) * 1e6


if __name__ == "__main__":
    run(main)

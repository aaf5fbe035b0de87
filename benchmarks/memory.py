"""Whether a worker needs more memory, or a delivery more CPU, when 1,000,000 wait than when 10,000 do.

A worker process sends at a pace it cannot reach to a server without latency. The first deliveries, for which
connections are opened and statements built, are not counted; of the 1,000,000 a part is sent, while all of them wait.
Exits with 1 if a bar is missed.
"""

import asyncio
import os
import sys
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import uvloop

from benchmarks.common import ENGINES, show
from benchmarks.fake_server import FakeServer, fake_server
from benchmarks.worker import Worker, filled, running_workers

FEW, MANY = 10_000, 1_000_000
SENT = {FEW: 9_000, MANY: 60_000}
WARM = 2_000
PACE = 100_000
MOST = 1.1


@dataclass(frozen=True, slots=True)
class Cost:
    """MB at the peak, seconds of CPU a delivery, and deliveries a second."""

    memory: float
    cpu: float
    rate: float


async def main() -> None:
    rows, ratios = [], []
    for engine in ENGINES:
        few, many = [await _measure(engine, size) for size in (FEW, MANY)]
        rows += [_row(f"{engine}, {size:,} wait", cost) for size, cost in ((FEW, few), (MANY, many))]
        ratio = Cost(many.memory / few.memory, many.cpu / few.cpu, many.rate / few.rate)
        rows.append((f"{engine}, ratio", *(f"{each:.2f}" for each in (ratio.memory, ratio.cpu, ratio.rate))))
        ratios.append(ratio)
    show(
        "A worker while few and many wait",
        ("", "memory at its peak, MB", "CPU a delivery, us", "deliveries a second"),
        rows,
        bar=f"Memory of a worker, and cost per delivery, {FEW:,} against {MANY:,} recipients: at most {MOST}x each",
        reached=", ".join(
            f"{ratio.memory:.2f}x and {ratio.cpu:.2f}x on {engine}"
            for engine, ratio in zip(ENGINES, ratios, strict=True)
        ),
        met=all(ratio.memory <= MOST and ratio.cpu <= MOST for ratio in ratios),
        note=f"Measured from {WARM:,} sent to {SENT[FEW]:,} of {FEW:,} and to {SENT[MANY]:,} of {MANY:,}.",
    )
    sys.exit(any(ratio.memory > MOST or ratio.cpu > MOST for ratio in ratios))


async def _measure(engine: str, size: int) -> Cost:
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(filled(engine, "memory", size, rate=PACE))
        server = await stack.enter_async_context(fake_server())
        [worker] = await stack.enter_async_context(running_workers(database, server, rate=PACE, ceiling=PACE))
        loop = asyncio.get_running_loop()
        worker.begin()
        sent, cpu, began = await _reach(server, WARM), _cpu(worker), loop.time()
        last = await _reach(server, SENT[size])
        used, seconds = _cpu(worker) - cpu, loop.time() - began
        return Cost(_peak(worker), used / (last - sent), (last - sent) / seconds)


async def _reach(server: FakeServer, count: int) -> int:
    """Wait until the server has taken so many; return how many they are by then."""
    while (taken := (await server.stats()).taken) < count:  # noqa: ASYNC110 - another process counts
        await asyncio.sleep(0.02)
    return taken


def _cpu(worker: Worker) -> float:
    user, system = Path(f"/proc/{worker.pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def _peak(worker: Worker) -> float:
    lines = Path(f"/proc/{worker.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:"))


def _row(name: str, cost: Cost) -> tuple[str, ...]:
    return (name, f"{cost.memory:.0f}", f"{cost.cpu * 1e6:.0f}", f"{cost.rate:,.0f}")


if __name__ == "__main__":
    uvloop.run(main())

"""Whether a worker needs more memory, or a delivery more CPU, when 1,000,000 wait than when 10,000 do.

Two worker processes run side by side, so that the machine is the same for both, at the same high pace, each to a
server without latency: for one 10,000 wait, for the other 1,000,000. CPU is compared over the same stretch of sends,
after the first, for which connections are opened and statements built. The other then goes on, to show whether its
memory grows or its deliveries become dearer.
"""

import asyncio
import os
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from benchmarks.common import ENGINES, run, show
from benchmarks.fake_server import FakeServer, fake_server
from benchmarks.worker import Worker, filled, running_workers, status

FEW, MANY = 10_000, 1_000_000
PACE = 1_500
WARM, COMPARED, LAST = 2_000, 9_500, 60_000
MOST = 1.1


@dataclass(frozen=True, slots=True)
class Cost:
    """MB at the peak, and seconds of CPU a delivery: of the stretch that is compared, and of what came after."""

    memory: float
    cpu: float
    later: float | None = None


async def main() -> None:
    rows, ratios = [], []
    for engine in ENGINES:
        few, many = await _compare(engine)
        rows += [_row(f"{engine}, {size:,} wait", cost) for size, cost in ((FEW, few), (MANY, many))]
        ratio = (many.memory / few.memory, many.cpu / few.cpu)
        rows.append((f"{engine}, ratio", f"{ratio[0]:.2f}", f"{ratio[1]:.2f}", ""))
        ratios.append(ratio)
    met = all(each <= MOST for ratio in ratios for each in ratio)
    show(
        f"A worker at {PACE:,}/s while few and many wait",
        ("", "memory at its peak, MB", "CPU a delivery, us", f"after {COMPARED:,}, us"),
        rows,
        bar=f"Memory of a worker, and cost per delivery, {FEW:,} against {MANY:,} recipients: at most {MOST}x each",
        reached=", ".join(
            f"{memory:.2f}x and {cpu:.2f}x on {engine}"
            for engine, (memory, cpu) in zip(ENGINES, ratios, strict=True)
        ),
        met=met,
        note=f"CPU from {WARM:,} sent to {COMPARED:,}. Of the {MANY:,}, the first {LAST:,} are sent.",
    )


async def _compare(engine: str) -> list[Cost]:
    async with AsyncExitStack() as stack:
        running = []
        for size in (FEW, MANY):
            database = await stack.enter_async_context(filled(engine, f"memory_{size}", size, rate=PACE))
            server = await stack.enter_async_context(fake_server())
            started = running_workers(database, server, rate=PACE, ceiling=PACE)
            running.append((server, *await stack.enter_async_context(started)))
        few, many = running
        return await asyncio.gather(_measure(*few), _measure(*many, LAST))


async def _measure(server: FakeServer, worker: Worker, last: int = 0) -> Cost:
    worker.begin()
    warm, at_first = await _reach(server, WARM), _cpu(worker)
    compared, at_half = await _reach(server, COMPARED), _cpu(worker)
    cpu = (at_half - at_first) / (compared - warm)
    if not last:
        return Cost((await worker.ended()).peak, cpu)
    sent = await _reach(server, last)
    return Cost(status(worker.pid, "VmHWM"), cpu, (_cpu(worker) - at_half) / (sent - compared))


async def _reach(server: FakeServer, count: int) -> int:
    """Wait until the server has taken so many; return how many they are by then."""
    while (taken := (await server.stats()).taken) < count:  # noqa: ASYNC110 - another process counts
        await asyncio.sleep(0.02)
    return taken


def _cpu(worker: Worker) -> float:
    user, system = Path(f"/proc/{worker.pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def _row(name: str, cost: Cost) -> tuple[str, ...]:
    later = "" if cost.later is None else f"{cost.later * 1e6:.0f}"
    return (name, f"{cost.memory:.0f}", f"{cost.cpu * 1e6:.0f}", later)


if __name__ == "__main__":
    run(main)

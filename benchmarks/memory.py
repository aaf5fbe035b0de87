"""Whether a worker needs more memory, or a delivery more CPU, when 1,000,000 wait than when 10,000 do.

    python -m benchmarks.memory [LAST]

Worker processes send at the same high pace, each to a server without latency. The one for whom 1,000,000 wait sends
LAST of them (200,000 if nothing is said; 1,000,000 takes all, a quarter of an hour on each database). Beside its
beginning, and again beside its end, runs one for whom 10,000 wait, from its first send to its last: so the machine is
the same for those who are compared, and what is deep in the many is compared, too. CPU is that of the same stretch of
wall time, after the first sends, for which connections are opened and statements built. Between the two the one worker
is alone, and a delivery may cost another sum: with less to do on the machine its batches are smaller.
"""

import asyncio
import sys
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial

from benchmarks.common import ENGINES, run, show
from benchmarks.fake_server import FakeServer, fake_server
from benchmarks.worker import Used, Worker, filled, running_workers, status

FEW, MANY = 10_000, 1_000_000
LAST = 200_000
PACE = 1_500
WARM, COMPARED = 2_000, 9_500
"""CPU is compared while the one with few sends from its so manieth to its so manieth."""
MOST = 1.1
Running = tuple[FakeServer, Worker]


@dataclass(frozen=True, slots=True)
class Beside:
    """A delivery's seconds of CPU in the same stretch of time, of few and of many, and MB at the few's peak."""

    few: float
    many: float
    peak: float

    @property
    def ratio(self) -> float:
        return self.many / self.few


@dataclass(frozen=True, slots=True)
class Found:
    """Of one database: both comparisons, the stretch between them, and MB at the many's peak."""

    early: Beside
    late: Beside
    alone: float
    peak: float

    @property
    def memory(self) -> float:
        return self.peak / self.few_peak

    @property
    def few_peak(self) -> float:
        return (self.early.peak + self.late.peak) / 2


async def main(last: int = LAST) -> None:
    found = {engine: await _compare(engine, last) for engine in ENGINES}
    show(
        f"A worker at {PACE:,}/s while few and many wait",
        (
            "",
            "memory at its peak, MB",
            "CPU a delivery at the beginning, us",
            "between, us",
            "at the end, us",
        ),
        [row for engine, each in found.items() for row in _rows(engine, each)],
        bar=f"Memory of a worker, and cost per delivery, {FEW:,} against {MANY:,} recipients: at most {MOST}x each",
        reached=", ".join(
            f"{each.memory:.2f}x and {each.early.ratio:.2f}x at first, {each.late.ratio:.2f}x after {last:,} on {engine}"
            for engine, each in found.items()
        ),
        met=all(
            ratio <= MOST
            for each in found.values()
            for ratio in (each.memory, each.early.ratio, each.late.ratio)
        ),
        note=f"Few send from {WARM:,} to {COMPARED:,} while many do the same, and again while many near {last:,}.",
    )


async def _compare(engine: str, last: int) -> Found:
    async with AsyncExitStack() as stack:
        start = partial(_start, stack, engine)
        first, second = await start("memory_few", FEW), await start("memory_few_late", FEW)
        many = await start("memory_many", MANY)
        many[1].begin()
        early = await _beside(first, many)
        alone = await _stretch(many, (await _taken(many)) + 1, last - FEW)
        late = await _beside(second, many)
        await _reach(many[0], last)
        return Found(early, late, alone, status(many[1].pid, "VmHWM"))


async def _start(stack: AsyncExitStack, engine: str, name: str, size: int) -> Running:
    database = await stack.enter_async_context(filled(engine, name, size, rate=PACE))
    server = await stack.enter_async_context(fake_server())
    [worker] = await stack.enter_async_context(running_workers(database, server, rate=PACE, ceiling=PACE))
    return server, worker


async def _beside(few: Running, many: Running) -> Beside:
    """Let the few be sent, all of them; look meanwhile at both."""
    few[1].begin()
    cpu = await _both(few, many)
    ended: Used = await few[1].ended()
    return Beside(*cpu, ended.peak)


async def _both(few: Running, many: Running) -> tuple[float, float]:
    """Return the CPU of a delivery of each, while the one with few is warm and not at its end."""
    await _reach(few[0], WARM)
    before = [(await _taken(each), each[1].cpu()) for each in (few, many)]
    await _reach(few[0], COMPARED)
    after = [(await _taken(each), each[1].cpu()) for each in (few, many)]
    each = [(cpu - was) / (taken - had) for (had, was), (taken, cpu) in zip(before, after, strict=True)]
    return each[0], each[1]


async def _stretch(running: Running, since: int, until: int) -> float:
    """Return the CPU of a delivery between the so manieth and the so manieth."""
    begun, at_first = await _reach(running[0], since), running[1].cpu()
    done = await _reach(running[0], until)
    return (running[1].cpu() - at_first) / max(1, done - begun)


async def _taken(running: Running) -> int:
    return (await running[0].stats()).taken


async def _reach(server: FakeServer, count: int) -> int:
    """Wait until the server has taken so many; return how many they are by then."""
    while (taken := (await server.stats()).taken) < count:  # noqa: ASYNC110 - another process counts
        await asyncio.sleep(0.02)
    return taken


def _rows(engine: str, found: Found) -> Iterator[tuple[str, ...]]:
    early, late = found.early, found.late
    yield (f"{engine}, {FEW:,} wait", f"{found.few_peak:.0f}", _us(early.few), "", _us(late.few))
    yield (
        f"{engine}, {MANY:,} wait",
        f"{found.peak:.0f}",
        _us(early.many),
        _us(found.alone),
        _us(late.many),
    )
    yield (f"{engine}, ratio", f"{found.memory:.2f}", f"{early.ratio:.2f}", "", f"{late.ratio:.2f}")


def _us(seconds: float) -> str:
    return f"{seconds * 1e6:.0f}"


if __name__ == "__main__":
    run(partial(main, *map(int, sys.argv[1:2])))

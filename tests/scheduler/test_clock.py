"""The clock: ticks come again whatever they did, never over each other, and say when they are late."""

import asyncio

import pytest

from scheduler import clock as clock_module
from scheduler.clock import Tick, Ticker, ticks_of


class Counted:
    """Work that counts itself; `error` is raised each time, `hold` makes it wait."""

    def __init__(self, error: Exception | None = None, hold: float = 0.0) -> None:
        self.times = 0
        self.most_at_once = 0
        self._running = 0
        self._error = error
        self._hold = hold

    async def __call__(self, *_: object) -> None:
        self.times += 1
        self._running += 1
        self.most_at_once = max(self.most_at_once, self._running)
        await asyncio.sleep(self._hold)
        self._running -= 1
        if self._error is not None:
            raise self._error


@pytest.fixture
async def ticking(clock, monkeypatch):  # torn down before the patches are
    started: list[Ticker] = []

    def start(*ticks: Tick) -> Ticker:
        ticker = Ticker(list(ticks), clock)
        ticker.start()
        started.append(ticker)
        return ticker

    yield start
    for ticker in started:
        await ticker.stop()


async def until(condition) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.01)


async def test_a_tick_comes_again_and_again(ticking):
    work = Counted()
    ticking(Tick("work", 0.05, work))
    await until(lambda: work.times >= 3)


async def test_a_tick_that_fails_comes_again_and_holds_no_other_up(ticking):
    broken, other = Counted(RuntimeError("always")), Counted()
    ticking(Tick("broken", 0.05, broken), Tick("other", 0.05, other))
    await until(lambda: broken.times >= 2 and other.times >= 2)


async def test_a_slow_tick_does_not_run_over_itself(ticking):
    work = Counted(hold=0.15)
    ticking(Tick("slow", 0.05, work))
    await until(lambda: work.times >= 2)
    assert work.most_at_once == 1


async def test_a_tick_that_hangs_is_named_as_late(ticking, clock, monkeypatch):
    monkeypatch.setattr(clock_module, "STOP_GRACE", 0.05)
    hangs = Counted(hold=3600)
    ticker = ticking(Tick("hangs", 0.05, hangs))
    await until(lambda: hangs.times)
    assert ticker.late() == []
    clock.forward(seconds=11)
    assert ticker.late() == ["hangs"]


async def test_a_tick_that_comes_is_never_late(ticking, clock):
    work = Counted()
    ticker = ticking(Tick("work", 0.05, work))
    clock.forward(hours=1)
    await until(lambda: work.times >= 2)
    assert ticker.late() == []


async def test_nothing_ticks_after_the_stop(ticking):
    work = Counted()
    ticker = ticking(Tick("work", 0.05, work))
    await until(lambda: work.times)
    await ticker.stop()
    before = work.times
    await asyncio.sleep(0.2)
    assert work.times == before


async def test_a_tick_that_runs_at_the_stop_is_finished(ticking):
    begun, finished = [], []

    async def work() -> None:
        begun.append(True)
        await asyncio.sleep(0.2)
        finished.append(True)

    ticker = ticking(Tick("work", 60, work))
    await until(lambda: begun)
    await ticker.stop()
    assert finished == [True]


async def test_a_tick_that_hangs_does_not_hold_the_stop_up(ticking, monkeypatch):
    monkeypatch.setattr(clock_module, "STOP_GRACE", 0.05)
    hangs = Counted(hold=3600)
    ticker = ticking(Tick("hangs", 60, hangs))
    await until(lambda: hangs.times)
    async with asyncio.timeout(3):
        await ticker.stop()


class Called:
    """A toolbox of anything, which remembers what was called on it."""

    def __init__(self, name: str, calls: list[str]) -> None:
        self._name = name
        self._calls = calls

    def __getattr__(self, part: str) -> "Called":
        return Called(f"{self._name}.{part}", self._calls)

    async def __call__(self, *_: object) -> None:
        self._calls.append(self._name)


async def test_every_bridge_looks_at_what_may_be_due(clock):
    calls: list[str] = []
    ticks = ticks_of(Called("toolbox", calls), clock)
    assert len({each.name for each in ticks}) == len(ticks)
    for each in ticks:
        await each.work()
    assert {
        "toolbox.notices.start_due",
        "toolbox.delivery.tick",
        "toolbox.schedules.tick",
        "toolbox.audit.seal",
    } <= set(calls)

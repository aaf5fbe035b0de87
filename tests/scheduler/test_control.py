"""Control of what goes out on the real engine: within a second, and in any order without losing anybody."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from domain.delivery import NotSent, Outcome, Rejected, Sent, Unknown
from scheduler.jobs import Engine
from services.delivery import Delivery
from storage import materialise
from storage.database import Database
from tests.delivery_counts import assert_counters_are_the_rows, open_rows
from tests.delivery_world import FakeChannel, build, settle, start

PEOPLE = 900
pytestmark = [pytest.mark.slow, pytest.mark.timeout(90)]


class Timed(FakeChannel):
    """A channel of 200 +- 100 ms that notes when it was given each, and what it truly sent."""

    def __init__(self) -> None:
        super().__init__(latency=0.2, spread=0.1)
        self.begun: list[float] = []
        self.taken: Counter[int] = Counter()

    async def send(self, envelope, file_id):
        self.begun.append(time.monotonic())
        outcome = await super().send(envelope, file_id)
        self.taken[envelope.to.chat_id] += isinstance(outcome, Sent)
        return outcome


def now() -> datetime:
    return datetime.now(UTC)


class Fleet:
    """One process on SQLite, two on PostgreSQL."""

    def __init__(self, workers: list[tuple[Engine, Delivery, Timed]], members: list[int]) -> None:
        self.workers, self.members = workers, members
        self.delivery = workers[0][1]

    @property
    def begun(self) -> list[float]:
        return sorted(at for _, _, channel in self.workers for at in channel.begun)

    @property
    def taken(self) -> Counter[int]:
        return sum((channel.taken for _, _, channel in self.workers), Counter())

    async def until(self, count: int, seconds: float = 20.0) -> None:
        async with asyncio.timeout(seconds):
            while len(self.begun) < count:
                await asyncio.sleep(0.01)

    async def tick(self) -> None:
        for _, delivery, _ in self.workers:
            await delivery.tick()


@pytest.fixture
async def fleet(database: Database, monkeypatch) -> AsyncIterator[Fleet]:
    monkeypatch.setattr(materialise, "SLICE_SIZE", 100)
    members = await settle(database, now, PEOPLE)
    workers = []
    for _ in range(1 if database.dialect == "sqlite" else 2):
        engine, channel = await Engine.for_database(database), Timed()
        delivery = await build(database, now, channel, rate=400.0, engine=engine, sleep=asyncio.sleep)
        delivery.pipeline._halt_after = 0
        delivery.serve(engine)
        await engine.start()
        workers.append((engine, delivery, channel))
    yield Fleet(workers, members)
    for engine, delivery, _ in workers:
        await delivery.stop()
        await engine.stop()


@pytest.mark.parametrize("command", ["pause", "cancel"])
async def test_no_send_begins_later_than_a_second_after_the_command(fleet: Fleet, database, command: str):
    dispatch = await start(fleet.delivery, database, fleet.members)
    await fleet.until(150)
    await getattr(fleet.delivery, command)(dispatch)
    told = time.monotonic()
    await asyncio.sleep(2.5)
    begun = len(fleet.begun)
    assert begun < PEOPLE
    assert max(fleet.begun) - told < 1.0
    await assert_counters_are_the_rows(database, dispatch)


async def test_resumed_right_after_each_pause_nobody_is_stranded(fleet: Fleet, database):
    dispatch = await start(fleet.delivery, database, fleet.members)
    for _ in range(15):
        await asyncio.sleep(0.05)
        assert await fleet.delivery.pause(dispatch)
        assert await fleet.delivery.resume(dispatch)
    async with asyncio.timeout(20):
        while (await fleet.delivery.figures(dispatch)).sent < PEOPLE:
            await asyncio.sleep(0.1)
    assert set(fleet.taken.values()) == {1}


@pytest.mark.parametrize("seed", [1])
async def test_in_any_order_every_delivery_ends_once_and_the_counters_are_the_rows(
    fleet: Fleet, database, seed: int
):
    drawn = random.Random(seed)

    def answer(_envelope) -> Outcome:
        return drawn.choice([Sent(1)] * 5 + [NotSent("refused"), Unknown("502"), Rejected("bad")])

    for _, _, channel in fleet.workers:
        channel.answer = answer
    numbers = [await start(fleet.delivery, database, fleet.members) for _ in range(2)]
    cancelled: set[int] = set()
    for _ in range(50):
        number, command = drawn.choice(numbers), drawn.choice(["pause", "resume", "resume", "retry", "tick"])
        delivery = drawn.choice(fleet.workers)[1]
        if command == "retry":
            await delivery.retry_failed(number)
        elif command == "tick":
            await delivery.tick()
        else:
            await getattr(delivery, command)(number)
        await asyncio.sleep(drawn.random() / 10)
    await fleet.delivery.cancel(numbers[1])
    cancelled.add(numbers[1])
    await fleet.delivery.resume(numbers[0])
    for _, _, channel in fleet.workers:
        channel.answer = lambda _envelope: Sent(1)
    async with asyncio.timeout(40):
        while await open_rows(database, numbers[0]) + await open_rows(database, numbers[1]):
            await fleet.tick()
            await asyncio.sleep(0.2)
    await fleet.tick()
    for number in numbers:
        await assert_counters_are_the_rows(database, number)
        figures = await fleet.delivery.figures(number)
        assert figures.state == ("cancelled" if number in cancelled else "done")
    assert max(fleet.taken.values()) <= len(numbers)

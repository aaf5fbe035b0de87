"""Sharing an account on the real engine: an urgent dispatch overtakes, and two dispatches have half the pace each."""

import asyncio
import time
from collections import Counter
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from domain.delivery import Lane
from scheduler.jobs import Engine
from services.delivery import Delivery
from storage.database import Database
from tests.delivery_world import FakeChannel, T, build, settle

LATENCY = 0.2
PEOPLE = 20_000
"""Forty slices each; with two hundred of them the same was measured."""
pytestmark = [pytest.mark.slow, pytest.mark.timeout(90)]


class Timed(FakeChannel):
    """A channel of 200 ms that notes when it was given what: contents are named by their source's id."""

    def __init__(self) -> None:
        super().__init__(latency=LATENCY)
        self.begun: list[tuple[float, str]] = []

    async def send(self, envelope, file_id):
        self.begun.append((time.monotonic(), envelope.content.text))
        return await super().send(envelope, file_id)

    def between(self, since: float, until: float) -> Counter[str]:
        return Counter(what for at, what in self.begun if since <= at < until)


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
async def running(database: Database):
    """Yield a delivery at 25/s on the real engine, with its channel, and many members."""
    await settle(database, now, PEOPLE)
    engine = await Engine.for_database(database)
    channel = Timed()
    delivery = await build(database, now, channel, rate=25.0, engine=engine, sleep=asyncio.sleep)
    delivery.serve(engine)
    await engine.start()
    yield delivery, channel
    delivery.pipeline.stopping = True
    await engine.stop()
    await delivery.stop()


async def everybody(delivery: Delivery, database: Database, name: int, author: int) -> int:
    async with database.begin() as session:
        return await delivery.dispatch(
            session,
            source="notice",
            source_id=name,
            members=select(T["member"].c.id),
            author_id=author,
        )


async def test_a_later_dispatch_of_another_author_has_half_the_pace(database, running):
    delivery, channel = running
    await everybody(delivery, database, 1, author=1)
    await asyncio.sleep(1.5)
    await everybody(delivery, database, 2, author=2)
    await asyncio.sleep(1.5)
    since = time.monotonic()
    await asyncio.sleep(6.0)
    sent = channel.between(since, since + 6.0)
    share = sent["zh_CN 2"] / sent.total()
    assert 0.4 <= share <= 0.6
    assert sent.total() >= 6 * 25 * 0.9


async def test_an_urgent_dispatch_overtakes_within_two_seconds(database, running):
    delivery, channel = running
    for number in range(1, 4):
        await everybody(delivery, database, number, author=number)
    await asyncio.sleep(2.0)
    began = time.monotonic()
    async with database.begin() as session:
        await delivery.dispatch(
            session,
            source="notice",
            source_id=9,
            members=select(T["member"].c.id).limit(30),
            lane=Lane.URGENT,
        )
    async with asyncio.timeout(10):
        while channel.between(began, time.monotonic())["zh_CN 9"] < 30:
            await asyncio.sleep(0.05)
    begun = [at - began for at, what in channel.begun if what == "zh_CN 9"]
    assert min(begun) < 2.0
    assert max(begun) < 2.0 + 30 / 25

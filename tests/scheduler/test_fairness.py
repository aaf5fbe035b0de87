"""Sharing an account on the real engine, by two workers on PostgreSQL: urgent overtakes, and dispatches share."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select, update

from domain.audiences import Audience, Scope
from domain.delivery import Lane
from domain.permissions import Actor
from domain.richtext import RichText
from domain.send_requests import Way
from scheduler.jobs import Engine
from services.audiences import Audiences
from services.audit import Audit
from services.delivery import Delivery
from services.media import MediaStore
from services.notices import Notices
from storage import grants
from storage.database import Database
from storage.sealing import Sealer
from tests.delivery_world import FakeChannel, T, build, hello, settle
from tests.factories import make_grant

LATENCY, SPREAD = 0.2, 0.1
PEOPLE = 20_000
"""Twenty slices each."""
SMALL = 30
HANGS = 60
"""Seconds after which something hangs."""
pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


class Timed(FakeChannel):
    """A channel of 200 +- 100 ms that notes when it was given what: contents are named by their source's id."""

    def __init__(self) -> None:
        super().__init__(latency=LATENCY, spread=SPREAD)
        self.begun: list[tuple[float, str]] = []

    async def send(self, envelope, file_id):
        self.begun.append((time.monotonic(), envelope.content.text))
        return await super().send(envelope, file_id)

    async def under_way(self, *names: int) -> None:
        """Wait until each of these runs, and for a second after that."""
        async with asyncio.timeout(HANGS):
            while {f"zh_CN {name}" for name in names} - {what for _, what in self.begun}:
                await asyncio.sleep(0.02)
        await asyncio.sleep(1.0)

    async def of_the_next(self, number: int) -> tuple[Counter[str], float]:
        """Wait for so many messages; returns of what they were, and the seconds that they took."""
        before, since = len(self.begun), time.monotonic()
        async with asyncio.timeout(HANGS):
            while len(self.begun) < before + number:
                await asyncio.sleep(0.02)
        counted = self.begun[before : before + number]
        return Counter(what for _, what in counted), counted[-1][0] - since

    def between(self, since: float, until: float) -> Counter[str]:
        return Counter(what for at, what in self.begun if since <= at < until)


def now() -> datetime:
    return datetime.now(UTC)


@asynccontextmanager
async def worker(database: Database, channel: Timed) -> AsyncIterator[Delivery]:
    engine = await Engine.for_database(database)
    delivery = await build(database, now, channel, rate=25.0, engine=engine, sleep=asyncio.sleep)
    delivery.serve(engine)
    await engine.start()
    yield delivery
    delivery.pipeline.stopping = True
    await engine.stop()
    await delivery.stop()


@pytest.fixture
async def running(database: Database, database_url: str):
    """Yield a delivery at 25/s on the real engine, with its channel, and many members; on PostgreSQL one of two."""
    await settle(database, now, PEOPLE)
    channel = Timed()
    async with worker(database, channel) as delivery:
        if database.dialect == "sqlite":
            yield delivery, channel
            return
        second = Database(database_url)
        async with worker(second, channel):
            yield delivery, channel
        await second.close()


async def everybody(delivery: Delivery, database: Database, name: int) -> int:
    async with database.begin() as session:
        return await delivery.dispatch(
            session, source="notice", source_id=name, members=select(T["member"].c.id)
        )


async def test_a_later_notice_has_half_the_pace_as_of_two_counties(database, running):
    """Dispatches share, whoever wrote them: those of two counties as well as those of one."""
    delivery, channel = running
    await everybody(delivery, database, 1)
    await channel.under_way(1)
    await everybody(delivery, database, 2)
    await channel.under_way(1, 2)
    sent, seconds = await channel.of_the_next(6 * 25)
    share = sent["zh_CN 2"] / sent.total()
    assert 0.4 <= share <= 0.6
    assert sent.total() >= seconds * 25 * 0.9


async def test_an_urgent_dispatch_overtakes_within_two_seconds(database, running):
    """It goes to the last few, to whom nothing is sent yet; `test_chat_pace` has those to whom something is."""
    delivery, channel = running
    for number in range(1, 4):
        await everybody(delivery, database, number)
    await channel.under_way(1, 2, 3)
    began = time.monotonic()
    async with database.begin() as session:
        await delivery.dispatch(
            session,
            source="notice",
            source_id=9,
            members=select(T["member"].c.id).where(T["member"].c.id > PEOPLE - SMALL),
            lane=Lane.URGENT,
        )
    await overtaken(channel, began, 9)


async def test_a_small_urgent_notice_overtakes_a_large_one_once_it_is_approved(
    database, running, tmp_path: Path
):
    delivery, channel = running
    desk = await Desk.of(database, delivery, tmp_path)
    large = await desk.written("学习", Audience((Scope(1, "/1/"),)))
    await desk.notices.send(desk.author, large, typed=PEOPLE)
    small = await desk.written("台风", Audience((Scope(1, "/1/", standings=frozenset({"probationary"})),)))
    asked = await desk.notices.requests.ask(desk.author, small, Way.URGENT)
    await channel.under_way(large)
    assert channel.between(0.0, time.monotonic())[f"zh_CN {small}"] == 0
    began = time.monotonic()
    await desk.notices.requests.approve(desk.second, asked.id)
    await overtaken(channel, began, small)
    assert channel.between(began, time.monotonic())[f"zh_CN {large}"] > 0


async def overtaken(channel: Timed, began: float, name: int) -> None:
    """Wait for the thirty messages of this name, and see that they went ahead of what runs."""
    async with asyncio.timeout(10):
        while channel.between(began, time.monotonic())[f"zh_CN {name}"] < SMALL:
            await asyncio.sleep(0.05)
    begun = [at - began for at, what in channel.begun if what == f"zh_CN {name}"]
    assert min(begun) < 2.0
    assert max(begun) < 2.0 + SMALL / 25


@dataclass
class Desk:
    """Two secretaries of all the members, one who writes and one who approves."""

    notices: Notices
    author: Actor
    second: Actor

    @classmethod
    async def of(cls, database: Database, delivery: Delivery, folder: Path) -> "Desk":
        """Make secretaries of the first two members, and probationary ones of the last few."""
        async with database.begin() as session:
            for number in (1, 2):
                await make_grant(session, member=number, organisation=1)
            few = T["member"].c.id > PEOPLE - SMALL
            await session.execute(update(T["member"]).where(few).values(standing="probationary"))
        async with database.read() as session:
            author, second = [
                await grants.actor_of_member(session, number, now().date()) for number in (1, 2)
            ]
        assert author is not None
        assert second is not None
        notices = Notices(
            database=database,
            clock=now,
            audit=Audit(database=database, clock=now, sealer=Sealer({"test": bytes(range(32))}, "test")),
            audiences=Audiences(database=database, clock=now),
            delivery=delivery,
            media=MediaStore(folder),
        )
        delivery.sources["notice"] = hello  # as the other worker has it
        return cls(notices, author, second)

    async def written(self, text: str, audience: Audience) -> int:
        made = await self.notices.draft(self.author, RichText(text))
        return (await self.notices.choose(self.author, made.id, audience)).id


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_shares_are_equal_whoever_has_which_slices(database, database_url):
    await settle(database, now, PEOPLE // 10)
    second, channel = Database(database_url), Timed()
    desk, one, other = [
        await build(each, now, channel, rate=60.0, sleep=asyncio.sleep)
        for each in (database, database, second)
    ]
    slices = [await slices_of(await everybody(desk, database, n), database) for n in (1, 2, 3)]
    work = [asyncio.create_task(keep_at(one, each[0])) for each in slices]
    work += [asyncio.create_task(keep_at(other, number)) for number in slices[2][1:3]]
    await channel.under_way(1, 2, 3)
    sent, _ = await channel.of_the_next(6 * 60)
    for delivery in (one, other):
        delivery.pipeline.stopping = True
    await asyncio.gather(*work)
    for delivery in (one, other):
        await delivery.stop()
    await second.close()
    assert sent.keys() == {"zh_CN 1", "zh_CN 2", "zh_CN 3"}
    assert max(sent.values()) <= 1.25 * min(sent.values())


async def slices_of(dispatch_id: int, database: Database) -> list[int]:
    found = (
        select(T["slice"].c.id).where(T["slice"].c.dispatch_id == dispatch_id).order_by(T["slice"].c.number)
    )
    async with database.read() as session:
        return list((await session.execute(found)).scalars())


async def keep_at(delivery: Delivery, slice_id: int) -> None:
    while not delivery.pipeline.stopping:
        turn = await delivery.run_slice(slice_id, 1)
        await asyncio.sleep(turn.again_in or 0.05)

"""One chat is written to once a second, a group twenty times a minute, whoever of the fleet writes."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from sqlalchemy import insert, select

from domain.delivery import Lane, Outcome
from domain.messages import Envelope
from scheduler.jobs import Engine
from services.delivery import Delivery, PaceLimits
from storage import deliveries, pace
from storage.database import Database
from storage.deliveries import Rules
from tests.conftest import HandClock
from tests.delivery_world import ACCOUNT, FakeChannel, T, build, change, hello, run_once, settle, start

PEOPLE = 60
Times = dict[int, list[float]]


class Noting(FakeChannel):
    """Remembers when each chat was written to."""

    def __init__(self, clock, latency: float = 0.0) -> None:
        super().__init__(latency=latency)
        self.clock = clock
        self.times: Times = {}

    async def send(self, envelope: Envelope, file_id: str | None) -> Outcome:
        self.times.setdefault(envelope.to.chat_id, []).append(self.clock().timestamp())
        return await super().send(envelope, file_id)


def least_gap(times: Sequence[float]) -> float:
    return min(later - sooner for sooner, later in pairwise(sorted(times)))


async def rounds(delivery: Delivery, database: Database, clock: HandClock, count: int) -> None:
    for _ in range(count):
        await run_once(delivery, database)
        clock.forward(seconds=0.6)


@pytest.mark.parametrize(("chat", "gap"), [(1001, 1.0), (-1001, 60 / 20)])
async def test_two_dispatches_to_one_chat_keep_its_distance(database, clock, chat: int, gap: float):
    """The account has pace for all at once: it is the chat that takes one a second, or a group twenty a minute."""
    members = await settle(database, clock, 3)
    await change(database, "account_link", 1, chat_id=chat)
    channel = Noting(clock)
    delivery = await build(database, clock, channel)
    for each in (members, members[:1], members[:1], members[:1]):
        await start(delivery, database, each)
    await run_once(delivery, database)
    assert sorted(channel.chats) == sorted([chat, 1002, 1003]), "the others go on"
    await rounds(delivery, database, clock, 20)
    assert len(channel.times[chat]) == 4
    assert least_gap(channel.times[chat]) >= gap


async def test_an_urgent_word_keeps_the_distance_too(database, clock):
    members = await settle(database, clock, 1)
    channel = Noting(clock)
    delivery = await build(database, clock, channel)
    await start(delivery, database, members)
    await start(delivery, database, members, lane=Lane.URGENT)
    await rounds(delivery, database, clock, 5)
    assert 1.0 <= least_gap(channel.times[1001]) <= 2.0


async def test_an_urgent_word_is_the_next_in_a_chat_that_others_wait_for_too(database, clock):
    """Whoever comes first by chance would keep it waiting, again and again."""
    members = await settle(database, clock, 1)
    channel = Noting(clock)
    delivery = await build(database, clock, channel)
    for number in (1, 2, 3):
        await start(delivery, database, members, source_id=number)
    await rounds(delivery, database, clock, 1)
    await start(delivery, database, members, source_id=9, lane=Lane.URGENT)
    await rounds(delivery, database, clock, 12)
    assert channel.texts == ["zh_CN 1", "zh_CN 9", "zh_CN 2", "zh_CN 3"]


async def test_an_urgent_word_that_is_paused_keeps_no_chat(database, clock):
    members = await settle(database, clock, 1)
    channel = Noting(clock)
    delivery = await build(database, clock, channel)
    await start(delivery, database, members, source_id=1)
    urgent = await start(delivery, database, members, source_id=9, lane=Lane.URGENT)
    await start(delivery, database, members, source_id=2)
    await rounds(delivery, database, clock, 1)
    await delivery.pause(urgent)
    await rounds(delivery, database, clock, 6)
    assert channel.texts == ["zh_CN 1", "zh_CN 2"]


async def test_whose_chat_waits_takes_no_pace_from_those_whose_does_not(database, clock):
    """Two notices in one order: the second finds the first before it everywhere, and goes to whom it has not reached."""
    members = await settle(database, clock, 40)
    channel = Noting(clock)
    delivery = await build(database, clock, channel, rate=20.0)
    for _ in range(2):
        await start(delivery, database, members)
    began = clock.now
    await asyncio.gather(*(delivery.run_slice(number, 1) for number in (1, 2)))
    await delivery.pipeline.drain()
    await rounds(delivery, database, clock, 6)
    assert [len(times) for times in channel.times.values()] == [2] * 40
    assert min(least_gap(times) for times in channel.times.values()) >= 1.0
    assert clock.now - began < timedelta(seconds=80 / 20 + 5)


async def came_in(database: Database, chat: int, at: datetime, *, done_at: datetime | None = None) -> None:
    """Keep an update of a chat, as the inbox does; with `done_at` it was answered then."""
    state = {"state": "done", "done_at": done_at} if done_at else {"state": "waiting", "raw": b"{}"}
    row = {"account_id": ACCOUNT, "update_id": 1, "chat_id": chat, "attempts": 0, "error": ""}
    async with database.begin() as session:
        await session.execute(insert(T["inbox"]).values(received_at=at, **row, **state))
        if done_at:
            await pace.reserve(session, ACCOUNT, Lane.REPLY, 1, done_at)


async def test_a_delivery_leaves_a_chat_alone_that_is_being_answered(database, clock):
    members = await settle(database, clock, 2)
    channel = Noting(clock)
    delivery = await build(database, clock, channel)
    await came_in(database, 1001, clock())
    await start(delivery, database, members)
    await run_once(delivery, database)
    assert channel.chats == [1002]
    clock.forward(seconds=40)  # nobody answers: the bot is down
    await run_once(delivery, database)
    assert channel.chats == [1002, 1001]


async def test_a_delivery_leaves_a_chat_alone_that_was_answered_just_now(database, clock):
    members = await settle(database, clock, 2)
    channel = Noting(clock)
    delivery = await build(database, clock, channel)
    answered = clock()
    await came_in(database, 1001, answered - timedelta(seconds=0.3), done_at=answered)
    await start(delivery, database, members)
    await rounds(delivery, database, clock, 4)
    assert channel.chats == [1002, 1001]
    assert 1.0 <= channel.times[1001][0] - answered.timestamp() <= 2.0


async def test_a_claim_sees_what_another_takes_at_the_same_time(database, clock):
    """The second waits for the first: else neither would see what the other has not committed."""
    members = await settle(database, clock, 3)
    delivery = await build(database, clock, FakeChannel())
    for each in (members, members[:2]):
        await start(delivery, database, each)
    opened = [await delivery.pipeline._open(number, 1) for number in (1, 2)]
    for taken in opened:
        await delivery.pipeline._pacer.reserve(taken, delivery.pipeline._flow(taken), 1)

    async def claim(taken, hold: float) -> list[int]:
        async with database.begin() as session:
            claimed = await deliveries.claim(
                session, taken, limit=3, attempt_id=str(taken.id), rules=Rules(), now=clock()
            )
            await asyncio.sleep(hold)
        return [each.member_id for each in claimed.claims]

    first = asyncio.create_task(claim(opened[0], 0.2))
    await asyncio.sleep(0.05)
    assert await claim(opened[1], 0.0) == []
    assert await first == [1, 2, 3]


@pytest.mark.slow
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_two_workers_with_three_notices_never_write_to_a_chat_twice_within_a_second(
    database: Database, database_url: str
):
    """Real time, a connection pool a worker, the same people in the same order: nothing but the rows is shared."""
    members = await settle(database, now, PEOPLE)
    async with database.begin() as session:
        await pace.ensure(session, ACCOUNT, rate=300.0, ceiling=600.0, now=now())
    channel = Noting(now, latency=0.05)
    others = [Database(database_url) for _ in range(2)]
    workers = [await worker(each, channel) for each in others]
    for _ in range(3):
        await start(workers[0], database, members)
    began = now()
    async with asyncio.timeout(30):
        await asyncio.gather(*(work(each, database) for each in workers))
    took = (now() - began).total_seconds()
    for each in others:
        await each.close()
    assert sorted(channel.times) == [1000 + each for each in members]
    assert {len(times) for times in channel.times.values()} == {3}
    assert min(least_gap(times) for times in channel.times.values()) >= 1.0
    assert took < 15, "three notices to sixty people need some three seconds"


def now() -> datetime:
    return datetime.now(UTC)


async def worker(database: Database, channel: FakeChannel) -> Delivery:
    delivery = Delivery(
        database=database,
        clock=now,
        jobs=Engine.in_memory().jobs,
        channels={ACCOUNT: channel},
        limits={ACCOUNT: PaceLimits(300.0, 600.0)},
    )
    delivery.sources["notice"] = hello
    return delivery


async def work(delivery: Delivery, database: Database) -> None:
    """Take up every slice that is not done, again and again, as a worker does that shares them with others."""
    left = select(T["slice"].c.id).where(T["slice"].c.done.is_(False)).order_by(T["slice"].c.id)
    while True:
        async with database.read() as session:
            numbers = (await session.execute(left)).scalars().all()
        if not numbers:
            return
        await asyncio.gather(*(delivery.run_slice(number, 1) for number in numbers))
        await delivery.pipeline.drain()
        await asyncio.sleep(0.1)

"""Digests: what is above the weekly cap is gathered, comes once, and opens for its owner alone."""

import asyncio
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import func, select, update

from domain.digests import NOW, Cadence
from domain.quiet_hours import QuietHours
from domain.refusals import NotFound
from domain.rest_days import RestDays
from services.audit import Audit
from services.delivery import Delivery
from services.digests import Digests
from storage import digests
from storage.database import Database
from storage.deliveries import Rules
from storage.sealing import Sealer
from tests.conftest import HandClock
from tests.delivery_world import FakeChannel, T, build, hello, run_all, settle, states

pytestmark = pytest.mark.slow_on_postgresql

MONDAY = datetime(2026, 3, 9, 0, 0, tzinfo=UTC)  # 08:00 in Shanghai


class World:
    """Members with a cap of one push a week, and what they are told."""

    def __init__(self, database: Database, clock: HandClock, rules: Rules) -> None:
        self.database, self.clock, self.rules = database, clock, rules
        self.channel = FakeChannel()
        self.delivery: Delivery
        self.digests: Digests

    async def open(self, members: int = 3) -> "World":
        self.members = await settle(self.database, self.clock, members)
        self.delivery = await build(self.database, self.clock, self.channel, rules=self.rules)
        audit = Audit(database=self.database, clock=self.clock, sealer=Sealer({"t": bytes(32)}, "t"))
        self.digests = Digests(
            database=self.database, clock=self.clock, audit=audit, delivery=self.delivery, rules=self.rules
        )
        self.delivery.sources |= {"poll": hello, "nudge": hello}
        return self

    async def push(self, source_id: int, source: str = "notice", to: list[int] | None = None) -> int:
        async with self.database.begin() as session:
            number = await self.delivery.dispatch(
                session, source=source, source_id=source_id, member_ids=self.members if to is None else to
            )
        await self.go()
        return number

    async def go(self) -> None:
        await run_all(self.delivery, self.database)

    async def tick(self) -> int:
        sent = await self.digests.tick()
        await self.go()
        return sent

    def digest_messages(self) -> list[int]:
        return sorted(each.to.chat_id - 1000 for each in self.channel.sent if "digest" in _data(each))

    async def titles(self, member: int, digest: int = NOW, page: int = 0) -> list[str]:
        found = await self.digests.page(actor(member), digest, "zh_CN", page)
        return [line.content.text.removeprefix("zh_CN ") for line in found.lines]


def _data(envelope: Any) -> str:
    return str(envelope.content.keyboard)


def actor(member: int) -> Any:
    return SimpleNamespace(member_id=member)


@pytest.fixture
async def world(database: Database, clock: HandClock) -> World:
    return await World(database, clock, Rules(weekly_cap=1)).open()


async def test_what_is_above_the_cap_comes_as_one_message_on_monday(world: World):
    for number in (1, 2, 3):
        await world.push(number)
    assert len(world.channel.sent) == 3
    assert await world.tick() == 0
    assert await world.titles(1) == ["2", "3"]
    world.clock.now = MONDAY - timedelta(seconds=1)
    assert await world.tick() == 0
    world.clock.now = MONDAY
    assert await world.tick() == 1
    assert world.digest_messages() == [1, 2, 3]
    assert await world.tick() == 0
    assert await world.titles(1, 1) == ["2", "3"]
    assert await world.titles(1) == []
    assert len(world.channel.sent) == 6


async def test_a_digest_counts_nothing_towards_the_cap_of_the_week_it_comes_in(world: World):
    for number in (1, 2):
        await world.push(number)
    world.clock.now = MONDAY
    await world.tick()
    dispatch = await world.push(3)
    assert set((await states(world.database, dispatch)).values()) == {("sent", "")}


async def test_who_wants_it_daily_gets_it_the_next_morning(world: World):
    assert (await world.digests.choose(actor(1), Cadence.DAILY)).cadence is Cadence.DAILY
    for number in (1, 2):
        await world.push(number)
    world.clock.now = datetime(2026, 3, 5, 0, 0, tzinfo=UTC)
    assert await world.tick() == 1
    assert world.digest_messages() == [1]
    world.clock.now = MONDAY
    await world.tick()
    assert world.digest_messages() == [1, 2, 3]


async def test_a_changed_mind_moves_what_waits(world: World):
    for number in (1, 2):
        await world.push(number)
    choice = await world.digests.choose(actor(1), Cadence.DAILY)
    assert (choice.waiting, choice.cap) == (1, 1)
    assert await world.digests.choose(actor(1), Cadence.DAILY) == choice
    await world.digests.choose(actor(2), Cadence.DAILY)
    await world.digests.choose(actor(2), Cadence.WEEKLY)
    world.clock.now = datetime(2026, 3, 5, 0, 0, tzinfo=UTC)
    await world.tick()
    assert world.digest_messages() == [1]


async def test_at_most_one_a_day_and_what_came_late_is_in_the_next(world: World):
    for number in (1, 2):
        await world.push(number)
    item = T["digest_item"]
    async with world.database.begin() as session:
        await session.execute(update(item).where(item.c.member_id == 1).values(due_at=MONDAY))
    world.clock.now = MONDAY
    await world.tick()
    await world.push(3)
    await world.push(4)
    async with world.database.begin() as session:  # as if its claim had been slow
        await session.execute(update(item).where(item.c.digest_id.is_(None)).values(due_at=MONDAY))
    assert await world.tick() == 0
    world.clock.forward(days=1)
    assert await world.tick() == 1
    assert await world.titles(1, 1) == ["2"]
    assert await world.titles(1, 2) == ["4"]


async def test_of_two_who_tick_at_once_one_sends(world: World):
    for number in (1, 2):
        await world.push(number)
    world.clock.now = MONDAY
    assert sum(await asyncio.gather(world.digests.tick(), world.digests.tick())) == 1
    await world.go()
    assert world.digest_messages() == [1, 2, 3]
    async with world.database.read() as session:
        counted = await session.execute(select(func.count()).select_from(T["digest"]))
        assert counted.scalar_one() == 1


async def test_nights_and_rest_days_hold_a_digest_and_three_days_make_one(
    database: Database, clock: HandClock
):
    clock.now = datetime(2026, 9, 30, 4, 0, tzinfo=UTC)  # the day before National Day
    world = await World(database, clock, Rules(QuietHours(), 1, RestDays())).open(1)
    await world.digests.choose(actor(1), Cadence.DAILY)
    for number in (1, 2):
        await world.push(number)
    for day in range(1, 8):
        clock.now = datetime(2026, 10, day, 1, 0, tzinfo=UTC)
        assert await world.tick() == 0
    clock.now = datetime(2026, 10, 8, 0, 0, tzinfo=UTC)
    assert await world.tick() == 1
    assert world.digest_messages() == [1]


async def test_who_stopped_or_left_gets_no_digest(world: World):
    for number in (1, 2):
        await world.push(number)
    member = T["member"]
    async with world.database.begin() as session:
        await session.execute(update(member).where(member.c.id == 1).values(stopped_at=world.clock()))
        await session.execute(update(member).where(member.c.id == 2).values(status="left"))
    world.clock.now = MONDAY
    await world.tick()
    assert world.digest_messages() == [3]
    async with world.database.begin() as session:
        await session.execute(update(member).where(member.c.id == 1).values(stopped_at=None))
    world.clock.forward(days=20)
    assert await world.tick() == 0


async def test_what_was_taken_back_or_confirmed_is_in_no_digest(world: World):
    for number in (1, 2):
        await world.push(number)
    nudge = await world.push(1, "nudge", [1])
    dispatch, acknowledged = T["dispatch"], T["acknowledgement"]
    assert await world.titles(1) == ["2", "1"]
    async with world.database.begin() as session:
        await session.execute(
            update(dispatch)
            .where(dispatch.c.source == "notice", dispatch.c.source_id == 2)
            .values(state="cancelled")
        )
        notice = {
            "organisation_id": 1,
            "author_id": 1,
            "state": "sent",
            "text": "",
            "entities": [],
            "media_name": "",
        }
        fields = {"id": 1, "needs_confirmation": True, "created_at": world.clock()}
        await session.execute(T["notice"].insert().values(notice | fields))
        await session.execute(acknowledged.insert().values(notice_id=1, member_id=1, at=world.clock()))
    assert (await states(world.database, nudge))[1] == ("skipped", "in_digest")
    assert await world.titles(1) == []
    world.clock.now = MONDAY
    assert await world.tick() == 0


async def test_a_digest_opens_for_its_owner_alone(world: World):
    await world.push(1)
    await world.push(2, to=[1])
    world.clock.now = MONDAY
    await world.tick()
    line = (await world.digests.page(actor(1), 1, "en")).lines[0]
    assert (await world.digests.open(actor(1), line.delivery_id, "en")).text == "en 2"
    assert await world.titles(2, 1) == []
    for member, number in ((2, line.delivery_id), (1, 1), (1, 999_999)):
        with pytest.raises(NotFound):
            await world.digests.open(actor(member), number, "en")


async def test_what_is_sensitive_opens_in_no_chat_abroad(world: World):
    await world.push(1)
    sensitive = await world.push(2, to=[1])
    line = (await world.digests.page(actor(1), NOW, "en", account_id=1)).lines[0]
    async with world.database.begin() as session:
        await session.execute(
            update(T["dispatch"]).where(T["dispatch"].c.id == sensitive).values(home_only=True)
        )
    assert (await world.digests.page(actor(1), NOW, "en", account_id=1)).total == 1
    async with world.database.begin() as session:
        await session.execute(update(T["account"]).values(residency="AE"))
    found = await world.digests.page(actor(1), NOW, "en", account_id=1)
    assert (found.total, found.lines) == (0, ())
    with pytest.raises(NotFound):
        await world.digests.open(actor(1), line.delivery_id, "en", account_id=1)


async def test_the_same_thing_twice_is_listed_once_and_pages_follow(world: World):
    await world.push(1)
    for number in (*range(2, 12), 2):
        await world.push(number, to=[1])
    page = await world.digests.page(actor(1), NOW, "en")
    assert (page.total, len(page.lines), page.more) == (10, 8, True)
    assert await world.titles(1, NOW, 1) == ["10", "11"]


async def test_after_a_restore_nothing_that_was_due_comes_again(world: World):
    for number in (1, 2):
        await world.push(number)
    await world.digests.choose(actor(1), Cadence.DAILY)
    world.clock.now = MONDAY - timedelta(days=1)
    async with world.database.begin() as session:
        await digests.pass_over_due(session, world.clock())
    await world.tick()
    assert world.digest_messages() == []
    world.clock.now = MONDAY
    await world.digests.tick()
    async with world.database.begin() as session:
        await digests.pass_over_due(session, world.clock())
    await world.delivery.tick()
    await world.go()
    assert world.digest_messages() == []


async def test_a_crash_amid_a_digest_leaves_nothing_and_the_next_tick_sends_it_once(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    for number in (1, 2):
        await world.push(number)
    world.clock.now = MONDAY

    async def crash(*_: Any, **__: Any) -> int:
        raise ConnectionError

    with monkeypatch.context() as patched:
        patched.setattr(world.delivery, "dispatch", crash)
        with pytest.raises(ConnectionError):
            await world.digests.tick()
    assert await world.titles(1) == ["2"]
    assert await world.tick() == 1
    assert await world.tick() == 0
    assert world.digest_messages() == [1, 2, 3]

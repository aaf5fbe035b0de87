"""Accounts that stop by themselves: nothing is lost, others go on, who can act is told, and it goes on again."""

import pytest
from sqlalchemy import select

from domain.clock import day_of
from domain.delivery import Lane, NotSent, Sent, Unknown
from domain.pace import Granted, PaceKind
from domain.permissions import Actor
from domain.refusals import NotAllowed
from services.audit import Audit
from services.delivery import Delivery
from services.halts import SOURCE, Halts
from storage import grants, halts, pace
from storage.sealing import Sealer
from tests.delivery_world import FakeChannel, T, build, change, run_all, settle, start, states
from tests.factories import make_grant

DEAD = NotSent("unauthorized", account_dead=True)


class House:
    """A delivery with two accounts, whose server for the first is dead until it is told to live."""

    def __init__(self, database, clock, delivery: Delivery, channels: list[FakeChannel]) -> None:
        self.database, self.clock, self.delivery = database, clock, delivery
        self.first, self.second = channels
        self.probed = 0
        self.lives = False
        self.halts = Halts(
            database=database,
            clock=clock,
            audit=Audit(database=database, clock=clock, sealer=Sealer({"t": bytes(32)}, "t")),
            delivery=delivery,
            probes={1: self._probe},
        )

    async def _probe(self) -> bool:
        self.probed += 1
        return self.lives

    async def stopped(self) -> list[str]:
        async with self.database.read() as session:
            return [f"{each.name} {each.reason}" for each in await halts.read_all(session)]

    async def alerts(self) -> list[int]:
        return await self.delivery.dispatches_of(SOURCE, 1)

    async def go(self) -> None:
        await run_all(self.delivery, self.database)
        await self.delivery.tick()


@pytest.fixture
async def house(database, clock) -> House:
    """Yield a house of six: the last of them an administrator with both accounts, two on the second account."""
    await settle(database, clock, 6, accounts=2)
    await change(database, "account_link", 4, account_id=2)
    await change(database, "account_link", 5, account_id=2)
    async with database.begin() as session:
        link = {"member_id": 6, "account_id": 2, "chat_id": 2006, "state": "active", "since": clock()}
        await session.execute(T["account_link"].insert().values(**link))
        await make_grant(session, member=6, organisation=1)
        for number in (1, 2):
            await pace.ensure(session, number, rate=1000, ceiling=2000, now=clock())
    channels = [FakeChannel(lambda envelope: DEAD), FakeChannel()]
    delivery = await build(database, clock, channels[0], more={2: channels[1]})
    return House(database, clock, delivery, channels)


async def test_a_refused_token_stops_that_account_and_no_other(house: House):
    dispatch = await start(house.delivery, house.database, [1, 2, 3, 4, 5])
    await house.go()
    assert await house.stopped() == ["chat1 unauthorized"]
    assert house.second.chats == [1004, 1005]
    figures = await house.delivery.figures(dispatch)
    assert (figures.state, figures.sent, figures.failed, figures.unknown) == ("running", 2, 0, 0)
    assert figures.waiting + figures.held == 3
    assert (figures.stopped_accounts, figures.expected_finish) == (1, None)
    tried = len(house.first.sent)
    for _ in range(3):
        house.clock.forward(minutes=3)
        await house.go()
    assert len(house.first.sent) == tried


async def test_an_account_that_may_pay_stops_and_goes_as_one(house: House):
    async def paid(rate: float) -> bool:
        async with house.database.begin() as session:
            await pace.ensure(session, 1, PaceKind.PAID, rate=rate, ceiling=1000, now=house.clock())
        async with house.database.begin() as session:
            answer = await pace.reserve(session, 1, Lane.NORMAL, 1, house.clock(), PaceKind.PAID)
        return isinstance(answer, Granted)

    assert await paid(500)
    await start(house.delivery, house.database, [1])
    await house.go()
    assert await house.stopped() == ["chat1 unauthorized"]
    assert not await paid(500)
    async with house.database.begin() as session:
        await pace.pay_no_more(session, 1)
    assert not await paid(500)
    async with house.database.begin() as session:
        await halts.resume(session, 1)
    assert await paid(500)
    assert await house.stopped() == []


@pytest.mark.slow_on_postgresql
async def test_who_can_act_is_told_once_by_their_other_account(house: House):
    await start(house.delivery, house.database, [1])
    await house.go()
    for _ in range(3):
        await house.halts.tick()
        await house.go()
    assert len(await house.alerts()) == 1
    assert house.second.chats == [2006]
    content = house.second.sent[0].content
    assert "「chat1」" in content.text
    assert "密钥失效" in content.text
    assert content.keyboard[0][0].data == "go:halted"


async def test_it_is_looked_at_ever_less_often_and_goes_on_by_itself(house: House):
    dispatch = await start(house.delivery, house.database, [1, 2, 3])
    await house.go()
    for minutes in range(1, 32):
        house.clock.forward(minutes=1)
        await house.halts.tick()
        if minutes == 15:
            assert house.probed == 4
    assert house.probed == 5
    house.lives, house.first.answer = True, lambda envelope: Sent(1)
    house.clock.forward(minutes=15)
    await house.halts.tick()
    assert await house.stopped() == []
    house.clock.forward(minutes=3)
    await house.go()
    figures = await house.delivery.figures(dispatch)
    assert (figures.sent, figures.state) == (3, "done")


@pytest.mark.slow_on_postgresql
async def test_one_that_comes_and_goes_is_told_of_once_an_hour(house: House):
    house.lives = True
    for _ in range(4):
        await start(house.delivery, house.database, [1])
        await house.go()
        house.clock.forward(minutes=9)
        await house.halts.tick()
    assert len(await house.alerts()) == 1
    house.clock.forward(hours=1)
    await start(house.delivery, house.database, [1])
    await house.go()
    await house.halts.tick()
    assert len(await house.alerts()) == 2


async def test_failures_in_a_row_stop_it_and_the_rest_waits(database, clock):
    members = await settle(database, clock, 60)
    channel = FakeChannel(lambda envelope: Unknown("502"), latency=0.002)
    delivery = await build(database, clock, channel, rate=25.0)
    dispatch = await start(delivery, database, members)
    for _ in range(4):
        await run_all(delivery, database)
    async with database.read() as session:
        (halt,) = await halts.read_all(session)
    assert halt.reason == "failing"
    figures = await delivery.figures(dispatch)
    assert 20 <= figures.unknown < 50
    assert figures.waiting + figures.held == 60 - figures.unknown
    assert {state for state, _ in (await states(database, dispatch)).values()} == {"unknown", "waiting"}


@pytest.mark.slow_on_postgresql
async def test_only_an_administrator_of_the_city_lets_it_go_and_it_is_written_down(house: House):
    await start(house.delivery, house.database, [1, 2])
    await house.go()
    stranger = Actor(member_id=1, name="x", home_id=1, home_path="/1/")
    for act in (house.halts.stopped(stranger), house.halts.resume(stranger, 1)):
        with pytest.raises(NotAllowed):
            await act

    async with house.database.read() as session:
        admin = await grants.actor_of_member(session, 6, day_of(house.clock()))
    (shown,) = await house.halts.stopped(admin)
    assert (shown.halt.name, shown.waiting) == ("chat1", 2)
    assert await house.halts.resume(admin, 1)
    assert not await house.halts.resume(admin, 1)
    entry = T["audit_entry"]
    async with house.database.read() as session:
        assert (await session.execute(select(entry.c.action))).scalars().all() == ["account.resumed"]


@pytest.mark.slow_on_postgresql
async def test_a_new_start_looks_at_once(house: House):
    await start(house.delivery, house.database, [1])
    await house.go()
    house.lives = True
    await house.halts.tick()
    assert await house.stopped() == ["chat1 unauthorized"]
    await house.delivery.boot()
    await house.halts.tick()
    assert await house.stopped() == []

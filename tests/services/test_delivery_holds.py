"""What holds a push back without losing it: quiet hours, the weekly cap, the end of its use."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import insert, select, update

from domain.delivery import DispatchState, Lane
from domain.pace import Granted
from domain.quiet_hours import QuietHours
from storage import pace
from storage.deliveries import Rules
from tests.delivery_world import ACCOUNT, FakeChannel, T, build, run_all, settle, start, states

NIGHT = datetime(2026, 3, 4, 14, 0, tzinfo=UTC)  # 22:00 in Shanghai
MORNING = datetime(2026, 3, 5, 0, 0, tzinfo=UTC)  # 08:00 in Shanghai
QUIET = Rules(quiet=QuietHours())


async def retry_times(database) -> set[datetime | None]:
    async with database.read() as session:
        return set((await session.execute(select(T["delivery"].c.retry_at))).scalars())


async def test_quiet_hours_hold_a_dispatch_and_the_tick_releases_it(database, clock):
    clock.now = NIGHT
    members = await settle(database, clock, 3)
    channel = FakeChannel()
    delivery = await build(database, clock, channel, rules=QUIET)
    dispatch = await start(delivery, database, members)
    await run_all(delivery, database)
    figures = await delivery.figures(dispatch)
    assert (figures.held, figures.waiting, figures.sent) == (3, 0, 0)
    assert figures.expected_finish >= MORNING
    assert await delivery.kick() == 0
    clock.now = MORNING
    await delivery.tick()
    assert await delivery.kick() == 1
    await run_all(delivery, database)
    assert (await delivery.figures(dispatch)).sent == 3


async def test_quiet_hours_that_begin_amid_a_dispatch_hold_the_rest(database, clock):
    clock.now = NIGHT - timedelta(hours=1, seconds=1)
    members = await settle(database, clock, 40)
    channel = FakeChannel()
    delivery = await build(database, clock, channel, rules=QUIET, rate=10.0)
    dispatch = await start(delivery, database, members)
    await run_all(delivery, database)
    figures = await delivery.figures(dispatch)
    assert 0 < figures.sent < 40
    assert figures.held == 40 - figures.sent
    assert figures.state is DispatchState.RUNNING


async def test_quiet_hours_are_those_of_the_members_home(database, clock):
    clock.now = NIGHT
    members = await settle(database, clock, 2)
    async with database.begin() as session:
        away = select(T["organisation"]).where(T["organisation"].c.id == 1)
        fields = dict((await session.execute(away)).one()._mapping)
        await session.execute(
            insert(T["organisation"]).values({**fields, "id": 2, "path": "/1/2/", "zone": "Europe/London"})
        )
        await session.execute(update(T["member"]).where(T["member"].c.id == 2).values(home_id=2))
    channel = FakeChannel()
    delivery = await build(database, clock, channel, rules=QUIET)
    await start(delivery, database, members)
    await run_all(delivery, database)
    assert channel.chats == [1002]


async def test_an_urgent_dispatch_is_outside_quiet_hours_and_cap(database, clock):
    clock.now = NIGHT
    members = await settle(database, clock, 1)
    channel = FakeChannel()
    delivery = await build(database, clock, channel, rules=Rules(QuietHours(), weekly_cap=1))
    for _ in range(2):
        await start(delivery, database, members, lane=Lane.URGENT)
        await run_all(delivery, database)
        clock.forward(seconds=2)
    assert len(channel.sent) == 2


async def test_the_push_above_the_weekly_cap_ends_in_the_digest(database, clock):
    members = await settle(database, clock, 1)
    channel = FakeChannel()
    delivery = await build(database, clock, channel, rules=Rules(weekly_cap=3))
    for _ in range(4):
        dispatch = await start(delivery, database, members)
        await run_all(delivery, database)
        clock.forward(seconds=2)
    assert len(channel.sent) == 3
    assert await states(database, dispatch) == {1: ("skipped", "in_digest")}
    figures = await delivery.figures(dispatch)
    assert (figures.state, figures.skipped_by_reason) == (DispatchState.DONE, {"in_digest": 1})
    clock.now = datetime(2026, 3, 9, 0, 0, tzinfo=UTC)
    await start(delivery, database, members)
    await run_all(delivery, database)
    assert len(channel.sent) == 4


async def test_who_is_capped_holds_up_nobody_else_in_the_slice(database, clock):
    members = await settle(database, clock, 3)
    channel = FakeChannel()
    delivery = await build(database, clock, channel, rules=Rules(weekly_cap=1))
    await start(delivery, database, members[:1])
    await run_all(delivery, database)
    clock.forward(seconds=2)
    dispatch = await start(delivery, database, members)
    taken = await delivery.pipeline._open(2, 1)
    granted = await delivery.pipeline._pacer.reserve(taken, delivery.pipeline._flow(taken), 1)
    await delivery.pipeline._claim(taken, 1, granted, "1")
    async with database.begin() as session:
        await pace.hold(session, ACCOUNT, clock() + timedelta(seconds=9), clock())
    assert (await delivery.pipeline._claim(taken, 2, Granted(clock().timestamp(), 0.1), "2")).nothing
    turn = await delivery.pipeline._close(taken)
    assert turn.again_in < 1
    clock.forward(seconds=10)
    await run_all(delivery, database)
    assert (await delivery.figures(dispatch)).sent == 2


async def test_what_does_not_count_is_not_capped(database, clock):
    members = await settle(database, clock, 1)
    channel = FakeChannel()
    delivery = await build(database, clock, channel, rules=Rules(weekly_cap=1))
    delivery.sources["alert"] = delivery.sources["notice"]
    for number in range(3):
        async with database.begin() as session:
            await delivery.dispatch(session, source="alert", source_id=number, member_ids=members)
        await run_all(delivery, database)
        clock.forward(seconds=2)
    assert len(channel.sent) == 3


async def test_what_is_no_longer_of_use_is_recorded_and_not_sent(database, clock):
    members = await settle(database, clock, 1)
    channel = FakeChannel()
    delivery = await build(database, clock, channel)
    dispatch = await start(delivery, database, members, useful_until=clock() + timedelta(hours=1))
    clock.forward(hours=2)
    await run_all(delivery, database)
    assert channel.sent == []
    assert await states(database, dispatch) == {1: ("skipped", "too_late")}

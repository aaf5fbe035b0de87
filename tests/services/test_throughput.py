"""What is said of the rate and the end of a dispatch is what happens: on one account, on many, and when nothing moves."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from bot import figures as scrape
from bot.delivery_commands import commands_of
from bot.local import here
from domain.delivery import DeliveryState, NotSent, Verdict
from domain.throughput import WINDOW, Moved
from storage import outcomes, throughput
from storage.outcomes import Record
from tests.delivery_world import FakeChannel, T, build, run_all, settle, start


async def answered(database, dispatch_id: int, count: int, clock) -> None:
    """Record that so many of a dispatch were sent, as any process does."""
    delivery = T["delivery"]
    waiting = (
        select(delivery.c.id)
        .where(delivery.c.dispatch_id == dispatch_id, delivery.c.state == "waiting")
        .order_by(delivery.c.id)
        .limit(count)
    )
    async with database.begin() as session:
        numbers = list((await session.execute(waiting)).scalars())
        sending = {"state": DeliveryState.SENDING, "attempt_id": "a"}
        await session.execute(update(delivery).where(delivery.c.id.in_(numbers)).values(sending))
        sent = Verdict(DeliveryState.SENT, "", message_id=1)
        await outcomes.record(session, [Record(number, "a", sent) for number in numbers], clock())


async def go(database, clock, dispatches: list[int], each_second: int, seconds: int) -> None:
    for _ in range(seconds):
        clock.forward(seconds=1)
        for number in dispatches:
            await answered(database, number, each_second, clock)


async def test_without_a_worker_nothing_has_a_rate_however_long_it_waits(database, clock):
    members = await settle(database, clock, 50)
    delivery = await build(database, clock, FakeChannel(), rate=25.0)
    dispatch = await start(delivery, database, members)
    clock.forward(hours=1)
    figures = await delivery.figures(dispatch)
    assert (figures.rate, figures.estimated, figures.stands_still) == (0.0, True, False)


async def test_two_on_one_account_have_half_the_rate_each_and_take_twice_as_long(database, clock):
    members = await settle(database, clock, 200)
    delivery = await build(database, clock, FakeChannel(), rate=10.0)
    alone = await start(delivery, database, members)
    assert (await delivery.figures(alone)).expected_finish == clock() + timedelta(seconds=20)
    both = [alone, await start(delivery, database, members)]
    for dispatch in both:
        assert (await delivery.figures(dispatch)).expected_finish == clock() + timedelta(seconds=40)
    await go(database, clock, both, 5, 15)
    for dispatch in both:
        figures = await delivery.figures(dispatch)
        assert figures.rate == pytest.approx(5, rel=0.15)
        assert not figures.estimated
        assert figures.expected_finish == pytest.approx(
            clock() + timedelta(seconds=25), abs=timedelta(seconds=4)
        )


async def test_in_a_jam_the_rate_goes_to_nothing_and_no_end_is_named(database, clock):
    members = await settle(database, clock, 200)
    delivery = await build(database, clock, FakeChannel(), rate=10.0)
    dispatch = await start(delivery, database, members)
    await go(database, clock, [dispatch], 10, 12)
    assert (await delivery.figures(dispatch)).rate == pytest.approx(10, rel=0.15)
    clock.forward(seconds=2 * WINDOW)
    figures = await delivery.figures(dispatch)
    assert (figures.rate, figures.expected_finish, figures.stands_still) == (0.0, None, True)
    await go(database, clock, [dispatch], 10, 3)  # it goes on: what stood in between counts no more
    figures = await delivery.figures(dispatch)
    assert figures.rate == pytest.approx(15, rel=0.01)  # 30 in the two seconds since the first of them
    assert not figures.stands_still


async def test_what_fails_before_it_leaves_us_is_no_rate(database, clock):
    members = await settle(database, clock, 20)
    delivery = await build(database, clock, FakeChannel(lambda _: NotSent("refused")))
    dispatch = await start(delivery, database, members)
    async with database.begin() as session:
        await session.execute(update(T["delivery"]).values(attempt=99))
    await run_all(delivery, database)
    figures = await delivery.figures(dispatch)
    assert (figures.failed, figures.rate) == (20, 0.0)


async def test_a_paused_one_has_no_rate_at_once(database, clock):
    members = await settle(database, clock, 50)
    delivery = await build(database, clock, FakeChannel(), rate=10.0)
    dispatch = await start(delivery, database, members)
    await go(database, clock, [dispatch], 10, 3)
    await delivery.pause(dispatch)
    figures = await delivery.figures(dispatch)
    assert (figures.rate, figures.expected_finish, figures.stands_still) == (0.0, None, False)


async def test_chat_console_command_line_and_metrics_say_the_same(database, clock):
    members = await settle(database, clock, 200)
    delivery = await build(database, clock, FakeChannel(), rate=10.0)
    both = [await start(delivery, database, members) for _ in range(2)]
    await go(database, clock, both, 5, 13)
    shown = [await delivery.figures(dispatch) for dispatch in both]
    [said] = [each async for each in here(commands_of(database, clock), "deliveries.list", {})]
    assert [each["rate"] for each in said["dispatches"]] == [each.per_second for each in shown]
    scraped = (await scrape.read(database, clock(), None)).decode()
    [line] = [line for line in scraped.splitlines() if line.startswith("tongdao_delivery_rate{")]
    assert float(line.split()[1]) == pytest.approx(sum(each.rate for each in shown))


async def test_the_rows_count_as_the_rule_says(database, clock):
    """Also where answers come from a process whose clock is a little behind or ahead, and after a long gap."""
    members = await settle(database, clock, 60)
    delivery = await build(database, clock, FakeChannel())
    dispatch = await start(delivery, database, members)
    start_at = 1_000_000_000.0
    for at, count in ((0, 3), (9.9, 4), (10.2, 5), (9.8, 1), (19, 2), (25, 6), (60, 7), (71, 8)):
        clock.now = datetime.fromtimestamp(start_at + at, UTC)
        await answered(database, dispatch, count, clock)
    async with database.read() as session:
        row = (await session.execute(select(*throughput.sums(clock().timestamp())))).one()
        assert throughput.moved_of(row) == Moved(8, 7, start_at + 60)
        row = (await session.execute(select(*throughput.sums(start_at + 85)))).one()
        assert throughput.moved_of(row) == Moved(0, 8, start_at + 60)
        row = (await session.execute(select(*throughput.sums(start_at + 95)))).one()
        assert throughput.moved_of(row) == Moved()
        assert throughput.moved_of(row).rate(start_at + 95) == 0

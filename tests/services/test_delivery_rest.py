"""Rest days hold a push in the claim, set-based, and let go what is urgent or was asked for."""

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import select

from domain.delivery import Lane
from domain.holidays import Day, DayKind, YearTable
from domain.rest_days import RestDays
from services.audit import Audit
from services.holidays import Holidays
from services.rest_days import RestWatch
from storage.deliveries import Rules
from storage.sealing import Sealer
from tests.delivery_world import FakeChannel, T, build, hello, run_all, settle, start, states

SATURDAY = datetime(2026, 3, 7, 2, 0, tzinfo=UTC)  # 10:00 in Shanghai
MONDAY = datetime(2026, 3, 9, 0, 0, tzinfo=UTC)  # 08:00 in Shanghai
WORKED_ON = datetime(2026, 2, 14, 4, 0, tzinfo=UTC)  # a Saturday, made up for


async def test_a_push_on_a_saturday_goes_out_on_monday(database, clock):
    clock.now = SATURDAY
    members = await settle(database, clock, 3)
    channel = FakeChannel()
    delivery = await build(database, clock, channel, rules=Rules(rest=RestDays()))
    dispatch = await start(delivery, database, members)
    await run_all(delivery, database)
    assert channel.sent == []
    assert set((await states(database, dispatch)).values()) == {("waiting", "rest_day")}
    async with database.read() as session:
        times = set((await session.execute(select(T["delivery"].c.retry_at))).scalars())
    assert times == {MONDAY}
    assert (await delivery.figures(dispatch)).held == 3
    clock.now = MONDAY
    await run_all(delivery, database)
    assert len(channel.sent) == 3


async def test_a_rest_day_that_begins_amid_a_dispatch_holds_the_rest(database, clock):
    clock.now = datetime(2026, 3, 6, 15, 59, 58, tzinfo=UTC)  # two seconds before Saturday
    members = await settle(database, clock, 40)
    delivery = await build(database, clock, FakeChannel(), rules=Rules(rest=RestDays()), rate=10.0)
    dispatch = await start(delivery, database, members)
    await run_all(delivery, database)
    figures = await delivery.figures(dispatch)
    assert 0 < figures.sent < 40
    assert figures.held == 40 - figures.sent


@pytest.mark.parametrize(
    ("now", "source", "lane"),
    [
        (SATURDAY, "notice", Lane.URGENT),
        (SATURDAY, "service_reminder", Lane.NORMAL),
        (SATURDAY, "link_joined", Lane.NORMAL),
        (WORKED_ON, "notice", Lane.NORMAL),
    ],
)
async def test_what_is_urgent_or_asked_for_goes_out_and_a_worked_saturday_holds_nothing(
    database, clock, now, source, lane
):
    clock.now = now
    members = await settle(database, clock, 1)
    channel = FakeChannel()
    delivery = await build(database, clock, channel, rules=Rules(rest=RestDays()))
    delivery.sources[source] = hello
    async with database.begin() as session:
        await delivery.dispatch(session, source=source, source_id=1, member_ids=members, lane=lane)
    await run_all(delivery, database)
    assert len(channel.sent) == 1


async def test_the_calendar_of_the_rules_follows_what_is_entered(database, clock):
    audit = Audit(database=database, clock=clock, sealer=Sealer({"test": bytes(32)}, "test"))
    holidays, rest = Holidays(database=database, clock=clock, audit=audit), RestDays()
    watch = RestWatch(holidays=holidays, rest=rest)
    day = datetime(2031, 10, 1, 4, 0, tzinfo=UTC)
    await watch.tick()
    assert rest.held_until(day, "Asia/Shanghai") is None
    await holidays.enter(YearTable(2031, {date(2031, 10, 1): Day(DayKind.HOLIDAY)}))
    await watch.tick()
    assert rest.held_until(day, "Asia/Shanghai") is not None
    await RestWatch(holidays=holidays, rest=None).tick()

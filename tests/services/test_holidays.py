"""Holidays as a use case: a year entered, replaced and taken out, and the one reminder that next year is missing."""

import asyncio
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import select

from domain.holidays import Day, DayKind, HolidayName, YearTable
from domain.permissions import Actor, Grant, Role
from domain.refusals import NotAllowed
from services.audit import Audit
from services.holiday_alerts import SOURCE, HolidayAlerts
from services.holidays import Holidays, YearOutOfRange
from storage.database import Database, Session
from storage.sealing import Sealer
from tests.conftest import HandClock
from tests.factories import T, make_grant, make_member, make_organisation
from tests.fakes import RecordingDelivery

OFF = Day(DayKind.HOLIDAY, HolidayName("元旦", "New Year's Day"))
YEAR = YearTable(2027, {date(2026, 12, 31): OFF, date(2027, 1, 1): OFF, date(2027, 1, 2): OFF})
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def build(database: Database, clock: HandClock) -> Holidays:
    audit = Audit(database=database, clock=clock, sealer=Sealer({"test": bytes(range(32))}, "test"))
    return Holidays(database=database, clock=clock, audit=audit)


@pytest.fixture
def holidays(database: Database, clock: HandClock) -> Holidays:
    return build(database, clock)


async def test_an_entered_year_is_known_everywhere_and_may_be_replaced(
    holidays: Holidays, database: Database, clock: HandClock
):
    elsewhere = build(database, clock)
    before = await elsewhere.calendar()
    assert await holidays.enter(YEAR)
    assert not await holidays.enter(YEAR)
    calendar = await elsewhere.calendar()
    assert await elsewhere.calendar() is calendar is not before
    assert calendar.entered[2027] == YEAR
    assert calendar.day(date(2026, 12, 31)) == OFF
    assert await holidays.enter(YearTable(2027, {date(2027, 1, 1): OFF}))
    assert (await elsewhere.calendar()).day(date(2027, 1, 2)).kind is DayKind.REST


async def test_a_year_taken_out_is_unknown_again(holidays: Holidays, database: Database):
    await holidays.enter(YEAR)
    assert await holidays.remove(2027)
    assert not await holidays.remove(2027)
    assert not (await holidays.calendar()).knows(2027)
    async with database.read() as session:
        actions = await session.execute(select(T["audit_entry"].c.action).order_by(T["audit_entry"].c.id))
        assert list(actions.scalars()) == ["holidays.entered", "holidays.removed"]


@on_sqlite
async def test_an_entry_that_fails_leaves_no_trace_and_no_wrong_calendar(holidays: Holidays):
    seen: list[bool] = []

    async def fails(session: Session) -> None:
        seen.append((await holidays.calendar(session)).knows(2027))
        raise RuntimeError

    holidays.changed.append(fails)
    with pytest.raises(RuntimeError):
        await holidays.enter(YEAR)
    assert seen == [True]
    assert not (await holidays.calendar()).knows(2027)


@on_sqlite
async def test_a_look_shows_what_a_draft_would_move(holidays: Holidays):
    look = await holidays.look(2027, YEAR)
    assert [(each.planned, each.date) for each in look.moved] == [(date(2027, 1, 2), date(2027, 1, 9))]
    assert [(span.first, span.last) for span in look.spans] == [(date(2026, 12, 31), date(2027, 1, 2))]
    assert not (await holidays.look(2027)).known
    assert [(each.planned.month, each.date.day) for each in (await holidays.look(2026)).moved] == [
        (1, 10),
        (4, 11),
        (5, 16),
        (10, 17),
    ]


@on_sqlite
@pytest.mark.parametrize("year", [2003, 2101, 0, -1])
async def test_years_far_away_are_refused(holidays: Holidays, year: int):
    with pytest.raises(YearOutOfRange):
        await holidays.look(year)
    with pytest.raises(YearOutOfRange):
        await holidays.enter(YearTable(year, {}))


@on_sqlite
@pytest.mark.parametrize(
    ("role", "path", "allowed"),
    [
        (Role.SECRETARY, "/1/", True),
        (Role.SECRETARY, "/1/2/", False),
        (Role.STAFF_WORKER, "/1/", False),
        (Role.OBSERVER, "/1/", False),
    ],
)
async def test_only_a_secretary_at_the_root_may_enter(
    holidays: Holidays, role: Role, path: str, *, allowed: bool
):
    actor = Actor(1, "王芳", 1, "/1/", grants=(Grant(role, 1, path, date(2020, 1, 1)),))
    if allowed:
        holidays.check(actor)
        return
    with pytest.raises(NotAllowed):
        holidays.check(actor)


async def test_the_root_secretaries_are_told_once_from_november_on(
    holidays: Holidays, database: Database, clock: HandClock
):
    delivery = RecordingDelivery()
    alerts = HolidayAlerts(database=database, clock=clock, holidays=holidays, delivery=delivery)
    city = await make_organisation(database)
    county = await make_organisation(database, parent=city)
    secretary, other, third = [await make_member(database, home=city) for _ in range(3)]
    await make_grant(database, member=secretary, organisation=city)
    await make_grant(database, member=other, organisation=county)
    await make_grant(database, member=third, organisation=city, role="staff_worker")
    clock.now = datetime(2026, 10, 31, 15, 59, tzinfo=UTC)
    assert not await alerts.tick()
    clock.forward(minutes=1)  # November has begun in Shanghai
    two = HolidayAlerts(database=database, clock=clock, holidays=build(database, clock), delivery=delivery)
    await asyncio.gather(alerts.tick(), two.tick())
    clock.forward(days=20)
    assert not await alerts.tick()
    assert delivery.told == [(SOURCE, [secretary])]
    content = await delivery.sources[SOURCE](2027, "zh_CN")
    assert "2027年的放假安排" in content.text
    assert content.keyboard[0][0].data == "go:holidays"


@on_sqlite
async def test_nobody_is_told_when_the_year_is_known(
    holidays: Holidays, database: Database, clock: HandClock
):
    delivery = RecordingDelivery()
    alerts = HolidayAlerts(database=database, clock=clock, holidays=holidays, delivery=delivery)
    city = await make_organisation(database)
    await make_grant(database, member=await make_member(database, home=city), organisation=city)
    clock.now = datetime(2026, 11, 23, tzinfo=UTC)
    await holidays.enter(YEAR)
    assert not await alerts.tick()
    await holidays.remove(2027)
    assert await alerts.tick()

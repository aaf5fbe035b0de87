"""Dates that move, that wait for a person, and that a newly entered year places anew."""

from datetime import date

import pytest
from sqlalchemy import update

from domain.holidays import Day, DayKind, YearTable
from domain.organisations import HolidayPolicy
from domain.recurrence import NthWeekday, Rule
from domain.schedules import OccurrenceState
from services.schedules import OccurrenceOver
from storage.database import Database
from tests.bell import DONE, FIRST_SATURDAY, SHANGHAI, TOO_LATE, Bell
from tests.conftest import HandClock
from tests.factories import T
from tests.recurrence_world import at

pytestmark = pytest.mark.slow_on_postgresql
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def bell(database: Database, clock: HandClock) -> Bell:
    return Bell(database, clock)


@on_sqlite
async def test_a_moved_date_comes_on_the_day_it_moved_to(bell: Bell):
    await bell.plan(FIRST_SATURDAY)
    moved = [each for each in await bell.schedules.upcoming("bell", 1, 8) if each.moved_because]
    assert [(each.planned.day, each.date.day, each.moved_because.name.en) for each in moved] == [
        (4, 11, "Tomb-sweeping Day"),
        (2, 16, "Labour Day"),
        (3, 17, "National Day"),
    ]
    bell.move(3, 7)
    await bell.schedules.tick()
    bell.move(4, 4)
    assert await bell.schedules.tick() == 0
    bell.move(4, 11)
    assert await bell.schedules.tick() == 1
    assert (bell.rung[-1].planned.day, bell.rung[-1].date.day, bell.rung[-1].moved) == (4, 11, True)


async def test_a_date_in_an_unknown_year_asks_once_and_waits_for_a_person(bell: Bell):
    bell.move(12, 6)
    await bell.plan(FIRST_SATURDAY)
    bell.move(12, 11)
    await bell.schedules.tick()
    assert bell.asked == []
    bell.move(12, 12)  # three weeks ahead
    await bell.schedules.tick()
    await bell.schedules.tick()
    (asked,) = bell.asked
    assert (asked.planned, asked.state) == (date(2027, 1, 2), OccurrenceState.UNCONFIRMED)
    first = (await bell.schedules.upcoming("bell", 1))[0]
    assert (first.planned, first.confirmed) == (date(2027, 1, 2), False)
    async with bell.database.begin() as session:
        for _ in range(2):  # pressed twice
            confirmed = await bell.schedules.confirm(session, asked.occurrence_id, date(2027, 1, 9))
        with pytest.raises(OccurrenceOver):
            await bell.schedules.confirm(session, asked.occurrence_id, date(2027, 1, 16))
    assert (confirmed.date, confirmed.state) == (date(2027, 1, 9), OccurrenceState.WAITING)
    bell.move(1, 2, year=2027)
    assert await bell.schedules.tick() == 0
    bell.move(1, 9, year=2027)
    assert await bell.schedules.tick() == 1
    assert bell.rung[0].date == date(2027, 1, 9)
    with pytest.raises(OccurrenceOver):
        async with bell.database.begin() as session:
            await bell.schedules.confirm(session, asked.occurrence_id)


@on_sqlite
async def test_what_nobody_confirms_ends_without_happening(bell: Bell):
    by_hand = Rule(NthWeekday(1, 5), at(9), SHANGHAI, HolidayPolicy.BY_HAND)
    bell.move(9, 20)
    await bell.plan(by_hand)
    await bell.schedules.tick()
    assert [each.planned for each in bell.asked] == [date(2026, 10, 3)]
    for hour in (9, 21):  # at its time, and at the last moment of its use
        bell.move(10, 3, hour)
        assert await bell.schedules.tick() == 0
    assert len(bell.asked) == 1
    bell.move(10, 4)
    await bell.schedules.tick()
    assert await bell.states() == {"10-03": TOO_LATE}
    with pytest.raises(OccurrenceOver):
        async with bell.database.begin() as session:
            await bell.schedules.skip(session, bell.asked[0].occurrence_id)
    assert bell.rung == []


@on_sqlite
async def test_a_person_may_leave_one_out(bell: Bell):
    bell.move(9, 20)
    await bell.plan(Rule(NthWeekday(1, 5), at(9), SHANGHAI, HolidayPolicy.BY_HAND))
    await bell.schedules.tick()
    async with bell.database.begin() as session:
        await bell.schedules.skip(session, bell.asked[0].occurrence_id)
    bell.move(10, 3)
    assert await bell.schedules.tick() == 0
    assert await bell.states() == {"10-03": OccurrenceState.SKIPPED}


@on_sqlite
async def test_a_question_that_fails_is_asked_again(bell: Bell):
    bell.broken = {1}
    bell.move(9, 20)
    await bell.plan(Rule(NthWeekday(1, 5), at(9), SHANGHAI, HolidayPolicy.BY_HAND))
    await bell.schedules.tick()
    bell.broken = set()
    bell.clock.forward(minutes=1)
    await bell.schedules.tick()
    bell.clock.forward(minutes=10)
    await bell.schedules.tick()
    assert len(bell.asked) == 2


@on_sqlite
async def test_a_date_confirmed_when_its_use_is_over_is_refused(bell: Bell):
    bell.move(9, 20)
    await bell.plan(Rule(NthWeekday(1, 5), at(9), SHANGHAI, HolidayPolicy.BY_HAND))
    await bell.schedules.tick()
    bell.move(10, 5)
    with pytest.raises(OccurrenceOver):
        async with bell.database.begin() as session:
            await bell.schedules.confirm(session, bell.asked[0].occurrence_id)


async def test_entering_the_year_confirms_and_moves_what_was_open(bell: Bell):
    bell.move(12, 13)
    await bell.plan(FIRST_SATURDAY)
    await bell.schedules.tick()
    assert len(bell.asked) == 1
    other = Bell(bell.database, bell.clock)
    other.holidays.changed.clear()  # entered by a process that knows of no schedules
    holiday = Day(DayKind.HOLIDAY)
    await other.holidays.enter(YearTable(2027, {date(2027, 1, 2): holiday, date(2027, 2, 6): holiday}))
    await bell.schedules.tick()
    ahead = await bell.schedules.upcoming("bell", 1, 3)
    assert [(each.date, each.confirmed) for each in ahead] == [
        (date(2027, 1, 9), True),
        (date(2027, 2, 13), True),
        (date(2027, 3, 6), True),
    ]
    bell.move(1, 9, year=2027)
    assert await bell.schedules.tick() == 1
    bell.move(2, 6, year=2027)
    assert await bell.schedules.tick() == 0
    bell.move(2, 13, year=2027)
    assert await bell.schedules.tick() == 1
    assert await bell.states() == {"01-02": DONE, "02-06": DONE}


@on_sqlite
async def test_a_year_entered_while_the_clock_ticks_still_moves_what_is_due(bell: Bell):
    await bell.plan(FIRST_SATURDAY)
    bell.move(3, 7)
    await bell.schedules.tick()
    bell.move(4, 3)
    await bell.schedules.tick()
    free = YearTable(2026, {date(2026, 5, 2): Day(DayKind.HOLIDAY)})
    await Bell(bell.database, bell.clock).holidays.enter(free)  # 4 April is free by this table
    bell.schedules._reckoned = await bell.holidays.calendar()
    async with bell.database.begin() as session:  # as it was when this process last looked
        await session.execute(
            update(T["schedule"]).values(next_planned=date(2026, 5, 2), next_run_at=bell.clock())
        )
    assert await bell.schedules.tick() == 0
    assert [each.date.day for each in await bell.schedules.upcoming("bell", 1, 1)] == [9]
    bell.move(5, 9)
    assert await bell.schedules.tick() == 1

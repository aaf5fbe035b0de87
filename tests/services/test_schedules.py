"""Schedules: each occurrence once, whoever ticks, however the clock jumps, whatever fails."""

import asyncio
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select, update

from domain.recurrence import Every, MonthDay, Once, Rule
from domain.refusals import NotFound
from domain.schedules import OccurrenceState
from storage import schedules
from storage.database import Database
from tests.bell import DAILY, DONE, FAILED, FIRST_SATURDAY, SHANGHAI, TOO_LATE, Bell
from tests.conftest import HandClock
from tests.factories import T
from tests.recurrence_world import at

pytestmark = pytest.mark.slow_on_postgresql
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def bell(database: Database, clock: HandClock) -> Bell:
    return Bell(database, clock)


async def test_an_occurrence_comes_at_its_time_and_once(bell: Bell):
    await bell.plan()
    bell.move(3, 5, 8, 59)
    assert await bell.schedules.tick() == 0
    bell.move(3, 5)
    assert await bell.schedules.tick() == 1
    assert await bell.schedules.tick() == 0
    (due,) = bell.rung
    assert (due.kind, due.subject_id, due.planned, due.moved) == ("bell", 1, date(2026, 3, 5), False)
    assert due.at == datetime(2026, 3, 5, 1, tzinfo=UTC)
    assert due.useful_until == due.at + timedelta(hours=12)
    assert await bell.written() == ["1:2026-03-05"]
    assert [each.planned.day for each in await bell.schedules.upcoming("bell", 1, 3)] == [6, 7, 8]


@on_sqlite
async def test_a_restart_repeats_nothing(bell: Bell):
    await bell.plan()
    bell.move(3, 5)
    await bell.schedules.tick()
    after = Bell(bell.database, bell.clock)
    assert await after.schedules.tick() == 0
    bell.move(3, 6)
    assert await after.schedules.tick() == 1
    assert await bell.written() == ["1:2026-03-05", "1:2026-03-06"]


async def test_two_processes_at_once_do_each_occurrence_once(bell: Bell, database_url: str):
    for subject in range(1, 6):
        await bell.plan(subject_id=subject, days=5)
    second = Database(database_url)
    bells = [bell, Bell(second, bell.clock), Bell(second, bell.clock)]
    bell.move(3, 8, 12)
    await asyncio.gather(*(each.schedules.tick() for each in bells))
    for each in bells:
        await each.schedules.tick()
    await second.close()
    written = await bell.written()
    assert sorted(written) == sorted(
        {f"{subject}:2026-03-0{day}" for subject in range(1, 6) for day in range(5, 9)}
    )


@on_sqlite
async def test_a_clock_that_jumps_a_day_either_way_repeats_and_loses_nothing(bell: Bell):
    await bell.plan()
    for day, hour in [(5, 9), (6, 9), (5, 10), (5, 8), (6, 9), (7, 8), (8, 10), (7, 9), (8, 9), (9, 9)]:
        bell.move(3, day, hour)
        await bell.schedules.tick()
    assert await bell.written() == [f"1:2026-03-0{day}" for day in (5, 6, 8, 9)]
    assert (await bell.states())["03-07"] == TOO_LATE  # its day was jumped over, and twelve hours had passed


@on_sqlite
async def test_after_three_days_away_what_is_of_no_use_is_only_written_down(bell: Bell):
    await bell.plan(hours=30)
    bell.move(3, 8, 12)
    assert await bell.schedules.tick() == 2
    assert await bell.written() == ["1:2026-03-07", "1:2026-03-08"]
    assert await bell.states() == {
        "03-05": TOO_LATE,
        "03-06": TOO_LATE,
        "03-07": DONE,
        "03-08": DONE,
    }


@on_sqlite
async def test_useful_until_is_the_last_moment_of_use(bell: Bell):
    await bell.plan(Rule(Once(date(2026, 3, 5)), at(9), SHANGHAI), hours=1)
    await bell.plan(Rule(Once(date(2026, 3, 5)), at(8, 59), SHANGHAI), subject_id=2, hours=1)
    bell.move(3, 5, 10)
    await bell.schedules.tick()
    assert await bell.states() == {"03-05": DONE}
    assert await bell.states(2) == {"03-05": TOO_LATE}
    assert await bell.schedules.upcoming("bell", 1) == []


async def test_a_handler_that_raises_takes_back_its_own_and_comes_again(bell: Bell):
    bell.broken = {1}
    await bell.plan()
    await bell.plan(subject_id=2)
    bell.move(3, 5)
    assert await bell.schedules.tick() == 1
    assert await bell.written() == ["2:2026-03-05"]
    (waiting,) = await bell.schedules.waiting("bell", 1)
    assert (waiting.attempts, waiting.state) == (1, OccurrenceState.WAITING)
    assert await bell.schedules.tick() == 0  # not before its minute
    bell.clock.forward(minutes=1)
    await bell.schedules.tick()
    bell.broken = set()
    bell.clock.forward(minutes=4, seconds=59)
    assert await bell.schedules.tick() == 0
    bell.clock.forward(seconds=1)
    assert await bell.schedules.tick() == 1
    assert await bell.written() == ["2:2026-03-05", "1:2026-03-05"]
    assert await bell.states() == {"03-05": DONE}
    assert bell.rung[-1].attempts == 2


@on_sqlite
async def test_what_fails_to_the_end_is_written_as_failed_and_holds_up_no_next_one(bell: Bell):
    bell.broken = {1}
    await bell.plan(hours=2)
    bell.move(3, 5)
    for _ in range(40):
        await bell.schedules.tick()
        bell.clock.forward(minutes=5)
    assert await bell.states() == {"03-05": FAILED}
    assert 5 <= len(bell.rung) <= 7
    bell.broken = set()
    bell.move(3, 6)
    assert await bell.schedules.tick() == 1


@on_sqlite
async def test_a_kind_nobody_handles_waits_until_somebody_does(bell: Bell):
    del bell.schedules.handlers["bell"]
    await bell.plan()
    bell.move(3, 5)
    await bell.schedules.tick()
    bell.schedules.handlers["bell"] = bell.ring
    bell.clock.forward(minutes=1)
    assert await bell.schedules.tick() == 1


@on_sqlite
async def test_the_same_plan_again_changes_nothing_and_another_takes_its_place(bell: Bell):
    number = await bell.plan()
    bell.move(3, 5)
    assert await bell.plan() == number
    assert await bell.schedules.tick() == 1
    later = Rule(Every(1, date(2026, 1, 1)), at(15), SHANGHAI)
    assert await bell.plan(later) == number
    assert (await bell.schedules.upcoming("bell", 1, 1))[0].planned.day == 6
    bell.move(3, 5, 16)
    assert await bell.schedules.tick() == 0  # this date has had its occurrence
    bell.move(3, 6, 15)
    assert await bell.schedules.tick() == 1


@on_sqlite
async def test_what_is_dropped_comes_no_more_until_it_is_planned_again(bell: Bell):
    await bell.plan()
    async with bell.database.begin() as session:
        assert await bell.schedules.drop(session, "bell", 1)
        assert not await bell.schedules.drop(session, "bell", 1)
        assert not await bell.schedules.drop(session, "bell", 2)
        with pytest.raises(NotFound):
            await bell.schedules.replan(session, "bell", 1, DAILY)
    bell.move(3, 5)
    assert await bell.schedules.tick() == 0
    assert await bell.schedules.upcoming("bell", 1) == await bell.schedules.upcoming("bell", 9) == []
    await bell.plan()
    bell.move(3, 6)
    assert await bell.schedules.tick() == 1


@on_sqlite
async def test_a_plan_stands_or_falls_with_its_transaction(bell: Bell):
    async def plan_and_fail() -> None:
        async with bell.database.begin() as session:
            await bell.schedules.plan(
                session, kind="bell", subject_id=1, rule=DAILY, useful_for=timedelta(hours=1)
            )
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await plan_and_fail()
    bell.move(3, 5)
    assert await bell.schedules.tick() == 0


@on_sqlite
async def test_a_new_rule_keeps_its_use(bell: Bell):
    await bell.plan(hours=1)
    async with bell.database.begin() as session:
        await bell.schedules.replan(session, "bell", 1, Rule(MonthDay(31), at(9), SHANGHAI))
    bell.move(3, 31)
    await bell.schedules.tick()
    assert bell.rung[0].useful_until - bell.rung[0].at == timedelta(hours=1)


@on_sqlite
async def test_a_start_places_anew_what_a_newer_library_knows(bell: Bell):
    bell.move(12, 6)
    await bell.plan(FIRST_SATURDAY)
    async with bell.database.begin() as session:  # as if written by a former release
        wrong = {"next_run_at": datetime(2030, 1, 1, tzinfo=UTC)}
        await session.execute(update(T["schedule"]).values(**wrong))
    bell.move(12, 12)
    await Bell(bell.database, bell.clock).schedules.tick()
    async with bell.database.read() as session:
        assert (await session.execute(select(T["occurrence"].c.state))).scalar() == "unconfirmed"


@on_sqlite
async def test_a_rule_that_is_none_any_more_holds_up_no_other(bell: Bell):
    await bell.plan()
    await bell.plan(subject_id=2)
    async with bell.database.begin() as session:
        mine = T["schedule"].c.subject_id == 1
        await session.execute(update(T["schedule"]).where(mine).values(rule='{"zone":"Atlantis/Center"}'))
    bell.move(3, 5)
    assert await bell.schedules.tick() == 1
    assert await bell.written() == ["2:2026-03-05"]


@on_sqlite
async def test_the_next_times_of_a_rule_are_shown_before_it_is_planned(bell: Bell):
    assert [each.date.day for each in await bell.schedules.preview(DAILY, 2)] == [5, 6]


async def test_after_a_restore_what_was_due_meanwhile_is_left_out(bell: Bell):
    await bell.plan(days=5)
    await bell.plan(Rule(Once(date(2026, 3, 6)), at(9), SHANGHAI), subject_id=2, days=5)
    bell.broken = {1}
    bell.move(3, 5)
    await bell.schedules.tick()
    bell.broken = set()
    bell.move(3, 7, 12)
    async with bell.database.begin() as session:
        await schedules.pass_over_due(session, await bell.holidays.calendar(session), bell.clock())
    assert await bell.schedules.tick() == 0
    skipped = OccurrenceState.SKIPPED
    assert await bell.states() == dict.fromkeys(("03-05", "03-06", "03-07"), skipped)
    assert await bell.states(2) == {"03-06": skipped}
    bell.move(3, 8)
    assert await bell.schedules.tick() == 1
    assert await bell.written() == ["1:2026-03-08"]

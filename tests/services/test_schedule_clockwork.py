"""Schedules under any clock: whatever jumps, fails or ticks twice, each planned date ends in just one way."""

import asyncio
import shutil
import tempfile
from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from domain.holidays import Calendar
from domain.organisations import HolidayPolicy
from domain.recurrence import Every, MonthDay, NthWeekday, Rule, occurrences
from domain.schedules import Due
from services.audit import Audit
from services.holidays import Holidays
from services.schedules import Schedules
from storage.database import Database, Session
from storage.sealing import Sealer
from tests.conftest import HandClock
from tests.factories import T, make_topic
from tests.recurrence_world import ZONES, times


@dataclass(frozen=True)
class Step:
    """The clock jumps by so many hours, then one of two processes ticks; its handlers may be broken."""

    hours: int
    who: int
    broken: bool


patterns = st.one_of(
    st.builds(Every, st.integers(1, 9), st.just(date(2026, 2, 1))),
    st.builds(NthWeekday, st.sampled_from([1, 2, 3, 4, -1]), st.integers(0, 6)),
    st.builds(MonthDay, st.integers(1, 31)),
)
policies = st.sampled_from([HolidayPolicy.KEEP, HolidayPolicy.NEXT_FREE_SATURDAY])
rules = st.builds(Rule, patterns, times, st.sampled_from(ZONES), policies)
steps = st.lists(st.builds(Step, st.integers(-30, 100), st.integers(0, 1), st.booleans()), max_size=14)
uses = st.integers(1, 100).map(lambda hours: timedelta(hours=hours))


class Process:
    """One of the processes over the database; it writes a topic for each occurrence, and when it did."""

    def __init__(self, database: Database, clock: HandClock) -> None:
        audit = Audit(database=database, clock=clock, sealer=Sealer({"test": bytes(range(32))}, "test"))
        self.clock = clock
        self.schedules = Schedules(
            database=database, clock=clock, holidays=Holidays(database=database, clock=clock, audit=audit)
        )
        self.schedules.handlers["bell"] = self.ring
        self.broken = False
        self.calls: list[tuple[Due, datetime]] = []

    async def ring(self, session: Session, due: Due) -> None:
        self.calls.append((due, self.clock()))
        await make_topic(session, due.planned.isoformat())
        if self.broken:
            raise RuntimeError


async def play(folder: Path, template: Path, rule: Rule, useful: timedelta, played: list[Step]) -> None:
    shutil.copy(template, folder / "tongdao.db")
    database, clock = Database(f"sqlite+aiosqlite:///{folder}/tongdao.db"), HandClock()
    try:
        await check(database, clock, rule, useful, played)
    finally:
        await database.close()


async def check(
    database: Database, clock: HandClock, rule: Rule, useful: timedelta, played: list[Step]
) -> None:
    start = clock()
    processes = [Process(database, clock), Process(database, clock)]
    async with database.begin() as session:
        await processes[0].schedules.plan(session, kind="bell", subject_id=1, rule=rule, useful_for=useful)
    ticked: list[datetime] = []
    for step in played:
        clock.forward(hours=step.hours)
        ticked.append(clock())
        processes[step.who].broken = step.broken
        await processes[step.who].schedules.tick()
    furthest = max([start, *ticked])
    clock.now = furthest + useful + timedelta(hours=2)
    for process in processes:  # what still waited is over now
        process.broken = False
        await process.schedules.tick()
    ticked.append(clock())

    planned = list(occurrences(rule, start, clock(), Calendar()))
    async with database.read() as session:
        row = T["occurrence"].c
        found = (await session.execute(select(row.planned, row.state))).all()
        written = Counter((await session.execute(select(T["topic"].c.code))).scalars())
    states = dict(found)
    assert len(found) == len(states)
    assert set(states) == {each.planned for each in planned}
    assert set(states.values()) <= {"done", "too_late", "failed"}
    done = {day.isoformat() for day, state in states.items() if state == "done"}
    assert written == dict.fromkeys(done, 1)
    for due, when in processes[0].calls + processes[1].calls:
        assert due.at <= when <= due.useful_until == due.at + useful
    if not any(step.broken for step in played):
        for each in planned:
            first = next(when for when in ticked if when >= each.at)
            assert (states[each.planned] == "done") == (first <= each.at + useful)


def run(template: Path, rule: Rule, useful: timedelta, played: list[Step]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(play(Path(folder), template, rule, useful, played))


@settings(max_examples=6, deadline=None)
@given(rules, uses, steps)
def test_each_planned_date_ends_in_just_one_way(sqlite_template: Path, rule, useful, played):
    run(sqlite_template, rule, useful, played)


@pytest.mark.slow
@pytest.mark.timeout(600)
@settings(max_examples=200, deadline=None)
@given(rules, uses, steps)
def test_each_planned_date_ends_in_just_one_way_in_many_worlds(sqlite_template: Path, rule, useful, played):
    run(sqlite_template, rule, useful, played)

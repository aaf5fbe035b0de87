"""A clock killed before, in and after the transactions of what is due: each occurrence comes once, none is lost."""

import asyncio
import signal
import sys
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from domain.recurrence import Every, Rule
from services.audit import Audit
from services.holidays import Holidays
from services.schedules import Schedules
from storage.sealing import Sealer
from tests.factories import T
from tests.recurrence_world import at

pytestmark = [pytest.mark.slow, pytest.mark.kill, pytest.mark.timeout(300)]
ROOT = Path(__file__).parents[2]
SUBJECTS, START = 6, datetime(2026, 3, 4, 2, tzinfo=UTC)
KILLS = [(point, nth) for nth in (1, 2, 5) for point in ("before", "written", "committed")]


async def run_worker(url: str, now: datetime, *kill: object) -> int:
    words = [url, now.isoformat(), *(str(word) for word in kill)]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.acceptance.schedule_worker", *words, cwd=ROOT
    )
    try:
        async with asyncio.timeout(60):
            return await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_nine_kills_and_two_at_once_do_each_occurrence_once(database, database_url, clock):
    clock.now = START
    audit = Audit(database=database, clock=clock, sealer=Sealer({"test": bytes(range(32))}, "test"))
    holidays = Holidays(database=database, clock=clock, audit=audit)
    schedules = Schedules(database=database, clock=clock, holidays=holidays)
    rule = Rule(Every(1, date(2026, 1, 1)), at(9), "Asia/Shanghai")
    async with database.begin() as session:
        for subject in range(SUBJECTS):
            await schedules.plan(
                session, kind="bell", subject_id=subject, rule=rule, useful_for=timedelta(days=30)
            )
    now = START
    for kill in KILLS:
        now += timedelta(days=1)
        assert await run_worker(database_url, now, *kill) == -signal.SIGKILL, kill
    codes = await asyncio.gather(run_worker(database_url, now), run_worker(database_url, now))
    assert codes == [0, 0]
    assert await run_worker(database_url, now - timedelta(days=2)) == 0  # a clock that went back

    async with database.read() as session:
        topics = (await session.execute(select(T["topic"].c.code))).scalars()
        done = Counter(code.rpartition(":")[0] for code in topics)
        states = Counter((await session.execute(select(T["occurrence"].c.state))).scalars())
    days = [date(2026, 3, 5) + timedelta(days=n) for n in range(len(KILLS))]
    assert done == dict.fromkeys((f"{subject}:{day}" for subject in range(SUBJECTS) for day in days), 1)
    assert states == {"done": SUBJECTS * len(KILLS)}

"""A notice to 4,000 people, its workers killed at every named point: nobody is lost without a word.

Under `park` nobody gets it twice, and who perhaps got it is reported; under `resend` everybody gets it, and twice
at most those whom the killed process had in flight, by the rows of that moment. On SQLite one process works, on PostgreSQL
two side by side, of which now one is killed and now the other. A point that is never reached fails the test.

The same at the size that is promised, in some minutes:

    TONGDAO_KILL_PEOPLE=20000 TONGDAO_KILLS=20 .venv/bin/python -m pytest -s tests/acceptance/test_kill_deliveries.py
"""

import os
import signal
from itertools import cycle, islice
from pathlib import Path

import pytest
from sqlalchemy import func, select, text

from domain.delivery import UnknownPolicy
from storage.database import Database
from tests.acceptance.delivery_proof import Book, Fleet, Kill, people_of, received
from tests.acceptance.delivery_worker import clock
from tests.delivery_world import FakeChannel, T, build, settle, start
from tests.webchat_server import RunningWebchat, running_webchat

pytestmark = [pytest.mark.slow, pytest.mark.kill, pytest.mark.timeout(900)]
PEOPLE = int(os.environ.get("TONGDAO_KILL_PEOPLE", "4000"))
KILLS = int(os.environ.get("TONGDAO_KILLS", "8"))
RATE = 250 if PEOPLE <= 4000 else 400
ON_THE_WAY: list[Kill] = [
    ("before_claim_commit", 4),
    ("after_sending", 3),
    ("after_server_acted", 40),
    ("before_recording", 4),
    ("before_record_commit", 3),
    ("before_kick_commit", 2),
    ("after_record_commit", 3),
]
AT_THE_END = ("before_close_commit", 1)
DISPATCHING = {
    "after_materialise": False,
    "before_dispatch_commit": False,
    "after_dispatch_commit": True,
    "before_kick_commit": True,
}
"""A point, and whether the dispatch stands after a kill there."""


@pytest.mark.parametrize("policy", UnknownPolicy)
async def test_kills_lose_nobody_without_a_word(database, database_url, tmp_path, policy):
    members = await settle(database, clock, PEOPLE)
    delivery = await build(database, clock, FakeChannel())
    await start(delivery, database, members, unknown_policy=policy)
    kills = [*islice(cycle(ON_THE_WAY), KILLS - 1), AT_THE_END]
    workers = 1 if database.dialect == "sqlite" else 2
    book = Book(database, policy)
    async with running_webchat(tmp_path / "webchat") as town:
        fleet = await fleet_of(database_url, town, len(members), tmp_path)
        await fleet.killed(kills, book, side_by_side=workers)
        assert sorted(fleet.kills.read_text().split()) == sorted(point for point, _ in kills)
        async with fleet.running(workers):
            pass
    await book.judge(members, received(tmp_path / "webchat"))


async def test_a_dispatch_stands_wholly_or_not_at_all_wherever_its_process_is_killed(
    database, database_url, tmp_path
):
    members = await settle(database, clock, 1200)
    async with running_webchat(tmp_path / "webchat") as town:
        fleet = await fleet_of(database_url, town, len(members), tmp_path)
        for point, stands in DISPATCHING.items():
            process = await fleet.start(f"{point}:1", UnknownPolicy.PARK)
            assert await fleet.ended(process) == -signal.SIGKILL, fleet.said()
            assert await standing(database) == ([1, 2, len(members)] if stands else [0, 0, 0])
            assert await jobs(database) == (2 if stands and database.dialect == "postgresql" else 0)
        assert sorted(fleet.kills.read_text().split()) == sorted(DISPATCHING)
        async with fleet.running(1):
            pass
    await Book(database, UnknownPolicy.PARK).judge(members, received(tmp_path / "webchat"))


async def fleet_of(database_url: str, town: RunningWebchat, people: int, tmp_path: Path) -> Fleet:
    arguments = [database_url, town.origin, await people_of(town, people), str(RATE)]
    return Fleet(arguments, tmp_path / "kills", tmp_path / "out")


async def standing(database: Database) -> list[int]:
    """Count the dispatches, slices and deliveries."""
    async with database.read() as session:
        counts = [select(func.count()).select_from(T[name]) for name in ("dispatch", "slice", "delivery")]
        return [(await session.execute(count)).scalar_one() for count in counts]


async def jobs(database: Database) -> int:
    """Count the jobs that outlive a process; in memory there are none."""
    if database.dialect == "sqlite":
        return 0
    async with database.read() as session:
        return (await session.execute(text("SELECT count(*) FROM pgqueuer"))).scalar_one()

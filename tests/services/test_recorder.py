"""What the recorder holds while the database is away: when it tries again, and that nothing is lost or written twice."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import asyncpg
import pytest
from sqlalchemy import select, text, update
from structlog.testing import capture_logs

from domain.delivery import Busy, DeliveryState, UnknownPolicy, Verdict, decide
from services import recorder as module
from services.meter import Unwatched
from services.recorder import Recorder
from storage.database import Database, Session
from storage.outcomes import Record
from tests.delivery_world import FakeChannel, T, build, settle, start, states

AGAIN = "outcomes not recorded, trying again"
LONG = 3600.0
PATIENCE = 10.0
OTHERS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
SENT = Verdict(DeliveryState.SENT, message_id=1)


class Away:
    """Stands in for a database's `begin`: no server listens at the tries that `fails` names, counted from one."""

    def __init__(self, database: Database, fails: Callable[[int], bool]) -> None:
        self.tried = 0
        self._fails = fails
        self._begin = database.begin

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Session]:
        self.tried += 1
        if self._fails(self.tried):
            raise ConnectionRefusedError
        async with self._begin() as session:
            yield session


@pytest.fixture
async def recorder(database, clock) -> Recorder:
    """Return the recorder of a dispatch to three people, to all of whom it is being sent."""
    members = await settle(database, clock, 3)
    delivery = await build(database, clock, FakeChannel())
    await start(delivery, database, members)
    values = {"state": "sending", "attempt": 1, "attempt_id": "mine", "at": clock()}
    async with database.begin() as session:
        await session.execute(update(T["delivery"]).values(values))
    return delivery.pipeline.recorder


@pytest.fixture
def away(database, monkeypatch) -> Callable[[Callable[[int], bool]], Away]:
    def away(fails: Callable[[int], bool]) -> Away:
        outage = Away(database, fails)
        monkeypatch.setattr(database, "begin", outage.begin)
        return outage

    return away


async def written(recorder: Recorder) -> None:
    async with asyncio.timeout(PATIENCE):
        await recorder.drain()


async def test_it_tries_again_soon_then_less_often_and_soon_again_after_it_has_written(
    database, recorder, away, monkeypatch
):
    waits: list[float] = []

    async def nothing_came(_event: asyncio.Event, seconds: float) -> bool:
        waits.append(seconds)
        return False

    def fails(tried: int) -> bool:
        if tried == 8:
            recorder.put(Record(2, "mine", SENT))
        return tried not in {8, 11}

    monkeypatch.setattr(module, "passed", nothing_came)
    monkeypatch.setattr(module, "GATHER_SECONDS", 0.0)
    away(fails)
    recorder.put(Record(1, "mine", SENT))
    await written(recorder)
    assert [each for each in waits if each] == [0.05, 0.1, 0.2, 0.4, 0.8, 1.0, 1.0, 0.05, 0.1]
    assert await states(database, 1) == {1: ("sent", ""), 2: ("sent", ""), 3: ("sending", "")}


async def test_an_outcome_that_comes_ends_the_wait_since_the_database_took_its_claim(
    database, recorder, away, monkeypatch
):
    monkeypatch.setattr(module, "RETRY_FIRST", LONG)
    monkeypatch.setattr(module, "RETRY_MOST", LONG)
    away(lambda tried: tried == 1)
    recorder.put(Record(1, "mine", SENT))
    async with asyncio.timeout(PATIENCE):
        while not recorder.behind:
            await asyncio.sleep(0.01)
    recorder.put(Record(2, "mine", SENT))
    await written(recorder)
    assert await states(database, 1) == {1: ("sent", ""), 2: ("sent", ""), 3: ("sending", "")}


async def test_outcomes_that_come_by_the_hundreds_are_not_a_try_each(recorder, away, monkeypatch):
    monkeypatch.setattr(module, "GATHER_SECONDS", LONG)
    outage = away(lambda _: True)
    for _ in range(2 * module.GATHER_MOST):
        recorder.put(Record(1, "mine", SENT))
        await asyncio.sleep(0)
    assert (recorder.behind, outage.tried) == (True, 1)
    await recorder.drain(grace=0.01)


async def test_no_delay_is_measured_from_before_the_outcome_was_known(recorder, away):
    """What is given back while the database is away has no outcome, and no beginning."""

    class Measured(Unwatched):
        def recorded(self, outcomes: int, seconds: float) -> None:
            delays.append(seconds)

    def fails(tried: int) -> bool:
        if tried == 1:
            recorder.put(Record(1, "mine", SENT))
        return tried == 1

    delays: list[float] = []
    recorder.meter = Measured()
    away(fails)
    recorder.release(1, "never claimed")
    began = time.monotonic()
    await written(recorder)
    assert len(delays) == 1
    assert delays[0] <= time.monotonic() - began


async def test_a_pool_full_of_dead_connections_costs_one_try(database, recorder):
    if database.dialect == "sqlite":
        pytest.skip("a file does not hang up")
    together = asyncio.Barrier(5)

    async def connect() -> None:
        async with database.begin() as session:
            await session.execute(text("SELECT 1"))
            await together.wait()

    await asyncio.gather(*(connect() for _ in range(together.parties)))
    async with database.begin() as session:  # the one that is alive is taken meanwhile
        await session.execute(text(OTHERS))
        with capture_logs() as lines:
            recorder.put(Record(1, "mine", SENT))
            await written(recorder)
    assert [each["event"] for each in lines].count(AGAIN) == 1
    assert (await states(database, 1))[1] == ("sent", "")


async def test_what_was_written_without_an_answer_is_not_written_twice(
    database, recorder, clock, monkeypatch
):
    """The server went away between its commit and its answer."""
    begin, answers = database.begin, iter([False])

    @asynccontextmanager
    async def unanswered() -> AsyncIterator[Session]:
        async with begin() as session:
            yield session
        if not next(answers, True):
            raise asyncpg.ConnectionDoesNotExistError

    monkeypatch.setattr(database, "begin", unanswered)
    busy = Busy(clock() + timedelta(seconds=9))
    recorder.put(Record(1, "mine", SENT))
    recorder.put(Record(2, "mine", decide(busy, attempt=1, policy=UnknownPolicy.PARK, now=clock())))
    with capture_logs() as lines:
        await written(recorder)
    assert [each["event"] for each in lines].count(AGAIN) == 1
    assert await states(database, 1) == {1: ("sent", ""), 2: ("waiting", "busy"), 3: ("sending", "")}
    rows, slices = T["delivery"], T["slice"]
    async with database.read() as session:
        attempts = (await session.execute(select(rows.c.attempt).order_by(rows.c.id))).scalars().all()
        counted = (await session.execute(select(slices.c.sent))).scalar_one()
    assert (attempts, counted) == ([1, 0, 1], 1)

"""The job engine, in memory and over PostgreSQL: transactional, deduplicating, yielding."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver
from pgqueuer.adapters.persistence.queries import Queries
from pgqueuer.core.qm import QueueManager
from sqlalchemy import func, select, text

from domain.delivery import Lane
from scheduler.jobs import Engine
from services.delivery import PLACES, SLICE_JOB
from storage.jobs import Job
from tests.delivery_world import FakeChannel, T, build, settle, start

ONE = Job("work", b"1", "work:1")


@pytest.fixture
async def engine(database) -> AsyncIterator[Engine]:
    engine = await Engine.for_database(database)
    yield engine
    await engine.stop()


@pytest.fixture
def few_places(monkeypatch) -> None:
    monkeypatch.setattr("scheduler.jobs.PLACES", {Lane.NORMAL: 4, Lane.URGENT: 4})


async def until(condition, seconds: float = 10.0) -> None:
    """Wait for it; the limit finds what hangs, and is far above what anything takes on a busy machine."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.02)


class Worker:
    """A handler that notes its payloads and answers as told."""

    def __init__(self, *answers: float | None) -> None:
        self.done: list[bytes] = []
        self.answers = iter(answers)

    async def __call__(self, payload: bytes) -> float | None:
        self.done.append(payload)
        return next(self.answers, None)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_a_manager_that_probes_sooner_than_it_listens_hears_itself(engine, monkeypatch):
    """A probe that is told before anybody listens never comes, and the manager would end for it."""
    probe, fetch = QueueManager.listener_healthy, asyncpg.Connection.fetch
    heard = []

    async def quick_to_probe(manager, timeout):
        heard.append(await probe(manager, timedelta(seconds=0.5)))
        return heard[-1]

    async def slow_to_listen(connection, query, *arguments, **more):
        if query.startswith("LISTEN"):
            await asyncio.sleep(0.2)
        return await fetch(connection, query, *arguments, **more)

    monkeypatch.setattr(QueueManager, "listener_healthy", quick_to_probe)
    monkeypatch.setattr(asyncpg.Connection, "fetch", slow_to_listen)
    engine.handle("work", Worker())
    await engine.start()
    await until(lambda: len(heard) == len(PLACES))


async def test_a_job_enqueued_in_a_transaction_is_done_after_the_commit(database, engine):
    worker = Worker()
    engine.handle("work", worker)
    await engine.start()
    async with database.begin() as session:
        await engine.jobs.enqueue(session, [ONE])
        await asyncio.sleep(0.2)
        assert worker.done == []
    await until(lambda: worker.done)
    assert worker.done == [b"1"]


async def test_a_rolled_back_job_is_never_done_though_it_was_the_first_statement(database, engine):
    worker = Worker()
    engine.handle("work", worker)

    async def fail() -> None:
        async with database.begin() as session:
            await engine.jobs.enqueue(session, [ONE])
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()
    async with database.begin() as session:
        await engine.jobs.enqueue(session, [Job("work", b"2", "work:2")])
    await engine.start()
    await until(lambda: worker.done)
    await asyncio.sleep(0.2)
    assert worker.done == [b"2"]


async def test_a_dispatch_and_its_jobs_come_and_go_together(database, engine, clock):
    members = await settle(database, clock, 3)
    delivery = await build(database, clock, FakeChannel(), engine=engine)
    with pytest.raises(RuntimeError):
        await begun_and_undone(delivery, database, members)
    assert await standing(database, engine) == {"dispatch": 0, "slice": 0, "delivery": 0, "job": 0}
    await start(delivery, database, members)
    assert await standing(database, engine) == {"dispatch": 1, "slice": 1, "delivery": 3, "job": 1}


async def begun_and_undone(delivery, database, members) -> None:
    async with database.begin() as session:
        await delivery.dispatch(session, source="notice", source_id=7, member_ids=members)
        raise RuntimeError


async def standing(database, engine) -> dict[str, int]:
    """Count the rows of all dispatches, and the jobs that wait."""
    async with database.read() as session:
        counts = {
            name: (await session.execute(select(func.count()).select_from(T[name]))).scalar_one()
            for name in ("dispatch", "slice", "delivery")
        }
        return counts | {"job": await engine.jobs.waiting(session, SLICE_JOB.values())}


async def test_a_key_that_waits_is_not_taken_twice_and_the_transaction_lives_on(database, engine):
    worker = Worker()
    engine.handle("work", worker)
    for _ in range(2):
        async with database.begin() as session:
            await engine.jobs.enqueue(session, [ONE, ONE])
            await engine.jobs.enqueue(session, [])
    await engine.start()
    await until(lambda: worker.done)
    await asyncio.sleep(0.3)
    assert worker.done == [b"1"]


async def test_a_handler_that_asks_is_called_again(database, engine):
    worker = Worker(0.2, 0.2)
    engine.handle("work", worker)
    async with database.begin() as session:
        await engine.jobs.enqueue(session, [ONE])
    await engine.start()
    await until(lambda: len(worker.done) == 3, 10.0)


async def test_a_place_given_away_is_taken_by_who_waits(database, engine, few_places):
    order = []

    async def hog(payload: bytes) -> float | None:
        order.append(payload)
        await asyncio.sleep(0.1)
        return 0.3 if order.count(payload) < 2 else None

    engine.handle("work", hog)
    async with database.begin() as session:
        await engine.jobs.enqueue(session, [Job("work", b"%d" % n, f"work:{n}") for n in range(6)])
    await engine.start()
    await until(lambda: len(order) == 12)
    assert set(order[:6]) == {b"%d" % n for n in range(6)}


async def test_urgent_work_has_a_place_while_all_others_are_taken(database, engine, few_places):
    release = asyncio.Event()
    taken, urgent = [], Worker()

    async def slow(payload: bytes) -> None:
        taken.append(payload)
        await release.wait()

    engine.handle("work", slow)
    engine.handle("urgent", urgent, urgent=True)
    await engine.start()
    async with database.begin() as session:
        await engine.jobs.enqueue(session, [Job("work", b"%d" % n, f"work:{n}") for n in range(10)])
    await until(lambda: len(taken) == 4)
    async with database.begin() as session:
        assert await engine.jobs.waiting(session, ["work"]) == 6
        await engine.jobs.enqueue(session, [Job("urgent", b"u", "urgent:1")])
    await until(lambda: urgent.done)
    assert len(taken) == 4
    release.set()
    await until(lambda: len(taken) == 10)


async def test_a_dispatch_runs_to_its_end_on_the_engine(database, engine):
    def clock() -> datetime:
        return datetime.now(UTC)

    members = await settle(database, clock, 60)
    channel = FakeChannel(latency=0.01)
    delivery = await build(database, clock, channel, engine=engine, sleep=asyncio.sleep)
    delivery.serve(engine)
    await engine.start()
    dispatch = await start(delivery, database, members)
    await until(lambda: len(channel.sent) == 60)
    await delivery.stop()
    assert (await delivery.figures(dispatch)).sent == 60


@pytest.mark.slow
async def test_two_workers_share_a_dispatch_and_nobody_gets_it_twice(database, engine):
    if database.dialect == "sqlite":
        pytest.skip("on SQLite there is one worker")

    def clock() -> datetime:
        return datetime.now(UTC)

    members = await settle(database, clock, 1200)
    channels = [FakeChannel(latency=0.02), FakeChannel(latency=0.02)]
    second = await Engine.for_database(database)
    workers = [
        await build(database, clock, channel, engine=each, sleep=asyncio.sleep)
        for channel, each in zip(channels, [engine, second], strict=True)
    ]
    for worker, each in zip(workers, [engine, second], strict=True):
        worker.serve(each)
        await each.start()
    dispatch = await start(workers[0], database, members)
    async with asyncio.timeout(10):
        while (await workers[0].figures(dispatch)).waiting:
            await asyncio.sleep(0.1)
            await asyncio.gather(*(worker.tick() for worker in workers))
    for worker in workers:
        await worker.stop()
    await second.stop()
    assert sorted(channels[0].chats + channels[1].chats) == [1000 + n for n in members]
    assert (await workers[0].figures(dispatch)).sent == 1200


async def test_work_goes_on_after_the_database_was_away(database, engine, monkeypatch):
    if database.dialect == "sqlite":
        pytest.skip("on SQLite the engine is in this process")
    monkeypatch.setattr("scheduler.jobs.RESTART_AFTER", 0.1)
    monkeypatch.setattr("scheduler.jobs.POLL", timedelta(seconds=0.2))
    worker = Worker()
    engine.handle("work", worker)
    assert not engine.running
    await engine.start()
    async with database.begin() as session:
        await engine.jobs.enqueue(session, [ONE])
    await until(lambda: worker.done)
    assert engine.running
    others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
    async with database.begin() as session:
        await session.execute(text(f"{others} AND pid <> pg_backend_pid()"))
    async with database.begin() as session:
        await engine.jobs.enqueue(session, [Job("work", b"2", "work:2")])
    await until(lambda: len(worker.done) == 2 and engine.running)


async def test_a_manager_that_ends_is_built_anew(database, engine, monkeypatch):
    monkeypatch.setattr("scheduler.jobs.RESTART_AFTER", 0.1)
    monkeypatch.setattr("scheduler.jobs.POLL", timedelta(seconds=0.1))
    failures = iter([OSError()])
    run = QueueManager.run

    async def sometimes(self, **more):
        for failure in failures:
            raise failure
        await run(self, **more)

    monkeypatch.setattr(QueueManager, "run", sometimes)
    worker = Worker()
    engine.handle("work", worker)
    await engine.start()
    await until(lambda: engine._managers)
    assert not engine.running
    async with database.begin() as session:
        await engine.jobs.enqueue(session, [ONE])
    await until(lambda: worker.done)
    await until(lambda: engine.running)


async def test_the_log_of_what_is_over_is_dropped_though_the_database_was_away(database, engine, monkeypatch):
    worker, tidy, away = Worker(), engine.tidy, iter([OSError()])

    async def sometimes() -> None:
        for failure in away:
            raise failure
        await tidy()

    monkeypatch.setattr("scheduler.jobs.TIDY_EVERY", 0.05)
    monkeypatch.setattr(engine, "tidy", sometimes)
    engine.handle("work", worker)
    async with database.begin() as session:
        await engine.jobs.enqueue(session, [ONE])
    assert await engine._queries.queue_log()
    await engine.start()
    async with asyncio.timeout(10):
        while not worker.done or await engine._queries.queue_log():
            await asyncio.sleep(0.05)


async def test_the_installed_engine_finds_the_schema_that_the_migration_made(database):
    if database.dialect == "sqlite":
        pytest.skip("the engine has no tables on SQLite")
    async with database.begin() as session:
        raw = (await (await session.connection()).get_raw_connection()).driver_connection
        plan = await Queries(AsyncpgDriver(raw)).plan_upgrade()
    assert not plan.statements

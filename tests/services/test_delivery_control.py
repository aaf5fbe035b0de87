"""Control at its edges: what waits behind an upload, what is late after a cancel, and few slices in hand."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from domain.delivery import Sent, decide
from domain.messages import Content, Media
from domain.pace import PaceKind
from domain.quiet_hours import QuietHours
from storage import dispatches, materialise, reopening
from storage.deliveries import Rules, claim
from storage.outcomes import Record, record
from tests.delivery_counts import assert_counters_are_the_rows
from tests.delivery_world import ACCOUNT, FakeChannel, T, build, run_all, settle, start, states

PICTURE = Content(text="", media=Media("photo", "a.png", "digest"))


async def test_who_waits_for_an_upload_looks_again_before_sending(database, clock):
    members = await settle(database, clock, 3)
    begun, uploaded = asyncio.Event(), asyncio.Event()

    class Slow(FakeChannel):
        async def send(self, envelope, file_id):
            if file_id is None:
                begun.set()
                await uploaded.wait()
            await super().send(envelope, file_id)
            return Sent(1, "file")

    channel = Slow()
    delivery = await build(database, clock, channel)

    async def picture(source_id: int, language: str) -> Content:
        return PICTURE

    delivery.sources["notice"] = picture
    dispatch = await start(delivery, database, members)
    running = asyncio.create_task(run_all(delivery, database))
    await begun.wait()
    flow = delivery.pipeline._flows[ACCOUNT, PaceKind.FREE]
    while flow.in_flight < len(members):  # all are on their way before the pause
        await asyncio.sleep(0.01)
    await delivery.pause(dispatch)
    clock.forward(seconds=2)
    uploaded.set()
    await running
    assert len(channel.sent) == 1
    await delivery.resume(dispatch)
    clock.forward(minutes=1)
    await run_all(delivery, database)
    assert sorted(channel.chats) == [1001, 1002, 1003]


@pytest.mark.parametrize("policy", ["park", "resend"])
async def test_a_late_sent_after_a_cancel_is_counted_as_sent(database, clock, policy: str):
    members = await settle(database, clock, 2)
    delivery = await build(database, clock, FakeChannel())
    dispatch = await start(delivery, database, members, unknown_policy=policy)
    taken = await delivery.pipeline._open(1, 1)
    async with database.begin() as session:
        claimed = await claim(session, taken, limit=1, attempt_id="lost", rules=Rules(), now=clock())
    clock.forward(minutes=2)
    await delivery.tick()
    await delivery.cancel(dispatch)
    await delivery.tick()
    member = claimed.claims[0].member_id
    expected = ("unknown", "worker_lost") if policy == "park" else ("skipped", "cancelled")
    assert (await states(database, dispatch))[member] == expected
    verdict = decide(Sent(9), attempt=1, policy=policy, now=clock())
    for _ in range(2):
        async with database.begin() as session:
            await record(session, [Record(claimed.claims[0].id, "lost", verdict)], clock())
    figures = await delivery.figures(dispatch)
    assert (figures.sent, figures.skipped, figures.unknown) == (1, 1, 0)
    await assert_counters_are_the_rows(database, dispatch)


async def test_few_slices_of_each_dispatch_are_in_hand_and_the_next_follow(database, clock, monkeypatch):
    monkeypatch.setattr(materialise, "SLICE_SIZE", 2)
    members = await settle(database, clock, 30)
    delivery = await build(database, clock, FakeChannel())
    first = await start(delivery, database, members)
    await start(delivery, database, members)
    assert await delivery.kick() == 2 * dispatches.IN_HAND
    async with database.read() as session:
        due = await dispatches.due_slices(session, clock(), first)
        numbers = select(T["slice"].c.number).where(T["slice"].c.id.in_([each.id for each in due]))
        assert sorted((await session.execute(numbers)).scalars()) == [0, 1, 2, 3]
        assert len(await dispatches.following(session, due[0].id, clock(), [1])) == dispatches.IN_HAND
        assert await dispatches.following(session, due[0].id, clock(), [2]) == []
    await delivery.run_slice(due[0].id, 1)
    await delivery.pipeline.drain()
    async with database.read() as session:
        after = await dispatches.following(session, due[0].id, clock(), [1])
    assert [each.id for each in after] == [each.id + 1 for each in due]
    await delivery.pause(first)
    assert await delivery.kick() == dispatches.IN_HAND


@pytest.mark.slow_on_postgresql
async def test_nothing_begins_after_quiet_hours_came_amid_a_slice(database, clock):
    clock.now = clock.now.replace(hour=12, minute=59, second=58)  # 20:59:58 where they are
    nine = clock.now + timedelta(seconds=2)
    members = await settle(database, clock, 120)
    times = []

    class Noting(FakeChannel):
        async def send(self, envelope, file_id):
            times.append(clock())
            return await super().send(envelope, file_id)

    rules = Rules(quiet=QuietHours())
    delivery = await build(database, clock, Noting(), rules=rules, rate=25.0)
    dispatch = await start(delivery, database, members)
    await run_all(delivery, database)
    figures = await delivery.figures(dispatch)
    assert 0 < figures.sent == len(times) < 120
    assert max(times) < nine + timedelta(seconds=0.5)
    assert figures.held == 120 - figures.sent


@pytest.mark.slow
async def test_what_is_reopened_beside_a_finish_is_not_overlooked(database, clock):
    """PostgreSQL, having waited for a row, looks again at that row alone: the rest is as old as the statement."""
    if database.dialect == "sqlite":
        pytest.skip("SQLite has one writer")
    members = await settle(database, clock, 2)
    delivery = await build(database, clock, FakeChannel())
    dispatch = await start(delivery, database, members)
    rows, slices = T["delivery"], T["slice"]
    async with database.begin() as session:
        for member, state in ((1, "failed"), (2, "skipped")):
            await session.execute(update(rows).where(rows.c.member_id == member).values(state=state))
        await session.execute(update(slices).values(failed=1, skipped=1))
    async with database.begin() as session:
        assert await reopening.again_failed(session, dispatch) == 1
        finishing = asyncio.create_task(delivery.tick())
        await asyncio.sleep(0.5)
        assert not finishing.done()
    await finishing
    async with database.read() as session:
        assert not (await session.execute(select(slices.c.done))).scalar_one()
    assert (await delivery.figures(dispatch)).state == "running"
    assert await delivery.kick() == 1

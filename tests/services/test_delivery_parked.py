"""Deliveries that were perhaps received: a person sends them again, or leaves it at that."""

from collections import Counter

import pytest
from sqlalchemy import select

from domain.delivery import NotSent, Sent, Unknown, decide
from storage.outcomes import Record, record
from tests.delivery_world import FakeChannel, T, build, run_all, settle, start, states


@pytest.fixture
async def lost(database, clock):
    """Yield a delivery whose dispatch 1 reached three of five for sure, and two perhaps."""
    members = await settle(database, clock, 5)
    doubtful = {1002: "ServerDisconnectedError", 1004: "502"}

    def answer(envelope):
        reason = doubtful.get(envelope.to.chat_id)
        return Unknown(reason) if reason else Sent(message_id=1)

    delivery = await build(database, clock, FakeChannel(answer))
    await start(delivery, database, members)
    await run_all(delivery, database)
    await delivery.tick()
    return delivery


def channel_of(delivery) -> FakeChannel:
    return delivery.pipeline._channels[1]


async def test_sent_again_they_are_counted_once_and_asked_no_more(lost, database):
    channel = channel_of(lost)
    before = await lost.figures(1)
    assert (before.sent, before.unknown, before.parked, before.state) == (3, 2, 2, "done")
    assert await lost.resolve_unknown(1, again=True, generation=before.generation) == 2
    during = await lost.figures(1)
    assert (during.unknown, during.waiting, during.state) == (0, 2, "running")
    assert not any(count for (state, _), count in during.reasons.items() if state == "unknown")
    channel.answer = lambda envelope: Sent(message_id=2)
    channel.sent.clear()
    await run_all(lost, database)
    await lost.tick()
    after = await lost.figures(1)
    assert sorted(channel.chats) == [1002, 1004]
    assert (after.sent, after.unknown, after.parked, after.state) == (5, 0, 0, "done")


async def test_a_second_press_sends_nothing_again_that_is_in_doubt_anew(lost, database):
    seen = (await lost.figures(1)).generation
    assert await lost.resolve_unknown(1, again=True, generation=seen) == 2
    await run_all(lost, database)
    assert (await lost.figures(1)).parked == 2
    assert await lost.resolve_unknown(1, again=True, generation=seen) == 0
    assert await lost.resolve_unknown(1, again=False) == 2
    assert await lost.resolve_unknown(1, again=False) == 0


async def test_what_is_left_stays_in_the_figures_and_only_new_doubts_are_asked_about(lost, database, clock):
    assert await lost.resolve_unknown(1, again=False) == 2
    figures = await lost.figures(1)
    assert (figures.unknown, figures.parked, figures.state) == (2, 0, "done")
    assert await lost.resolve_unknown(1, again=True) == 0
    assert (await states(database, 1))[2] == ("unknown", "ServerDisconnectedError")
    channel = channel_of(lost)
    clock.forward(minutes=1)
    channel.answer = lambda envelope: Unknown("503") if envelope.to.chat_id == 1001 else NotSent("refused")
    await start(lost, database, [1, 3])
    for _ in range(9):
        await run_all(lost, database)
        clock.forward(minutes=3)
    assert ((await lost.figures(2)).parked, (await lost.figures(1)).parked) == (1, 0)


async def test_what_was_cancelled_or_is_paused_stays_so(lost, database, clock):
    assert await lost.pause(1) is False
    assert await lost.resolve_unknown(1, again=True) == 2
    assert await lost.pause(1)
    await run_all(lost, database)
    assert (await lost.figures(1)).waiting == 2
    await lost.resume(1)
    await run_all(lost, database)
    assert await lost.resolve_unknown(1, again=True) == 2
    assert await lost.cancel(1)
    figures = await lost.figures(1)
    assert (figures.skipped, figures.unknown) == (2, 0)
    channel = channel_of(lost)
    channel.answer = lambda envelope: Unknown("502") if envelope.to.chat_id == 1002 else NotSent("refused")
    channel.sent.clear()
    clock.forward(seconds=2)
    await start(lost, database, [2, 3])
    await run_all(lost, database)
    assert await lost.cancel(2)
    assert await lost.resolve_unknown(2, again=True) == 0
    await run_all(lost, database)
    assert sorted(channel.chats) == [1002, 1003]
    assert (await lost.figures(2)).parked == 1
    assert await lost.resolve_unknown(2, again=False) == 1


async def test_a_late_answer_ends_a_doubt_for_good(lost, database, clock):
    await lost.resolve_unknown(1, again=True)
    table = T["delivery"]
    async with database.read() as session:
        row = (await session.execute(select(table).where(table.c.member_id == 2))).one()
    verdict = decide(Sent(message_id=9), attempt=1, policy="park", now=clock())
    async with database.begin() as session:
        await record(session, [Record(row.id, row.attempt_id, verdict)], clock())
    channel = channel_of(lost)
    channel.sent.clear()
    await run_all(lost, database)
    assert channel.chats == [1004]
    assert Counter(state for state, _ in (await states(database, 1)).values()) == {"sent": 4, "unknown": 1}

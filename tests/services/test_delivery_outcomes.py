"""What becomes of a delivery after each answer of a channel, and when a worker is gone."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from domain.delivery import (
    Busy,
    DeliveryState,
    DispatchState,
    Moved,
    NotSent,
    Rejected,
    Sent,
    Unknown,
    UnknownPolicy,
    Unreachable,
    Verdict,
    decide,
)
from domain.pace import Granted
from storage import outcomes, pace
from storage.outcomes import Record
from tests.delivery_world import ACCOUNT, FakeChannel, T, build, run_all, settle, start, states


async def link_of(database, member: int) -> tuple[str, int]:
    link = T["account_link"]
    async with database.read() as session:
        row = (await session.execute(select(link).where(link.c.member_id == member))).one()
    return row.state, row.chat_id


async def test_a_429_holds_the_account_halves_its_pace_and_loses_nobody(database, clock):
    members = await settle(database, clock, 40)
    answers = iter([Busy(clock() + timedelta(seconds=30))])
    channel = FakeChannel(lambda envelope: next(answers, Sent(1)))
    delivery = await build(database, clock, channel, rate=20.0)
    dispatch = await start(delivery, database, members)
    await delivery.run_slice(1, 1)
    await delivery.pipeline.drain()
    async with database.read() as session:
        held = await pace.read(session, ACCOUNT)
    assert held.rate == pytest.approx(10.0, abs=0.5)
    assert held.held_until == pytest.approx((clock() + timedelta(seconds=30)).timestamp(), abs=2)
    assert len(channel.sent) < 40
    again = await delivery.run_slice(1, 1)
    assert again.again_in == pytest.approx(30, abs=2)
    clock.forward(seconds=31)
    await delivery.run_slice(1, 1)
    await delivery.pipeline.drain()
    await run_all(delivery, database)
    assert (await delivery.figures(dispatch)).sent == 40


async def test_what_never_left_us_is_tried_again_until_it_has_failed(database, clock):
    members = await settle(database, clock, 1)
    channel = FakeChannel(lambda _: NotSent("refused"))
    delivery = await build(database, clock, channel)
    dispatch = await start(delivery, database, members)
    for _ in range(8):
        await run_all(delivery, database)
        clock.forward(minutes=3)
    assert len(channel.sent) == 8
    figures = await delivery.figures(dispatch)
    assert (figures.failed, figures.state) == (1, DispatchState.DONE)
    channel.answer = lambda _: Sent(3)
    assert await delivery.retry_failed(dispatch) == 1
    await run_all(delivery, database)
    figures = await delivery.figures(dispatch)
    assert (figures.failed, figures.sent, figures.state) == (0, 1, DispatchState.DONE)
    assert await delivery.retry_failed(dispatch) == 0


async def test_an_unreachable_person_is_marked_blocked(database, clock):
    members = await settle(database, clock, 2)
    channel = FakeChannel(lambda e: Unreachable("blocked") if e.to.chat_id == 1001 else Sent(1))
    delivery = await build(database, clock, channel)
    dispatch = await start(delivery, database, members)
    await run_all(delivery, database)
    assert (await states(database, dispatch))[1] == ("unreachable", "blocked")
    assert (await link_of(database, 1))[0] == "blocked"
    assert (await link_of(database, 2))[0] == "active"
    assert (await delivery.figures(dispatch)).unreachable == 1


async def test_a_moved_chat_is_sent_to_once_more_at_its_new_address(database, clock):
    members = await settle(database, clock, 1)
    channel = FakeChannel(lambda e: Moved(-55) if e.to.chat_id == 1001 else Sent(9))
    delivery = await build(database, clock, channel)
    dispatch = await start(delivery, database, members)
    await run_all(delivery, database)
    clock.forward(seconds=2)
    await run_all(delivery, database)
    assert channel.chats == [1001, -55]
    assert await link_of(database, 1) == ("active", -55)
    assert (await delivery.figures(dispatch)).sent == 1


async def test_a_chat_that_moves_on_and_on_is_sent_to_once_more_only(database, clock):
    members = await settle(database, clock, 1)
    channel = FakeChannel(lambda e: Moved(e.to.chat_id - 1))
    delivery = await build(database, clock, channel)
    dispatch = await start(delivery, database, members)
    for _ in range(4):
        await run_all(delivery, database)
        clock.forward(minutes=3)
    assert channel.chats == [1001, 1000]
    assert await states(database, dispatch) == {1: ("rejected", "moved")}


async def test_a_rejected_message_is_final(database, clock):
    members = await settle(database, clock, 1)
    channel = FakeChannel(lambda _: Rejected("message is too long"))
    delivery = await build(database, clock, channel)
    dispatch = await start(delivery, database, members)
    await run_all(delivery, database)
    figures = await delivery.figures(dispatch)
    assert (figures.rejected, figures.reasons) == (1, {("rejected", "message is too long"): 1})


async def test_an_unknown_is_parked_and_reported(database, clock):
    members = await settle(database, clock, 1)
    channel = FakeChannel(lambda _: Unknown("read timeout"))
    delivery = await build(database, clock, channel)
    dispatch = await start(delivery, database, members)
    await run_all(delivery, database)
    clock.forward(minutes=5)
    await run_all(delivery, database)
    assert len(channel.sent) == 1
    figures = await delivery.figures(dispatch)
    assert (figures.unknown, figures.state) == (1, DispatchState.DONE)


async def test_an_unknown_is_sent_again_where_the_policy_says_so(database, clock):
    members = await settle(database, clock, 1)
    answers = iter([Unknown("read timeout")])
    channel = FakeChannel(lambda _: next(answers, Sent(2)))
    delivery = await build(database, clock, channel)
    dispatch = await start(delivery, database, members, unknown_policy=UnknownPolicy.RESEND)
    await run_all(delivery, database)
    clock.forward(seconds=5)
    await run_all(delivery, database)
    assert len(channel.sent) == 2
    assert (await delivery.figures(dispatch)).sent == 1


@pytest.mark.parametrize(
    "bad",
    [
        Verdict(DeliveryState.REJECTED, "nul \x00 in it"),
        Verdict(DeliveryState.REJECTED, "half a pair \ud800"),
        Verdict(DeliveryState.SENT, message_id=10**30),
    ],
    ids=["nul", "surrogate", "number"],
)
async def test_an_outcome_that_cannot_be_stored_keeps_no_other_from_being_written(database, clock, bad):
    members = await settle(database, clock, 7)
    channel = FakeChannel(lambda _: Sent(1))
    delivery = await build(database, clock, channel)
    dispatch = await start(delivery, database, members)
    await under_way(database, clock)
    for member in members:
        verdict = bad if member == 4 else Verdict(DeliveryState.SENT, message_id=member)
        delivery.pipeline.recorder.put(Record(member, "mine", verdict))
    async with asyncio.timeout(5):
        await delivery.pipeline.drain()
    assert not delivery.pipeline.recorder.behind
    found = await states(database, dispatch)
    assert found.pop(4)[0] == bad.state
    assert found == {member: ("sent", "") for member in members if member != 4}
    assert (await delivery.figures(dispatch)).state is DispatchState.DONE


async def test_a_new_address_that_cannot_be_stored_is_not_kept_and_the_delivery_waits(database, clock):
    members = await settle(database, clock, 3)
    delivery = await build(database, clock, FakeChannel())
    dispatch = await start(delivery, database, members)
    await under_way(database, clock)
    for member in members:
        verdict = decide(Moved(10**30), attempt=1, policy=UnknownPolicy.PARK, now=clock())
        delivery.pipeline.recorder.put(Record(member, "mine", verdict, 10**30 if member == 2 else -member))
    async with asyncio.timeout(5):
        await delivery.pipeline.drain()
    assert await states(database, dispatch) == {
        1: ("waiting", "moved"),
        2: ("waiting", "bad_reply"),
        3: ("waiting", "moved"),
    }
    assert [(await link_of(database, member))[1] for member in members] == [-1, 1002, -3]


async def test_what_is_refused_whatever_is_said_of_it_is_left_as_lost(database, clock, monkeypatch):
    """A constraint, say: it is not waited for, and the watch ends it as an attempt whose worker is gone."""
    record = outcomes.record

    async def refuse(session, records, now):
        if any(each.delivery_id == 2 for each in records):
            raise OverflowError
        return await record(session, records, now)

    members = await settle(database, clock, 3)
    delivery = await build(database, clock, FakeChannel())
    dispatch = await start(delivery, database, members)
    monkeypatch.setattr(outcomes, "record", refuse)
    await run_all(delivery, database)
    assert not delivery.pipeline.recorder.behind
    clock.forward(minutes=2)
    await delivery.tick()
    assert await states(database, dispatch) == {
        1: ("sent", ""),
        2: ("unknown", "worker_lost"),
        3: ("sent", ""),
    }


async def under_way(database, clock) -> None:
    """Mark all deliveries as being sent, in one attempt."""
    values = {"state": "sending", "attempt": 1, "attempt_id": "mine", "at": clock()}
    async with database.begin() as session:
        await session.execute(update(T["delivery"]).values(values))


async def claim_and_vanish(delivery, database, clock) -> None:
    """Leave one delivery in `sending`, as a worker does that dies."""
    table = T["delivery"]
    async with database.begin() as session:
        await session.execute(
            update(table)
            .where(table.c.member_id == 1)
            .values(state="sending", attempt=1, attempt_id="lost", at=clock())
        )
        await session.execute(update(T["slice"]).values(fence=1, opened_at=clock()))


async def test_an_abandoned_attempt_is_reported_and_a_late_outcome_still_counts(database, clock):
    members = await settle(database, clock, 1)
    delivery = await build(database, clock, FakeChannel())
    dispatch = await start(delivery, database, members)
    await claim_and_vanish(delivery, database, clock)
    await delivery.tick()
    assert (await delivery.figures(dispatch)).unknown == 0
    clock.forward(minutes=2)
    await delivery.tick()
    figures = await delivery.figures(dispatch)
    assert (figures.unknown, figures.state) == (1, DispatchState.DONE)
    assert figures.reasons == {("unknown", "worker_lost"): 1}
    delivery.pipeline.recorder.put(Record(1, "lost", outcomes.Verdict(outcomes.DeliveryState.SENT)))
    await delivery.pipeline.drain()
    figures = await delivery.figures(dispatch)
    assert (figures.unknown, figures.sent) == (0, 1)


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (NotSent("stopped_meanwhile"), ("failed", "stopped_meanwhile")),
        (Busy(datetime(2027, 1, 1, tzinfo=UTC)), ("failed", "busy")),
        (Rejected("text"), ("rejected", "text")),
        (Unknown("stalled"), ("unknown", "worker_lost")),
    ],
)
async def test_a_late_outcome_ends_the_doubt_about_an_abandoned_attempt(database, clock, outcome, expected):
    members = await settle(database, clock, 1)
    delivery = await build(database, clock, FakeChannel())
    dispatch = await start(delivery, database, members)
    await claim_and_vanish(delivery, database, clock)
    clock.forward(minutes=2)
    await delivery.tick()
    verdict = decide(outcome, attempt=1, policy=UnknownPolicy.PARK, now=clock())
    delivery.pipeline.recorder.put(Record(1, "lost", verdict))
    await delivery.pipeline.drain()
    assert await states(database, dispatch) == {1: expected}
    figures = await delivery.figures(dispatch)
    assert figures.reasons == {expected: 1}
    assert await delivery.retry_failed(dispatch) == (expected[0] == "failed")


async def test_an_abandoned_attempt_is_sent_again_where_the_policy_says_so(database, clock):
    members = await settle(database, clock, 1)
    channel = FakeChannel()
    delivery = await build(database, clock, channel)
    dispatch = await start(delivery, database, members, unknown_policy=UnknownPolicy.RESEND)
    await claim_and_vanish(delivery, database, clock)
    await delivery.boot()
    await run_all(delivery, database)
    assert len(channel.sent) == 1
    assert (await delivery.figures(dispatch)).sent == 1


async def test_what_is_left_of_a_slice_that_was_in_hand_for_an_hour_is_found(database, clock):
    """Who looks for abandoned attempts reads what was taken in hand lately: a claim says that it still is."""
    members = await settle(database, clock, 3)
    delivery = await build(database, clock, FakeChannel())
    dispatch = await start(delivery, database, members)
    taken = await delivery.pipeline._open(1, 1)
    for _ in range(3):
        clock.forward(minutes=20)
        await delivery.tick()
    claimed = await delivery.pipeline._claim(taken, 1, Granted(clock().timestamp(), 0.1), "lost")
    assert [each.member_id for each in claimed.claims] == [1]
    clock.forward(minutes=2)
    await delivery.tick()
    assert (await states(database, dispatch))[1] == ("unknown", "worker_lost")


async def test_what_workers_know_is_written_before_anything_is_reaped_once_the_database_is_back(
    database, clock, monkeypatch
):
    members = await settle(database, clock, 1)
    delivery = await build(database, clock, FakeChannel())
    dispatch = await start(delivery, database, members, unknown_policy=UnknownPolicy.RESEND)
    await claim_and_vanish(delivery, database, clock)
    clock.forward(minutes=2)
    with monkeypatch.context() as away:
        away.setattr(outcomes, "finish", None)
        with pytest.raises(TypeError):
            await delivery.tick()
    await delivery.tick()
    assert (await states(database, dispatch))[1] == ("sending", "")
    clock.forward(seconds=5)
    delivery.pipeline.recorder.behind = True  # its outcomes cannot be written yet
    await delivery.tick()
    assert (await states(database, dispatch))[1] == ("sending", "")
    delivery.pipeline.recorder.behind = False
    await delivery.tick()
    assert (await states(database, dispatch))[1] == ("waiting", "worker_lost")


async def test_an_outcome_of_an_attempt_that_was_overtaken_changes_nothing(database, clock):
    members = await settle(database, clock, 1)
    delivery = await build(database, clock, FakeChannel())
    dispatch = await start(delivery, database, members)
    await run_all(delivery, database)
    delivery.pipeline.recorder.put(Record(1, "older", outcomes.Verdict(outcomes.DeliveryState.UNKNOWN)))
    await delivery.pipeline.drain()
    figures = await delivery.figures(dispatch)
    assert (figures.sent, figures.unknown) == (1, 0)

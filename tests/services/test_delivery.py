"""Delivery from dispatch to outcome: who gets it, and what pausing, cancelling and going on do."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import delete, insert, select, update

from domain.audiences import Audience, Scope
from domain.delivery import (
    Busy,
    DispatchState,
    Lane,
    NotSent,
    Sent,
)
from storage import audiences
from tests.delivery_world import FakeChannel, T, build, build_empty, change, run_all, settle, start, states


async def test_everybody_with_a_chat_gets_it_once(database, clock):
    members = await settle(database, clock, 30)
    channel = FakeChannel()
    delivery = await build(database, clock, channel)
    dispatch = await start(delivery, database, members)
    await run_all(delivery, database)
    assert sorted(channel.chats) == [1000 + n for n in members]
    figures = await delivery.figures(dispatch)
    assert (figures.state, figures.planned, figures.sent, figures.waiting) == (DispatchState.DONE, 30, 30, 0)
    assert set((await states(database, dispatch)).values()) == {("sent", "")}


async def test_everybody_in_the_audience_has_a_row_with_a_reason(database, clock):
    members = await settle(database, clock, 4)
    await change(database, "member", 1, stopped_at=clock())
    await change(database, "account_link", 2, state="blocked")
    await change(database, "account_link", 3, state="ended")
    delivery = await build(database, clock, FakeChannel())
    dispatch = await start(delivery, database, members)
    assert await states(database, dispatch) == {
        1: ("skipped", "stopped"),
        2: ("skipped", "blocked"),
        3: ("skipped", "no_account"),
        4: ("waiting", ""),
    }
    figures = await delivery.figures(dispatch)
    assert (figures.planned, figures.skipped, figures.waiting) == (4, 3, 1)
    assert figures.skipped_by_reason == {"blocked": 1, "no_account": 1, "stopped": 1}


async def test_an_audience_is_told_as_it_is_now(database, clock):
    await settle(database, clock, 4)
    await change(database, "member", 2, standing="probationary")
    full = Audience(include=(Scope(organisation_id=1, path="/1/", standings=("full",)),))
    channel = FakeChannel()
    delivery = await build(database, clock, channel)
    async with database.begin() as session:
        audience_id = await audiences.save(session, full)
        dispatch = await delivery.dispatch(session, source="notice", source_id=1, audience_id=audience_id)
    await run_all(delivery, database)
    assert sorted(channel.chats) == [1001, 1003, 1004]
    assert (await delivery.figures(dispatch)).planned == 3


async def test_a_dispatch_that_reaches_nobody_is_done_at_once(database, clock):
    await settle(database, clock, 1)
    await change(database, "account_link", 1, state="ended")
    delivery = await build(database, clock, FakeChannel())
    dispatch = await start(delivery, database, [1])
    assert (await delivery.figures(dispatch)).state is DispatchState.DONE


async def test_slices_hold_a_thousand_and_one_account_each(database, clock):
    members = await settle(database, clock, 2203, accounts=2)
    link = T["account_link"]
    async with database.begin() as session:
        await session.execute(update(link).where(link.c.member_id > 2201).values(account_id=2))
    delivery = await build(database, clock, FakeChannel())
    await start(delivery, database, members)
    table = T["slice"]
    async with database.read() as session:
        rows = (await session.execute(select(table).order_by(table.c.account_id, table.c.number))).all()
    assert [(row.account_id, row.number, row.planned) for row in rows] == [
        (1, 0, 1000),
        (1, 1, 1000),
        (1, 2, 201),
        (2, 0, 2),
    ]


@pytest.mark.parametrize(
    ("table", "values", "reason"),
    [
        ("member", {"stopped_at": datetime(2026, 3, 4, tzinfo=UTC)}, "stopped"),
        ("member", {"status": "left"}, "left"),
        ("account_link", {"state": "blocked"}, "blocked"),
        ("account_link", {"state": "ended"}, "no_account"),
    ],
)
async def test_what_changed_since_the_dispatch_is_seen_before_sending(database, clock, table, values, reason):
    members = await settle(database, clock, 2)
    channel = FakeChannel()
    delivery = await build(database, clock, channel)
    dispatch = await start(delivery, database, members)
    await change(database, table, 1, **values)
    await run_all(delivery, database)
    assert channel.chats == [1002]
    assert (await states(database, dispatch))[1] == ("skipped", reason)
    figures = await delivery.figures(dispatch)
    assert figures.skipped_by_reason == {reason: 1}
    assert figures.state is DispatchState.DONE


async def test_who_left_the_topic_is_skipped(database, clock):
    members = await settle(database, clock, 2)
    async with database.begin() as session:
        await session.execute(
            insert(T["topic"]).values(id=5, code="x", name="x", name_en="", by_default=True, position=0)
        )
        await session.execute(insert(T["subscription"]), [{"topic_id": 5, "member_id": n} for n in members])
    channel = FakeChannel()
    delivery = await build(database, clock, channel)
    dispatch = await start(delivery, database, members, topic_id=5)
    async with database.begin() as session:
        await session.execute(delete(T["subscription"]).where(T["subscription"].c.member_id == 1))
    await run_all(delivery, database)
    assert channel.chats == [1002]
    assert (await states(database, dispatch))[1] == ("skipped", "unsubscribed")


async def test_a_new_chat_on_the_same_account_is_used(database, clock):
    members = await settle(database, clock, 1)
    channel = FakeChannel()
    delivery = await build(database, clock, channel)
    await start(delivery, database, members)
    await change(database, "account_link", 1, chat_id=77)
    await run_all(delivery, database)
    assert channel.chats == [77]


async def test_nothing_starts_while_paused_and_the_rest_goes_after_resume(database, clock):
    members = await settle(database, clock, 5)
    channel = FakeChannel()
    delivery = await build(database, clock, channel)
    dispatch = await start(delivery, database, members)
    assert await delivery.pause(dispatch)
    assert not await delivery.pause(dispatch)
    await run_all(delivery, database)
    figures = await delivery.figures(dispatch)
    assert (figures.state, figures.pause_reason, figures.waiting) == (DispatchState.PAUSED, "by_hand", 5)
    assert (channel.sent, figures.rate, figures.expected_finish) == ([], 0.0, None)
    assert await delivery.resume(dispatch)
    assert not await delivery.resume(dispatch)
    await run_all(delivery, database)
    assert (await delivery.figures(dispatch)).sent == 5


async def test_a_job_of_an_older_generation_does_nothing(database, clock):
    members = await settle(database, clock, 1)
    channel = FakeChannel()
    delivery = await build(database, clock, channel)
    dispatch = await start(delivery, database, members)
    await delivery.pause(dispatch)
    await delivery.resume(dispatch)
    await delivery.run_slice(1, 1)
    await delivery.pipeline.drain()
    assert channel.sent == []


async def test_cancel_skips_who_waits(database, clock):
    members = await settle(database, clock, 3)
    channel = FakeChannel()
    delivery = await build(database, clock, channel)
    dispatch = await start(delivery, database, members)
    assert await delivery.cancel(dispatch)
    assert not await delivery.cancel(dispatch)
    await run_all(delivery, database)
    figures = await delivery.figures(dispatch)
    assert (figures.state, figures.skipped_by_reason, figures.waiting) == (
        DispatchState.CANCELLED,
        {"cancelled": 3},
        0,
    )
    assert channel.sent == []


async def test_what_comes_back_after_a_cancel_is_skipped_too(database, clock):
    members = await settle(database, clock, 1)
    delivery = await build(database, clock, FakeChannel(lambda _: NotSent("refused"), latency=0.2))
    dispatch = await start(delivery, database, members)
    await delivery.run_slice(1, 1)
    await delivery.cancel(dispatch)
    await delivery.pipeline.drain()
    await delivery.tick()
    assert await states(database, dispatch) == {1: ("skipped", "cancelled")}
    assert (await delivery.figures(dispatch)).skipped_by_reason == {"cancelled": 1}


async def test_before_anything_moves_the_figures_estimate_and_name_no_rate(database, clock):
    members = await settle(database, clock, 50)
    delivery = await build(database, clock, FakeChannel(), rate=10.0)
    dispatch = await start(delivery, database, members)
    figures = await delivery.figures(dispatch)
    assert (figures.rate, figures.estimated) == (0.0, True)
    assert figures.expected_finish == clock() + timedelta(seconds=5)
    assert await delivery.dispatches_of("notice", 7) == [dispatch]


async def test_the_figures_of_no_dispatch_are_refused(database, clock):
    delivery = await build_empty(database, clock)
    with pytest.raises(LookupError):
        await delivery.figures(99)


async def test_an_urgent_dispatch_has_jobs_of_its_own(database, clock):
    members = await settle(database, clock, 1)
    delivery = await build(database, clock, FakeChannel())
    await start(delivery, database, members, lane=Lane.URGENT)
    await start(delivery, database, members)
    assert await delivery.kick() == 2
    jobs = delivery._jobs.memory._jobs.values()
    assert sorted((job["entrypoint"], job["priority"]) for job in jobs) == [("slice", 0), ("urgent", 1)]


@pytest.mark.parametrize(("ended", "again"), [("cancel", 0), ("pause", 1)])
async def test_a_retry_revives_nothing_that_was_ended_by_hand(database, clock, ended: str, again: int):
    members = await settle(database, clock, 2)
    channel = FakeChannel(
        lambda envelope: (
            NotSent("down") if envelope.to.chat_id == 1001 else Busy(clock() + timedelta(hours=9))
        )
    )
    delivery = await build(database, clock, channel)
    dispatch = await start(delivery, database, members)
    for _ in range(8):
        await run_all(delivery, database)
        clock.forward(hours=10)
    assert (await delivery.figures(dispatch)).failed == 1
    assert await getattr(delivery, ended)(dispatch)
    channel.answer, channel.sent = lambda _: Sent(3), []
    assert await delivery.retry_failed(dispatch) == again
    await run_all(delivery, database)
    assert channel.sent == []
    assert await delivery.resume(dispatch) == (ended == "pause")
    await run_all(delivery, database)
    assert len(channel.sent) == 2 * again

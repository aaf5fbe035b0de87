"""Delivery from dispatch to outcome, with a fake channel on real databases."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import delete, insert, select, update

from domain.audiences import Audience, Scope
from domain.delivery import (
    Busy,
    DispatchState,
    Lane,
    Moved,
    NotSent,
    Rejected,
    Sent,
    Unknown,
    UnknownPolicy,
    Unreachable,
)
from domain.messages import Content, Media
from storage import audiences, outcomes, pace
from storage.outcomes import Record
from tests.delivery_world import ACCOUNT, FakeChannel, T, build, run_all, settle, start, states


async def change(database, table: str, member: int, **values) -> None:
    rows = T[table]
    column = rows.c.id if table == "member" else rows.c.member_id
    async with database.begin() as session:
        await session.execute(update(rows).where(column == member).values(**values))


async def link_of(database, member: int) -> tuple[str, int]:
    link = T["account_link"]
    async with database.read() as session:
        row = (await session.execute(select(link).where(link.c.member_id == member))).one()
    return row.state, row.chat_id


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


async def test_slices_hold_five_hundred_and_one_account_each(database, clock):
    members = await settle(database, clock, 1203, accounts=2)
    link = T["account_link"]
    async with database.begin() as session:
        await session.execute(update(link).where(link.c.member_id > 1201).values(account_id=2))
    delivery = await build(database, clock, FakeChannel())
    await start(delivery, database, members)
    table = T["slice"]
    async with database.read() as session:
        rows = (await session.execute(select(table).order_by(table.c.account_id, table.c.number))).all()
    assert [(row.account_id, row.number, row.planned) for row in rows] == [
        (1, 0, 500),
        (1, 1, 500),
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


async def claim_and_vanish(delivery, database, clock) -> None:
    """Leave one delivery in `sending`, as a worker does that dies."""
    table = T["delivery"]
    async with database.begin() as session:
        await session.execute(
            update(table)
            .where(table.c.member_id == 1)
            .values(state="sending", attempt=1, attempt_id="lost", at=clock())
        )


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


async def test_an_outcome_of_an_attempt_that_was_overtaken_changes_nothing(database, clock):
    members = await settle(database, clock, 1)
    delivery = await build(database, clock, FakeChannel())
    dispatch = await start(delivery, database, members)
    await run_all(delivery, database)
    delivery.pipeline.recorder.put(Record(1, "older", outcomes.Verdict(outcomes.DeliveryState.UNKNOWN)))
    await delivery.pipeline.drain()
    figures = await delivery.figures(dispatch)
    assert (figures.sent, figures.unknown) == (1, 0)


async def test_a_worker_that_was_overtaken_stops_sending(database, clock):
    members = await settle(database, clock, 5)
    channel = FakeChannel()
    late = await build(database, clock, channel)
    overtaken = await late.pipeline._open(await one_slice(late, database, members), 1)
    await late.pipeline._open(1, 1)
    granted = await late.pipeline._reserve(overtaken, 5)
    assert (await late.pipeline._claim(overtaken, 5, granted)).nothing


async def one_slice(delivery, database, members) -> int:
    await start(delivery, database, members)
    return 1


async def test_a_slice_of_an_account_without_a_channel_is_left_to_others(database, clock):
    members = await settle(database, clock, 1, accounts=2)
    await change(database, "account_link", 1, account_id=2)
    channel = FakeChannel()
    delivery = await build(database, clock, channel)
    dispatch = await start(delivery, database, members)
    await run_all(delivery, database)
    assert channel.sent == []
    assert (await delivery.figures(dispatch)).waiting == 1


async def test_a_content_that_cannot_be_made_fails_its_deliveries_only(database, clock):
    members = await settle(database, clock, 2)
    channel = FakeChannel()
    delivery = await build(database, clock, channel)

    async def broken(source_id: int, language: str) -> Content:
        raise KeyError(source_id)

    delivery.sources["notice"] = broken
    dispatch = await start(delivery, database, members)
    await run_all(delivery, database)
    assert channel.sent == []
    assert set((await states(database, dispatch)).values()) == {("waiting", "content")}


async def test_a_channel_that_raises_loses_no_outcome(database, clock):
    def burst(envelope):
        raise RuntimeError

    members = await settle(database, clock, 1)
    delivery = await build(database, clock, FakeChannel(burst))
    dispatch = await start(delivery, database, members)
    await run_all(delivery, database)
    assert await states(database, dispatch) == {1: ("unknown", "channel_error")}


async def test_a_refused_token_pauses_the_dispatch(database, clock):
    members = await settle(database, clock, 3)
    delivery = await build(database, clock, FakeChannel(lambda _: NotSent("unauthorized", account_dead=True)))
    dispatch = await start(delivery, database, members)
    await run_all(delivery, database)
    figures = await delivery.figures(dispatch)
    assert (figures.state, figures.pause_reason) == (DispatchState.PAUSED, "account_dead")
    assert figures.waiting + figures.held == 3


async def test_a_content_is_made_once_a_language(database, clock):
    members = await settle(database, clock, 6)
    await change(database, "member", 2, language="en")
    made = []

    async def counted(source_id: int, language: str) -> Content:
        made.append(language)
        return Content(text=language)

    channel = FakeChannel()
    delivery = await build(database, clock, channel)
    delivery.sources["notice"] = counted
    await start(delivery, database, members)
    await run_all(delivery, database)
    assert sorted(made) == ["en", "zh_CN"]
    assert sorted(e.content.text for e in channel.sent) == ["en"] + ["zh_CN"] * 5


async def test_a_file_is_uploaded_once_an_account(database, clock):
    members = await settle(database, clock, 6)

    async def picture(source_id: int, language: str) -> Content:
        return Content(text="", media=Media("photo", "a.png", "d1"))

    channel = FakeChannel(lambda _: Sent(1, file_id="f1"), latency=0.01)
    delivery = await build(database, clock, channel)
    delivery.sources["notice"] = picture
    await start(delivery, database, members)
    await run_all(delivery, database)
    assert channel.file_ids == [None] + ["f1"] * 5
    later = await build(database, clock, channel)
    later.sources["notice"] = picture
    await start(later, database, members[:1])
    await run_all(later, database)
    assert channel.file_ids[-1] == "f1"


async def test_stop_records_what_is_in_flight_and_begins_nothing_more(database, clock):
    members = await settle(database, clock, 3)
    channel = FakeChannel(latency=0.2)
    delivery = await build(database, clock, channel)
    dispatch = await start(delivery, database, members)
    await delivery.run_slice(1, 1)
    await delivery.stop()
    assert (await delivery.figures(dispatch)).sent == 3
    await start(delivery, database, members)
    await run_all(delivery, database)
    assert len(channel.sent) == 3


async def test_a_stop_does_not_wait_for_a_server_that_stalls(database, clock, monkeypatch):
    members = await settle(database, clock, 40)
    monkeypatch.setattr("services.delivery.STOP_GRACE", 0.1)
    channel = FakeChannel(latency=3600)
    delivery = await build(database, clock, channel, rate=10.0)
    dispatch = await start(delivery, database, members)
    turn = asyncio.create_task(delivery.run_slice(1, 1))
    while channel.in_flight < 16:
        await asyncio.sleep(0.01)
    async with asyncio.timeout(9):
        await delivery.stop()
        await turn
    assert set((await states(database, dispatch)).values()) == {("sending", ""), ("waiting", "")}


async def test_a_stop_does_not_wait_for_a_database_that_is_away(database, clock, monkeypatch):
    async def away(*args):
        raise OSError

    members = await settle(database, clock, 3)
    monkeypatch.setattr("services.delivery.STOP_GRACE", 0.1)
    monkeypatch.setattr(outcomes, "record", away)
    delivery = await build(database, clock, FakeChannel())
    await start(delivery, database, members)
    await delivery.run_slice(1, 1)
    async with asyncio.timeout(9):
        await delivery.stop()


async def test_a_hold_or_a_file_id_that_cannot_be_written_loses_no_outcome(database, clock, monkeypatch):
    async def away(*args):
        raise OSError

    async def picture(source_id: int, language: str) -> Content:
        return Content(text="", media=Media("photo", "a.png", "d1"))

    monkeypatch.setattr(pace, "hold", away)
    monkeypatch.setattr("storage.media_files.keep", away)
    members = await settle(database, clock, 2)
    answers = iter([Sent(1, file_id="f1")])
    channel = FakeChannel(lambda _: next(answers, Busy(clock() + timedelta(seconds=60))), latency=0.01)
    delivery = await build(database, clock, channel)
    delivery.sources["notice"] = picture
    dispatch = await start(delivery, database, members)
    await run_all(delivery, database)
    assert sorted((await states(database, dispatch)).values()) == [("sent", ""), ("waiting", "busy")]


async def test_outcomes_wait_while_the_database_is_away(database, clock, monkeypatch):
    members = await settle(database, clock, 3)
    delivery = await build(database, clock, FakeChannel())
    dispatch = await start(delivery, database, members)
    record, failures = outcomes.record, iter([OSError(), OSError()])

    async def sometimes(*args):
        for failure in failures:
            raise failure
        return await record(*args)

    monkeypatch.setattr("services.recorder.RETRY_SECONDS", 0.01)
    monkeypatch.setattr(outcomes, "record", sometimes)
    await run_all(delivery, database)
    assert (await delivery.figures(dispatch)).sent == 3


async def test_sends_are_in_flight_side_by_side(database, clock):
    members = await settle(database, clock, 60)
    channel = CrowdedChannel(31)
    delivery = await build(database, clock, channel, rate=200.0)
    dispatch = await start(delivery, database, members)
    await run_all(delivery, database)
    assert (await delivery.figures(dispatch)).sent == 60


class CrowdedChannel(FakeChannel):
    """Answers nobody before so many sends are in flight at once."""

    def __init__(self, crowd: int) -> None:
        super().__init__()
        self._met = asyncio.Barrier(crowd)

    async def send(self, envelope, file_id):
        if len(self.sent) < self._met.parties:
            self.sent.append(envelope)
            async with asyncio.timeout(60):
                await self._met.wait()
            return Sent(1)
        return await super().send(envelope, file_id)


@pytest.mark.slow
async def test_latency_does_not_set_the_rate(database):
    def clock() -> datetime:
        return datetime.now(UTC)

    members = await settle(database, clock, 100)
    channel = FakeChannel(latency=0.3)
    delivery = await build(database, clock, channel, rate=200.0, sleep=asyncio.sleep)
    await start(delivery, database, members)
    began = clock()
    await run_all(delivery, database)
    assert (clock() - began).total_seconds() < 2.0
    assert channel.most_in_flight > 30


async def test_the_figures_say_when_it_will_be_over(database, clock):
    members = await settle(database, clock, 50)
    delivery = await build(database, clock, FakeChannel(), rate=10.0)
    dispatch = await start(delivery, database, members)
    figures = await delivery.figures(dispatch)
    assert figures.rate == 10.0
    assert figures.expected_finish == clock() + timedelta(seconds=5)
    assert await delivery.dispatches_of("notice", 7) == [dispatch]


async def test_the_figures_of_no_dispatch_are_refused(database, clock):
    delivery = await build_empty(database, clock)
    with pytest.raises(LookupError):
        await delivery.figures(99)


async def build_empty(database, clock):
    await settle(database, clock, 1)
    return await build(database, clock, FakeChannel())


async def test_a_slice_gives_its_place_away_when_others_wait(database, clock, monkeypatch):
    members = await settle(database, clock, 600)
    monkeypatch.setattr("services.pipeline.TURN_SECONDS", 0.0)
    delivery = await build(database, clock, FakeChannel())
    dispatch = await start(delivery, database, members)
    turn = await delivery.run_slice(1, 1)
    await delivery.pipeline.drain()
    assert turn.again_in == pytest.approx(0.2)
    assert 0 < (await delivery.figures(dispatch)).sent < 500


async def test_replies_push_the_deliveries_back(database, clock):
    delivery = await build_empty(database, clock)
    await delivery.replied(ACCOUNT, 100)
    async with database.read() as session:
        held = await pace.read(session, ACCOUNT)
    assert held.arrival == pytest.approx(clock().timestamp() + 0.1)


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

"""The pipeline: one slice in hand, sends side by side, and nothing lost while a server or the database is away."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from domain.delivery import (
    Busy,
    Sent,
)
from domain.messages import MESSAGE, Button, Content, Envelope, Media
from storage import deliveries, media_files, outcomes, pace
from tests.delivery_world import (
    ACCOUNT,
    FakeChannel,
    T,
    build,
    build_empty,
    change,
    run_all,
    settle,
    start,
    states,
)


async def test_a_worker_that_was_overtaken_stops_sending(database, clock):
    members = await settle(database, clock, 5)
    channel = FakeChannel()
    late = await build(database, clock, channel)
    overtaken = await late.pipeline._open(await one_slice(late, database, members), 1)
    await late.pipeline._open(1, 1)
    granted = await late.pipeline._pacer.reserve(overtaken, late.pipeline._flow(overtaken), 5)
    assert (await late.pipeline._claim(overtaken, 5, granted, "1")).nothing


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


@pytest.mark.parametrize("cut", ["reserve", "claim"])
async def test_a_claim_whose_answer_was_lost_is_given_back_and_goes_out_once(
    database, clock, monkeypatch, cut: str
):
    """The database went away after the commit of the claim, or before the group has its place in the pace."""
    members = await settle(database, clock, 3)
    channel = FakeChannel()
    delivery = await build(database, clock, channel)
    dispatch = await start(delivery, database, members)
    whole = delivery.pipeline._claim

    async def lost(taken, size, granted, attempt_id):
        claimed = await whole(taken, size, granted, attempt_id)
        if cut == "claim":
            raise OSError
        clock.forward(seconds=1)
        away.setattr(pace, "reserve", None)
        return claimed

    with monkeypatch.context() as away:
        away.setattr(delivery.pipeline, "_claim", lost)
        with pytest.raises((OSError, TypeError)):
            await delivery.run_slice(1, 1)
    await delivery.pipeline.drain()
    assert set((await states(database, dispatch)).values()) == {("waiting", "")}
    assert channel.sent == []
    await run_all(delivery, database)
    assert sorted(channel.chats) == [1000 + each for each in members]
    assert (await delivery.figures(dispatch)).sent == len(members)


async def test_what_the_database_kept_from_leaving_is_no_doubt_and_waits(database, clock, monkeypatch):
    async def away(*_) -> bool:
        raise OSError

    monkeypatch.setattr("services.sender.LATE", -1.0)  # each looks once more before it leaves
    monkeypatch.setattr(deliveries, "still_wanted", away)
    members = await settle(database, clock, 1)
    channel = FakeChannel()
    delivery = await build(database, clock, channel)
    dispatch = await start(delivery, database, members)
    await run_all(delivery, database)
    assert await states(database, dispatch) == {1: ("waiting", "database")}
    assert channel.sent == []


@pytest.mark.parametrize(
    ("cancelled", "outcome"), [(False, ("sent", "")), (True, ("waiting", "stopped_meanwhile"))]
)
async def test_a_group_that_a_stall_made_late_is_looked_at_once_before_it_leaves(
    database, clock, monkeypatch, cancelled, outcome
):
    looks, real = [], deliveries.still_wanted

    async def counted(*given) -> set[int]:
        looks.append(given)
        return await real(*given)

    members = await settle(database, clock, 2)
    channel = FakeChannel()
    delivery = await build(database, clock, channel)
    dispatch = await start(delivery, database, members)
    wait = delivery.pipeline._pacer.keep_distance

    async def stalled(*given) -> None:
        if not looks:
            clock.forward(seconds=5)
            if cancelled:
                await delivery.cancel(dispatch)
        await wait(*given)

    monkeypatch.setattr(deliveries, "still_wanted", counted)
    monkeypatch.setattr(delivery.pipeline._pacer, "keep_distance", stalled)
    await run_all(delivery, database)
    assert set((await states(database, dispatch)).values()) == {outcome}
    assert len(channel.sent) == (0 if cancelled else len(members))
    assert len(looks) == 1


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


async def test_an_album_takes_as_much_of_the_pace_as_it_has_messages(database, clock):
    members = await settle(database, clock, 12)
    begun = []

    def note(envelope: Envelope) -> Sent:
        begun.append(clock().timestamp())
        return Sent(1)

    files = tuple(Media("photo", f"{number}.jpg", f"digest{number}") for number in range(3))
    async with database.begin() as session:
        for media in files:
            await media_files.keep(session, ACCOUNT, media, media.name)

    async def album(source_id: int, language: str) -> Content:
        return Content("三张", keyboard=((Button("为什么", "why:1"),),), album=files)

    delivery = await build(database, clock, FakeChannel(note), rate=40.0)
    delivery.sources["notice"] = album
    await start(delivery, database, members)
    await run_all(delivery, database)
    assert begun[-1] - begun[0] == pytest.approx(11 * 4 / 40, rel=0.1)


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


async def test_a_film_is_copied_by_the_account_that_was_given_it_and_uploaded_by_none(database, clock):
    members = await settle(database, clock, 4, accounts=2)
    for member in members[2:]:
        await change(database, "account_link", member, account_id=2)
    film = Media(MESSAGE, "", "film")
    async with database.begin() as session:
        await media_files.keep(session, ACCOUNT, film, "1001/77")

    async def copied(source_id: int, language: str) -> Content:
        return Content(text="请看影片", media=film)

    channel, other = FakeChannel(), FakeChannel()
    delivery = await build(database, clock, channel, more={2: other})
    async with database.begin() as session:
        await pace.ensure(session, 2, rate=1000.0, ceiling=1000.0, now=clock())
    delivery.sources["notice"] = copied
    await start(delivery, database, members)
    await run_all(delivery, database)
    assert (channel.file_ids, other.file_ids) == (["1001/77"] * 2, [None] * 2)


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


async def test_what_has_not_left_yet_when_we_stop_waits_untried_and_without_a_doubt(database, clock):
    members = await settle(database, clock, 40)
    channel = FakeChannel(latency=0.05)
    delivery = await build(database, lambda: datetime.now(UTC), channel, rate=50.0, sleep=asyncio.sleep)
    dispatch = await start(delivery, database, members)
    turn = asyncio.create_task(delivery.run_slice(1, 1))
    while not channel.sent:
        await asyncio.sleep(0.01)
    await delivery.stop()
    await turn
    became = Counter((await states(database, dispatch)).values())
    assert became.keys() <= {("sent", ""), ("waiting", "busy"), ("waiting", "")}
    assert became["sent", ""] == len(channel.sent)
    assert became["waiting", "busy"]
    rows = T["delivery"]
    async with database.read() as session:
        tried = select(rows.c.attempt).where(rows.c.state == "waiting").distinct()
        assert (await session.execute(tried)).scalars().all() == [0]


async def test_a_stop_does_not_wait_for_a_server_that_stalls(database, clock, monkeypatch):
    members = await settle(database, clock, 40)
    monkeypatch.setattr("services.delivery.STOP_GRACE", 0.1)
    channel = FakeChannel(latency=3600)
    delivery = await build(database, clock, channel, rate=10.0)
    dispatch = await start(delivery, database, members)
    turn = asyncio.create_task(delivery.run_slice(1, 1))
    while channel.in_flight < 15:
        await asyncio.sleep(0.01)
    async with asyncio.timeout(3):
        await delivery.stop()
        await turn
    assert set((await states(database, dispatch)).values()) == {("sending", ""), ("waiting", "")}


async def test_a_stop_does_not_wait_for_a_database_that_is_away(database, clock, monkeypatch):
    async def away(*args):
        raise OSError

    members = await settle(database, clock, 3)
    monkeypatch.setattr("services.delivery.STOP_GRACE", 0.1)
    monkeypatch.setattr("services.pipeline.RECORD_GRACE", 0.1)
    monkeypatch.setattr(outcomes, "record", away)
    delivery = await build(database, clock, FakeChannel())
    await start(delivery, database, members)
    await delivery.run_slice(1, 1)
    async with asyncio.timeout(3):
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

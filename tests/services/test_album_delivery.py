"""An album is one delivery: its files once an account, its words after it, and what may come between them."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select

from domain.delivery import Busy, NotSent, Outcome, Rejected, Sent, Unknown, UnknownPolicy, Unreachable
from domain.messages import Button, Content, Envelope, Media
from storage import deliveries, pace
from tests.delivery_world import ACCOUNT, FakeChannel, T, build, run_all, settle, start, states
from tests.stepped_time import SteppedTime

FILES = tuple(Media("photo", f"{name}.jpg", name) for name in ("a", "b"))
ALBUM = Content("活动照片", album=FILES, keyboard=((Button("收到", "ack:1"),),))
PICTURE = Content("看图", media=FILES[0])


class AlbumChannel(FakeChannel):
    """Knows files by their digests; an upload takes until it is `let` to end, and words get their own answers."""

    def __init__(self, *words: Outcome) -> None:
        super().__init__(self._answered)
        self.uploads = 0
        self.let = asyncio.Event()
        self.let.set()
        self.begun = asyncio.Event()
        self.words = iter(words)
        self.times: list[float] = []

    async def send(self, envelope: Envelope, file_id: str | None) -> Outcome:
        files = envelope.content.album or (envelope.content.media and (envelope.content.media,)) or ()
        if files and None in (envelope.album_ids or (file_id,)):
            self.uploads += 1
            self.begun.set()
            await self.let.wait()
        return await super().send(envelope, file_id)

    def _answered(self, envelope: Envelope) -> Outcome:
        if envelope.content.album:
            return Sent(1, album_ids=tuple(media.digest for media in envelope.content.album))
        if envelope.content.media:
            return Sent(1, file_id=envelope.content.media.digest)
        return next(self.words, Sent(2))

    @property
    def texts(self) -> list[str]:
        return [envelope.content.text for envelope in self.sent]


async def told(database, clock, channel, members, content=ALBUM, **more):
    async def made(source_id: int, language: str) -> Content:
        return content

    policy = more.pop("unknown_policy", UnknownPolicy.PARK)
    delivery = await build(database, clock, channel, **more)
    delivery.sources["notice"] = made
    return delivery, await start(delivery, database, members, unknown_policy=policy)


async def test_an_albums_files_are_uploaded_once_an_account_and_its_words_follow_each(database, clock):
    members = await settle(database, clock, 3)
    channel = AlbumChannel()
    delivery, dispatch = await told(database, clock, channel, members)
    await run_all(delivery, database)
    assert (await delivery.figures(dispatch)).sent == 3
    assert sorted(channel.texts) == [""] * 3 + ["活动照片"] * 3
    assert all(bool(one.content.keyboard) != bool(one.content.album) for one in channel.sent)
    later, _ = await told(database, clock, channel, members[:1])
    await run_all(later, database)
    assert channel.uploads == 1, "another process finds their ids"
    assert channel.sent[-2].album_ids == ("a", "b")


@pytest.mark.parametrize(
    ("words", "state"),
    [
        (Unknown("reset"), ("unknown", "reset")),
        (NotSent("unauthorized", account_dead=True), ("unknown", "album_alone")),
        (NotSent("refused"), ("unknown", "album_alone")),
        (Unreachable("blocked"), ("unreachable", "blocked")),
        (Rejected("text"), ("rejected", "text")),
    ],
)
async def test_an_album_without_its_words_never_comes_twice(database, clock, words, state):
    """What may be tried again elsewhere is unknown here: another try would send the album once more."""
    members = await settle(database, clock, 1)
    channel = AlbumChannel(words)
    delivery, dispatch = await told(database, clock, channel, members)
    await run_all(delivery, database)
    clock.forward(minutes=3)
    await run_all(delivery, database)
    assert await states(database, dispatch) == {1: state}
    assert len(channel.sent) == 2


@pytest.mark.parametrize(("seconds", "state"), [(6, ("sent", "")), (60, ("unknown", "album_alone"))])
async def test_a_429_on_the_words_holds_every_worker_and_the_words_wait_for_a_moment_only(
    database, clock, seconds, state
):
    members = await settle(database, clock, 2)
    channel = AlbumChannel(Busy(clock() + timedelta(seconds=seconds)))
    naps, wait = [], asyncio.Event()

    async def nap(length: float) -> None:
        if length < 1:
            clock.forward(seconds=length)
            return await asyncio.sleep(0)
        naps.append(length)
        return await wait.wait()

    other_channel = FakeChannel()
    delivery, dispatch = await told(database, clock, channel, members[:1], rate=50.0, sleep=nap)
    other, _ = await told(database, clock, other_channel, members[1:], rate=50.0)
    await delivery.run_slice(1, 1)
    while delivery.pipeline._sending and not naps:
        await asyncio.sleep(0.01)
    async with database.read() as session:
        held = await pace.read(session, ACCOUNT)
    assert held.rate == pytest.approx(25.0, abs=1)
    assert (await other.run_slice(2, 1)).again_in == pytest.approx(seconds, abs=1)
    assert other_channel.sent == []
    clock.forward(seconds=seconds)
    wait.set()
    await delivery.pipeline.drain()
    assert await states(database, dispatch) == {1: state}
    assert channel.texts == ["", "活动照片", "活动照片"][: 3 if state[0] == "sent" else 2]


async def test_a_429_on_an_album_holds_every_worker_and_it_comes_once(database, clock):
    members = await settle(database, clock, 2)
    channel, other_channel = AlbumChannel(), FakeChannel()
    answers = iter([Busy(clock() + timedelta(seconds=30))])
    channel.answer = lambda envelope: next(answers, None) or channel._answered(envelope)
    delivery, dispatch = await told(database, clock, channel, members[:1])
    other, _ = await told(database, clock, other_channel, members[1:])
    await delivery.run_slice(1, 1)
    await delivery.pipeline.drain()
    assert await states(database, dispatch) == {1: ("waiting", "busy")}
    assert (await other.run_slice(2, 1)).again_in == pytest.approx(30, abs=1)
    assert other_channel.sent == []
    clock.forward(seconds=31)
    await delivery.run_slice(1, 1)
    await delivery.pipeline.drain()
    assert channel.texts == ["", "", "活动照片"]


@pytest.mark.parametrize("step", ["pause", "cancel"])
async def test_nothing_that_waits_for_a_slow_upload_begins_after_a_pause_or_a_cancel(database, clock, step):
    members = await settle(database, clock, 6)
    channel = AlbumChannel()
    channel.let.clear()
    delivery, dispatch = await told(database, clock, channel, members)
    turn = asyncio.create_task(delivery.run_slice(1, 1))
    while len(delivery.pipeline._sending) < len(members):  # all are claimed, and have left for the upload
        await asyncio.sleep(0.01)
    await channel.begun.wait()
    for _ in range(50):
        await asyncio.sleep(0)
    await getattr(delivery, step)(dispatch)
    clock.forward(seconds=1)
    channel.let.set()
    await turn
    await delivery.pipeline.drain()
    await delivery.tick()
    assert channel.texts == [""], "nor the words after the album that was under way"
    found = list((await states(database, dispatch)).values())
    assert found.count(("unknown", "album_alone")) == 1
    rest = ("skipped", "cancelled") if step == "cancel" else ("waiting", "stopped_meanwhile")
    assert set(found) <= {("unknown", "album_alone"), ("waiting", ""), rest}
    if step == "pause":
        await delivery.resume(dispatch)
        for _ in range(3):
            clock.forward(minutes=1)
            await run_all(delivery, database)
        assert (await delivery.figures(dispatch)).sent == 5


@pytest.mark.parametrize("content", [ALBUM, PICTURE], ids=["album", "picture"])
async def test_who_waited_for_a_slow_upload_keeps_to_the_pace(database, clock, content):
    """The account is used by a second worker too, so that the pace is the fleet's and not the process's."""
    rate, members = 60.0, await settle(database, clock, 90)
    time = SteppedTime(clock, database)
    times: list[float] = []

    def note(envelope: Envelope) -> Outcome:
        times.extend([clock().timestamp()] * envelope.content.messages)
        return channel._answered(envelope)

    async def end_upload() -> None:
        await channel.begun.wait()
        await time.sleep(0.6)
        channel.let.set()

    channel, other_channel = (
        AlbumChannel(),
        FakeChannel(lambda e: times.append(clock().timestamp()) or Sent(1)),
    )
    channel.answer = note
    channel.let.clear()
    delivery, _ = await told(database, clock, channel, members[:50], content, rate=rate, sleep=time.sleep)
    other = await build(database, clock, other_channel, rate=rate, sleep=time.sleep)
    await start(other, database, members[50:])
    async with database.begin() as session:
        await pace.ensure(session, ACCOUNT, rate=rate, ceiling=rate, now=clock())
    await time.until_done(delivery.run_slice(1, 1), other.run_slice(2, 1), end_upload())
    await time.until_done(delivery.pipeline.drain(), other.pipeline.drain())
    times.sort()
    busiest = max(sum(begin <= each < begin + 1 for each in times) for begin in times)
    assert busiest <= rate * 1.2, "it was all of them at once"


async def test_an_upload_that_takes_long_is_not_taken_for_abandoned(database, clock, monkeypatch):
    attended, attend = asyncio.Event(), deliveries.attend

    async def noted(*given) -> None:
        await attend(*given)
        attended.set()

    members = await settle(database, clock, 1)
    monkeypatch.setattr("services.sender.ATTEND_EVERY", 0.01)
    monkeypatch.setattr(deliveries, "attend", noted)
    channel = AlbumChannel()
    channel.let.clear()
    delivery, dispatch = await told(
        database, clock, channel, members, PICTURE, unknown_policy=UnknownPolicy.RESEND
    )
    await delivery.run_slice(1, 1)
    await channel.begun.wait()
    for _ in range(4):
        clock.forward(seconds=60)
        attended.clear()
        await attended.wait()
        await delivery.tick()
    assert await states(database, dispatch) == {1: ("sending", "")}
    channel.let.set()
    await delivery.pipeline.drain()
    await run_all(delivery, database)
    assert (await states(database, dispatch), channel.uploads) == ({1: ("sent", "")}, 1)


async def test_who_waits_long_for_anothers_upload_gives_its_place_away_untried(database, clock, monkeypatch):
    members = await settle(database, clock, 3)
    monkeypatch.setattr("services.uploads.LONGEST_WAIT", 0.05)
    channel = AlbumChannel()
    channel.let.clear()
    delivery, dispatch = await told(database, clock, channel, members, PICTURE)
    await delivery.run_slice(1, 1)
    while len(delivery.pipeline._sending) > 1:
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.1)
    found = sorted((await states(database, dispatch)).values())
    assert found == [("sending", ""), ("waiting", "busy"), ("waiting", "busy")]
    rows = T["delivery"]
    async with database.read() as session:
        tried = select(rows.c.attempt).where(rows.c.state == "waiting").distinct()
        assert (await session.execute(tried)).scalars().all() == [0]
    channel.let.set()
    await delivery.pipeline.drain()
    clock.forward(seconds=10)
    await run_all(delivery, database)
    assert ((await delivery.figures(dispatch)).sent, channel.uploads) == (3, 1)

"""The reply lane counts what goes out by aiogram, and nothing else."""

import pytest
from aiogram import Bot
from aiogram.exceptions import TelegramRetryAfter
from aiogram.methods import AnswerCallbackQuery, EditMessageText, GetMe, SendChatAction, SendMessage

from bot.replies import ReplyLane
from storage import pace
from storage.database import Effect, with_each_change
from tests.delivery_world import ACCOUNT, FakeChannel, build, run_all, settle, start


class Deliveries:
    """Remembers what is noted; fails as often as it is told to."""

    def __init__(self, failures: int = 0) -> None:
        self.noted: list[tuple[int, int]] = []
        self.failures = failures

    async def replied(self, account_id: int, count: int) -> None:
        if self.failures:
            self.failures -= 1
            raise OSError
        self.noted.append((account_id, count))

    async def hold(self, account_id: int, seconds: float) -> None:
        raise OSError


async def throttled(bot, method):
    raise TelegramRetryAfter(method=method, message="Too Many Requests", retry_after=20)


async def passed_on(bot, method):
    return method


async def ask(lane: ReplyLane, *methods) -> None:
    bot = Bot("42:token")
    for method in methods:
        assert await lane(passed_on, bot, method) is method


@pytest.fixture(autouse=True)
def at_once(monkeypatch) -> None:
    monkeypatch.setattr("bot.replies.GATHER_SECONDS", 0.01)


async def test_messages_and_edits_are_noted_together():
    deliveries = Deliveries()
    lane = ReplyLane(deliveries, 3)
    await ask(lane, SendMessage(chat_id=1, text="a"), EditMessageText(chat_id=1, message_id=2, text="b"))
    await lane.drain()
    await ask(lane, SendMessage(chat_id=1, text="c"))
    await lane.drain()
    assert deliveries.noted == [(3, 2), (3, 1)]


async def test_what_sends_no_message_is_not_counted():
    deliveries = Deliveries()
    lane = ReplyLane(deliveries, 3)
    await ask(
        lane, GetMe(), AnswerCallbackQuery(callback_query_id="1"), SendChatAction(chat_id=1, action="typing")
    )
    await lane.drain()
    assert deliveries.noted == []


async def test_noting_says_nothing_of_the_update_that_was_answered():
    contexts = []

    class Looking(Deliveries):
        async def replied(self, account_id: int, count: int) -> None:
            contexts.append(with_each_change.get())

    async def effective(_, about):
        raise AssertionError(about)

    lane = ReplyLane(Looking(), 3)
    token = with_each_change.set(Effect(effective, 1))
    await ask(lane, SendMessage(chat_id=1, text="a"))
    with_each_change.reset(token)
    await lane.drain()
    assert contexts == [None]


async def test_a_database_that_is_away_stops_no_answer():
    deliveries = Deliveries(failures=1)
    lane = ReplyLane(deliveries, 3)
    await ask(lane, SendMessage(chat_id=1, text="a"))
    await lane.drain()
    await ask(lane, SendMessage(chat_id=1, text="b"))
    await lane.drain()
    assert deliveries.noted == [(3, 1)]


async def test_a_429_on_an_answer_holds_every_worker_and_slows_the_pace(database, clock):
    async def effective(session, about):
        raise AssertionError(about)

    members = await settle(database, clock, 3)
    answering, working = FakeChannel(), FakeChannel()
    bot_process = await build(database, clock, answering, rate=50.0)
    worker = await build(database, clock, working, rate=50.0)
    dispatch = await start(worker, database, members)
    lane = ReplyLane(bot_process, ACCOUNT)
    token = with_each_change.set(
        Effect(effective, 1)
    )  # to hold says nothing of the update's having taken effect
    with pytest.raises(TelegramRetryAfter):
        await lane(throttled, Bot("42:token"), SendMessage(chat_id=1, text="a"))
    with_each_change.reset(token)
    await lane.drain()
    async with database.read() as session:
        held = await pace.read(session, ACCOUNT)
    assert (held.rate, held.held_until) == (25.0, pytest.approx(clock().timestamp() + 20))
    for process in (worker, bot_process):
        assert (await process.run_slice(1, 1)).again_in == pytest.approx(20)
    assert working.sent == answering.sent == []
    clock.forward(seconds=21)
    await run_all(worker, database)
    assert (await worker.figures(dispatch)).sent == len(members)


async def test_a_429_is_told_to_who_answers_also_when_the_hold_cannot_be_written():
    lane = ReplyLane(Deliveries(), 3)
    with pytest.raises(TelegramRetryAfter):
        await lane(throttled, Bot("42:token"), GetMe())

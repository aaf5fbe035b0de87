"""The dispatcher: who writes, what failed, what came again, and no tap without an answer."""

from types import SimpleNamespace
from typing import Any

import aiohttp
import pytest
from aiogram.exceptions import TelegramBadRequest, TelegramNetworkError, TelegramRetryAfter
from aiogram.filters.callback_data import CallbackData
from aiogram.methods import AnswerCallbackQuery, SendMessage

from bot.answers import LateAnswers
from bot.dispatching import MESSENGER_AWAY, Feeder
from bot.inbox import NotNow, Undecodable
from domain.accounts import LinkState
from domain.refusals import NotFound
from handlers import taps
from tests.fakes import World
from tests.town import Town


class Probe(CallbackData, prefix="probe"):
    pass


@pytest.fixture
def feeder(world: World, toolbox: Any) -> Feeder:
    return Feeder(world.dispatcher, {world.account_id: world.bot}, toolbox)


@pytest.fixture
def probe(monkeypatch):
    """Yield a place to put the handler of `/probe` and of its tap."""
    place = SimpleNamespace(run=None)

    async def handler(event: Any, **data: Any) -> None:
        await place.run(event, data)

    monkeypatch.setattr(taps, "_taps", dict(taps._taps))
    monkeypatch.setattr(taps, "_commands", dict(taps._commands))
    taps.tap(Probe)(handler)
    taps.command("probe")(handler)
    return place


def message(text: str, *, chat: dict[str, Any] | None = None, user: int = 7) -> dict[str, Any]:
    return {
        "update_id": 5,
        "message": {
            "message_id": 1,
            "date": 0,
            "chat": chat or {"id": user, "type": "private"},
            "from": {"id": user, "is_bot": False, "first_name": "x"},
            "text": text,
        },
    }


def tapped(data: str) -> dict[str, Any]:
    user = {"id": 7, "is_bot": False, "first_name": "x"}
    return {"update_id": 6, "callback_query": {"id": "q", "from": user, "chat_instance": "1", "data": data}}


def answers(world: World) -> list[AnswerCallbackQuery]:
    return [call for call in world.session.calls if isinstance(call, AnswerCallbackQuery)]


async def test_a_handler_is_told_who_writes_and_from_where(world, town: Town, feeder, probe):
    await town.link("wang", 7)
    seen: dict[str, Any] = {}

    async def look(event: Any, data: Any) -> None:
        seen.update(data)

    probe.run = look
    await feeder.feed(world.account_id, message("/probe with words"), again=False)
    assert seen["address"] == town.address(7)
    assert seen["actor"].name == "王芳"
    assert seen["argument"] == "with words"
    assert seen["account"].name == "webchat"


async def test_a_stranger_has_no_actor(world, feeder, probe):
    seen: dict[str, Any] = {}

    async def look(event: Any, data: Any) -> None:
        seen.update(data)

    probe.run = look
    await feeder.feed(world.account_id, message("/probe"), again=False)
    assert seen["actor"] is None


async def test_a_group_gets_no_answer(world, town: Town, feeder):
    await town.link("wang", 7)
    group = {"id": -100, "type": "group", "title": "x"}
    await feeder.feed(world.account_id, message("/me", chat=group), again=False)
    assert world.session.calls == []


async def test_a_refused_tap_is_answered_with_the_reason(world, feeder, probe):
    async def refuse(event: Any, data: Any) -> None:
        raise NotFound

    probe.run = refuse
    await feeder.feed(world.account_id, tapped("probe"), again=False)
    [answer] = answers(world)
    assert answer.text
    assert answer.show_alert


async def test_a_refused_command_is_answered_with_the_reason(world, feeder, probe):
    async def refuse(event: Any, data: Any) -> None:
        raise NotFound

    probe.run = refuse
    await feeder.feed(world.account_id, message("/probe"), again=False)
    assert world.chat(7).messages


async def test_an_unexpected_error_is_left_to_the_inbox(world, feeder, probe):
    async def fail(event: Any, data: Any) -> None:
        raise RuntimeError

    probe.run = fail
    with pytest.raises(RuntimeError):
        await feeder.feed(world.account_id, message("/probe"), again=False)
    assert world.chat(7).messages == []


async def test_a_tap_whose_handler_says_nothing_is_answered(world, feeder, probe):
    world.bot.session.middleware(LateAnswers())

    async def silent(event: Any, data: Any) -> None: ...

    probe.run = silent
    await feeder.feed(world.account_id, tapped("probe"), again=False)
    assert len(answers(world)) == 1


async def test_a_tap_that_was_answered_is_not_answered_again(world, feeder, probe):
    world.bot.session.middleware(LateAnswers())

    async def answer(event: Any, data: Any) -> None:
        await event.answer("好的")

    probe.run = answer
    await feeder.feed(world.account_id, tapped("probe"), again=False)
    assert [call.text for call in answers(world)] == ["好的"]


@pytest.mark.parametrize(
    ("description", "is_failure"),
    [
        ("Bad Request: query is too old and response timeout expired or query ID is invalid", False),
        ("Bad Request: something else", True),
    ],
)
async def test_a_tap_too_old_to_be_answered_is_not_a_failure(
    world, feeder, probe, monkeypatch, description, is_failure
):
    async def refused(bot: Any, method: Any, timeout: Any = None) -> Any:
        raise TelegramBadRequest(method, description)

    monkeypatch.setattr(world.session, "make_request", refused)
    world.bot.session.middleware(LateAnswers())

    async def answer(event: Any, data: Any) -> None:
        await event.answer()

    probe.run = answer
    if is_failure:
        with pytest.raises(TelegramBadRequest):
            await feeder.feed(world.account_id, tapped("probe"), again=False)
    else:
        await feeder.feed(world.account_id, tapped("probe"), again=False)


async def test_an_update_that_took_effect_is_answered_and_not_handled(world, town: Town, feeder, probe):
    async def fail(event: Any, data: Any) -> None:
        raise AssertionError

    probe.run = fail
    await feeder.feed(world.account_id, message("/probe"), again=True)
    assert "已经记下" in world.chat(7).screen
    assert world.chat(7).buttons


@pytest.mark.parametrize(
    "update",
    [{"update_id": 5}, {"update_id": 5, "novelty": {"a": 1}}, {"update_id": 5, "message": {"text": "x"}}],
)
async def test_an_update_of_unknown_kind_or_shape_is_undecodable(world, feeder, update):
    with pytest.raises(Undecodable):
        await feeder.feed(world.account_id, update, again=False)


METHOD = SendMessage(chat_id=7, text="x")


def unreachable() -> Exception:
    error = TelegramNetworkError(METHOD, "ClientConnectorError")
    error.__cause__ = aiohttp.ClientConnectorError(SimpleNamespace(ssl=None, host="h", port=1), OSError())
    return error


@pytest.mark.parametrize(
    ("error", "seconds"),
    [(TelegramRetryAfter(METHOD, "slow down", 9), 9), (unreachable(), MESSENGER_AWAY)],
)
async def test_a_messenger_that_takes_nothing_is_waited_for(world, feeder, probe, error, seconds):
    async def fail(event: Any, data: Any) -> None:
        raise error

    probe.run = fail
    with pytest.raises(NotNow) as told:
        await feeder.feed(world.account_id, message("/probe"), again=False)
    assert told.value.seconds == seconds


async def test_a_request_that_perhaps_arrived_counts_as_a_failure(world, feeder, probe):
    async def fail(event: Any, data: Any) -> None:
        raise TelegramNetworkError(METHOD, "Request timeout error") from TimeoutError()

    probe.run = fail
    with pytest.raises(TelegramNetworkError):
        await feeder.feed(world.account_id, message("/probe"), again=False)


async def test_the_apology_names_the_incident_and_answers_the_tap(world, feeder):
    await feeder.apologise(world.account_id, tapped("probe"), "T00042")
    assert "T00042" in world.chat(7).screen
    assert len(answers(world)) == 1


async def test_blocking_and_coming_back_are_remembered(world, town: Town, toolbox):
    await town.link("wang", 7)
    chat = world.chat(7)
    await chat.block()
    assert await state_of(town, 7) == LinkState.BLOCKED
    await chat.unblock()
    assert await state_of(town, 7) == LinkState.ACTIVE


async def state_of(town: Town, chat_id: int) -> str:
    from sqlalchemy import select

    from storage.tables import metadata

    link = metadata.tables["account_link"]
    async with town.database.read() as session:
        return (await session.execute(select(link.c.state).where(link.c.chat_id == chat_id))).scalar_one()

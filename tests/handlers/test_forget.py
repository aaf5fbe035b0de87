"""Being forgotten, as the person who asks for it sees it."""

from pathlib import Path
from typing import Any

import pytest

from services.forgetting import Forgetting
from storage.database import Database
from storage.sealing import Sealer
from tests.conftest import HandClock
from tests.fakes import Chat, World
from tests.town import TODAY, Town


@pytest.fixture(autouse=True)
def forgetting(toolbox: Any, database: Database, clock: HandClock, sealer: Sealer, tmp_path: Path) -> None:
    toolbox.forgetting = Forgetting(
        database=database, clock=clock, sealer=sealer, file=tmp_path / "forgotten.jsonl"
    )


@pytest.fixture
async def chat(world: World, town: Town) -> Chat:
    await town.link("wang", 7)
    return world.chat(7)


async def test_what_goes_and_what_stays_is_said_before_anything_is_asked(chat: Chat):
    await chat.say("/forget")
    for word in ("会删除", "会留下", "聊天软件", "备份", "/stop"):
        assert word in chat.screen
    assert chat.buttons[0] == "先要一份我的数据"
    assert not any("不能撤销" in label for label in chat.buttons)


async def test_it_takes_two_presses_and_then_the_person_is_a_guest(chat: Chat, town: Town):
    await chat.say("/forget")
    await chat.press("继续")
    assert (await town.people.looking(town.address(7), TODAY)).actor is not None
    await chat.press("忘记我，不能撤销")
    assert "再见" in chat.screen
    assert chat.buttons == []
    assert (await town.people.looking(town.address(7), TODAY)).actor is None
    for text in ("/forget", "/me", "/start"):
        await chat.say(text)
        assert "邀请" in chat.screen


async def test_who_would_rather_stay_goes_home(chat: Chat, town: Town):
    await chat.say("/forget")
    await chat.press("继续")
    await chat.press("不，留下")
    assert "王芳" in chat.screen
    assert (await town.people.looking(town.address(7), TODAY)).actor is not None


async def test_the_last_secretary_is_warned_and_may_go(world: World, town: Town):
    await town.link("branch_secretary", 8)
    chat = world.chat(8)
    await chat.say("/forget")
    await chat.press("继续")
    assert "北大路支部 就没有书记了" in chat.screen
    await chat.press("忘记我")
    assert "再见" in chat.screen


async def test_a_button_of_yesterday_forgets_nobody(chat: Chat, clock: HandClock, town: Town):
    await chat.say("/forget")
    await chat.press("继续")
    clock.forward(days=1)
    await chat.press("忘记我")
    assert "什么都没有删除" in chat.alerts[-1]
    assert (await town.people.looking(town.address(7), TODAY)).actor is not None


async def test_the_button_of_somebody_else_forgets_neither(chat: Chat, world: World, town: Town):
    await town.link("zhang", 8)
    await chat.say("/forget")
    await chat.press("继续")
    other = world.chat(8)
    await other.say("/me")
    await other.tap(chat.data[-1])
    assert "什么都没有删除" in other.alerts[-1]
    for number in (7, 8):
        assert (await town.people.looking(town.address(number), TODAY)).actor is not None


async def test_a_second_press_finds_a_guest(chat: Chat):
    await chat.say("/forget")
    await chat.press("继续")
    data = chat.data[-1]
    await chat.press("忘记我")
    await chat.tap(data)
    assert "邀请" in chat.screen


async def test_it_is_said_in_english_as_well(chat: Chat, town: Town):
    await town.people.set_language(town.address(7), "en")
    await chat.say("/forget")
    assert "numbers only" in chat.screen
    assert "former secretary" not in chat.screen
    await chat.press("Go on")
    await chat.press("Forget me")
    assert "goodbye" in chat.screen

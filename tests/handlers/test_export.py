"""My own data as the person who asks for it gets it."""

import json
from typing import Any

import pytest
from aiogram.types import BufferedInputFile

from services.own_data import OwnData
from storage.database import Database
from storage.sealing import Sealer
from tests.conftest import HandClock
from tests.fakes import World
from tests.town import Town


@pytest.fixture(autouse=True)
def own_data(toolbox: Any, database: Database, clock: HandClock, sealer: Sealer) -> None:
    toolbox.own_data = OwnData(database=database, clock=clock, sealer=sealer)


async def test_a_document_comes_with_its_index_in_plain_words(world: World, town: Town):
    await town.link("zhao", 7)
    chat = world.chat(7)
    await chat.say("/export")
    file = chat.file_of(chat.messages[-2])
    assert isinstance(file, BufferedInputFile)
    assert file.filename == "我的数据-2026-03-04.json"
    assert json.loads(file.data)["data"]["record"][0]["name"] == "赵敏"
    assert "您的基本信息" in chat.screen
    assert "匿名" not in chat.screen


async def test_it_is_offered_before_one_is_forgotten(world: World, town: Town):
    await town.link("zhao", 7)
    chat = world.chat(7)
    await chat.say("/forget")
    await chat.press("先要一份我的数据")
    assert isinstance(chat.file_of(chat.messages[-2]), BufferedInputFile)


async def test_a_messenger_abroad_gets_no_document(telegram: World, town: Town, database: Database):
    from tests.factories import make_link

    await make_link(database, member=town.members["zhao"], chat_id=7, account=town.telegram_id)
    chat = telegram.chat(7)
    await chat.say("/export")
    assert "境外" in chat.screen
    assert len(chat.messages) == 1


async def test_a_stranger_gets_nothing(world: World):
    chat = world.chat(9)
    await chat.say("/export")
    assert len(chat.messages) == 1
    assert "邀请" in chat.screen


async def test_in_english_the_document_has_an_english_name(world: World, town: Town):
    await town.link("zhao", 7)
    await town.people.set_language(town.address(7), "en")
    chat = world.chat(7)
    await chat.say("/export")
    assert chat.file_of(chat.messages[-2]).filename == "my-data-2026-03-04.json"
    assert "Your record" in chat.screen

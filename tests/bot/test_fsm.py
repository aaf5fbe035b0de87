"""Dialogue states in SQL: aiogram's contract, what a restart finds, and what the cache may not hide."""

import pytest
from aiogram import Bot
from aiogram.fsm.context import FSMContext
from aiogram.fsm.state import State, StatesGroup
from aiogram.fsm.storage.base import StorageKey

from bot.claims import Overtaken, fence
from bot.fsm import SqlStorage
from storage import database as database_module
from tests.factories import make_account

BOT_ID = 99


class Steps(StatesGroup):
    text = State()
    audience = State()


@pytest.fixture
async def accounts(database) -> dict[int, int]:
    return {BOT_ID: await make_account(database), 98: await make_account(database, "other")}


@pytest.fixture
def storage(database, clock, accounts) -> SqlStorage:
    return SqlStorage(database, clock, accounts)


def at(chat_id: int = 7, bot_id: int = BOT_ID) -> StorageKey:
    return StorageKey(bot_id=bot_id, chat_id=chat_id, user_id=chat_id)


def restarted(database, clock, accounts) -> SqlStorage:
    return SqlStorage(database, clock, accounts)


async def test_a_chat_without_a_dialogue_has_neither_state_nor_data(storage):
    assert await storage.get_state(at()) is None
    assert await storage.get_data(at()) == {}


async def test_state_and_data_survive_a_restart(storage, database, clock, accounts):
    await storage.set_state(at(), Steps.text)
    await storage.set_data(at(), {"text": "请参加学习", "picked": [1, 2]})
    again = restarted(database, clock, accounts)
    assert await again.get_state(at()) == "Steps:text"
    assert await again.get_data(at()) == {"text": "请参加学习", "picked": [1, 2]}


async def test_chats_and_accounts_do_not_share_dialogues(storage):
    await storage.set_state(at(7), Steps.text)
    assert await storage.get_state(at(8)) is None
    assert await storage.get_state(at(7, bot_id=98)) is None


async def test_clearing_leaves_nothing_behind(storage, database, clock, accounts):
    context = FSMContext(storage, at())
    await context.set_state(Steps.text)
    await context.update_data(text="x")
    await context.clear()
    again = restarted(database, clock, accounts)
    assert (await again.get_state(at()), await again.get_data(at())) == (None, {})


async def test_what_a_handler_changes_in_its_data_is_not_kept_until_it_says_so(storage):
    await storage.set_data(at(), {"picked": [1]})
    (await storage.get_data(at()))["picked"].append(2)
    assert await storage.get_data(at()) == {"picked": [1]}


async def test_data_changed_in_place_and_set_again_is_written(storage, database, clock, accounts):
    await storage.set_data(at(), {"picked": [1]})
    data = await storage.get_data(at())
    data["picked"].append(2)
    await storage.set_data(at(), data)
    assert await restarted(database, clock, accounts).get_data(at()) == {"picked": [1, 2]}


async def test_what_another_process_wrote_is_seen_once_the_cache_is_forgotten(
    storage, database, clock, accounts
):
    await storage.set_state(at(), Steps.text)
    await restarted(database, clock, accounts).set_state(at(), Steps.audience)
    storage.forget()
    assert await storage.get_state(at()) == "Steps:audience"


async def test_a_chat_that_goes_to_another_process_is_read_anew_and_the_others_stay(
    storage, database, clock, accounts
):
    other = restarted(database, clock, accounts)
    for chat in (7, 8):
        await storage.set_state(at(chat), Steps.text)
        await other.set_state(at(chat), Steps.audience)
    storage.forget((accounts[BOT_ID], 7))
    assert await storage.get_state(at(7)) == "Steps:audience"
    assert await storage.get_state(at(8)) == "Steps:text"


async def test_a_process_that_was_overtaken_writes_no_step(storage, database, clock, accounts):
    async def overtaken(session):
        raise Overtaken

    token = fence.set(overtaken)
    with pytest.raises(Overtaken):
        await storage.set_state(at(), Steps.text)
    fence.reset(token)
    assert await restarted(database, clock, accounts).get_state(at()) is None


async def test_a_dialogue_in_hand_is_read_once(storage, monkeypatch):
    await storage.get_state(at())
    monkeypatch.setattr(storage, "_database", None)
    assert await storage.get_state(at()) is None


async def test_an_abandoned_dialogue_is_dropped_after_a_month(storage, clock):
    await storage.set_state(at(7), Steps.text)
    clock.forward(days=20)
    await storage.set_state(at(8), Steps.text)
    clock.forward(days=11)
    await storage.reap()
    assert await storage.get_state(at(7)) is None
    assert await storage.get_state(at(8)) == "Steps:text"


async def test_a_step_of_a_dialogue_does_not_count_as_the_effect_of_its_update(storage):
    noted = []

    async def note(_, about):
        noted.extend(about)

    token = database_module.with_each_change.set(database_module.Effect(note, 1))
    await storage.set_state(at(), Steps.text)
    database_module.with_each_change.reset(token)
    assert noted == []


async def test_aiograms_own_keys_find_the_account(storage, accounts):
    bot = Bot(f"{BOT_ID}:" + "x" * 35)
    await storage.set_data(at(bot_id=bot.id), {"a": 1})
    assert await storage.get_data(at()) == {"a": 1}

"""Where messages come, as a member with several chats sees it; and a messenger that is not allowed."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import insert, update

from domain.accounts import Address
from storage.accounts import chats_of
from storage.tables import metadata
from tests.fakes import World
from tests.handlers.test_start import invite, join
from tests.town import Town

account = metadata.tables["account"]
account_link = metadata.tables["account_link"]


async def addresses(town: Town) -> list[Address]:
    async with town.database.read() as session:
        return [chat.address for chat in await chats_of(session, town.members["wang"])]


async def bar(town: Town, account_id: int) -> None:
    async with town.database.begin() as session:
        await session.execute(update(account).where(account.c.id == account_id).values(barred=True))


async def test_a_member_with_two_chats_chooses_where_messages_come(
    telegram: World, world: World, town: Town, toolbox: Any
):
    await town.link("wang", 5)
    new = telegram.chat(7)
    await join(new, await invite(town, toolbox))
    await new.share_contact("13805740001")
    assert "通知仍先发到：网页聊天" in new.screen
    assert await addresses(town) == [town.address(5), town.telegram(7)]
    await new.press("消息发到哪里")
    await new.press("Telegram")
    assert await addresses(town) == [town.telegram(7), town.address(5)]
    await new.press("返回")
    assert "已关联的聊天" in new.screen


async def test_with_one_chat_there_is_nothing_to_choose_and_a_forged_choice_changes_nothing(
    world: World, town: Town
):
    await town.link("wang", 5)
    chat = world.chat(5)
    await chat.say("/me")
    assert "消息发到哪里" not in chat.buttons
    await chat.say("/chats")
    assert "只关联了一个聊天" in chat.screen
    await chat.tap(f"here:{town.telegram_id}")
    assert "没有关联" in "".join(chat.alerts) + chat.screen
    assert await addresses(town) == [town.address(5)]


async def test_nobody_joins_by_a_messenger_that_is_not_allowed_and_the_code_stays_good(
    telegram: World, world: World, town: Town, toolbox: Any
):
    code = await invite(town, toolbox)
    await bar(town, town.telegram_id)
    chat = telegram.chat(7)
    await chat.say(f"/start {code}")
    assert "不能关联" in chat.screen
    await join(world.chat(8), code)
    assert "支部书记" in world.chat(8).screen


async def test_a_chat_that_is_allowed_no_more_shows_nothing_but_the_way_out(telegram: World, town: Town):
    link = {"member_id": town.members["wang"], "account_id": town.telegram_id, "chat_id": 7}
    async with town.database.begin() as session:
        await session.execute(
            insert(account_link).values(**link, state="active", since=datetime(2026, 1, 1, tzinfo=UTC))
        )
    await bar(town, town.telegram_id)
    chat = telegram.chat(7)
    for command in ("/start", "/me", "/notices"):
        await chat.say(command)
        assert "不能用来接收" in chat.screen
    await chat.press("撤回申请")
    assert await addresses(town) == []

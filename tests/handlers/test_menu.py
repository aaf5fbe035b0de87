"""The main menu and its plain screens: edited in place, with Back and Home, in both languages."""

import pytest

from tests.fakes import Chat, World
from tests.town import Town


@pytest.fixture
async def member(world: World, town: Town) -> Chat:
    await town.link("wang", 7)
    return world.chat(7)


async def test_the_menu_greets_by_name_and_names_the_organisation(member: Chat):
    await member.say("/start")
    assert "王芳，您好" in member.screen
    assert "北大路支部" in member.screen


@pytest.mark.parametrize("label", ["我的信息", "语言", "隐私", "停止消息", "帮助"])
async def test_every_screen_is_the_same_message_and_leads_home(member: Chat, label: str):
    await member.say("/start")
    await member.press(label)
    assert "王芳，您好" not in member.screen
    await member.press("首页")
    assert "王芳，您好" in member.screen
    assert len(member.messages) == 1


async def test_pressing_what_is_shown_already_changes_nothing(member: Chat):
    await member.say("/start")
    await member.tap("go:menu")
    await member.tap("go:menu")
    assert len(member.messages) == 1


async def test_a_menu_whose_message_is_gone_comes_anew(member: Chat, world: World):
    await member.say("/start")
    gone = member.messages[-1]
    world.session.shown[7].clear()
    await member.tap("go:me", gone)
    assert "我的信息" in member.screen


async def test_my_record_shows_the_chain_and_that_nobody_has_read_it(member: Chat):
    await member.say("/me")
    assert "宁波市 › 海曙区 › 鼓楼街道 › 北大路支部" in member.screen
    assert "尾号 0001" in member.screen
    assert "还没有人查看" in member.screen


async def test_my_record_names_the_roles_that_hold_today(world: World, town: Town):
    await town.link("county_secretary", 100)
    await town.link("former", 101)
    for chat_id, shown in ((100, True), (101, False)):
        chat = world.chat(chat_id)
        await chat.say("/me")
        assert ("职责：书记（海曙区）" in chat.screen) == shown
        assert ("职责" in chat.screen) == shown


async def test_stopping_acts_at_once_and_says_what_still_works(member: Chat, town: Town):
    await member.say("/stop")
    assert "仍然可以用" in member.screen
    await member.say("/me")
    assert "2026年3月4日 起停止" in member.screen
    await member.press("首页")
    assert "消息已停" in member.screen
    await member.press("恢复消息")
    await member.press("首页")
    assert "消息已停" not in member.screen


async def test_a_language_holds_from_the_very_same_message_on(member: Chat):
    await member.say("/language")
    await member.press("English")
    assert "Choose the language" in member.screen
    await member.press("Home")
    assert "Hello 王芳" in member.screen
    await member.say("/me")
    assert "Ningbo › Haishu › Gulou › 北大路支部" in member.screen


async def test_a_forged_language_is_taken_as_chinese(member: Chat):
    await member.say("/language")
    await member.tap("lang:tlh")
    assert "请选择" in member.screen


async def test_privacy_says_what_the_messengers_operator_can_see(member: Chat):
    await member.say("/privacy")
    for word in ("我们保存", "从不保存", "保存多久", "谁能看", "运营方", "怎么退出"):
        assert word in member.screen


async def test_help_tells_secretaries_more(member: Chat, world: World, town: Town):
    await member.say("/help")
    assert "/invite" not in member.screen
    await town.link("branch_secretary", 100)
    secretary = world.chat(100)
    await secretary.say("/help")
    assert "/invite" in secretary.screen


async def test_cancel_leaves_an_open_dialogue(world: World, town: Town):
    await town.link("branch_secretary", 100)
    chat = world.chat(100)
    await chat.say("/invite")
    await chat.say("/cancel")
    assert "已经退出" in chat.screen
    await chat.say("/cancel")
    assert "没有正在做的事" in chat.screen


async def test_going_home_leaves_an_open_dialogue(world: World, town: Town):
    await town.link("branch_secretary", 100)
    chat = world.chat(100)
    await chat.say("/invite")
    await chat.press("首页")
    await chat.say("/cancel")
    assert "没有正在做的事" in chat.screen

"""Suggestions in the chat: a member's own, and the desk of groups."""

from pathlib import Path
from typing import Any

import pytest

from storage.sealing import Sealer
from tests.conftest import HandClock
from tests.fakes import Chat, World
from tests.handlers.poll_chat import arrive, set_up
from tests.poll_world import Hall
from tests.town import Town


@pytest.fixture
async def made(town: Town, toolbox: Any, sealer: Sealer, clock: HandClock, tmp_path: Path) -> Hall:
    await town.link("wang", 1)
    await town.link("branch_secretary", 2)
    await town.link("sun", 3)
    return await set_up(town, toolbox, sealer, clock, tmp_path)


@pytest.fixture
def member(made: Hall, world: World) -> Chat:
    return world.chat(1)


@pytest.fixture
def secretary(made: Hall, world: World) -> Chat:
    return world.chat(2)


async def suggest(chat: Chat, text: str) -> None:
    await chat.say(f"/suggest {text}")
    await chat.press("北大路支部")


async def test_a_member_writes_and_chooses_to_whom_it_goes(member: Chat):
    await member.say("/suggest")
    assert "您还没有提过建议" in member.screen
    await member.say("食堂早点开门")
    assert "提给哪一级" in member.screen
    assert member.buttons[:4] == ["提给 北大路支部", "提给 鼓楼街道", "提给 海曙区", "提给 宁波市"]
    await member.press("北大路支部")
    assert "收到了，谢谢您" in member.screen
    await member.press("我的建议")
    await member.press("食堂早点开门")
    assert "还没有答复" in member.screen


async def test_written_again_it_takes_the_place_of_the_first(member: Chat):
    await member.say("/suggest 食堂早点开门")
    await member.say("食堂七点开门")
    await member.press("北大路支部")
    assert "食堂七点开门" in member.screen
    await member.say("/suggest")
    assert member.buttons[0] == "食堂七点开门"


async def test_an_emoji_is_no_suggestion(member: Chat):
    await member.say("/suggest")
    await member.say("👍")
    assert "请用文字写下您的建议" in member.screen


async def test_a_button_without_its_text_is_stale(member: Chat):
    await member.say("/suggest 食堂早点开门")
    await member.press("北大路支部")
    await member.tap("sg:to:1:0")
    assert "食堂早点开门" not in member.screen or "收到了" in member.screen


async def test_a_secretary_without_suggestions_sees_what_to_do_next(secretary: Chat):
    await secretary.say("/suggestions")
    assert "没有等待答复的建议" in secretary.screen
    await secretary.press("已答复的")
    assert "还没有答复过建议" in secretary.screen


async def test_a_member_has_no_desk(member: Chat):
    await member.say("/suggestions")
    assert "成员的建议" not in member.screen


async def test_a_group_is_answered_once_after_a_second_look(
    member: Chat, secretary: Chat, made: Hall, toolbox: Any
):
    await suggest(member, "希望食堂早点开门")
    await suggest(member, "食堂希望早一点开门")
    await secretary.say("/suggestions")
    assert secretary.buttons[0].startswith("2× ")
    await secretary.press("2× ")
    assert "—— 王芳" in secretary.screen
    await secretary.press("一次答复这一组")
    await secretary.say("下周一起七点开门。")
    assert "请看一遍再发" in secretary.screen
    await secretary.press("发出答复（2 条）")
    assert "已答复" in secretary.screen
    assert "一次答复这一组" not in secretary.buttons
    await made.go()
    await arrive(member, made, toolbox)
    assert "您的建议有答复了" in member.screen
    await member.press("我的建议")
    assert member.buttons[0].startswith("✓ ")


async def test_groups_are_merged_and_the_merge_undone(member: Chat, secretary: Chat):
    await suggest(member, "请修路灯")
    await suggest(member, "晚上太暗")
    await secretary.say("/suggestions")
    await secretary.press("晚上太暗")
    await secretary.press("并入另一组")
    await secretary.press("请修路灯")
    assert "已合并。可以撤销。" in secretary.screen
    assert "2 条相同的建议" in secretary.screen
    await secretary.press("撤销上次合并")
    assert "已撤销合并" in secretary.screen
    assert "1 条相同的建议" in secretary.screen


async def test_a_text_is_taken_out_into_a_group_of_its_own(member: Chat, secretary: Chat):
    await suggest(member, "希望食堂早点开门")
    await suggest(member, "食堂希望早一点开门")
    await secretary.say("/suggestions")
    await secretary.press("2× ")
    await secretary.press("有一条说的不是一回事")
    await secretary.press("食堂希望早一点开门")
    assert "已单独成一组" in secretary.screen
    await secretary.press("返回")
    assert len([each for each in secretary.buttons if each.startswith("1× ")]) == 2


async def test_a_tag_is_typed_once_and_pressed_after_that(member: Chat, secretary: Chat):
    await suggest(member, "请修路灯")
    await suggest(member, "请修电梯")
    await secretary.say("/suggestions")
    await secretary.press("请修路灯")
    await secretary.press("加标签")
    await secretary.say("维修")
    assert "标签：#维修" in secretary.screen
    await secretary.press("返回")
    await secretary.press("请修电梯")
    await secretary.press("加标签")
    await secretary.press("#维修")
    await secretary.press("返回")
    await secretary.press("按标签看")
    await secretary.press("#维修")
    tagged = {each for each in secretary.buttons if "请修" in each}
    assert tagged == {"1× #维修 请修电梯", "1× #维修 请修路灯"}


async def test_a_forged_tap_on_a_strangers_group_finds_nothing(member: Chat, world: World, toolbox: Any):
    await suggest(member, "请修路灯")
    await toolbox.suggestions.tick()
    outsider = world.chat(3)
    for data in ("sgg:see:1:0:0", "sgg:send:1:0:0", "sgg:into:1:1:0", "sgg:take:1:1:0", "sgg:set:1:0:0"):
        await outsider.say("/menu")
        await outsider.tap(data)
        assert "请修路灯" not in outsider.screen


async def test_the_desk_speaks_english_beside_chinese(member: Chat, secretary: Chat):
    await suggest(member, "Please open the canteen earlier")
    await secretary.say("/language")
    await secretary.press("English")
    await secretary.say("/suggestions")
    assert "Not answered yet" in secretary.screen

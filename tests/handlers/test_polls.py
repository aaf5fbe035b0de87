"""A member's polls: called, voted on, changed or final, suggested to, and looked up again."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from domain.poll_counting import Count
from handlers.poll_results import result_screen
from locales import speak
from services.poll_booth import AreaResult
from services.suggestion_desk import Wish
from storage import organisations
from storage.sealing import Sealer
from tests.conftest import HandClock
from tests.fakes import Chat, World
from tests.handlers.poll_chat import arrive, set_up
from tests.poll_world import Hall
from tests.town import Town

QUESTION = "食堂几点开门？"


@pytest.fixture
async def made(town: Town, toolbox: Any, sealer: Sealer, clock: HandClock, tmp_path: Path) -> Hall:
    await town.link("wang", 1)
    return await set_up(town, toolbox, sealer, clock, tmp_path)


@pytest.fixture
def member(made: Hall, world: World) -> Chat:
    return world.chat(1)


@pytest.fixture
async def called(made: Hall, member: Chat, toolbox: Any) -> int:
    """Open an anonymous poll with suggestions in the north, and let its call arrive."""
    await made.people("north", 6)
    poll = await made.opened("branch_secretary", "north")
    await arrive(member, made, toolbox)
    return poll.id


async def named(made: Hall, member: Chat, toolbox: Any, **more: Any) -> int:
    poll = await made.opened("branch_secretary", "north", anonymous=False, **more)
    await arrive(member, made, toolbox)
    return poll.id


async def test_an_anonymous_vote_is_confirmed_once_and_is_final(member: Chat, made: Hall, called: int):
    assert member.buttons == ["1. 七点", "2. 八点", "为什么收到？"]
    await member.press("2. 八点")
    assert "匿名投票提交后不能更改" in member.screen
    assert "2. 八点" in member.screen
    assert member.buttons == ["✔ 确定提交", "← 重新选"]
    await member.press("确定提交")
    assert "已提交，谢谢" in member.screen
    assert "3月7日 10:00 截止" in member.screen
    assert member.buttons == ["✍ 写一句建议（可选）", "为什么收到？"]
    assert len(member.messages) == 1
    sheet = await made.booth.sheet(await made.actor("wang"), called)
    assert sheet.voted


async def test_before_the_confirmation_one_chooses_again(member: Chat, made: Hall, called: int):
    await member.press("2. 八点")
    await member.press("重新选")
    assert member.buttons[:2] == ["1. 七点", "2. 八点"]
    await member.press("1. 七点")
    assert "1. 七点" in member.screen
    assert not (await made.booth.sheet(await made.actor("wang"), called)).voted


async def test_what_is_chosen_but_not_cast_stands_in_no_dialogue_state(
    member: Chat, called: int, world: World
):
    await member.press("2. 八点")
    storage = world.dispatcher.fsm.storage
    kept = [(record.state, record.data) for record in storage.storage.values()]  # type: ignore[attr-defined]
    assert all(state is None and not data for state, data in kept)


async def test_an_old_confirmation_of_a_cast_vote_says_it_is_final(member: Chat, called: int):
    await member.press("1. 七点")
    await member.press("确定提交")
    for stale in (f"pv:{called}:2:cast", f"pv:{called}:1:pick", f"pv:{called}:0:change"):
        await member.tap(stale)
        assert "匿名意见提交后不能更改" in member.alerts[-1]
        assert "您已经参加" in member.screen
        assert "1. 七点" not in member.buttons


async def test_a_named_vote_counts_at_once_and_may_be_changed(member: Chat, made: Hall, toolbox: Any):
    poll_id = await named(made, member, toolbox)
    await member.press("1. 七点")
    assert "您选的是：\n1. 七点" in member.screen
    await member.press("改一改")
    assert member.buttons[:2] == ["● 1. 七点", "2. 八点"]
    await member.press("2. 八点")
    assert "您选的是：\n2. 八点" in member.screen
    sheet = await made.booth.sheet(await made.actor("wang"), poll_id)
    assert sheet.chosen == {1}


async def test_several_options_are_ticked_and_then_submitted(member: Chat, made: Hall, toolbox: Any):
    options = ("七点", "八点", "九点")
    poll_id = await named(made, member, toolbox, multiple=True, options=options)
    await member.press("1. 七点")
    await member.press("3. 九点")
    assert member.buttons[:4] == ["☑ 1. 七点", "☐ 2. 八点", "☑ 3. 九点", "✔ 提交（已选 2 项）"]
    await member.press("1. 七点")
    await member.press("2. 八点")
    await member.press("提交")
    assert "2. 八点\n3. 九点" in member.screen
    assert (await made.booth.sheet(await made.actor("wang"), poll_id)).chosen == {1, 2}
    await member.press("改一改")
    assert member.buttons[:3] == ["☐ 1. 七点", "☑ 2. 八点", "☑ 3. 九点"]


async def test_an_anonymous_choice_of_several_is_confirmed_and_may_be_corrected(
    member: Chat, made: Hall, toolbox: Any
):
    await made.people("north", 6)
    await made.opened("branch_secretary", "north", multiple=True)
    await arrive(member, made, toolbox)
    await member.press("1. 七点")
    await member.press("2. 八点")
    await member.press("提交")
    assert "匿名投票提交后不能更改" in member.screen
    await member.press("重新选")
    assert "☑ 1. 七点" in member.buttons
    await member.press("提交")
    await member.press("确定提交")
    assert "谢谢" in member.screen


async def test_nothing_ticked_cannot_be_submitted(member: Chat, made: Hall, toolbox: Any):
    await named(made, member, toolbox, multiple=True)
    await member.press("1. 七点")
    await member.press("1. 七点")
    await member.press("提交（已选 0 项）")
    assert "请先选一项" in member.alerts[-1]
    assert "☐ 1. 七点" in member.buttons


async def test_a_suggestion_is_written_after_the_vote_and_replaced(member: Chat, made: Hall, called: int):
    await member.press("1. 七点")
    await member.press("确定提交")
    await member.press("写一句建议")
    assert "不记录是谁写的" in member.screen
    assert len(member.messages) == 2
    await member.say("请早一点")
    assert "建议已收到" in member.screen
    await member.press("返回")
    await member.press("修改我的建议")
    assert "您现在的建议：请早一点" in member.screen
    await member.say("请早半小时")
    actor = await made.actor("wang")
    assert (await made.booth.sheet(actor, called)).suggestion == "请早半小时"


async def test_one_may_suggest_without_voting(member: Chat, made: Hall, called: int):
    await member.say("/polls")
    await member.press(QUESTION)
    await member.press("写一句建议")
    assert len(member.messages) == 2
    await member.say("无障碍通道要宽一些")
    sheet = await made.booth.sheet(await made.actor("wang"), called)
    assert sheet.suggestion == "无障碍通道要宽一些"
    assert not sheet.voted


async def test_a_suggestion_that_is_too_long_may_be_sent_again(member: Chat, called: int):
    await member.say("/polls")
    await member.press(QUESTION)
    await member.press("写一句建议")
    await member.say("长" * 501)
    assert "太长了" in member.screen
    await member.say("短")
    assert "建议已收到" in member.screen


async def test_after_closing_a_suggestion_is_refused_and_awaited_no_more(
    member: Chat, made: Hall, called: int
):
    await member.press("1. 七点")
    await member.press("确定提交")
    await member.press("写一句建议")
    await made.over(called)
    await member.say("太晚了")
    assert "已经截止" in member.screen
    await member.say("还有")
    assert "已经截止" not in member.screen


async def test_a_stale_button_says_so_and_shows_the_present_state(member: Chat, made: Hall, called: int):
    await made.over(called)
    for step in ("pick", "sure", "cast", "change"):
        member.alerts.clear()
        await member.tap(f"pv:{called}:1:{step}")
        assert "已经截止" in member.alerts[-1], step
        assert "正在整理结果" in member.screen, step
        assert member.buttons == ["为什么收到？"]


async def test_the_announced_minute_counts_even_before_the_clock_comes_by(
    member: Chat, made: Hall, called: int
):
    made.clock.forward(days=3)
    await member.press("1. 七点")
    assert "已经截止" in member.alerts[-1]
    assert "正在整理结果" in member.screen


async def test_a_stale_button_of_a_cancelled_poll_says_so(member: Chat, made: Hall, called: int):
    await made.polls.cancel(await made.actor("branch_secretary"), called)
    await member.press("1. 七点")
    assert "已经截止" in member.alerts[-1]
    assert "已经取消" in member.screen


async def test_a_stale_button_of_a_published_poll_shows_the_result(member: Chat, made: Hall, called: int):
    await made.over(called)
    await made.polls.publish(await made.actor("branch_secretary"), called, "改为七点")
    await member.press("2. 八点")
    assert "已经截止" in member.alerts[-1]
    assert "改为七点" in member.screen
    assert "不足 5 人" in member.screen


async def test_a_forged_mask_or_step_casts_nothing(member: Chat, made: Hall, toolbox: Any):
    poll_id = await named(made, member, toolbox)
    for forged, told in (
        (f"pv:{poll_id}:3:cast", "只能选一项"),
        (f"pv:{poll_id}:512:cast", "没有这个选项"),
        (f"pv:{poll_id}:0:cast", "请先选一项"),
    ):
        await member.tap(forged)
        assert told in member.alerts[-1]
    for forged in (
        f"pv:{poll_id}:-1:cast",
        f"pv:{poll_id}:4096:pick",
        f"pv:{poll_id}:x:cast",
        f"pv:{poll_id}:1:x",
        "pv:::",
    ):
        await member.tap(forged)
        assert "失效" in member.screen
    assert not (await made.booth.sheet(await made.actor("wang"), poll_id)).voted


async def test_who_was_not_asked_reaches_nothing(made: Hall, world: World, town: Town, called: int):
    await town.link("sun", 8)
    stranger = world.chat(8)
    await stranger.say("/polls")
    draft = await made.drafted("branch_secretary", "north", question="草稿？")
    for number in (called, draft.id, 999_999):
        for tap in ("pv:{}:1:pick", "pv:{}:1:cast", "pv:{}:0:why", "pv:{}:0:suggest", "pr:{}", "prep:{}:0"):
            stranger.alerts.clear()
            await stranger.tap(tap.format(number))
            assert "没有找到" in stranger.alerts[-1], tap
    assert "现在没有要回答的" in stranger.screen


async def test_buttons_of_a_test_only_say_so(member: Chat):
    await member.say("/polls")
    for tap in ("pv:0:1:pick", "pv:0:0:why"):
        await member.tap(tap)
        assert "这是试发" in member.alerts[-1]


async def test_why_is_said_below_the_call_in_plain_words(member: Chat, called: int):
    await member.press("为什么收到")
    assert len(member.messages) == 2
    assert "由「北大路支部」的 李书记 发起" in member.screen
    assert "北大路支部（含下级）" in member.screen
    assert "完全自愿" in member.screen
    await member.press("返回")
    assert "请按一个选项" in member.screen


async def test_without_polls_each_list_says_what_will_come(member: Chat):
    await member.say("/polls")
    assert "自动发到这里" in member.screen
    await member.press("我参加的")
    assert "还没有参加过" in member.screen
    await member.press("结果")
    assert "还没有公布的结果" in member.screen
    assert len(member.messages) == 1


async def test_what_is_not_answered_stands_first(member: Chat, made: Hall):
    first = await made.opened("branch_secretary", "north", question="第一？", anonymous=False)
    await made.opened("branch_secretary", "north", question="第二？", anonymous=False)
    await made.vote("wang", first.id, 0)
    await member.say("/polls")
    marked = [label for label in member.buttons if "3月7日" in label]
    assert marked == ["● 3月7日 第二？", "✓ 3月7日 第一？"]
    await member.press("我参加的")
    assert [label for label in member.buttons if "？" in label] == ["✓ 3月7日 第一？"]


async def test_many_polls_come_in_pages(member: Chat, made: Hall):
    for number in range(10):
        await made.opened("branch_secretary", "north", question=f"问题{number}？", anonymous=False)
    await member.say("/polls")
    assert len([label for label in member.buttons if "问题" in label]) == 8
    await member.press("下一页")
    assert len([label for label in member.buttons if "问题" in label]) == 2
    await member.press("上一页")
    assert len([label for label in member.buttons if "问题" in label]) == 8


async def test_a_result_shows_everybody_and_ones_own_area_and_hides_the_small(
    member: Chat, made: Hall, toolbox: Any
):
    north, market = await made.people("north", 6), await made.people("market", 7)
    poll = await made.opened("county_secretary", "haishu")
    for number, voter in enumerate([*north, *market]):
        await made.vote(voter, poll.id, number % 2)
    await made.over(poll.id)
    await made.polls.publish(await made.actor("county_secretary"), poll.id, "下月起七点开门。")
    await made.go()
    await arrive(member, made, toolbox)
    assert "下月起七点开门" in member.screen
    assert member.messages[-1].photo
    await member.press("看完整结果")
    assert "全体：13 人参加" in member.screen
    assert "1. 七点\n▇▇▇▇▇ 7（54%）" in member.screen
    assert "北大路支部：6 人参加\n1. ▇▇▇▇▇ 3（50%）" in member.screen
    assert "我们的答复\n下月起七点开门" in member.screen
    assert "仅征求意见" in member.screen
    await member.press("返回")
    assert "▸ 结果" in member.buttons
    await member.press(QUESTION)
    assert "全体：13 人参加" in member.screen


async def test_an_area_of_fewer_than_five_is_not_shown_apart(member: Chat, made: Hall):
    market = await made.people("market", 7)
    poll = await made.opened("county_secretary", "haishu")
    for voter in market:
        await made.vote(voter, poll.id, 0)
    await made.vote("wang", poll.id, 1)
    await made.over(poll.id)
    await made.polls.publish(await made.actor("county_secretary"), poll.id, "好")
    await member.say("/polls")
    await member.press("结果")
    await member.press(QUESTION)
    assert "全体：8 人参加" in member.screen
    assert "北大路支部\n参加的不足 5 人" in member.screen


async def test_an_area_to_which_all_voters_belong_is_not_told_twice(member: Chat, made: Hall):
    voters = await made.people("north", 6)
    poll = await made.opened("county_secretary", "haishu")
    for voter in voters:
        await made.vote(voter, poll.id, 0)
    await made.over(poll.id)
    await made.polls.publish(await made.actor("county_secretary"), poll.id, "好")
    await member.say("/polls")
    await member.press("结果")
    await member.press(QUESTION)
    assert member.screen.count("6 人参加") == 1


async def test_the_longest_result_still_fits_into_one_message(made: Hall, town: Town):
    options = tuple("🎉" * 58 + f"{number:02}" for number in range(10))
    draft = await made.drafted("county_secretary", options=options, multiple=True, question="🎉" * 200)
    async with made.database.read() as session:
        nodes = await organisations.of_ids(session, list(town.nodes.values()))
    areas = [
        AreaResult(node, Count(voted, (voted,) * 10))
        for voted, node in enumerate([None, *nodes.values()], 90)
    ]
    told = result_screen(speak("zh_CN"), replace(draft, what_changed="🎉" * 1000), areas)
    assert told.render()[0].endswith("🎉…\n\n仅征求意见，不作选举之用。")
    assert len(told) <= 4096


async def test_answers_to_suggestions_stand_with_the_result(
    member: Chat, made: Hall, toolbox: Any, called: int
):
    secretary = await made.actor("branch_secretary")
    texts = ("门口的坡道太陡", "阅览室的灯太暗", "希望晚上开放", "自行车没处停")
    for who, text in zip(("wang", "zhang", "branch_secretary", "former"), texts, strict=True):
        await made.booth.suggest(await made.actor(who), called, text)
    await made.over(called)
    await made.polls.publish(secretary, called, "改为七点")
    await member.say("/polls")
    await member.press("结果")
    await member.press(QUESTION)
    assert not [label for label in member.buttons if "对建议的答复" in label]
    await toolbox.suggestions.tick()
    groups, _ = await toolbox.suggestions.groups(secretary, Wish(poll_id=called))
    for group in groups:
        await toolbox.suggestions.answer(secretary, group.id, f"关于{group.title}：本月就办")
    await member.say("/polls")
    await member.press("结果")
    await member.press(QUESTION)
    await member.press("💬 对建议的答复（4）")
    first = member.screen
    assert first.count("本月就办") == 3
    await member.press("下一页")
    assert member.screen.count("本月就办") == 1
    assert all(text in first + member.screen for text in texts)
    await member.press("返回")
    assert "征求意见结果" in member.screen


async def test_answers_to_suggestions_wait_for_the_result(member: Chat, made: Hall, called: int):
    await member.tap(f"prep:{called}:0")
    assert "没有找到" in member.alerts[-1]


async def test_a_live_result_is_looked_at_before_closing(member: Chat, made: Hall, toolbox: Any):
    others = await made.people("north", 5)
    poll_id = await named(made, member, toolbox, live=True)
    for voter in others:
        await made.vote(voter, poll_id, 0)
    await member.press("2. 八点")
    await member.press("看目前结果")
    assert "目前的结果" in member.screen
    assert "全体：6 人参加" in member.screen
    await member.press("返回")
    assert "您选的是" in member.screen
    assert "首页" not in member.buttons


async def test_an_english_speaker_votes_in_english(member: Chat, made: Hall, called: int):
    await member.say("/language")
    await member.press("English")
    await member.say("/polls")
    await member.press(QUESTION)
    await member.press("1. 七点")
    assert "cannot be changed once it is cast" in member.screen
    await member.press("Cast it")
    assert "Thank you" in member.screen
    assert "7 Mar, 10:00" in member.screen

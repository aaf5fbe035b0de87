"""A secretary's poll as they see it on a phone: asked, aimed, timed, opened, watched, closed and answered."""

from pathlib import Path
from typing import Any

import pytest

from domain import notices as notice_rules
from storage.sealing import Sealer
from tests.conftest import HandClock
from tests.fakes import Chat, World
from tests.handlers.poll_chat import two_secretaries
from tests.poll_world import Hall
from tests.town import Town

QUESTION = "食堂几点开门？"


@pytest.fixture
async def made(town: Town, toolbox: Any, sealer: Sealer, clock: HandClock, tmp_path: Path) -> Hall:
    return await two_secretaries(town, toolbox, sealer, clock, tmp_path)


@pytest.fixture
def branch(made: Hall, world: World) -> Chat:
    return world.chat(100)


async def written(chat: Chat) -> None:
    """Write a poll for the branch of the north, up to its preview."""
    await chat.say("/poll")
    await chat.say(QUESTION)
    await chat.say("七点\n八点")
    for label in ("选项齐了", "下一步", "＋ 选「北大路支部」全部", "下一步", "3月11日 18:00"):
        await chat.press(label)


async def test_a_poll_is_asked_of_a_branch_step_by_step(branch: Chat, made: Hall):
    await branch.say("/poll")
    assert "还没有征求过意见" in branch.screen
    assert "不作选举之用" in branch.screen
    await branch.say(QUESTION)
    assert "一行一个" in branch.screen
    await branch.say("七点\n八点")
    assert "1. 七点\n2. 八点" in branch.screen
    await branch.press("选项齐了")
    assert "✅ 匿名" in branch.buttons
    await branch.press("下一步")
    assert "征求谁的意见？" in branch.screen
    await branch.press("＋ 选「北大路支部」全部")
    await branch.press("下一步")
    assert "什么时候截止？" in branch.screen
    assert branch.buttons[:3] == ["3月7日 18:00", "3月11日 18:00", "3月18日 18:00"]
    await branch.press("3月11日 18:00")
    assert "匿名 · 单选 · 3月11日 18:00 截止" in branch.screen
    assert "共 10 人" in branch.screen
    await branch.press("现在开始（10 人）")
    assert "正在征求意见" in branch.screen
    assert "已参加 0 人，共请 10 人" in branch.screen
    await made.go()
    assert len(made.channel.sent) == 7


async def test_a_question_may_be_given_with_the_command(branch: Chat):
    await branch.say(f"/poll {QUESTION}")
    assert QUESTION in branch.screen
    assert "一行一个" in branch.screen


async def test_question_and_options_may_be_typed_at_once(branch: Chat):
    await branch.say(f"/poll {QUESTION}\n七点\n八点")
    assert "1. 七点\n2. 八点" in branch.screen
    assert "选项齐了，下一步 →" in branch.buttons


async def test_one_option_below_the_question_waits_for_its_second(branch: Chat):
    await branch.say("/poll")
    await branch.say(f"{QUESTION}\n七点")
    assert "1. 七点" in branch.screen
    assert "选项齐了，下一步 →" not in branch.buttons
    await branch.say("八点")
    assert "1. 七点\n2. 八点" in branch.screen


@pytest.mark.parametrize("said", ["  ", "/cancel"])
async def test_a_question_says_something(branch: Chat, said: str):
    await branch.say("/poll")
    await branch.say(said)
    assert "一行一个" not in branch.screen


async def test_options_may_come_one_by_one(branch: Chat, made: Hall):
    await branch.say(f"/poll {QUESTION}")
    await branch.say("七点")
    assert "选项齐了，下一步 →" not in branch.buttons
    await branch.say("八点")
    await branch.say("九点")
    assert "3. 九点" in branch.screen
    await branch.say("同意\n不同意")
    assert "1. 同意\n2. 不同意" in branch.screen
    assert "九点" not in branch.screen
    await branch.press("清空")
    assert "1. 同意" not in branch.screen
    await branch.press("用「同意／不同意／说不好」")
    assert "3. 说不好" in branch.screen


async def test_an_option_that_does_not_fit_is_refused_and_the_others_stay(branch: Chat):
    await branch.say(f"/poll {QUESTION}")
    await branch.say("七点\n八点")
    await branch.say("八点")
    assert "两个选项是一样的" in branch.screen
    await branch.say("长" * 61)
    assert "太长了" in branch.screen
    await branch.say("九点")
    assert "1. 七点\n2. 八点\n3. 九点" in branch.screen


async def test_live_results_are_offered_for_named_polls_only(branch: Chat):
    await branch.say(f"/poll {QUESTION}")
    await branch.say("七点\n八点")
    await branch.press("选项齐了")
    assert not [label for label in branch.buttons if "实时" in label]
    await branch.press("✅ 匿名")
    assert "⬜ 实时显示结果" in branch.buttons
    await branch.press("⬜ 实时显示结果")
    assert "截止前就能看到目前的结果" in branch.screen
    await branch.press("⬜ 匿名")
    assert "查不到谁选了什么" in branch.screen
    assert not [label for label in branch.buttons if "实时" in label]


async def test_a_setting_that_comes_twice_changes_nothing_more(branch: Chat):
    await branch.say(f"/poll {QUESTION}")
    await branch.say("七点\n八点")
    await branch.press("选项齐了")
    label = next(data for data in branch.data if ":multiple:" in data)
    await branch.tap(label)
    await branch.tap(label)
    assert "✅ 可以选几项" in branch.buttons


async def test_what_is_missing_is_said_and_led_to(branch: Chat, made: Hall):
    draft = await made.polls.draft(await made.actor("branch_secretary"), QUESTION)
    await branch.say("/poll")
    await branch.press("📝 ")
    assert "还不能开始：请写 2 到 10 个选项" in branch.screen
    assert not [label for label in branch.buttons if "现在开始" in label]
    await branch.press("下一步")
    await branch.say("七点\n八点")
    await branch.tap(f"pd:{draft.id}")
    assert "还不能开始：请先选截止时间" in branch.screen


async def test_times_are_typed_as_people_say_them(branch: Chat):
    await written(branch)
    await branch.press("📅 截止时间")
    await branch.say("不知道")
    assert "没看懂" in branch.screen
    await branch.say("3月15日 12:00")
    assert "3月15日 12:00 截止" in branch.screen
    await branch.press("⏰ 开始时间")
    await branch.say("明天9点")
    assert "⏰ 3月5日 09:00 自动开始" in branch.screen
    await branch.press("⏰ 开始时间")
    await branch.press("马上开始")
    assert "自动开始" not in branch.screen


async def test_a_poll_that_would_close_too_soon_says_so_before_it_is_opened(branch: Chat):
    await written(branch)
    await branch.press("⏰ 开始时间")
    await branch.say("3月11日 17:55")
    assert "还不能开始：从开始到截止至少要有 10 分钟" in branch.screen


async def test_a_scheduled_poll_opens_by_itself_or_is_taken_back(branch: Chat, made: Hall, clock: HandClock):
    await written(branch)
    await branch.press("⏰ 开始时间")
    await branch.say("明天9点")
    await branch.press("定时开始（10 人）")
    assert "已定时" in branch.screen
    await branch.press("取消定时")
    assert "预览" in branch.screen
    await branch.press("⏰ 开始时间")
    await branch.say("明天9点")
    await branch.press("定时开始（10 人）")
    clock.forward(days=1)
    await made.polls.closing.tick()
    await branch.say("/poll")
    await branch.press(f"▶ 3月11日 {QUESTION}")
    assert "正在征求意见" in branch.screen


async def test_a_test_comes_to_its_author_alone(branch: Chat, made: Hall):
    await written(branch)
    await branch.press("先试发给我")
    assert "只有您能看到" in branch.screen
    assert branch.buttons == ["1. 七点", "2. 八点", "为什么收到？"]
    await branch.press("1. 七点")
    assert "这是试发" in branch.alerts[-1]
    assert not made.channel.sent


async def test_the_question_and_the_options_are_changed_on_the_draft(branch: Chat):
    await written(branch)
    await branch.press("✏ 改问题")
    await branch.say("阅览室几点开门？")
    await branch.press("下一步")
    assert "阅览室几点开门？" in branch.screen
    await branch.press("✏ 改选项")
    await branch.say("九点")
    await branch.press("返回")
    assert "3. 九点" in branch.screen


async def test_a_draft_is_deleted_after_asking(branch: Chat):
    await written(branch)
    await branch.press("🗑 删除")
    assert "找不回来" in branch.screen
    await branch.press("确定删除")
    assert "还没有征求过意见" in branch.screen


async def test_a_large_number_is_typed(branch: Chat, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(notice_rules, "TYPED_ABOVE", 9)
    await written(branch)
    await branch.press("现在开始（10 人）")
    assert "请输入人数：10" in branch.screen
    await branch.say("9")
    assert "人数不对" in branch.screen
    await branch.say("10 人")
    assert "正在征求意见" in branch.screen


async def test_an_anonymous_poll_of_four_is_refused(branch: Chat, made: Hall, world: World, town: Town):
    await town.link("foreign_secretary", 300)
    foreign = world.chat(300)
    await foreign.say("/poll 几点？")
    await foreign.say("七点\n八点")
    for label in ("选项齐了", "下一步", "＋ 选「慈城支部」全部", "下一步", "3月11日 18:00", "现在开始"):
        await foreign.press(label)
    assert "至少要有 5 个人" in foreign.alerts[-1]


async def test_who_has_no_office_is_told_so(made: Hall, world: World, town: Town):
    await town.link("wang", 1)
    member = world.chat(1)
    for said in ("/poll", "/poll 几点？"):
        await member.say(said)
        assert "您的职务不包含这项操作" in member.screen


TAPS = (
    "pd:{id}",
    "pedit:next:{id}",
    "pedit:settings:{id}",
    "pedit:gone:{id}",
    "pedit:test:{id}",
    "pset:{id}:anonymous:0",
    "pwhen:closes:{id}:0:1",
    "pwhen:closes:{id}:1772700000:0",
    "prun:start:{id}",
    "prun:cancel:{id}",
    "aim:at:p:{id}:0:0:0",
    "sift:p:{id}:::0",
)


async def test_a_draft_is_its_authors_alone(made: Hall, world: World):
    draft = await made.drafted("branch_secretary", "north")
    county = world.chat(200)
    await county.say("/poll")
    for tap in TAPS:
        county.alerts.clear()
        await county.tap(tap.format(id=draft.id))
        assert "没有找到" in county.alerts[-1], tap


async def test_an_old_button_of_a_draft_shows_the_poll_as_it_is_now(branch: Chat, made: Hall):
    poll = await made.opened("branch_secretary", "north")
    for tap in TAPS:
        if tap.startswith(("pedit", "pset", "pwhen")):
            await branch.say("/poll")
            branch.alerts.clear()
            await branch.tap(tap.format(id=poll.id))
            assert "已经发出" in branch.alerts[-1], tap
            assert "正在征求意见" in branch.screen, tap


async def test_a_forged_step_is_an_old_button(branch: Chat, made: Hall):
    draft = await made.drafted("branch_secretary", "north")
    for tap in (
        "pedit:x:{id}",
        "pset:{id}:sender:1",
        "pwhen:never:{id}:0:1",
        "prun:x:{id}",
        "pdesk:" + "9" * 25,
    ):
        await branch.say("/poll")
        await branch.tap(tap.format(id=draft.id))
        assert "已经失效" in branch.screen, tap


async def test_every_button_fits_into_64_bytes_even_for_large_ids():
    from handlers.poll_taps import Call, Edit, Own, PollDesk, Run, Setting, Shown, Tab, When

    large = 10**12
    taps = [
        Call(id=large, mask=1023, step="suggest"),
        Tab(of="mine", page=999),
        Shown(id=large),
        PollDesk(page=999),
        Own(id=large),
        Edit(step="settings", id=large),
        Setting(id=large, field="suggestions", on=True),
        When(of="closes", id=large, at=10**10, ask=True),
        Run(step="publish", id=large),
    ]
    assert all(len(tap.pack().encode()) <= 64 for tap in taps)

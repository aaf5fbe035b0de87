"""The secretary's side of service days: confirming, moving, cancelling, activities, the year, the rule."""

from datetime import date
from typing import Any

import pytest

from domain.service_days import DayState
from storage.sealing import Sealer
from tests.conftest import HandClock
from tests.fakes import Chat, World
from tests.service_day_world import ServiceWorld, at
from tests.service_day_world import world as service_world
from tests.town import Town

MARCH, APRIL = date(2026, 3, 1), date(2026, 4, 1)


@pytest.fixture
async def bridge(town: Town, toolbox: Any, sealer: Sealer, clock: HandClock) -> ServiceWorld:
    clock.now = at(date(2026, 2, 24), 12)
    made = await service_world(town, sealer, clock)
    toolbox.service_days, toolbox.delivery, toolbox.holidays = made.service, made.delivery, made.holidays
    return made


@pytest.fixture
async def city(bridge: ServiceWorld, world: World) -> Chat:
    """Yield the city's secretary, at the next service day."""
    chat = world.chat(5)
    await chat.say("/serviceday")
    await chat.press("安排服务日")
    return chat


@pytest.fixture
async def branch(bridge: ServiceWorld, world: World) -> Chat:
    """Yield the secretary of a branch that follows the city."""
    chat = world.chat(6)
    await chat.say("/serviceday")
    await chat.press("安排服务日")
    return chat


async def test_the_next_day_is_confirmed_with_one_press_and_says_when_reminders_go(city: Chat):
    assert "3月7日 周六 · 还没有确认" in city.screen
    assert "成员不会收到通知和提醒" in city.screen
    await city.press("确认 3月7日")
    assert "✅ 已确认。成员会收到通知。" in city.screen
    assert "陈书记已确定" in city.screen
    assert "早上九点）：2月28日、3月4日、3月5日、3月6日" in city.screen


async def test_a_button_pressed_twice_or_from_before_a_move_changes_nothing(city: Chat, bridge: ServiceWorld):
    [old] = [data for data in city.data if ":yes:" in data]
    await city.press("确认 3月7日")
    await city.tap(old)
    assert (await bridge.day(MARCH)).revision == 0
    await city.press("改日期")
    await city.press("3月14日")
    await city.press("就定3月14日")
    await city.tap(old)
    assert "刚刚有变动" in city.screen + "".join(city.alerts)
    assert (await bridge.day(MARCH)).date == date(2026, 3, 14)


async def test_another_date_is_a_free_saturday_or_a_typed_one_and_is_asked_once_more(
    city: Chat, bridge: ServiceWorld
):
    await city.press("改日期")
    assert city.buttons[:3] == ["3月14日", "3月21日", "3月28日"]
    await city.say("三月吧")
    assert "没有看懂" in city.screen
    await city.say("3月11日")
    assert "服务日定在2026年3月11日 周三？" in city.screen
    assert "这一天是工作日" in city.screen
    assert (await bridge.day(MARCH)).state is DayState.PROPOSED
    await city.press("就定3月11日")
    found = await bridge.day(MARCH)
    assert (found.date, found.state, found.revision) == (date(2026, 3, 11), DayState.CONFIRMED, 1)
    assert "原定3月7日 周六，由组织决定改期" in city.screen


@pytest.mark.parametrize("typed", ["2026年5月1日", "2月20日", "明天 99点"])
async def test_a_date_that_cannot_be_is_refused(city: Chat, bridge: ServiceWorld, typed: str):
    await city.press("改日期")
    await city.say(typed)
    assert (await bridge.day(MARCH)).state is DayState.PROPOSED
    assert "就定" not in "".join(city.buttons)


async def test_not_this_month_is_asked_once_more_and_can_be_taken_up_again(city: Chat, bridge: ServiceWorld):
    await city.press("本月不办")
    assert (await bridge.day(MARCH)).state is DayState.PROPOSED
    await city.press("确定，本月不办")
    assert (await bridge.day(MARCH)).state is DayState.CANCELLED
    assert "3月 · 本月不办" in city.screen
    await city.press("改日期")
    await city.press("3月7日")
    await city.press("就定3月7日")
    assert (await bridge.day(MARCH)).state is DayState.CONFIRMED


async def test_the_question_that_was_pushed_is_answered_in_place(bridge: ServiceWorld, world: World):
    from handlers.notice_files import send_content

    await bridge.tick()
    content = bridge.channel.sent[-1].content
    chat = world.chat(5)
    await send_content(world.bot, 5, world.account_id, None, content)  # type: ignore[arg-type]
    assert chat.buttons == ["✅ 确认 3月7日", "改日期", "本月不办"]
    await chat.press("确认")
    assert len(chat.messages) == 1
    assert "✅ 已确认" in chat.screen


async def test_activities_are_typed_changed_and_taken_back(branch: Chat, bridge: ServiceWorld):
    assert "日期由宁波市确定" in branch.screen
    assert "确认" not in "".join(branch.buttons)
    await branch.press("写活动内容")
    await branch.say("9点 社区大扫除")
    assert "本组织的活动内容：\n9点 社区大扫除" in branch.screen
    await branch.press("改活动内容")
    await branch.say("太长" * 300)
    assert "最多500字" in branch.screen
    await branch.say("10点 社区义诊")
    assert "10点 社区义诊" in branch.screen
    await branch.press("改活动内容")
    await branch.press("删掉本组织的内容")
    assert "还没有活动内容" in branch.screen


async def test_the_year_says_why_a_day_moved_and_opens_the_coming_ones(city: Chat):
    await city.press("全年日期")
    assert "1月10日 周六 · 原定1月3日 周六，因元旦放假改期" in city.screen
    assert "10月17日 周六 · 原定10月3日 周六，因国庆节放假改期" in city.screen
    await city.press("2027")
    assert "1月2日 周六 · 日期待定 · 2027年的放假安排还没有录入" in city.screen
    await city.press("2026")
    await city.press("4月")
    assert "4月11日 周六" in city.screen


async def test_a_day_that_was_missed_says_so_and_can_be_held_later(city: Chat, bridge: ServiceWorld):
    bridge.go_to(date(2026, 3, 9))
    await city.press("全年日期")
    await city.press("3月")
    assert "当时没有确认" in city.screen
    assert "确认" not in "".join(city.buttons)
    await city.press("改日期")
    await city.press("3月21日")
    await city.press("就定3月21日")
    assert "3月21日 周六 · 已确认" in city.screen


async def test_the_rule_is_changed_and_undecided_days_follow(city: Chat, bridge: ServiceWorld):
    await city.press("放假怎么办")
    assert city.buttons[:3] == ["✅ 顺延到下一个空闲星期六", "⬜ 不改期", "⬜ 每次由人决定"]
    await city.press("不改期")
    assert city.buttons[1] == "✅ 不改期"
    assert (await bridge.day(APRIL)).date == date(2026, 4, 4)
    await city.press("返回")
    assert "3月7日" in city.screen


async def test_a_branch_may_set_its_own_dates_and_follow_again(branch: Chat, bridge: ServiceWorld):
    await branch.press("放假怎么办")
    assert "跟随宁波市的日期" in branch.screen
    await branch.press("本组织自己定日期")
    assert "不改期" in "".join(branch.buttons)
    await branch.press("返回")
    await branch.press("确认 3月7日")
    assert (await bridge.day(MARCH, "north")).state is DayState.CONFIRMED
    assert (await bridge.day(MARCH)).state is DayState.PROPOSED
    await branch.press("放假怎么办")
    await branch.press("改回跟随上级")
    assert "跟随宁波市的日期" in branch.screen


async def test_forged_presses_of_others_change_nothing(bridge: ServiceWorld, world: World):
    day = await bridge.day(MARCH)
    city, north = bridge.city, bridge.town.nodes["north"]
    for who in (1, 6):
        chat = world.chat(who)
        await chat.say("/serviceday")
        for step in ("yes", "move", "cancel", "clear", "own", "policy", "to", "other", "text", "day"):
            await chat.tap(f"skeep:{step}:{city}:{day.id}:{date(2026, 3, 14).toordinal()}")
            if step not in {"own", "policy", "clear"}:
                await chat.tap(f"skeep:{step}:{north}:{day.id}:{date(2026, 3, 14).toordinal()}")
        for data in (
            "skeep:yes:1:1:99999999",
            "skeep:move:1:1:0",
            "skeep:year:1:0:9999",
            "skeep:nothing:1:1:1",
        ):
            await chat.tap(data)
    assert await bridge.day(MARCH) == day

"""Reminding who has not confirmed, as a secretary and a member see it."""

import pytest

from tests.fakes import Chat, World
from tests.notice_world import Bridge
from tests.town import Town


@pytest.fixture
async def county(delivering: Bridge, world: World, town: Town) -> Chat:
    await town.link("county_secretary", 200)
    for number, name in enumerate(("wang", "zhang", "branch_secretary"), start=1):
        await town.link(name, number)
    return world.chat(200)


async def test_a_secretary_sees_how_many_it_would_remind_and_then_does_it_once(
    county: Chat, delivering: Bridge
):
    made = await delivering.sent("county_secretary", "north", confirm=True)
    await delivering.notices.start_due()
    await county.tap(f"nrep:look:{made.id}:0")
    await county.press("提醒还没确认的人")
    assert "共 3 人" in county.screen
    await county.press("提醒这 3 人")
    assert "提醒已发出" in county.screen
    await county.press("返回")
    assert "已提醒 3 人" in county.screen
    await county.tap(f"nudge:do:{made.id}")
    assert "每人每条通知只提醒一次" in county.alerts[-1]
    assert "🔔 提醒还没确认的人" not in county.buttons
    await county.tap(f"nudge:ask:{made.id}")
    assert "不提醒第二次" in county.screen
    assert not any("提醒这" in label for label in county.buttons)


async def test_the_own_secretary_reminds_from_the_list_of_calls(
    county: Chat, delivering: Bridge, world: World
):
    made = await delivering.sent("county_secretary", "north", confirm=True)
    branch = world.chat(3)
    await branch.tap(f"nrep:calls:{made.id}:0")
    await branch.press("提醒还没确认的人")
    assert "本组织" in branch.screen
    await branch.press("提醒这")
    await branch.press("返回")
    assert "还要打电话的人" in branch.screen


async def test_when_to_remind_is_chosen_in_the_preview(county: Chat, delivering: Bridge):
    made = await delivering.drafted("county_secretary", "north", confirm=True)
    await county.tap(f"ndraft:open:{made.id}")
    await county.press("自动提醒：不")
    await county.press("2 天")
    assert "2 天后自动提醒" in county.screen
    await county.press("自动提醒：2 天后")
    await county.press("不自动提醒")
    assert "天后自动提醒" not in county.screen


async def test_forged_presses_are_refused(county: Chat, delivering: Bridge, world: World):
    made = await delivering.sent("county_secretary", "north", confirm=True)
    member = world.chat(1)
    for data in (f"nudge:do:{made.id}", f"nudge:ask:{made.id}", f"nafter:set:{made.id}:2"):
        await member.tap(data)
        assert "没有找到" in member.alerts[-1]

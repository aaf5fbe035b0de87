"""Repeating a notice, as a secretary sees it: buttons, the next five dates, pausing, changing, ending."""

from datetime import UTC, datetime

import pytest

from domain.rest_days import RestDays
from storage.deliveries import Rules
from tests.conftest import HandClock
from tests.fakes import Chat, World
from tests.notice_world import Bridge
from tests.town import Town


@pytest.fixture
async def county(delivering: Bridge, world: World, town: Town) -> Chat:
    await town.link("county_secretary", 200)
    for number, name in enumerate(("wang", "zhang"), start=1):
        await town.link(name, number)
    return world.chat(200)


async def chosen(county: Chat, delivering: Bridge, *labels: str) -> int:
    """Open a draft and choose by these buttons when it repeats."""
    made = await delivering.drafted("county_secretary", "north")
    await county.tap(f"ndraft:open:{made.id}")
    await county.press("定期发")
    for label in labels:
        await county.press(label)
    return made.id


async def test_a_weekly_notice_is_chosen_by_buttons_and_shows_its_next_five_dates(
    county: Chat, delivering: Bridge
):
    await chosen(county, delivering, "每周", "周四", "09:00")
    assert "每周四 09:00，这样定吗" in county.screen
    assert "3月5日 周四 09:00" in county.screen
    assert "4月2日 周四 09:00" in county.screen
    await county.press("就这样定")
    assert "定期通知" in county.screen
    await county.say("/notice")
    await county.press("🔁 定期通知")
    assert "🔁 请参加学习" in county.buttons[0]
    await county.press("🔁 请参加学习")
    assert "接下来五次" in county.screen


@pytest.mark.parametrize(
    ("labels", "pattern"),
    [
        (("每月某日", "15", "18:00"), "每月15日 18:00"),
        (("每月某日", "31", "08:00"), "每月最后一天 08:00"),
        (("每月第一个或最后一个周几", "最后一个周五", "20:00"), "每月最后一个周五 20:00"),
        (("每月第一个或最后一个周几", "第一个周一", "10:00"), "每月第一个周一 10:00"),
        (("每年", "7月", "1", "09:00"), "每年7月1日 09:00"),
    ],
)
async def test_other_patterns(county: Chat, delivering: Bridge, labels: tuple[str, ...], pattern: str):
    await chosen(county, delivering, *labels)
    assert pattern in county.screen
    assert county.screen.count("\n· ") == 5


async def test_dates_say_what_they_fall_on_and_when_they_are_delivered(
    county: Chat, delivering: Bridge, clock: HandClock
):
    clock.now = datetime(2026, 9, 20, 1, 0, tzinfo=UTC)
    delivering.repeats._rules = Rules(rest=RestDays())
    await chosen(county, delivering, "每月某日")
    await county.press("1")
    await county.press("09:00")
    assert "10月1日 周四 09:00（国庆节，休息日，10月8日 08:00 送到）" in county.screen
    assert "11月1日 周日 09:00（休息日，11月2日 08:00 送到）" in county.screen
    assert "1月1日 周五 09:00（放假安排未公布）" in county.screen


async def test_a_time_can_be_typed(county: Chat, delivering: Bridge):
    await chosen(county, delivering, "每周", "周四")
    await county.say("随便")
    assert "没看懂" in county.screen
    await county.say("下午3点半")
    assert "每周四 15:30" in county.screen


async def test_it_is_paused_resumed_changed_and_ended(county: Chat, delivering: Bridge, clock: HandClock):
    await chosen(county, delivering, "每周", "周四", "09:00", "就这样定")
    clock.now = datetime(2026, 3, 5, 1, 0, tzinfo=UTC)
    await delivering.schedules.tick()
    await delivering.go()
    await delivering.notices.start_due()
    await county.press("暂停")
    assert "已暂停" in county.screen
    assert any("✓ 3月5日 请参加学习" in label for label in county.buttons)
    await county.press("恢复")
    await county.press("换时间")
    await county.press("换日期")
    await county.press("每周")
    await county.press("周一")
    await county.press("10:00")
    await county.press("就这样定")
    assert "每周一 10:00" in county.screen
    await county.press("结束")
    assert "不再发" in county.screen
    await county.press("结束")
    assert "还没有定期通知" in county.screen


async def test_editing_makes_it_a_draft_again(county: Chat, delivering: Bridge):
    await chosen(county, delivering, "每周", "周四", "09:00", "就这样定")
    await county.press("改内容")
    assert "预览" in county.screen


async def test_a_large_audience_is_confirmed_by_its_number(
    county: Chat, delivering: Bridge, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("domain.notices.TYPED_ABOVE", 3)
    await chosen(county, delivering, "每周", "周四", "09:00", "就这样定")
    assert "请输入人数：4" in county.screen
    await county.say("4")
    assert "接下来五次" in county.screen


async def test_forged_buttons_are_refused(county: Chat, delivering: Bridge, world: World):
    number = await chosen(county, delivering, "每周", "周四", "09:00", "就这样定")
    for data in (f"nrpt:show:{number}:w9:0900", f"nrpt:show:{number}:w1:9900", f"nrpt:do:{number}:x:0900"):
        await county.tap(data)
        assert "重复规则不成立" in county.alerts[-1]
    before = len(county.messages)
    await county.tap(f"nrpt:dance:{number}::")
    assert len(county.messages) == before + 1
    member = world.chat(1)
    for step in ("look", "pause", "end", "edit", "stop", "ask"):
        await member.tap(f"nrpt:{step}:{number}::")
        assert "没有找到" in member.alerts[-1]


async def test_a_scheduled_notice_shows_what_its_date_is(county: Chat, delivering: Bridge):
    delivering.repeats._rules = Rules(rest=RestDays())
    made = await delivering.drafted("county_secretary", "north")
    at = datetime(2026, 3, 7, 1, 0, tzinfo=UTC)
    await county.tap(f"nsend:at:{made.id}:{int(at.timestamp())}")
    assert "3月7日 周六 09:00（休息日，3月9日 08:00 送到）" in county.screen

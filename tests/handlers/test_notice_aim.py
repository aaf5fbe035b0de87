"""Whom a notice is for, as a secretary chooses it: places in and out, filters, a search, and the wall."""

import pytest

from domain import notices as rules
from domain.quiet_hours import QuietHours
from storage.deliveries import Rules
from tests.conftest import HandClock
from tests.factories import make_grant, make_organisation
from tests.fakes import Chat
from tests.handlers.notice_chat import aimed
from tests.notice_world import Bridge
from tests.town import Town


async def test_a_part_is_left_out_and_let_in_again(county: Chat):
    await county.say("/notice 请参加学习")
    await county.press("＋ 选「海曙区」全部")
    await county.press("鼓楼街道 ›")
    await county.press("－ 不含")
    assert "－ 不含 鼓楼街道（含下级）" in county.screen
    assert county.alerts == []
    await county.press("➖ 已除外「鼓楼街道」")
    assert "不含 鼓楼街道" not in county.screen
    await county.press("上一级")
    await county.press("✅ 已选「海曙区」全部")
    assert "还没有选择" in county.screen


async def test_filters_narrow_the_audience_and_read_back(county: Chat):
    await county.say("/notice 请参加学习")
    await county.press("＋ 选「海曙区」全部")
    await county.press("筛选人员")
    await county.press("身份")
    await county.press("⬜ 正式")
    assert "海曙区（含下级） · 正式" in county.screen
    assert "✅ 正式" in county.buttons
    await county.press("返回")
    assert "身份：已选 1 项" in county.buttons
    await county.press("统筹模式")
    await county.press("商圈统筹")
    assert "商圈统筹 · 正式" in county.screen
    assert "共 1 人" in county.screen
    await county.press("不限")
    assert "商圈统筹" not in county.screen
    await county.press("返回")
    await county.press("流动情况")
    await county.press("⬜ 流动成员")
    assert "共 0 人" in county.screen
    await county.press("返回")
    await county.press("返回")
    await county.press("下一步")
    assert not [label for label in county.buttons if "现在发出" in label]


async def test_a_topic_is_a_filter_and_says_that_it_was_subscribed(county: Chat, town: Town):
    from tests.factories import make_subscription, make_topic

    topic = await make_topic(town.database, "policy", name="政策", name_en="Policy")
    await make_subscription(town.database, member=town.members["wang"], topic=topic)
    await county.say("/notice 请参加学习")
    await county.press("＋ 选「海曙区」全部")
    await county.press("筛选人员")
    await county.press("订阅主题")
    await county.press("⬜ 政策")
    assert "订阅「政策」" in county.screen
    assert "共 1 人" in county.screen


async def test_an_organisation_is_found_by_a_part_of_its_name(county: Chat):
    await county.say("/notice 请参加学习")
    await county.press("搜索组织")
    await county.say("城隍")
    await county.press("城隍庙商圈 ›")
    await county.press("＋ 选「城隍庙商圈」全部")
    assert "城隍庙商圈（含下级）" in county.screen


async def test_a_search_ends_at_the_wall(county: Chat):
    await county.say("/notice 请参加学习")
    await county.press("搜索组织")
    await county.say("慈城")
    assert "没有找到「慈城」" in county.screen
    await county.say("北大路")
    assert "北大路支部 ›" in county.buttons


async def test_above_500_the_number_is_typed(
    county: Chat, delivering: Bridge, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(rules, "TYPED_ABOVE", 3)
    await aimed(county)
    await county.press("现在发出")
    assert "请输入人数：4" in county.screen
    await county.say("5")
    assert "请输入 4" in county.screen
    await county.say("4 人")
    assert "正在发出" in county.screen
    await delivering.go()
    assert len(delivering.channel.sent) == 3


async def test_a_preview_says_who_waits_for_the_morning_and_who_for_next_week(
    county: Chat, delivering: Bridge, clock: HandClock
):
    await delivering.sent("branch_secretary", "north", text="本周第一条")
    delivering.notices._audiences._rules = Rules(quiet=QuietHours(), weekly_cap=1)
    await aimed(county)
    assert "本周已收满，最晚 3月9日 08:00 随汇总送到：3 人" in county.screen
    delivering.notices._audiences._rules = Rules(quiet=QuietHours())
    clock.forward(hours=12)
    await county.press("⬜ 要按「收到」")
    assert "现在是休息时间，3月5日 08:00 再送：3 人" in county.screen


async def test_two_offices_are_two_roots(county: Chat, delivering: Bridge, town: Town):
    await make_grant(
        town.database, member=town.members["county_secretary"], organisation=town.nodes["cicheng"]
    )
    await county.say("/notice 请参加学习")
    assert "请选一个组织" in county.screen
    await county.press("慈城支部 ›")
    await county.press("＋ 选「慈城支部」全部")
    await county.press("上一级")
    assert "＋ 慈城支部（含下级）" in county.screen
    await county.press("＋ 选")
    assert "两条通知" in county.alerts[-1]


async def test_an_audience_of_many_parts_still_fits_into_a_message(
    county: Chat, delivering: Bridge, town: Town
):
    names = []
    for number in range(39):
        name = f"支部{number}" * 10
        town.nodes[name] = await make_organisation(town.database, parent=town.nodes["haishu"], name=name)
        town.paths[name] = f"{town.paths['haishu']}{town.nodes[name]}/"
        names.append(name)
    await delivering.drafted("county_secretary", "north", *names)
    await county.say("/notice")
    await county.press("📝")
    assert "另有 25 个部分" in county.screen
    assert len(county.screen) < 4096


async def test_a_very_long_name_is_cut_before_it_is_said_again(county: Chat):
    await county.say("/notice")
    await county.say("请参加学习")
    await county.press("搜索组织")
    await county.say("王" * 4096)
    assert "没有找到「王" in county.screen
    assert len(county.screen) < 200
    await county.say("/invite")
    await county.say("王" * 4096)
    assert "没有找到「王" in county.screen
    assert len(county.screen) < 200

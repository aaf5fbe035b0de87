"""Progress and report in the chat: one message edited in place, controlled, and picked up after a restart."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from domain.accounts import Address
from domain.delivery import NotSent, Sent
from domain.throughput import window_of
from handlers.notice_progress import refresh
from tests.conftest import HandClock
from tests.factories import T, make_member
from tests.fakes import Chat, World
from tests.notice_world import Bridge
from tests.town import TODAY, Town


@pytest.fixture
async def county(delivering: Bridge, world: World, town: Town) -> Chat:
    await town.link("county_secretary", 200)
    for number, name in enumerate(("wang", "zhang", "branch_secretary"), start=1):
        await town.link(name, number)
    return world.chat(200)


@pytest.fixture
def tick(world: World, toolbox: Any, clock: HandClock) -> Any:
    """Return what the process does every two seconds; each call is as after a restart unless `shown` is kept."""

    async def run(shown: dict[Address, str] | None = None) -> None:
        memory = {} if shown is None else shown
        await refresh({world.account_id: world.bot}, toolbox, clock, memory)

    return run


async def sending(county: Chat, delivering: Bridge, *, confirm: bool = False) -> int:
    """Press a draft off; nothing has gone out yet."""
    made = await delivering.drafted("county_secretary", "north", confirm=confirm)
    await county.say("/notice")
    await county.press("📝 请参加学习")
    await county.press("现在发出")
    assert "正在发出" in county.screen
    return made.id


async def test_the_progress_is_brought_up_to_date_in_one_message_and_ends_as_the_report(
    county: Chat, delivering: Bridge, tick: Any
):
    await sending(county, delivering)
    assert "等待中：3" in county.screen
    await delivering.go()
    await tick()
    assert "发送报告" in county.screen
    assert "已送达：3" in county.screen
    assert "还没加入：1" in county.screen
    assert len(county.messages) == 1
    edits = len(county.world.session.calls)
    await tick()
    assert len(county.world.session.calls) == edits


async def test_nothing_is_edited_while_nothing_changes(county: Chat, delivering: Bridge, tick: Any):
    await sending(county, delivering)
    shown: dict[Address, str] = {}
    await tick(shown)
    edits = len(county.world.session.calls)
    await tick(shown)
    assert len(county.world.session.calls) == edits


async def test_a_message_that_became_another_screen_is_left_alone(
    county: Chat, delivering: Bridge, tick: Any
):
    for label in ("返回", "查看报告", "取消"):
        await sending(county, delivering)
        await county.press(label)
        before = county.screen
        await delivering.go()
        await tick()
        assert county.screen == before


async def test_a_deleted_message_is_let_go(county: Chat, delivering: Bridge, tick: Any, world: World):
    await sending(county, delivering)
    world.session.shown[200].clear()
    await tick()
    assert await delivering.notices.reports.watched() == []


async def test_who_lost_the_right_sees_no_more_of_it(county: Chat, delivering: Bridge, tick: Any, town: Town):
    await sending(county, delivering)
    async with town.database.begin() as session:
        grants = T["role_grant"]
        mine = grants.c.member_id == town.members["county_secretary"]
        await session.execute(update(grants).where(mine).values(until=TODAY.replace(day=3)))
    await delivering.go()
    await tick()
    assert "已送达：3" not in county.screen
    assert await delivering.notices.reports.watched() == []


async def test_pause_resume_and_cancel_which_asks(county: Chat, delivering: Bridge):
    await sending(county, delivering)
    await county.press("暂停")
    assert "已暂停" in county.screen
    await delivering.go()
    assert delivering.channel.sent == []
    await county.press("继续")
    assert "正在发出" in county.screen
    await county.press("取消")
    assert "还有 3 人没收到" in county.screen
    await county.press("不取消")
    await county.press("取消")
    await county.press("确定取消")
    assert "已取消" in county.screen
    assert "取消时还没发：3" in county.screen
    await delivering.go()
    assert delivering.channel.sent == []
    await county.say("/notice")
    assert any(label.startswith("✕") for label in county.buttons)


async def test_the_failed_are_tried_once_more(county: Chat, delivering: Bridge, clock: HandClock, tick: Any):
    delivering.channel.answer = lambda envelope: NotSent("connection refused")
    await sending(county, delivering)
    for _ in range(10):
        await delivering.go()
        clock.forward(minutes=3)
    await tick()
    assert "失败，可重试：3" in county.screen
    delivering.channel.answer = lambda envelope: Sent(message_id=1)
    await county.press("重试失败的（3）")
    assert "正在发出" in county.screen
    await delivering.go()
    await tick()
    assert "已送达：3" in county.screen
    assert not [label for label in county.buttons if "重试" in label]


async def test_a_report_is_opened_from_the_desk_and_counts_confirmations(
    county: Chat, delivering: Bridge, world: World, town: Town
):
    made = await delivering.sent("county_secretary", "north", confirm=True)
    await delivering.notices.start_due()
    member = world.chat(1)
    await member.say("/start")
    await member.tap(f"ack:{made.id}")
    await county.say("/notice")
    await county.press("✓")
    assert "已按「收到」：1（送达 3）" in county.screen
    assert not [label for label in county.buttons if "打电话" in label]
    await county.press("刷新")
    assert len(county.messages) == 1


async def test_the_own_secretary_sees_who_still_needs_a_call(
    county: Chat, delivering: Bridge, world: World, town: Town
):
    made = await delivering.sent("branch_secretary", "north", confirm=True)
    await delivering.notices.start_due()
    member = world.chat(1)
    await member.say("/notices")
    await member.tap(f"ack:{made.id}")
    secretary = world.chat(3)
    await secretary.say("/notice")
    await secretary.press("✓")
    await secretary.press("还要打电话的人（3）")
    assert "王芳" not in secretary.screen
    assert "张伟：已送达，未确认" in secretary.screen
    assert "郑前任：没有送到" in secretary.screen
    await secretary.press("返回")
    assert "发送报告" in secretary.screen


async def test_a_branch_calls_its_own_for_a_notice_from_above_without_seeing_its_report(
    county: Chat, delivering: Bridge, world: World
):
    made = await delivering.sent("county_secretary", "haishu", confirm=True)
    secretary = world.chat(3)
    await secretary.say("/notices")
    await secretary.press("请参加学习")
    await secretary.press("本组织还没确认的人（4）")
    assert "张伟：已送达，未确认" in secretary.screen
    assert "陈书记" not in secretary.screen
    await secretary.tap(f"nrep:look:{made.id}:0")
    assert "没有找到" in secretary.alerts[-1]


async def test_the_list_of_calls_turns_its_pages_and_ends_when_all_have_confirmed(
    county: Chat, delivering: Bridge, world: World, town: Town
):
    for number in range(6):
        await make_member(town.database, home=town.nodes["north"], name=f"赵{number}")
    made = await delivering.sent("branch_secretary", "north", confirm=True)
    secretary = world.chat(3)
    await secretary.say("/start")
    await secretary.tap(f"nrep:calls:{made.id}:0")
    assert secretary.screen.count("没有送到") + secretary.screen.count("未确认") == 8
    await secretary.press("下一页")
    assert secretary.screen.count("没有送到") + secretary.screen.count("未确认") == 2


async def test_while_the_rest_is_held_the_message_rests_and_goes_on_afterwards(
    county: Chat, delivering: Bridge, tick: Any, clock: HandClock, world: World
):
    await sending(county, delivering)
    slices = T["slice"]
    async with delivering.database.begin() as session:
        await session.execute(update(slices).values(held_until=clock() + timedelta(hours=1)))
    shown: dict[Address, str] = {}
    await tick(shown)
    assert "推迟：3" in county.screen
    assert [each.resting for each in await delivering.notices.reports.watched()] == [True]
    edits = len(world.session.calls)
    clock.forward(minutes=30)
    await tick(shown)
    assert len(world.session.calls) == edits
    clock.forward(minutes=31)
    await delivering.go()
    await tick(shown)
    assert "已送达：3" in county.screen


async def test_it_says_how_quickly_it_goes_out_and_when_nothing_does(
    county: Chat, delivering: Bridge, tick: Any, clock: HandClock
):
    await sending(county, delivering)
    assert "按分到的速度估算" in county.screen
    at = clock().timestamp()
    async with delivering.database.begin() as session:
        moved = {
            "sent": 1,
            "moved_in": window_of(at),
            "moved": 25,
            "moved_before": 25,
            "moving_since": at - 20,
        }
        await session.execute(update(T["slice"]).values(moved))
    await tick()
    assert "每秒 5 条 · 预计" in county.screen
    clock.forward(seconds=30)
    await tick()
    assert "此刻没有消息发出" in county.screen
    assert "预计" not in county.screen

"""Sending quickly for a price in the chat: seen before it is asked for, approved by another, nothing by a forged press."""

import pytest
from sqlalchemy import update

from domain.pace import PaceKind
from storage import pace
from tests.conftest import HandClock
from tests.factories import T
from tests.fakes import Chat, World
from tests.notice_world import Bridge
from tests.town import Town

NOT_THERE = "没有找到，或不在您的权限范围内。"


@pytest.fixture
async def author(county: Chat, delivering: Bridge, world: World, clock: HandClock) -> Chat:
    """Yield the chat of the branch's secretary; the account sends slowly for nothing, and may pay."""
    account = delivering.town.account_id
    async with delivering.database.begin() as session:
        await pace.ensure(session, account, PaceKind.PAID, rate=500.0, ceiling=1000.0, now=clock())
        free = T["pace"].c.kind == PaceKind.FREE
        await session.execute(update(T["pace"]).where(free).values(rate=0.04))
    return world.chat(3)


async def previewed(author: Chat) -> None:
    await author.say("/notice 请参加学习")
    for label in ("全部", "下一步"):
        await author.press(label)


async def asked(author: Chat) -> int:
    """Ask for approval, and return the number of the request."""
    await previewed(author)
    await author.press("付费快速发送")
    await author.press("申请批准（约 1 星）")
    return int(next(data for data in author.data if data.startswith("reqs:back:")).split(":")[2])


async def test_its_price_stands_before_it_is_asked_for_and_another_sends(
    author: Chat, county: Chat, delivering: Bridge
):
    await previewed(author)
    await author.press("付费快速发送")
    for word in ("约有 3 条消息", "不付费：约 2 分钟，0 星", "付费：约 1 分钟，约 1 星"):
        assert word in author.screen
    await author.press("返回")
    await author.press("付费快速发送")
    ask = author.data[0]
    for _ in range(2):
        await author.tap(ask)
        assert "等另一位书记批准" in author.screen
    await author.press("返回")
    assert "付费快速发送：等另一位书记批准（约 1 星）" in author.screen
    assert "查看申请" in author.buttons
    await county.say("/decide")
    await county.press("请参加学习")
    for word in ("请参加学习", "申请人：李书记", "约 3 条", "约 1 星"):
        assert word in county.screen
    await county.press("批准并发送（1 星）")
    assert "已批准" in county.screen
    await county.press("看发送进度")
    await delivering.go()
    assert [each.paid for each in delivering.channel.sent].count(True) == 3


async def test_who_asked_only_takes_it_back_and_may_send_for_nothing(author: Chat, county: Chat):
    number = await asked(author)
    assert "批准并发送" not in "".join(author.buttons)
    await author.tap(f"reqs:yes:{number}:0")
    assert "不能自己批准" in author.alerts[-1]
    await author.press("撤回申请")
    assert "已撤回" in author.screen
    await county.tap(f"reqs:yes:{number}:0")
    assert "已经有了结果" in county.alerts[-1]
    await author.press("返回")
    assert "付费快速发送" in author.buttons
    assert any("现在发出" in label for label in author.buttons)


async def test_a_refusal_is_said_to_both(author: Chat, county: Chat):
    number = await asked(author)
    await county.say("/decide")
    await county.press("请参加学习")
    await county.press("不批准")
    assert "没有批准。通知仍可免费发送" in county.screen
    await county.press("返回")
    assert "没有等您批准" in county.screen
    await author.tap(f"reqs:see:{number}:0")
    assert "没有批准" in author.screen


async def test_no_one_else_sees_or_presses_it(author: Chat, world: World, town: Town, delivering: Bridge):
    number = await asked(author)
    for name, chat_id in (("worker", 50), ("foreign_secretary", 51), ("observer", 52)):
        await town.link(name, chat_id)
    for chat_id in (1, 50, 51, 52):
        forger = world.chat(chat_id)
        await forger.say("/start")
        before = forger.screen
        taps = [f"reqs:{step}:{number}:0" for step in ("see", "yes", "no", "back")]
        for data in (*taps, "req:look:paid:1:0", "req:ask:paid:1:9", "reqs:see:999:0"):
            await forger.tap(data)
            assert forger.alerts[-1:] == [NOT_THERE] or "不包含" in forger.alerts[-1], data
            assert forger.screen == before, data
    assert not any(each.paid for each in delivering.channel.sent)
    assert "等另一位书记批准" in author.screen


@pytest.mark.parametrize(
    ("data", "said"),
    [("req:buy:paid:1:0", "失效"), ("reqs:yes:x:0", "失效"), (f"req:ask:paid:1:{'9' * 25}", "失效")],
)
async def test_a_forged_step_is_an_old_button(author: Chat, data: str, said: str):
    await previewed(author)
    await author.tap(data)
    assert said in author.screen


async def test_a_price_that_was_not_seen_is_not_asked_for(author: Chat):
    await previewed(author)
    await author.tap("req:ask:paid:1:0")
    assert "现在是 1 星" in author.alerts[-1]


async def test_its_price_is_told_in_english(author: Chat):
    await author.say("/language")
    await author.press("English")
    await author.say("/notice Please come")
    for label in ("All", "Next", "Send quickly for a price"):
        await author.press(label)
    assert "about 1 ⭐ (0.1 a message" in author.screen

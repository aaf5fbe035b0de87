"""Sending urgently in the chat: said plainly before it is asked for, seen whole by who approves, and marked for all."""

import pytest

from tests.factories import make_link
from tests.fakes import Chat, World
from tests.notice_world import Bridge
from tests.town import Town

LINE = "【急】台风"
NOT_THERE = "没有找到，或不在您的权限范围内。"
STORM = "台风红色预警，请马上转移"


@pytest.fixture
def author(county: Chat, world: World) -> Chat:
    """Yield the chat of the branch's secretary; the county's is the second person."""
    return world.chat(3)


async def previewed(author: Chat) -> None:
    await author.say(f"/notice {STORM}")
    for label in ("全部", "下一步"):
        await author.press(label)


async def asked(author: Chat) -> int:
    """Write a notice, ask for approval, and return the number of the request."""
    await previewed(author)
    return await asking(author)


async def asking(author: Chat) -> int:
    await author.press("紧急通知")
    await author.press("申请批准")
    return int(next(data for data in author.data if data.startswith("reqs:back:")).split(":")[2])


async def test_what_urgent_means_stands_before_it_is_asked_for_and_another_sends(
    author: Chat, county: Chat, delivering: Bridge, world: World
):
    await previewed(author)
    await author.press("紧急通知")
    for word in (
        "夜里和休息日也送",
        "不算在每人每周的条数里",
        "只用于等不得的事",
        "学习、报名、宣传请照常发送",
        STORM,
        "马上送到：3 人",
        "另一位书记批准",
        "2 小时没有答复就作罢",
        "可能收到两遍",
    ):
        assert word in author.screen
    ask = author.data[0]
    for _ in range(2):
        await author.tap(ask)
        assert "等另一位书记批准" in author.screen
        assert "已告诉：陈书记" in author.screen
    await author.press("返回")
    assert "紧急发送：等另一位书记批准" in author.screen
    assert not any("付费" in label or label == "紧急通知" for label in author.buttons)
    await delivering.go()
    assert [each.to.chat_id for each in delivering.channel.sent] == [200]
    await county.say("/start")
    await county.press("等您批准的发送（1）")
    await county.press(LINE)
    for word in (STORM, "申请人：李书记", "北大路支部", "马上送到：3 人", "送不到，需另行通知：1 人"):
        assert word in county.screen
    await county.press("批准，马上发出")
    assert "已批准，通知按紧急发出" in county.screen
    delivering.channel.sent.clear()
    await delivering.go()
    urgent = [each for each in delivering.channel.sent if each.content.text.startswith(f"【紧急】\n{STORM}")]
    assert len(urgent) == 3
    await county.press("看发送进度")
    assert f"【急】{STORM}" in county.screen
    await author.say("/notice")
    assert any(LINE in label for label in author.buttons)
    member = world.chat(1)
    await member.say("/notices")
    await member.press("【急】")
    assert "【紧急】" in member.screen
    await member.press("为什么收到")
    assert "不分昼夜马上送到" in member.screen
    await county.say("/start")
    assert not any("等您批准的发送" in label for label in county.buttons)


async def test_who_approves_may_have_the_whole_message_sent_to_them(author: Chat, county: Chat):
    await asked(author)
    await county.say("/decide")
    await county.press(LINE)
    await county.press("把整条发给我看")
    assert county.screen.startswith(f"【试发，只有您能看到】\n【紧急】\n{STORM}")


async def test_who_asked_only_takes_it_back_and_may_send_as_usual(author: Chat, county: Chat):
    number = await asked(author)
    assert not any("批准，马上发出" in label for label in author.buttons)
    await author.tap(f"reqs:yes:{number}:0")
    assert "不能自己批准" in author.alerts[-1]
    await author.press("撤回申请")
    assert "已撤回" in author.screen
    await county.say("/decide")
    assert "没有等您批准" in county.screen
    await county.tap(f"reqs:yes:{number}:0")
    assert "已经有了结果" in county.alerts[-1]
    await author.press("返回")
    assert "紧急通知" in author.buttons
    assert any("现在发出" in label for label in author.buttons)


async def test_a_refusal_is_said_to_both(author: Chat, county: Chat):
    number = await asked(author)
    await county.say("/decide")
    await county.press(LINE)
    await county.press("不批准")
    assert "通知仍可照常发送" in county.screen
    await author.tap(f"reqs:see:{number}:0")
    assert "没有批准" in author.screen


async def test_a_press_on_what_was_changed_meanwhile_sends_nothing(
    author: Chat, county: Chat, delivering: Bridge
):
    await asked(author)
    await county.say("/decide")
    await county.press(LINE)
    await author.press("返回")
    await author.press("改内容")
    await author.say("别的话")
    await county.press("批准，马上发出")
    assert "申请以后通知有变化，没有发出" in county.alerts[-1]
    await delivering.go()
    assert not any("【紧急】" in each.content.text for each in delivering.channel.sent)


async def test_no_one_else_sees_or_presses_it(author: Chat, world: World, town: Town, delivering: Bridge):
    number = await asked(author)
    for name, chat_id in (("worker", 50), ("foreign_secretary", 51), ("observer", 52)):
        await town.link(name, chat_id)
    for chat_id in (1, 50, 51, 52):
        forger = world.chat(chat_id)
        await forger.say("/start")
        before = forger.screen
        assert not any("等您批准的发送" in label for label in forger.buttons)
        taps = [f"reqs:{step}:{number}:0" for step in ("see", "test", "yes", "no", "back")]
        for data in (*taps, "req:look:urgent:1:0", "req:ask:urgent:1:0", "reqs:see:999:0"):
            await forger.tap(data)
            assert forger.alerts[-1:] == [NOT_THERE] or "不包含" in forger.alerts[-1], data
            assert forger.screen == before, data
    await delivering.go()
    assert not any("【紧急】" in each.content.text for each in delivering.channel.sent)
    assert "等另一位书记批准" in author.screen


@pytest.mark.parametrize(
    "data", ["req:ask:normal:1:0", "req:buy:urgent:1:0", "reqs:yes:x:0", f"req:ask:urgent:{'9' * 25}:0"]
)
async def test_a_forged_step_is_an_old_button(author: Chat, data: str):
    await previewed(author)
    await author.tap(data)
    assert "失效" in author.screen


async def test_where_nobody_else_may_approve_it_says_what_to_do_instead(county: Chat):
    await county.say(f"/notice {STORM}")
    for label in ("全部", "下一步", "紧急通知", "申请批准"):
        await county.press(label)
    assert "没有另一位书记可以批准" in county.alerts[-1]
    assert "照常发送" in county.alerts[-1]


async def test_a_scheduled_notice_has_no_such_button(author: Chat):
    await previewed(author)
    await author.press("定时发")
    await author.say("明天9点")
    assert "已定时" in author.screen
    assert "紧急通知" not in author.buttons


async def test_what_a_sensitive_one_says_is_shown_in_no_chat_abroad(
    author: Chat, county: Chat, telegram: World, town: Town
):
    await previewed(author)
    await author.press("涉及个人情况")
    number = await asking(author)
    second = town.members["county_secretary"]
    await make_link(town.database, member=second, chat_id=7, account=town.telegram_id)
    abroad = telegram.chat(7)
    await abroad.say("/decide")
    await abroad.tap(f"reqs:see:{number}:0")
    assert STORM not in abroad.screen
    assert "数据存放在境外" in abroad.screen
    await abroad.tap(f"reqs:test:{number}:0")
    assert "不能经过这个聊天软件" in abroad.alerts[-1]


async def test_it_is_offered_and_explained_in_english(author: Chat):
    await author.say("/language")
    await author.press("English")
    await author.say("/notice Please leave at once")
    for label in ("All", "Next", "Send as urgent"):
        await author.press(label)
    assert "at night and on rest days too" in author.screen

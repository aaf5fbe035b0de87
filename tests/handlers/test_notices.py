"""A member's notices: the latest, a search, one of them, why it came, and 收到."""

from pathlib import Path
from typing import Any

import pytest

from domain.richtext import RichText
from storage.sealing import Sealer
from tests.conftest import HandClock
from tests.factories import make_subscription, make_topic
from tests.fakes import Chat, World
from tests.notice_world import Bridge, bridge
from tests.town import Town


@pytest.fixture
async def delivering(town: Town, toolbox: Any, sealer: Sealer, clock: HandClock, tmp_path: Path) -> Bridge:
    made = await bridge(town, sealer, clock, tmp_path)
    toolbox.notices, toolbox.audiences, toolbox.delivery = made.notices, made.audiences, made.delivery
    toolbox.repeats = made.repeats
    await town.link("wang", 1)
    return made


@pytest.fixture
def member(delivering: Bridge, world: World) -> Chat:
    return world.chat(1)


async def arrive(chat: Chat, delivering: Bridge) -> None:
    """Show what the channel was given, as the messenger does."""
    from handlers.notice_files import send_content

    content = delivering.channel.sent[0].content
    await send_content(chat.world.bot, chat.user.id, chat.world.account_id, delivering.notices, content)


async def test_without_notices_there_is_nothing_to_do(member: Chat):
    await member.say("/notices")
    assert "还没有通知" in member.screen
    assert member.buttons == ["首页"]


async def test_the_latest_stands_first_and_opens_in_the_same_message(
    member: Chat, delivering: Bridge, clock: HandClock
):
    await delivering.sent("branch_secretary", "north", text="第一条")
    clock.forward(hours=1)
    await delivering.sent("branch_secretary", "north", text="第二条\n还有一行")
    await member.say("/notices")
    assert member.buttons[:2] == ["3月4日 第二条", "3月4日 第一条"]
    await member.press("第二条")
    assert "还有一行" in member.screen
    assert "—— 北大路支部 · 李书记" in member.screen
    await member.press("返回")
    assert len(member.messages) == 1


async def test_many_notices_come_in_pages(member: Chat, delivering: Bridge):
    for number in range(10):
        await delivering.sent("branch_secretary", "north", text=f"第{number}条")
    await member.say("/notices")
    assert len([label for label in member.buttons if "条" in label]) == 8
    await member.press("下一页")
    assert [label[-3:] for label in member.buttons[:2]] == ["第1条", "第0条"]
    await member.press("第0条")
    await member.press("返回")
    assert [label[-3:] for label in member.buttons[:2]] == ["第1条", "第0条"]


async def test_a_search_looks_into_the_text(member: Chat, delivering: Bridge):
    await delivering.sent("branch_secretary", "north", text="本月交党费")
    await delivering.sent("branch_secretary", "north", text="食堂开放 100%")
    await member.say("/notices 党费")
    assert [label for label in member.buttons if "3月4日" in label] == ["3月4日 本月交党费"]
    await member.press("搜索")
    await member.say("%")
    assert [label for label in member.buttons if "3月4日" in label] == ["3月4日 食堂开放 100%"]
    await member.say("没有这个")
    assert "没有找到含「没有这个」" in member.screen
    await member.press("看全部")
    assert len([label for label in member.buttons if "3月4日" in label]) == 2


async def test_a_pushed_notice_is_confirmed_once_and_says_so(
    member: Chat, delivering: Bridge, clock: HandClock
):
    await delivering.sent("branch_secretary", "north", confirm=True)
    await arrive(member, delivering)
    assert member.buttons == ["收到", "为什么收到？"]
    await member.press("收到")
    assert "已确认收到" in member.alerts[-1]
    assert member.buttons == ["✓ 已确认 3月4日 10:00", "为什么收到？"]
    clock.forward(hours=1)
    await member.press("已确认")
    assert member.buttons == ["✓ 已确认 3月4日 10:00", "为什么收到？"]
    assert "请参加学习" in member.screen


async def test_an_opened_notice_is_confirmed_in_place(member: Chat, delivering: Bridge):
    await delivering.sent("branch_secretary", "north", confirm=True)
    await member.say("/notices")
    await member.press("请参加学习")
    assert "请按「收到」确认" in member.screen
    await member.press("收到")
    assert "您已在 3月4日 10:00 确认收到" in member.screen
    assert "收到" not in member.buttons


async def test_why_is_said_below_the_notice_in_plain_words(member: Chat, delivering: Bridge, town: Town):
    topic = await make_topic(town.database, "study", name="学习教育", name_en="Study")
    await make_subscription(town.database, member=town.members["wang"], topic=topic)
    actor = await delivering.actor("county_secretary")
    made = await delivering.notices.draft(actor, RichText("请参加学习"))
    audience = delivering.audience("gulou", topic_id=topic, standings=("full",))
    await delivering.notices.choose(actor, made.id, audience)
    await delivering.notices.send(actor, made.id)
    await delivering.go()
    await arrive(member, delivering)
    await member.press("为什么收到")
    assert len(member.messages) == 2
    assert "由「海曙区」的 陈书记 发出" in member.screen
    assert "鼓楼街道（含下级） · 正式 · 订阅「学习教育」" in member.screen
    assert "您订阅了「学习教育」" in member.screen
    assert "/stop" in member.screen
    await member.press("返回")
    assert "请参加学习" in member.screen


async def test_why_is_asked_from_the_list_as_well(member: Chat, delivering: Bridge):
    await delivering.sent("branch_secretary", "north")
    await member.say("/notices")
    await member.press("请参加学习")
    await member.press("为什么收到")
    assert "北大路支部（含下级）" in member.screen
    assert len(member.messages) == 1


async def test_a_picture_is_opened_from_the_list(member: Chat, delivering: Bridge):
    from domain.messages import Media

    actor = await delivering.actor("branch_secretary")
    digest = await delivering.notices.media.save(b"picture")
    made = await delivering.notices.draft(actor, RichText("看图"), Media("photo", "photo.jpg", digest))
    await delivering.notices.choose(actor, made.id, delivering.audience("north"))
    await delivering.notices.send(actor, made.id)
    await delivering.go()
    await member.say("/notices")
    assert member.buttons[0] == "3月4日 📎 看图"
    await member.press("看图")
    assert "附有图片" in member.screen
    await member.press("打开附件")
    shown = member.messages[-1]
    assert shown.photo
    assert member.file_of(shown).data == b"picture"
    await member.press("打开附件")
    assert member.file_of(member.messages[-1]) == shown.photo[-1].file_id


async def test_a_file_that_is_gone_is_said_so(member: Chat, delivering: Bridge):
    from domain.messages import Media

    actor = await delivering.actor("branch_secretary")
    made = await delivering.notices.draft(actor, RichText("看"), Media("document", "a.pdf", "0" * 64))
    await delivering.notices.choose(actor, made.id, delivering.audience("north"))
    await delivering.notices.send(actor, made.id)
    await delivering.go()
    await member.say("/notices")
    await member.press("看")
    assert "附件：a.pdf" in member.screen
    await member.press("打开附件")
    assert "附件暂时打不开" in member.alerts[-1]


async def test_buttons_of_a_test_only_say_so(member: Chat, delivering: Bridge):
    await member.say("/notices")
    for tap in ("ack:0", "why:0"):
        await member.tap(tap)
        assert "这是试发" in member.alerts[-1]


@pytest.mark.parametrize("tap", ["ack:{id}", "why:{id}", "inbox:open:{id}:0", "inbox:file:{id}:0"])
async def test_who_was_not_meant_reaches_nothing(
    member: Chat, delivering: Bridge, world: World, town: Town, tap: str
):
    made = await delivering.sent("branch_secretary", "north", confirm=True)
    draft = await delivering.drafted("branch_secretary", "north", text="草稿", confirm=True)
    await town.link("sun", 8)
    stranger = world.chat(8)
    await stranger.say("/notices")
    for number in (made.id, draft.id, 999_999):
        await stranger.tap(tap.format(id=number))
        assert "没有找到" in stranger.alerts[-1]
    assert "还没有通知" in stranger.screen


async def test_an_english_speaker_is_told_in_english(member: Chat, delivering: Bridge):
    await delivering.sent("county_secretary", "haishu", confirm=True)
    await member.say("/language")
    await member.press("English")
    await member.say("/notices")
    await member.press("请参加学习")
    assert "— Haishu · 陈书记" in member.screen
    await member.press("Got it")
    assert "You confirmed on 4 Mar, 10:00" in member.screen
    await member.press("Why")
    assert "Haishu and all below" in member.screen

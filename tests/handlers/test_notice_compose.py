"""A secretary's notices as they see them on a phone: written, aimed, previewed and sent."""

from pathlib import Path
from typing import Any

import pytest
from aiogram.types import Document, MessageEntity, Video

from domain import notices as rules
from domain.quiet_hours import QuietHours
from storage.deliveries import Rules
from storage.sealing import Sealer
from tests.conftest import HandClock
from tests.factories import make_grant, make_organisation
from tests.fakes import Chat, World
from tests.notice_world import Bridge, bridge
from tests.town import Town


@pytest.fixture
async def delivering(town: Town, toolbox: Any, sealer: Sealer, clock: HandClock, tmp_path: Path) -> Bridge:
    """Yield the town's notices, set into the toolbox that the chat uses."""
    made = await bridge(town, sealer, clock, tmp_path)
    toolbox.notices, toolbox.audiences, toolbox.delivery = made.notices, made.audiences, made.delivery
    toolbox.repeats = made.repeats
    return made


@pytest.fixture
async def county(delivering: Bridge, world: World, town: Town) -> Chat:
    await town.link("county_secretary", 200)
    for number, name in enumerate(("wang", "zhang", "branch_secretary"), start=1):
        await town.link(name, number)
    return world.chat(200)


async def aimed(chat: Chat, text: str = "请参加学习") -> None:
    """Write a notice for the branch of the north, up to its preview."""
    await chat.say("/notice")
    await chat.say(text)
    for label in ("鼓楼街道 ›", "北大路支部 ›", "＋ 选「北大路支部」全部", "下一步"):
        await chat.press(label)


async def test_a_text_goes_to_a_branch_in_six_touches(county: Chat, delivering: Bridge):
    await county.say("/notice")
    assert "还没有通知" in county.screen
    await county.say("请参加学习")
    await county.press("鼓楼街道 ›")
    await county.press("北大路支部 ›")
    await county.press("＋ 选「北大路支部」全部")
    assert "＋ 北大路支部（含下级）" in county.screen
    assert "共 4 人" in county.screen
    await county.press("下一步")
    assert "请参加学习" in county.screen
    assert "马上送到：3 人" in county.screen
    assert "还没加入：1" in county.screen
    await county.press("现在发出（4 人）")
    assert "正在发出" in county.screen
    await delivering.go()
    assert sorted(delivering.channel.chats) == [1, 2, 3]


async def test_a_picture_goes_out_with_its_caption_and_is_uploaded_to_an_account_once(
    county: Chat, delivering: Bridge
):
    await county.say("/notice")
    await county.send_photo("from-the-phone", "看图")
    await county.press("＋ 选「海曙区」全部")
    await county.press("下一步")
    assert "附有图片" in county.screen
    await county.press("先试发给我")
    test = county.messages[-1]
    assert county.file_of(test) == "from-the-phone"
    assert test.caption is not None
    assert "只有您能看到" in test.caption
    await county.press("现在发出")
    await delivering.go()
    sent = delivering.channel.sent[0].content
    assert sent.media is not None
    assert sent.text.startswith("看图\n\n——")
    assert await delivering.notices.media.read(sent.media.digest) == b"file"
    assert set(delivering.channel.file_ids) == {"from-the-phone"}


async def test_a_document_keeps_its_name(county: Chat, delivering: Bridge):
    await county.say("/notice")
    await county.send_document("d1", "学习计划.pdf")
    await county.press("＋ 选「海曙区」全部")
    await county.press("下一步")
    assert "附件：学习计划.pdf" in county.screen
    await county.press("现在发出")
    await delivering.go()
    assert delivering.channel.sent[0].content.media.name == "学习计划.pdf"


async def test_formatting_is_kept_from_the_phone_to_the_member(county: Chat, delivering: Bridge):
    await county.say("/notice")
    bold = MessageEntity(type="bold", offset=2, length=2)
    await county.say("😀重要通知", entities=[bold, MessageEntity(type="hashtag", offset=0, length=2)])
    await county.press("＋ 选「海曙区」全部")
    await county.press("下一步")
    preview = county.messages[-1]
    assert any(each.extract_from(preview.text) == "重要" for each in preview.entities)
    await county.press("现在发出")
    await delivering.go()
    content = delivering.channel.sent[0].content
    assert content.entities[0] == {"type": "bold", "offset": 2, "length": 2}
    assert content.entities[1]["type"] == "italic"


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


async def test_a_time_is_chosen_or_typed_and_taken_back(county: Chat, delivering: Bridge, clock: HandClock):
    await aimed(county)
    await county.press("定时发")
    await county.say("尽快")
    assert "没看懂" in county.screen
    await county.say("昨天 2020-01-01 9:00")
    assert "已经过了" in county.screen
    await county.say("明天9点")
    assert "自动发出：3月5日 周四 09:00" in county.screen
    await county.press("取消定时")
    await county.press("定时发")
    await county.press("3月4日 18:00")
    assert "自动发出：3月4日 周三 18:00" in county.screen
    clock.forward(hours=7, minutes=59)
    assert await delivering.notices.start_due() == 0
    clock.forward(minutes=1)
    assert await delivering.notices.start_due() == 1
    assert await delivering.notices.start_due() == 0
    await delivering.go()
    assert len(delivering.channel.sent) == 3


async def test_a_draft_is_found_again_changed_and_thrown_away(county: Chat):
    await aimed(county)
    await county.press("首页")
    await county.say("/notice")
    await county.press("📝 请参加学习")
    await county.press("改内容")
    await county.say("改到周五")
    assert "改到周五" in county.screen
    await county.press("改内容")
    await county.send_photo("p1")
    assert "改到周五" in county.screen
    assert "附有图片" in county.screen
    await county.press("改内容")
    await county.press("去掉附件")
    assert "附有图片" not in county.screen
    await county.press("⬜ 要按「收到」")
    assert "请收件人按「收到」" in county.screen
    await county.press("✅ 要按「收到」")
    assert "请收件人按「收到」" not in county.screen
    await county.press("🗑 删除")
    assert "找不回来" in county.screen
    await county.press("确定删除")
    assert "还没有通知" in county.screen


async def test_the_same_update_twice_makes_one_draft(county: Chat):
    for _ in range(2):
        await county.say("/notice 请参加学习")
    await county.say("/notice")
    assert len([label for label in county.buttons if "📝" in label]) == 1


async def test_what_is_no_content_is_asked_again(county: Chat):
    await county.say("/notice")
    await county.say("  ")
    assert "只能用文字、图片或文件" in county.screen
    await county.say("请参加学习")
    assert "发给谁" in county.screen


async def test_a_text_too_long_says_by_how_much(county: Chat):
    await county.say("/notice")
    await county.say("长" * 4096)
    assert "文字太长" in county.screen
    await county.say("短")
    assert "发给谁" in county.screen


async def test_the_desk_turns_its_pages(county: Chat, delivering: Bridge):
    for number in range(10):
        await delivering.drafted("county_secretary", text=f"第{number}条")
    await county.say("/notice")
    assert len([label for label in county.buttons if "📝" in label]) == 8
    await county.press("下一页")
    assert len([label for label in county.buttons if "📝" in label]) == 2
    await county.press("上一页")
    assert len(county.messages) == 1


async def test_an_ordinary_member_has_no_desk(county: Chat, world: World):
    member = world.chat(1)
    await member.say("/notice")
    assert "职务不包含" in member.screen
    await member.say("/notice 请参加学习")
    assert "职务不包含" in member.screen


async def test_an_observer_sees_the_desk_and_cannot_write(
    county: Chat, world: World, town: Town, delivering: Bridge
):
    await delivering.sent("county_secretary", "north")
    await town.link("observer", 9)
    observer = world.chat(9)
    await observer.say("/notice")
    assert "直接发来" not in observer.screen
    await observer.press("请参加学习")
    assert "正在发出" in observer.screen or "发送报告" in observer.screen
    assert not [label for label in observer.buttons if "暂停" in label or "重试" in label]


async def test_every_button_fits_into_64_bytes_even_for_large_ids():
    from handlers.aims import Aim, Sift
    from handlers.notice_taps import Draft, Look, Progress, Send

    large = 10**12
    taps = [
        Aim(step="hits", what="n", id=large, view=large, node=large, page=999),
        Sift(what="n", id=large, field="mode", value="village_neighbourhood", on=True),
        Draft(step="discard", id=large),
        Send(step="recall", id=large, at=10**10),
        Progress(step="resume", id=large),
        Look(step="calls", id=large, page=999),
    ]
    assert all(len(tap.pack().encode()) <= 64 for tap in taps)


TAPS = (
    "ndraft:open:{id}",
    "ndraft:write:{id}",
    "ndraft:confirm:{id}",
    "ndraft:plain:{id}",
    "ndraft:gone:{id}",
    "ndraft:discard:{id}",
    "ndraft:test:{id}",
    "aim:at:n:{id}:0:0:0",
    "aim:add:n:{id}:0:{node}:0",
    "aim:find:n:{id}:0:0:0",
    "aim:hits:n:{id}:0:0:0",
    "sift:n:{id}:::0",
    "sift:n:{id}:standing:full:1",
    "nsend:now:{id}:0",
    "nsend:when:{id}:0",
    "nsend:at:{id}:1772700000",
    "nsend:recall:{id}:0",
    "nprog:look:{id}",
    "nprog:pause:{id}",
    "nprog:resume:{id}",
    "nprog:ask:{id}",
    "nprog:cancel:{id}",
    "nprog:retry:{id}",
    "nrep:look:{id}:0",
    "nrep:calls:{id}:0",
)


@pytest.mark.parametrize("tap", TAPS)
async def test_a_forged_tap_finds_nothing_beyond_the_wall(
    county: Chat, world: World, delivering: Bridge, town: Town, tap: str
):
    drafted = await delivering.drafted("county_secretary", "north")
    sending = await delivering.sent("county_secretary", "north")
    await town.link("foreign_secretary", 50)
    for forger in (world.chat(3), world.chat(50), world.chat(1)):
        await forger.say("/start")
        before = forger.screen
        for number in (drafted.id, sending.id, 999_999):
            await forger.tap(tap.format(id=number, node=town.nodes["north"]))
            assert forger.alerts[-1] == "没有找到，或不在您的权限范围内。"
            forger.alerts.clear()
            assert forger.screen == before
    assert len(delivering.channel.sent) == 3


HUGE = "9" * 25


@pytest.mark.parametrize(
    "tap",
    [
        "sift:n:{id}:age:1:1",
        "sift:x:{id}:mode::0",
        "aim:at:x:{id}:0:0:0",
        "sift:n:{id}:mode:moon:1",
        "sift:n:{id}:topic:x:1",
        f"sift:n:{{id}}:topic:{HUGE}:1",
        f"ndraft:open:{HUGE}",
        f"aim:at:n:{{id}}:{HUGE}:0:0",
        f"aim:at:n:{{id}}:0:0:{HUGE}",
        f"nsend:now:{HUGE}:0",
        f"nsend:at:{{id}}:{HUGE}",
        f"ndesk:{HUGE}",
        f"nprog:look:{HUGE}",
        f"nrep:calls:{{id}}:{HUGE}",
        f"ack:{HUGE}",
        f"why:{HUGE}",
        f"inbox:page:0:{HUGE}",
        f"inbox:open:{HUGE}:0",
    ],
)
async def test_a_forged_filter_is_an_old_button(county: Chat, delivering: Bridge, tap: str):
    drafted = await delivering.drafted("county_secretary", "north")
    await county.say("/notice")
    await county.tap(tap.format(id=drafted.id))
    assert "已经失效" in county.screen


async def test_an_audience_beyond_the_wall_cannot_be_forged(county: Chat, delivering: Bridge, town: Town):
    drafted = await delivering.drafted("county_secretary", "north")
    await county.say("/notice")
    await county.tap(f"aim:add:n:{drafted.id}:0:{town.nodes['jiangbei']}:0")
    assert "没有找到" in county.alerts[-1]
    await county.tap(f"aim:at:n:{drafted.id}:{town.nodes['city']}:0:0")
    assert "没有找到" in county.alerts[-1]


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


async def test_a_file_that_no_messenger_hands_on_is_refused(county: Chat, world: World):
    await county.say("/notice")
    document = Document(file_id="d", file_unique_id="d", file_name="a.zip", file_size=rules.LARGEST_FILE + 1)
    await county._message(document=document)
    assert "最多 20 MB" in county.screen


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


async def test_a_draft_opens_as_far_as_it_has_come(county: Chat, delivering: Bridge):
    await aimed(county)
    await county.press("现在发出")
    await county.press("返回")
    await county.press("▶ 3月4日 请参加学习")
    assert "正在发出" in county.screen
    await delivering.go()
    await delivering.notices.start_due()
    await county.press("返回")
    await county.press("✓ 3月4日 请参加学习")
    assert "发送报告" in county.screen


async def test_a_file_without_words_is_named_by_itself(county: Chat):
    await county.say("/notice")
    await county.send_document("d1", "很长很长很长很长很长很长的名字.pdf")
    await county.say("/notice")
    await county.send_photo("p1")
    await county.say("/notice")
    assert {label for label in county.buttons if "📝" in label} == {
        "📝 [图片]",
        "📝 [附件] 很长很长很长很长很长很…",
    }


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


async def test_a_line_break_ends_a_command(county: Chat):
    await county.say("/notice\n请参加学习")
    assert "发给谁" in county.screen
    await county.say("/")
    assert "没看明白" in county.screen


async def test_a_command_below_a_picture_keeps_the_picture(county: Chat, delivering: Bridge, world: World):
    await county.send_photo("from-the-phone", "/notice 请看图")
    await county.press("＋ 选「海曙区」全部")
    await county.press("下一步")
    assert "附有图片" in county.screen
    assert "请看图" in county.screen
    await world.chat(1).send_photo("from-a-member", "/notice 请看图")
    assert not any(getattr(call, "file_id", "") == "from-a-member" for call in world.session.calls)


async def test_the_caption_of_a_film_does_not_go_out_without_it(county: Chat):
    await county.say("/notice")
    film = Video(file_id="v", file_unique_id="v", width=1, height=1, duration=1)
    await county._message(video=film, caption="请看影片")
    assert "发给谁" not in county.screen


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

"""A secretary's notices as they see them on a phone: written, previewed, kept and sent."""

from aiogram.types import Document, MessageEntity, Video

from domain import notices as rules
from tests.conftest import HandClock
from tests.fakes import Chat, World
from tests.handlers.notice_chat import aimed
from tests.notice_world import Bridge


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
    assert "只能用文字、图片、文件、视频或语音" in county.screen
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


async def test_a_file_that_no_messenger_hands_on_is_refused(county: Chat, world: World):
    await county.say("/notice")
    document = Document(file_id="d", file_unique_id="d", file_name="a.zip", file_size=rules.LARGEST_FILE + 1)
    await county._message(document=document)
    assert "最多 20 MB" in county.screen


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


def film() -> Video:
    return Video(file_id="v", file_unique_id="v", width=1, height=1, duration=1)


async def test_a_film_is_copied_with_its_words_by_the_account_it_was_given_to(
    county: Chat, delivering: Bridge, world: World
):
    await county.say("/notice")
    await county._message(video=film(), caption="请看影片")
    await county.press("＋ 选「海曙区」全部")
    await county.press("下一步")
    assert "附有视频或语音" in county.screen
    assert "用其他账号的成员只收到文字" in county.screen
    await county.press("先试发给我")
    test = county.messages[-1]
    assert county.file_of(test).startswith("copy of 200/")
    assert "只有您能看到" in (test.caption or "")
    world.session.gone.add(int(county.file_of(test).rpartition("/")[2]))
    await county.press("先试发给我")
    assert "请看影片" in (county.messages[-1].text or "")
    await county.press("现在发出")
    await delivering.go()
    assert set(delivering.channel.file_ids) == {county.file_of(test).removeprefix("copy of ")}
    assert delivering.channel.sent[0].content.text.startswith("请看影片\n\n——")


async def test_a_film_needs_words_and_goes_into_no_album(county: Chat):
    await county.say("/notice")
    await county._message(video=film())
    assert "请配上几句文字" in county.screen
    await county._message(video=film(), caption="请看影片", media_group_id="g")
    assert "相册里只能有图片或文件" in county.screen
    await county._message(video=film(), caption="请看影片")
    assert "发给谁" in county.screen
    await county.say("/notice")
    await county.press("📝 请看影片")
    await county.press("改内容")
    await county.send_photo("p1", "看图")
    assert "附有图片" in county.screen

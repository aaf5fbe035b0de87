"""What people do with the bridge, through the people's API of the web chat: everything real but the browser."""

import base64
import re

import pytest

from tests.acceptance.conftest import BOT, BRANCH_SECRETARY, CITY_SECRETARY, MEMBER
from tests.webchat_client import Person, text_of

pytestmark = pytest.mark.slow

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAIAAAABCAYAAAD0In+KAAAAEUlEQVR4nGP8z8Dwn4GBgQEADQYCAU8cF3gAAAAASUVORK5CYII="
)


def buttons(message):
    rows = message.get("reply_markup", {}).get("inline_keyboard", [])
    return {button["text"]: button.get("callback_data") for row in rows for button in row}


def has(text, label):
    """Say whether a message has this text and a button of this label."""
    return lambda message: text in text_of(message) and any(label in each for each in buttons(message))


async def aim_at_full_members(secretary, county="海曙区委员会"):
    await secretary.wait(has("发给谁", county))
    await secretary.press(f"{county} ›")
    await secretary.wait(has("发给谁", f"选「{county}」全部"))
    await secretary.press(f"选「{county}」全部")
    await secretary.wait(has(county, "筛选人员"))
    await secretary.press("筛选人员")
    await secretary.wait(has("筛选人员", "身份"))
    await secretary.press("身份")
    await secretary.wait(lambda m: any(re.fullmatch(r"⬜ 正式.*", label) for label in buttons(m)))
    await secretary.press("⬜ 正式")
    await secretary.wait(lambda m: any(label.startswith("✅ 正式") for label in buttons(m)))
    await secretary.press("返回")
    await secretary.wait(has("筛选人员", "流动情况"))
    await secretary.press("返回")
    await secretary.wait(has("发给谁", "下一步"))
    await secretary.press("下一步")
    return await secretary.wait(has("预览", "现在发出"))


async def send_to_many(secretary, preview):
    label = next(label for label in buttons(preview) if "现在发出" in label)
    number = re.search(r"\d+", label.replace(",", "").replace("，", ""))[0]
    await secretary.press("现在发出")
    await secretary.wait("请输入人数")
    await secretary.say("12")
    await secretary.wait(lambda m: number in text_of(m) and "12" not in text_of(m).replace(number, ""))
    await secretary.say(number)
    return int(number)


async def test_a_notice_with_a_picture_reaches_a_countys_full_members_who_ask_why_and_confirm(demo):
    secretary, member = await demo.person(CITY_SECRETARY), await demo.person(MEMBER)
    await secretary.say("/notice")
    await secretary.wait("直接发来")
    await secretary.upload("photo", "冬训.png", PNG, caption="冬季安全检查请于周五前完成。")
    preview = await aim_at_full_members(secretary)
    assert "正式" in text_of(preview)
    await secretary.press("要按「收到」")
    await secretary.wait(has("预览", "✅ 要按「收到」"))
    number = await send_to_many(secretary, preview)
    assert number > 500
    await secretary.wait(has("正在发出", "暂停"))

    got = await member.wait("冬季安全检查", 60)
    assert got["photo"]
    await member.press("为什么收到")
    await member.wait("海曙区")
    await member.press("收到")
    await member.wait(lambda m: any("已确认" in label for label in buttons(m)))

    await secretary.press("查看报告")
    report = await secretary.wait("目前情况")
    assert re.search(r"已按「收到」：1\b", text_of(report)), text_of(report)


async def test_an_album_reaches_a_branch_as_one_notice(demo):
    branch, member = await demo.person(BRANCH_SECRETARY), await demo.person(MEMBER)
    await branch.say("/notice")
    await branch.wait("直接发来")
    for place, (kind, caption) in enumerate((("photo", "活动照片"), ("photo", ""))):
        await branch.upload(kind, f"{place}.png", PNG + bytes([place]), caption, album="12345")
    await branch.wait(has("发给谁", "全部"))
    await branch.press("全部")
    await branch.wait(has("发给谁", "下一步"))
    await branch.press("下一步")
    await branch.wait(has("附有 2 张图片", "现在发出"))
    await branch.press("现在发出")
    got = await member.wait("活动照片\n\n——", 60)
    pictures = [message for message in await member.messages() if "photo" in message][-2:]
    assert len({message["media_group_id"] for message in pictures}) == 1
    assert {message["message_id"] for message in pictures} == {got["message_id"] - 2, got["message_id"] - 1}
    assert any("为什么" in label for label in buttons(got))


async def test_a_branch_secretary_is_walled_in(demo):
    city, branch = await demo.person(CITY_SECRETARY), await demo.person(BRANCH_SECRETARY)
    await city.say("/notice")
    await city.wait("直接发来")
    await city.say("只给市里看的草稿")
    picker = await city.wait(has("发给谁", "海曙区委员会"))
    theirs = {data for data in buttons(picker).values() if data}

    await branch.say("/notice")
    await branch.wait("直接发来")
    await branch.say("支部通知")
    own = await branch.wait(has("发给谁", "全部"))
    assert "海曙区委员会" not in str(buttons(own))
    for forged in theirs - set(buttons(own).values()):
        assert await press_forged(demo, branch, forged) == 404


async def press_forged(demo, person, data):
    """Press a button that is not there; the chat server refuses before the bot is even asked."""
    message = (await person.messages())[-1]
    url = f"{demo.origin}/api/chats/{BOT}/press"
    body = {"message_id": message["message_id"], "data": data}
    async with demo.http.post(url, json=body, headers=person._headers) as response:
        return response.status


async def test_a_running_notice_is_paused_resumed_and_cancelled(demo):
    secretary = await demo.person(CITY_SECRETARY)
    await secretary.say("/notice")
    await secretary.wait("直接发来")
    await secretary.say("要暂停的通知")
    preview = await aim_at_full_members(secretary)
    await send_to_many(secretary, preview)
    await secretary.wait(has("正在发出", "暂停"))
    await secretary.press("暂停")
    await secretary.wait(has("已暂停", "继续"))
    await secretary.press("继续")
    await secretary.wait(has("正在发出", "取消"))
    await secretary.press("✕ 取消")
    await secretary.wait("真的取消")
    await secretary.press("确定取消")
    await secretary.wait(lambda m: "已取消" in text_of(m))


async def test_a_scheduled_notice_waits_and_can_be_taken_back(demo):
    secretary = await demo.person(BRANCH_SECRETARY)
    await secretary.say("/notice")
    await secretary.wait("直接发来")
    await secretary.say("明天的会改到九点")
    await secretary.wait(has("发给谁", "全部"))
    await secretary.press("全部")
    await secretary.wait(has("发给谁", "下一步"))
    await secretary.press("下一步")
    await secretary.wait(has("预览", "定时发"))
    await secretary.press("定时发")
    await secretary.wait("什么时候发")
    await secretary.say("改天吧")
    await secretary.wait("没看懂这个时间")
    await secretary.say("明天9点")
    await secretary.wait(has("已定时", "取消定时"))
    await secretary.press("取消定时")
    await secretary.wait(has("预览", "现在发出"))


async def test_a_stranger_joins_by_an_invitation_and_the_secretarys_approval(demo):
    secretary = await demo.person(BRANCH_SECRETARY)
    await secretary.say("/invite")
    await secretary.wait("姓名")
    stranger_name = await unlinked_member(demo)
    await secretary.say(stranger_name)
    await secretary.wait(lambda m: any(stranger_name in label for label in buttons(m)))
    await secretary.press(stranger_name)
    await secretary.wait(lambda m: any("链接" in label for label in buttons(m)))
    await secretary.press("链接")
    shown = await secretary.wait(lambda m: "start=" in text_of(m))
    code = re.search(r"start=([A-Za-z0-9_-]+)", text_of(shown))[1]

    newcomer = await Person.join(demo.http, demo.origin, "新手机", BOT, code)
    await newcomer.wait(lambda m: any("继续" in label or "同意" in label for label in buttons(m)))
    await newcomer.press(await label_of_first(newcomer))
    await newcomer.wait(stranger_name)
    await newcomer.press("是我")
    await newcomer.wait("书记")

    await secretary.say("/approvals")
    await secretary.wait(lambda m: any(stranger_name in label for label in buttons(m)))
    await secretary.press(stranger_name)
    await secretary.wait(has("是本人吗", "是本人"))
    await secretary.press("✓ 是本人")
    await secretary.wait(has("确认加入？", "确认加入"))
    await secretary.press("确认加入")
    await newcomer.wait(lambda m: "还差一步" not in text_of(m) and "请核对" not in text_of(m), 30)
    await newcomer.say("/me")
    await newcomer.wait(stranger_name)


async def label_of_first(person):
    for message in reversed(await person.messages()):
        if buttons(message):
            return next(iter(buttons(message)))
    raise AssertionError


async def unlinked_member(demo):
    """Name a member of the branch secretary's branch who has no chat yet."""
    import sqlite3

    with sqlite3.connect(demo.folder / "var" / "tongdao.db") as database:
        (name,) = database.execute(
            "SELECT m.name FROM member m WHERE m.home_id = (SELECT home_id FROM member WHERE id = 2)"
            " AND m.status = 'active' AND NOT EXISTS (SELECT 1 FROM account_link l WHERE l.member_id = m.id)"
            " AND (SELECT count(*) FROM member o WHERE o.name = m.name AND o.home_id = m.home_id) = 1 LIMIT 1"
        ).fetchone()
    return name


async def test_stop_acts_at_once_and_the_language_changes(demo):
    member = await demo.person(MEMBER)
    await member.say("/stop")
    await member.wait(lambda m: any("恢复" in label for label in buttons(m)) or "停止" in text_of(m))
    await member.say("/language")
    await member.wait(lambda m: any("English" in label for label in buttons(m)))
    await member.press("English")
    await member.say("/me")
    await member.wait("Name")
    await member.say("something nobody understands")
    await member.wait(lambda m: bool(buttons(m)))

"""People on the chat page, in a real browser, against the real chat server and a bot."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.async_api import Route

from tests.webchat.page_town import Scene, opened

pytestmark = pytest.mark.browser


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    async with opened(tmp_path) as scene:
        yield scene


async def test_an_invitation_signs_in_and_starts_the_bot_and_answers_arrive_live(scene: Scene) -> None:
    link = await scene.town.link(scene.wang, bot="tongdao_bot", start="abc")
    page = await scene.browser.open_page(link)
    assert (await scene.bot.hear())["text"] == "/start abc"
    await scene.bot.say(scene.wang, "欢迎，王芳")
    await page.wait_text("欢迎，王芳")
    await page.say("你好")
    assert (await scene.bot.hear())["text"] == "你好"
    assert await page.bubbles() == ["/start", "欢迎，王芳", "你好"]
    assert page.errors == []


async def test_the_payload_of_an_invitation_does_not_stay_on_the_screen(scene: Scene) -> None:
    page = await scene.inside()
    await page.page.reload()
    await page.wait_text("/start")
    assert "invited" not in await page.page.content()
    assert "invited" not in page.page.url


async def test_a_spent_link_says_so_and_what_to_do(scene: Scene) -> None:
    link = await scene.town.link(scene.wang)
    await scene.browser.open_page(link)
    page = await scene.browser.open_page(link, language="en")
    await page.wait_text("This link has expired")
    await page.press("Go to messages")
    await page.wait_text("Ask the secretary of your branch")


async def test_a_newcomer_with_a_payload_joins_by_name(scene: Scene) -> None:
    page = await scene.browser.open_page(f"{scene.town.origin}/tongdao_bot?start=p1")
    await page.page.locator("#join-name").fill("李强")
    await page.press("加入")
    heard = await scene.bot.hear()
    assert (heard["text"], heard["from"]["first_name"]) == ("/start p1", "李强")
    await page.page.locator(".row").wait_for()


async def test_someone_signed_in_is_offered_start_for_a_payload(scene: Scene) -> None:
    page = await scene.inside()
    await page.page.goto(f"{scene.town.origin}/t/tongdao_bot?start=again")
    await page.press("开始")
    assert (await scene.bot.hear())["text"] == "/start again"


async def test_an_unknown_chat_is_named_as_such(scene: Scene) -> None:
    page = await scene.inside()
    await page.page.goto(f"{scene.town.origin}/nobody_bot")
    await page.wait_text("找不到这个聊天")


async def test_a_pressed_button_waits_for_the_answer_and_shows_it(scene: Scene) -> None:
    page = await scene.inside()
    keys = [[{"text": "收到", "callback_data": "ok"}, {"text": "为什么", "callback_data": "why"}]]
    message_id = await scene.bot.say(scene.wang, "请确认", reply_markup={"inline_keyboard": keys})
    await page.wait_text("请确认")
    await page.press("收到")
    assert await page.page.locator(".key[aria-busy=true]").count() == 1
    query = (await scene.bot.next_update())["callback_query"]
    assert query["data"] == "ok"
    await scene.bot.call("editMessageText", chat_id=scene.wang, message_id=message_id, text="已确认")
    await scene.bot.call("answerCallbackQuery", callback_query_id=query["id"], text="谢谢您")
    await page.wait_text("谢谢您")
    await page.wait_text("已确认")
    assert await page.page.locator(".key").count() == 0


async def test_an_alert_waits_to_be_read(scene: Scene) -> None:
    page = await scene.inside(language="en")
    keys = [[{"text": "Why", "callback_data": "why"}]]
    await scene.bot.say(scene.wang, "Notice", reply_markup={"inline_keyboard": keys})
    await page.press("Why")
    query = (await scene.bot.next_update())["callback_query"]
    await scene.bot.call(
        "answerCallbackQuery", callback_query_id=query["id"], text="Your branch", show_alert=True
    )
    await page.wait_text("Your branch")
    await page.press("Got it")
    await page.wait_gone("Your branch")
    assert await page.page.locator("[aria-busy=true]").count() == 0


async def test_an_edit_keeps_the_readers_place_and_a_deletion_takes_the_message(scene: Scene) -> None:
    page = await scene.inside()
    ids = [await scene.bot.say(scene.wang, f"第 {number} 条") for number in range(40)]
    await page.wait_text("第 39 条")
    await page.page.evaluate("document.querySelector('.scroller').scrollTop = 900")
    await page.page.locator(".pill").wait_for(state="visible")
    place = f"document.querySelector('[data-id=\"{ids[30]}\"]').getBoundingClientRect().top"
    before = await page.page.evaluate(place)
    await scene.bot.call("editMessageText", chat_id=scene.wang, message_id=ids[2], text="第 2 条\n" * 12)
    await page.page.wait_for_function("document.body.textContent.includes('第 2 条\\n第 2 条')")
    assert abs(await page.page.evaluate(place) - before) < 2
    await scene.bot.call("deleteMessage", chat_id=scene.wang, message_id=ids[39])
    await page.page.wait_for_function(f"!document.querySelector('[data-id=\"{ids[39]}\"]')")
    await scene.bot.say(scene.wang, "最新消息")
    await page.press("新消息")
    await page.page.locator(".pill").wait_for(state="hidden")


async def test_being_offline_is_said_and_passes(scene: Scene) -> None:
    page = await scene.inside()
    await scene.bot.say(scene.wang, "之前")
    await page.wait_text("之前")
    await page.page.context.set_offline(True)
    await page.page.evaluate("window.dispatchEvent(new Event('offline'))")
    await page.wait_text("网络已断开")
    await scene.bot.say(scene.wang, "期间")
    await page.page.context.set_offline(False)
    await page.wait_text("期间")
    await asyncio.sleep(0.2)
    assert (await page.bubbles()).count("期间") == 1


async def test_a_restarted_server_is_found_again_and_nothing_is_lost_or_doubled(scene: Scene) -> None:
    page = await scene.inside()
    await scene.bot.say(scene.wang, "之前")
    await page.wait_text("之前")
    await scene.town.stop()
    await page.wait_text("正在重新连接")
    await scene.town.start()
    await scene.bot.say(scene.wang, "之后")
    await page.wait_gone("正在重新连接")
    await page.wait_text("之后")
    assert await page.bubbles() == ["/start", "之前", "之后"]


async def test_a_connection_gone_silent_is_opened_anew(scene: Scene) -> None:
    page = await scene.inside()
    await page.page.clock.install()
    await page.page.reload()
    await page.wait_text("/start")
    async with page.page.expect_request("**/api/events?after=*"):
        await page.page.clock.fast_forward(50_000)
        await page.page.clock.fast_forward(5_000)
    await scene.bot.say(scene.wang, "还在")
    await page.wait_text("还在")


async def test_a_page_whose_place_the_server_forgot_loads_its_chats_anew(scene: Scene) -> None:
    page = await scene.inside()
    forgotten = f"{scene.town.origin}/api/events?after=999999999"
    await page.page.route("**/api/events?after=*", lambda route: route.continue_(url=forgotten))
    await scene.town.stop()
    await page.wait_text("正在重新连接")
    async with page.page.expect_response("**/api/chats"):
        await scene.town.start()
        await scene.bot.say(scene.wang, "你回来了")
    await page.wait_text("你回来了")
    assert await page.bubbles() == ["/start", "你回来了"]


async def test_what_could_not_be_sent_stays_and_is_sent_again(scene: Scene) -> None:
    page = await scene.inside()
    await scene.town.stop()
    await page.say("在吗")
    await page.wait_text("没有连上服务器")
    await scene.town.start()
    await page.press("重新发送")
    assert (await scene.bot.hear())["text"] == "在吗"
    await page.wait_gone("没有连上服务器")
    assert await page.bubbles() == ["/start", "在吗"]


async def test_typing_and_new_commands_show_live(scene: Scene) -> None:
    page = await scene.inside()
    await scene.bot.call("sendChatAction", chat_id=scene.wang, action="typing")
    await page.wait_text("正在输入")
    await scene.bot.call("setMyCommands", commands=[{"command": "help", "description": "帮助"}])
    await page.page.locator(".menu-button").wait_for(state="visible")
    await scene.bot.say(scene.wang, "好了")
    await page.wait_gone("正在输入")


async def test_earlier_messages_come_while_scrolling_up(scene: Scene) -> None:
    await scene.inside()
    for number in range(1, 120):
        await scene.bot.say(scene.wang, f"旧 {number}")
    page = await scene.browser.open_page(await scene.town.link(scene.wang))
    await page.wait_text("旧 119")
    assert len(await page.bubbles()) == 50
    for _ in range(3):
        await page.page.evaluate("document.querySelector('.scroller').scrollTop = 0")
        await page.page.wait_for_timeout(400)
    texts = await page.bubbles()
    assert texts == ["/start", *(f"旧 {number}" for number in range(1, 120))]


async def test_a_photo_goes_out_with_its_caption_and_opens_large(scene: Scene, tmp_path: Path) -> None:
    picture = tmp_path / "现场.jpg"
    Image.new("RGB", (320, 240), "teal").save(picture)
    page = await scene.inside()
    await page.send_file(picture, caption="活动现场")
    heard = await scene.bot.hear()
    assert heard["caption"] == "活动现场"
    assert heard["photo"][-1]["width"] == 320
    await page.press("查看大图")
    await page.page.locator(".lightbox img").wait_for()
    await page.page.keyboard.press("Escape")
    assert page.errors == []
    assert len([text for text in await page.bubbles() if text == "活动现场"]) == 1


async def test_several_photos_go_out_as_an_album(scene: Scene, tmp_path: Path) -> None:
    pictures = [tmp_path / f"{number}.png" for number in range(12)]
    for number, picture in enumerate(pictures):
        Image.new("RGB", (40, 30), (number, 0, 0)).save(picture)
    page = await scene.inside()
    await page.send_file(*pictures[:3], caption="活动现场")
    heard = [await scene.bot.hear() for _ in range(3)]
    assert [message.get("caption") for message in heard] == ["活动现场", None, None]
    assert len({message["media_group_id"] for message in heard}) == 1
    await page.choose_file(*pictures)
    await page.wait_text("发送 10 张照片")
    await page.wait_text("一次最多发送 10 个")
    assert page.errors == []


async def test_what_waits_to_be_sent_is_sent_whatever_comes_meanwhile(scene: Scene) -> None:
    """The stream tells of what is under way before its answer does, and of the same words from another device."""
    page, other = await scene.inside(), await scene.inside()
    go_on = asyncio.Event()

    async def answer_later(route: Route) -> None:
        response = await route.fetch()
        await go_on.wait()
        await route.fulfill(response=response)

    await page.page.route("**/messages", answer_later, times=1)
    await page.say("到了")
    await page.say("谢谢")
    heard = [await scene.bot.hear()]
    await other.say("谢谢")
    heard.append(await scene.bot.hear())
    await page.page.locator(".row:not(.pending)").get_by_text("谢谢").wait_for()
    go_on.set()
    heard.append(await scene.bot.hear())
    assert [message["text"] for message in heard] == ["到了", "谢谢", "谢谢"]
    await page.page.locator(".row.pending").wait_for(state="detached")
    assert (await page.bubbles())[-3:] == ["到了", "谢谢", "谢谢"]
    assert page.errors == []


async def test_what_is_no_picture_goes_as_a_file_and_says_so(scene: Scene, tmp_path: Path) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"not a picture")
    page = await scene.inside()
    await page.choose_file(broken)
    await page.wait_text("将作为文件发送")
    await page.press("发送")
    assert (await scene.bot.hear())["document"]["file_name"] == "broken.png"


async def test_a_document_shows_name_and_size_and_can_be_kept(scene: Scene, tmp_path: Path) -> None:
    paper = tmp_path / "活动安排.txt"
    paper.write_bytes(b"a" * 2048)
    page = await scene.inside()
    await page.send_file(paper, kind="document")
    assert (await scene.bot.hear())["document"]["file_name"] == "活动安排.txt"
    await page.wait_text("2.0 KB")
    async with page.page.expect_download() as waiting:
        await page.page.locator("a.document").last.click()
    assert (await waiting.value).suggested_filename == "活动安排.txt"


async def test_a_file_that_is_too_large_is_refused_with_the_reason(scene: Scene, tmp_path: Path) -> None:
    heavy = tmp_path / "heavy.bin"
    heavy.write_bytes(b"a" * 400_000)
    page = await scene.inside()
    await page.choose_file(heavy, kind="document")
    await page.wait_text("文件太大，无法发送：最大 293 KB，此文件 391 KB")
    assert await page.page.locator("dialog .button.primary").is_disabled()


async def test_the_contact_button_says_what_it_shares_before_it_does(scene: Scene) -> None:
    page = await scene.inside()
    keyboard = {"keyboard": [[{"text": "发送手机号", "request_contact": True}]], "one_time_keyboard": True}
    await scene.bot.say(scene.wang, "请核实", reply_markup=keyboard)
    await page.press("发送手机号")
    await page.wait_text("不会发送其他信息")
    assert "13800001234" not in await page.page.content()
    await page.press("发送手机号")
    contact = (await scene.bot.hear())["contact"]
    assert (contact["phone_number"].lstrip("+"), contact["user_id"]) == ("13800001234", scene.wang)
    await page.page.locator(".reply-keyboard").wait_for(state="hidden")


async def test_name_and_phone_are_the_persons_to_change_and_to_remove(scene: Scene) -> None:
    page = await scene.inside()
    await page.press("聊天菜单")
    await page.press("设置")
    await page.page.locator("#setting-name").fill("王小芳")
    await page.press("保存")  # the newest of two: the phone's, which is empty and refuses
    assert await page.page.locator("#setting-phone:invalid").count() == 1
    await page.page.locator("#setting-name").press("Enter")
    await page.wait_text("已保存")
    await page.page.locator("#setting-phone").fill("12")
    await page.page.locator("#setting-phone").press("Enter")
    await page.wait_text("手机号格式不对")
    await page.page.locator("#setting-phone").fill("139 0000 5678")
    await page.page.locator("#setting-phone").press("Enter")
    await page.wait_text("已保存：139****5678")
    await page.press("删除号码")
    await page.wait_text("未填写")
    await page.page.keyboard.press("Escape")
    await page.say("我改名了")
    assert (await scene.bot.hear())["from"]["first_name"] == "王小芳"


async def test_a_reply_keyboard_says_its_words_and_goes_when_removed(scene: Scene) -> None:
    page = await scene.inside()
    await scene.bot.say(
        scene.wang, "请选择", reply_markup={"keyboard": [[{"text": "最新通知"}], [{"text": "帮助"}]]}
    )
    await page.press("最新通知")
    assert (await scene.bot.hear())["text"] == "最新通知"
    await scene.bot.say(scene.wang, "好的", reply_markup={"remove_keyboard": True})
    await page.page.locator(".reply-keyboard").wait_for(state="hidden")


async def test_the_menu_lists_the_bots_commands(scene: Scene) -> None:
    await scene.bot.call("setMyCommands", commands=[{"command": "me", "description": "我的资料"}])
    page = await scene.inside()
    await page.press("命令菜单")
    await page.page.locator(".command", has_text="我的资料").click()
    assert (await scene.bot.hear())["text"] == "/me"


async def test_blocking_silences_the_bot_until_it_is_lifted(scene: Scene) -> None:
    page = await scene.inside()
    await page.press("聊天菜单")
    await page.press("屏蔽此服务号")
    await page.press("屏蔽")
    await page.wait_text("您已屏蔽此服务号")
    assert await scene.bot.refusal("sendMessage", chat_id=scene.wang, text="x") == 403
    await page.press("解除屏蔽")
    await page.page.locator(".composer-input").wait_for()
    await scene.bot.say(scene.wang, "又见面了")
    await page.wait_text("又见面了")


async def test_language_print_size_and_draft_outlive_a_reload(scene: Scene) -> None:
    page = await scene.inside()
    await page.page.locator(".composer-input").fill("还没写完")
    await page.press("聊天菜单")
    await page.press("设置")
    await page.page.locator("#large-print").check()
    await page.press("English")
    await page.wait_text("Large print")
    await page.page.reload()
    await page.page.locator(".composer-input").wait_for()
    assert await page.page.locator(".composer-input").input_value() == "还没写完"
    assert await page.page.locator("html.large[lang^=en]").count() == 1


async def test_signing_out_leaves_nothing_behind(scene: Scene) -> None:
    page = await scene.inside()
    await page.page.locator(".composer-input").fill("秘密")
    await page.press("聊天菜单")
    await page.press("设置")
    await page.press("退出登录")
    await page.press("退出登录")
    await page.wait_text("已退出登录")
    assert "秘密" not in await page.page.evaluate("JSON.stringify(localStorage)")
    await page.page.goto(f"{scene.town.origin}/tongdao_bot")
    await page.wait_text("请用组织发给您的邀请链接")


async def test_markup_from_a_bot_or_a_person_stays_text(scene: Scene) -> None:
    attack = "<img src=x onerror=\"document.title='stolen'\"><script>1</script>"
    page = await scene.inside()
    await page.say(attack)
    await scene.bot.hear()
    keys = [[{"text": attack[:60], "callback_data": "x"}]]
    await scene.bot.say(scene.wang, attack + "!", reply_markup={"inline_keyboard": keys})
    await page.wait_text(attack + "!")
    assert await page.page.locator(".thread img, .thread script").count() == 0
    assert "stolen" not in await page.page.title()


async def test_a_page_is_usable_by_keyboard_alone(scene: Scene) -> None:
    page = await scene.inside(width=1280)
    await scene.bot.say(
        scene.wang, "请确认", reply_markup={"inline_keyboard": [[{"text": "好", "callback_data": "y"}]]}
    )
    await page.wait_text("请确认")
    await page.page.locator(".composer-input").press_sequentially("一行")
    await page.page.keyboard.press("Shift+Enter")
    await page.page.keyboard.type("两行")
    await page.page.keyboard.press("Enter")
    assert (await scene.bot.hear())["text"] == "一行\n两行"
    await page.page.locator(".key", has_text="好").focus()
    await page.page.keyboard.press("Enter")
    assert (await scene.bot.next_update())["callback_query"]["data"] == "y"

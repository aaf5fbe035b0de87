"""What a bot sets: commands by scope, the menu button, other keyboards, captions; and conflicts of its ways to hear."""

import asyncio

import pytest

from tests.webchat.contract.clients import Refused
from tests.webchat.contract.test_messages import PNG
from tests.webchat_server import running_webchat

pytestmark = pytest.mark.slow


async def post(http, stage, method, **fields):
    async with http.post(f"{stage.origin}/bot{stage.token}/{method}", json=fields) as response:
        return await response.json()


async def test_a_webhook_ends_the_poll_that_waits(stage, wang):
    # telegram-bot-api/Client.cpp, abort_long_poll: "Conflict: terminated by setWebhook request"
    http = stage.town.http
    poll = asyncio.create_task(post(http, stage, "getUpdates", timeout=20, offset=2**40))
    await asyncio.sleep(0.2)
    assert (await post(http, stage, "setWebhook", url="https://127.0.0.1:1/"))["ok"]
    async with asyncio.timeout(5):
        answer = await poll
    assert (answer["error_code"], answer["description"]) == (
        409,
        "Conflict: terminated by setWebhook request",
    )
    await post(http, stage, "deleteWebhook")


async def test_a_webhook_needs_https_and_a_plain_secret(client):
    # https://core.telegram.org/bots/api#setwebhook: "HTTPS URL"; secret_token "Only characters A-Z, a-z, 0-9, _ and -"
    with pytest.raises(Refused, match=r"(?i)an https url must be provided"):
        await client.call("set_webhook", url="http://example.org/")
    with pytest.raises(Refused, match=r"(?i)secret token contains unallowed characters"):
        await client.call("set_webhook", url="https://example.org/", secret_token="no spaces")


async def test_dropped_updates_do_not_come(client, wang):
    # https://core.telegram.org/bots/api#deletewebhook: drop_pending_updates
    await wang.say("一")
    assert await client.call("delete_webhook", drop_pending_updates=True) is True
    assert await client.call("get_updates", timeout=0) == []


async def test_the_commands_of_a_chat_go_before_those_of_all(stage, wang):
    # https://core.telegram.org/bots/api#determining-list-of-commands
    http = stage.town.http
    scope = {"type": "chat", "chat_id": wang.id}
    common = [{"command": "help", "description": "帮助"}]
    own = [{"command": "notice", "description": "发通知"}]
    await post(http, stage, "setMyCommands", commands=common)
    await post(http, stage, "setMyCommands", commands=own, scope=scope)
    assert (await wang.call("GET", ""))["commands"] == own
    assert (await post(http, stage, "getMyCommands", scope=scope))["result"] == own
    await post(http, stage, "deleteMyCommands", scope=scope)
    assert (await wang.call("GET", ""))["commands"] == common


async def test_the_menu_button_of_a_chat_goes_before_that_of_all(stage, wang):
    # https://core.telegram.org/bots/api#setchatmenubutton: "If not specified, default bot's menu button"
    http = stage.town.http
    app = {"type": "web_app", "text": "打开", "web_app": {"url": "https://example.org/"}}
    assert (await post(http, stage, "setChatMenuButton", menu_button=app, chat_id=wang.id))["ok"]
    assert (await post(http, stage, "getChatMenuButton", chat_id=wang.id))["result"] == app
    assert (await post(http, stage, "getChatMenuButton"))["result"] == {"type": "commands"}
    assert (await wang.call("GET", ""))["menu_button"] == app


@pytest.mark.parametrize(
    "keyboard",
    [
        {"remove_keyboard": True},
        {"force_reply": True, "input_field_placeholder": "请回复"},
        {"keyboard": [[{"text": "是"}]], "one_time_keyboard": True, "resize_keyboard": True},
    ],
)
async def test_other_keyboards_reach_the_person_and_not_the_answer(stage, wang, keyboard):
    # https://core.telegram.org/bots/api#replykeyboardmarkup, #replykeyboardremove, #forcereply
    sent = await post(
        stage.town.http, stage, "sendMessage", chat_id=wang.id, text="请", reply_markup=keyboard
    )
    assert "reply_markup" not in sent["result"]
    assert (await wang.wait("请"))["reply_markup"] == keyboard


async def test_a_caption_is_edited_in_place(client, stage):
    # https://core.telegram.org/bots/api#editmessagecaption
    sent = await client.call("send_photo", chat_id=stage.chat_id, photo=("a.png", PNG), caption="一")
    where = {"chat_id": stage.chat_id, "message_id": sent["message_id"]}
    edited = await client.call("edit_message_caption", caption="<b>二</b>", parse_mode="HTML", **where)
    assert (edited["caption"], edited["caption_entities"][0]["type"]) == ("二", "bold")
    assert edited["photo"][-1]["file_id"] == sent["photo"][-1]["file_id"]
    with pytest.raises(Refused, match=r"(?i)there is no text in the message to edit"):
        await client.call("edit_message_text", text="三", **where)


async def test_a_file_is_sent_again_only_as_what_it_is(client, stage):
    # https://core.telegram.org/bots/api#sending-files: "It is not possible to change the file type when resending"
    sent = await client.call("send_document", chat_id=stage.chat_id, document=("a.txt", b"text"))
    with pytest.raises(Refused, match=r"(?i)can't use file of type document as photo"):
        await client.call("send_photo", chat_id=stage.chat_id, photo=sent["document"]["file_id"])


async def test_a_chinese_indent_stays_and_blanks_around_go(client, stage):
    # td/telegram/MessageEntity.cpp, fix_formatted_text: spaces and line ends are cut, nothing else
    sent = await client.call("send_message", chat_id=stage.chat_id, text=" \n\u3000\u3000各支部：\n ")
    assert sent["text"] == "\u3000\u3000各支部："
    with pytest.raises(Refused, match=r"(?i)text is empty"):
        await client.call("send_message", chat_id=stage.chat_id, text="\u3000\u3000")


async def test_a_reply_names_what_it_answers(client, stage):
    # https://core.telegram.org/bots/api#replyparameters
    first = await client.call("send_message", chat_id=stage.chat_id, text="一")
    second = await client.call(
        "send_message", chat_id=stage.chat_id, text="二", reply_to_message_id=first["message_id"]
    )
    assert second["reply_to_message"]["message_id"] == first["message_id"]
    with pytest.raises(Refused, match=r"(?i)message to be replied not found"):
        await client.call("send_message", chat_id=stage.chat_id, text="x", reply_to_message_id=999_999)


async def test_an_old_tap_is_too_old_to_answer(tmp_path):
    # telegram-bot-api/Client.cpp: "query is too old and response timeout expired or query ID is invalid"
    now = [1_800_000_000.0]
    async with running_webchat(tmp_path, clock=lambda: now[0]) as town:
        token = await town.new_bot()
        wang = await town.new_person("王芳")
        await wang.start()
        bot = f"{town.origin}/bot{token}"
        keyboard = {"inline_keyboard": [[{"text": "收到", "callback_data": "ok"}]]}
        wish = {"chat_id": wang.id, "text": "x", "reply_markup": keyboard}
        async with town.http.post(f"{bot}/sendMessage", json=wish):
            query = await wang.press("收到")
        now[0] += 3600
        async with town.http.post(
            f"{bot}/answerCallbackQuery", json={"callback_query_id": query}
        ) as response:
            answer = await response.json()
    assert answer["description"] == (
        "Bad Request: query is too old and response timeout expired or query ID is invalid"
    )

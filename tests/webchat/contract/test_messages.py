"""Messages as the Bot API promises them, over aiogram and over python-telegram-bot."""

import base64

import pytest

from tests.webchat.contract.clients import Refused

pytestmark = pytest.mark.slow

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAIAAAABCAYAAAD0In+KAAAAEUlEQVR4nGP8z8Dwn4GBgQEADQYCAU8cF3gAAAAASUVORK5CYII="
)


async def test_the_bot_knows_itself(client, stage):
    # https://core.telegram.org/bots/api#getme: "Returns basic information about the bot in form of a User object"
    me = await client.call("get_me")
    assert me["is_bot"] is True
    assert me["id"] == int(stage.token.partition(":")[0])
    assert me["username"]


async def test_html_becomes_entities_counted_in_utf16_units(client, stage):
    # https://core.telegram.org/bots/api#messageentity: offset and length are "in UTF-16 code units"
    sent = await client.call(
        "send_message", chat_id=stage.chat_id, text="👋 <b>您好</b> &lt;<i>x</i>&gt;", parse_mode="HTML"
    )
    assert sent["text"] == "👋 您好 <x>"
    kinds = [(e["type"], e["offset"], e["length"]) for e in sent["entities"]]
    assert kinds == [("bold", 3, 2), ("italic", 7, 1)]


async def test_given_entities_come_back(client, stage):
    # https://core.telegram.org/bots/api#sendmessage: entities, "special entities that appear in message text"
    given = [
        {"type": "bold", "offset": 0, "length": 2},
        {"type": "text_link", "offset": 3, "length": 2, "url": "https://example.org/"},
    ]
    sent = await client.call("send_message", chat_id=stage.chat_id, text="通知 全文", entities=given)
    assert [(e["type"], e["offset"], e["length"]) for e in sent["entities"]] == [
        ("bold", 0, 2),
        ("text_link", 3, 2),
    ]


@pytest.mark.parametrize(
    ("markup", "said"),
    [
        ("<b>open", "can't parse entities"),  # td/telegram/MessageEntity.cpp, parse_html
        ("<blink>x</blink>", "can't parse entities: Unsupported start tag"),
        ("<b>x</i>", "can't parse entities"),
    ],
)
async def test_broken_markup_is_refused(client, stage, markup, said):
    with pytest.raises(Refused, match=f"(?i){said}"):
        await client.call("send_message", chat_id=stage.chat_id, text=markup, parse_mode="HTML")


@pytest.mark.parametrize(("text", "said"), [("   ", "text is empty"), ("字" * 4097, "message is too long")])
async def test_an_empty_or_too_long_text_is_refused(client, stage, text, said):
    # https://core.telegram.org/bots/api#sendmessage: "1-4096 characters after entities parsing"
    with pytest.raises(Refused, match=f"(?i){said}"):
        await client.call("send_message", chat_id=stage.chat_id, text=text)


async def test_the_longest_text_passes(client, stage):
    # https://core.telegram.org/bots/api#sendmessage: "1-4096 characters after entities parsing"
    sent = await client.call("send_message", chat_id=stage.chat_id, text="😀" * 2048)
    assert sent["text"] == "😀" * 2048


async def test_an_unknown_chat_is_not_found(client):
    # telegram-bot-api/Client.cpp: "Bad Request: chat not found"
    with pytest.raises(Refused, match=r"(?i)chat not found"):
        await client.call("send_message", chat_id=404404, text="x")


async def test_an_inline_keyboard_comes_back_and_a_reply_keyboard_does_not(client, stage):
    # https://core.telegram.org/bots/api#message: reply_markup is the "Inline keyboard attached to the message"
    inline = [[{"text": "收到", "callback_data": "ok"}, {"text": "网页", "url": "https://example.org/"}]]
    sent = await client.call("send_message", chat_id=stage.chat_id, text="通知", inline=inline)
    assert [b["text"] for b in sent["reply_markup"]["inline_keyboard"][0]] == ["收到", "网页"]
    keyboard = [[{"text": "发送手机号", "request_contact": True}]]
    sent = await client.call("send_message", chat_id=stage.chat_id, text="请选择", keyboard=keyboard)
    assert "reply_markup" not in sent


async def test_callback_data_has_at_most_64_bytes(client, stage):
    # https://core.telegram.org/bots/api#inlinekeyboardbutton: "1-64 bytes"; error of td/telegram/ReplyMarkup.cpp
    await client.call(
        "send_message", chat_id=stage.chat_id, text="x", inline=[[{"text": "b", "callback_data": "d" * 64}]]
    )
    with pytest.raises(Refused, match=r"(?i)button_data_invalid"):
        await client.call(
            "send_message",
            chat_id=stage.chat_id,
            text="x",
            inline=[[{"text": "b", "callback_data": "字" * 22}]],
        )


async def test_an_edit_changes_text_and_keyboard_in_place(client, stage, wang):
    # https://core.telegram.org/bots/api#editmessagetext, #editmessagereplymarkup: "the edited Message is returned"
    inline = [[{"text": "收到", "callback_data": "ok"}]]
    sent = await client.call("send_message", chat_id=stage.chat_id, text="一", inline=inline)
    where = {"chat_id": stage.chat_id, "message_id": sent["message_id"]}
    edited = await client.call("edit_message_text", text="二", **where)
    assert edited["text"] == "二"
    assert edited["edit_date"]
    assert "reply_markup" not in edited
    again = await client.call("edit_message_reply_markup", inline=inline, **where)
    assert again["reply_markup"]["inline_keyboard"]
    shown = [m for m in await wang.messages() if m["message_id"] == sent["message_id"]]
    assert [m["text"] for m in shown] == ["二"]


async def test_an_edit_that_changes_nothing_or_finds_nothing_is_refused(client, stage):
    # telegram-bot-api/Client.cpp: "message is not modified: ...", "message to edit not found"
    sent = await client.call("send_message", chat_id=stage.chat_id, text="一")
    with pytest.raises(Refused, match=r"(?i)message is not modified"):
        await client.call(
            "edit_message_text", chat_id=stage.chat_id, message_id=sent["message_id"], text="一"
        )
    with pytest.raises(Refused, match=r"(?i)message to edit not found"):
        await client.call("edit_message_text", chat_id=stage.chat_id, message_id=999999, text="二")


async def test_a_deleted_message_is_gone(client, stage, wang):
    # https://core.telegram.org/bots/api#deletemessage: "Returns True on success"
    sent = await client.call("send_message", chat_id=stage.chat_id, text="will go")
    assert await client.call("delete_message", chat_id=stage.chat_id, message_id=sent["message_id"]) is True
    assert all(m["message_id"] != sent["message_id"] for m in await wang.messages())
    with pytest.raises(Refused, match=r"(?i)message to delete not found"):
        await client.call("delete_message", chat_id=stage.chat_id, message_id=sent["message_id"])


async def test_a_picture_is_uploaded_once_and_sent_again_by_its_id(client, stage):
    # https://core.telegram.org/bots/api#sending-files: "pass this file_id ... instead of uploading"
    sent = await client.call(
        "send_photo", chat_id=stage.chat_id, photo=("a.png", PNG), caption="<b>图</b>", parse_mode="HTML"
    )
    size = sent["photo"][-1]
    assert (size["width"], size["height"]) == (2, 1)
    assert (sent["caption"], sent["caption_entities"][0]["type"]) == ("图", "bold")
    again = await client.call("send_photo", chat_id=stage.chat_id, photo=size["file_id"])
    assert again["photo"][-1]["file_unique_id"] == size["file_unique_id"]
    assert await client.download(size["file_id"]) == PNG


async def test_a_document_keeps_its_name(client, stage):
    # https://core.telegram.org/bots/api#document: file_name, mime_type; #getfile
    sent = await client.call("send_document", chat_id=stage.chat_id, document=("通知 附件.txt", b"text"))
    assert sent["document"]["file_name"] == "通知 附件.txt"
    assert sent["document"]["mime_type"] == "text/plain"
    assert await client.download(sent["document"]["file_id"]) == b"text"


async def test_what_is_no_picture_is_refused_as_one(client, stage):
    # td/telegram/files: IMAGE_PROCESS_FAILED
    with pytest.raises(Refused, match=r"(?i)image_process_failed"):
        await client.call("send_photo", chat_id=stage.chat_id, photo=("a.png", b"no picture"))
    with pytest.raises(Refused, match=r"(?i)wrong file identifier"):
        await client.call("send_photo", chat_id=stage.chat_id, photo="no-such-file-id")


async def test_a_caption_has_at_most_1024_characters(client, stage):
    # https://core.telegram.org/bots/api#sendphoto: caption "0-1024 characters after entities parsing"
    with pytest.raises(Refused, match=r"(?i)caption is too long"):
        await client.call("send_photo", chat_id=stage.chat_id, photo=("a.png", PNG), caption="字" * 1025)


async def test_a_chat_action_and_the_chat_itself(client, stage):
    # https://core.telegram.org/bots/api#sendchataction, #getchat
    assert await client.call("send_chat_action", chat_id=stage.chat_id, action="typing") is True
    with pytest.raises(Refused, match=r"(?i)wrong parameter action"):
        await client.call("send_chat_action", chat_id=stage.chat_id, action="dancing")
    chat = await client.call("get_chat", chat_id=stage.chat_id)
    assert (chat["id"], chat["type"]) == (stage.chat_id, "private")


async def test_a_blocked_bot_is_forbidden_to_write(client, stage, wang):
    # telegram-bot-api/Client.cpp: "Forbidden: bot was blocked by the user"
    await wang.block()
    with pytest.raises(Refused, match=r"(?i)bot was blocked by the user"):
        await client.call("send_message", chat_id=stage.chat_id, text="x")
    await wang.unblock()
    assert await client.call("send_message", chat_id=stage.chat_id, text="x")

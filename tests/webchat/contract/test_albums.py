"""Albums and copies as the Bot API promises them, over aiogram and over python-telegram-bot."""

import pytest

from tests.webchat.contract.clients import Refused
from tests.webchat.contract.test_messages import PNG

pytestmark = pytest.mark.slow


async def test_an_album_is_several_messages_of_one_group(client, stage):
    # https://core.telegram.org/bots/api#sendmediagroup: "an array of Message objects that were sent is returned"
    sent = await client.call(
        "send_media_group",
        chat_id=stage.chat_id,
        album=("photo", [("a.png", PNG), ("b.png", PNG)]),
        caption="两张照片",
    )
    assert [message.get("caption") for message in sent] == ["两张照片", None]
    assert len({message["media_group_id"] for message in sent}) == 1
    ids = [message["photo"][-1]["file_id"] for message in sent]
    again = await client.call("send_media_group", chat_id=stage.chat_id, album=("photo", ids))
    assert [message["photo"][-1]["file_id"] for message in again] == ids
    assert again[0]["media_group_id"] != sent[0]["media_group_id"]


async def test_an_album_of_documents_keeps_their_names(client, stage, wang):
    files = [("一.txt", b"1"), ("二.txt", b"2")]
    await client.call("send_media_group", chat_id=stage.chat_id, album=("document", files))
    seen = [m["document"]["file_name"] for m in await wang.messages() if "document" in m]
    assert seen == ["一.txt", "二.txt"]


async def test_an_album_that_cannot_be_is_refused_as_a_whole(client, stage, wang):
    with pytest.raises(Refused, match=r"(?i)wrong file identifier"):
        await client.call(
            "send_media_group", chat_id=stage.chat_id, album=("photo", [("a.png", PNG), "nowhere"])
        )
    assert not [m for m in await wang.messages() if "photo" in m]


async def test_a_copy_has_the_content_and_its_own_keyboard(client, stage, wang):
    # https://core.telegram.org/bots/api#copymessage: "Returns the MessageId of the sent message"
    first = await client.call(
        "send_message",
        chat_id=stage.chat_id,
        text="<b>通知</b>",
        parse_mode="HTML",
        inline=[[{"text": "收到", "callback_data": "1"}]],
    )
    wish = {"chat_id": stage.chat_id, "from_chat_id": stage.chat_id, "message_id": first["message_id"]}
    copied = await client.call("copy_message", **wish)
    await client.call("copy_message", **wish, inline=[[{"text": "新", "callback_data": "2"}]])
    plain, with_keyboard = (await wang.messages())[-2:]
    assert plain["message_id"] == copied["message_id"]
    assert (plain["text"], plain["entities"]) == ("通知", first["entities"])
    assert "reply_markup" not in plain
    assert with_keyboard["reply_markup"]["inline_keyboard"][0][0]["text"] == "新"


async def test_a_picture_a_person_sent_is_copied_with_another_caption(client, stage, wang):
    said = await wang.upload("photo", "x.png", PNG, caption="我拍的")
    copied = await client.call(
        "copy_message",
        chat_id=stage.chat_id,
        from_chat_id=stage.chat_id,
        message_id=said["message_id"],
        caption="大家看",
    )
    seen = await wang.wait(lambda message: message["message_id"] == copied["message_id"])
    assert (seen["caption"], seen["photo"]) == ("大家看", said["photo"])


async def test_what_is_not_there_is_not_copied(client, stage):
    wish = {"chat_id": stage.chat_id, "from_chat_id": stage.chat_id, "message_id": 99_999}
    with pytest.raises(Refused, match=r"(?i)message to copy not found"):
        await client.call("copy_message", **wish)
    with pytest.raises(Refused, match=r"(?i)chat not found"):
        await client.call("copy_message", **wish | {"from_chat_id": 424_242})

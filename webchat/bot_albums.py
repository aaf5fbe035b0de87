"""Methods that send what is more, or less, than one message of its own: albums and copies."""

import secrets
from typing import Any

from webchat import content
from webchat import fields as read
from webchat.bot_methods import BotMethods, method
from webchat.errors import bad_request
from webchat.fields import Fields
from webchat.store import Row

LARGEST_ALBUM = 10
KINDS = ("photo", "document")
COPIED = ("text", "entities", "caption", "caption_entities", "photo", "document", "contact")


@method("sendMediaGroup")
async def send_media_group(methods: BotMethods, bot: Row, fields: Fields) -> Any:
    """Send all of an album, or nothing of it."""
    person = methods.town.reachable(bot, fields.get("chat_id"))
    items = _items(fields)
    group = str(secrets.randbits(53))
    shared = {name: value for name, value in fields.items() if name != "reply_markup"}
    sent = []
    methods.admit(bot, person, fields)
    with methods.town.store.begin():
        for item in items:
            own = {"caption": None, "caption_entities": None, "parse_mode": None, **item}
            given = shared | own | {item["type"]: item.get("media")}
            body, row = content.media(given, item["type"], methods.town.files, bot)
            body |= content.written(given, "caption", content.CAPTION_LIMIT) | {"media_group_id": group}
            sent.append(methods.post(bot, person, shared, body))
            methods.town.files.show_to(row["id"], person["id"])
    return sent


def _items(fields: Fields) -> list[dict[str, Any]]:
    """Check an album as td/telegram/MessagesManager.cpp does."""
    items = read.nested(fields, "media")
    if not isinstance(items, list) or not items:
        raise bad_request("There are no messages to send")
    if len(items) > LARGEST_ALBUM:
        raise bad_request("Too many messages to send as an album")
    kinds = [item.get("type") if isinstance(item, dict) else None for item in items]
    if not set(kinds) <= set(KINDS):
        raise bad_request("can't parse InputMedia: type must be non-empty and known")
    if len(set(kinds)) > 1:
        raise bad_request("Documents can't be mixed with other media types")
    return items


@method("copyMessage")
async def copy_message(methods: BotMethods, bot: Row, fields: Fields) -> Any:
    """Send a message of one of the bot's chats anew, without its sender and its keyboard."""
    town = methods.town
    person = town.reachable(bot, fields.get("chat_id"))
    source = town.person(read.number(fields, "from_chat_id"))
    if source is None or town.chat(bot["id"], source["id"]) is None:
        raise bad_request("chat not found")
    found = town.message(bot["id"], source["id"], fields.get("message_id"))
    if found is None:
        raise bad_request("message to copy not found")
    body = {name: value for name, value in found[0].items() if name in COPIED}
    if not body:
        raise bad_request("message can't be copied")
    if "caption" in fields and "text" not in body:
        body = {name: value for name, value in body.items() if not name.startswith("caption")}
        body |= content.written(fields, "caption", content.CAPTION_LIMIT)
    sent = methods.send(bot, fields, body)
    for file in [*body.get("photo", ()), *([body["document"]] if "document" in body else ())]:
        town.files.show_to(file["file_id"], person["id"])
    return {"message_id": sent["message_id"]}

"""The Bot API's methods, one function each; found by their lower-case name, as Telegram finds them.

Those that set commands and menu buttons register from `webchat.bot_settings`, albums and copies from `bot_albums`.
"""

import json
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

from webchat import content
from webchat import fields as read
from webchat.errors import BotApiError, bad_request
from webchat.fields import Fields
from webchat.flood import Flood
from webchat.store import Row
from webchat.town import Town, as_bot, as_chat
from webchat.updates import Polls, Webhooks, allowed_kinds

Method = Callable[["BotMethods", Row, Fields], Awaitable[Any]]
_methods: dict[str, Method] = {}
LOOPBACK = {"127.0.0.1", "localhost", "::1"}
ACTIONS = {
    "typing", "upload_photo", "record_video", "upload_video", "record_voice", "upload_voice", "upload_document",
    "choose_sticker", "find_location", "record_video_note", "upload_video_note",
}  # fmt: skip


def method(name: str) -> Callable[[Method], Method]:
    def register(function: Method) -> Method:
        _methods[name.lower()] = function
        return function

    return register


class BotMethods:
    """Carries out methods for bots."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self.polls = Polls(town)
        self.webhooks = Webhooks(town, self.call)
        self.flood = Flood() if town.config.flood_limits else None

    async def call(self, bot: Row, name: str, fields: Fields) -> Any:
        """Carry out a method; `BotApiError` is its refusal."""
        function = _methods.get(name.lower())
        if function is None:
            raise BotApiError(404, "Not Found: method not found")
        return await function(self, bot, fields)

    def send(self, bot: Row, fields: Fields, body: dict[str, Any]) -> dict[str, Any]:
        """Post a message of a checked body, after the flood limits."""
        person = self.town.reachable(bot, fields.get("chat_id"))
        self.admit(bot, person, fields)
        return self.post(bot, person, fields, body)

    def admit(self, bot: Row, person: Row, fields: Fields) -> None:
        """Count one message, or one album, against the flood limits."""
        if self.flood is not None:
            paid = read.flag(fields, "allow_paid_broadcast")
            self.flood.check(bot["id"], person["id"], self.town.config.clock(), paid=paid)

    def post(self, bot: Row, person: Row, fields: Fields, body: dict[str, Any]) -> dict[str, Any]:
        """Post a message of a checked body."""
        body |= self._reply(bot, person, fields)
        keyboard = content.markup(fields)
        if keyboard is None:
            return self.town.from_bot(bot, person, body)
        message = self.town.from_bot(bot, person, body | {"reply_markup": keyboard})
        return message if "inline_keyboard" in keyboard else _without_markup(message)

    def _reply(self, bot: Row, person: Row, fields: Fields) -> dict[str, Any]:
        wish = read.nested(fields, "reply_parameters") or {"message_id": fields.get("reply_to_message_id")}
        if not isinstance(wish, dict) or not wish.get("message_id"):
            return {}
        found = self.town.message(bot["id"], person["id"], wish["message_id"])
        if found is None:
            if wish.get("allow_sending_without_reply") or read.flag(fields, "allow_sending_without_reply"):
                return {}
            raise bad_request("message to be replied not found")
        return {"reply_to_message": {k: v for k, v in found[0].items() if k != "reply_to_message"}}

    def own_message(self, bot: Row, fields: Fields, what: str) -> tuple[Row, dict[str, Any]]:
        """Return the person and the message of the bot's that a request names."""
        person = self.town.person(read.number(fields, "chat_id"))
        if person is None or self.town.chat(bot["id"], person["id"]) is None:
            raise bad_request("chat not found")
        found = self.town.message(bot["id"], person["id"], fields.get("message_id"))
        if found is None:
            raise bad_request(f"message to {what} not found")
        message, outgoing = found
        if outgoing and what == "edit":
            raise bad_request("message can't be edited")
        return person, message


def _without_markup(message: dict[str, Any]) -> dict[str, Any]:
    """Only inline keyboards come back in a Message (https://core.telegram.org/bots/api#message, reply_markup)."""
    return {key: value for key, value in message.items() if key != "reply_markup"}


@method("getMe")
async def get_me(_methods: BotMethods, bot: Row, _fields: Fields) -> Any:
    return as_bot(bot) | {
        "can_join_groups": False,
        "can_read_all_group_messages": False,
        "supports_inline_queries": False,
        "can_connect_to_business": False,
        "has_main_web_app": False,
    }


@method("getUpdates")
async def get_updates(methods: BotMethods, bot: Row, fields: Fields) -> Any:
    limit = min(max(read.number(fields, "limit", 100), 1), 100)
    return await methods.polls.get_updates(
        bot,
        offset=read.number(fields, "offset"),
        limit=limit,
        patience=max(read.number(fields, "timeout"), 0),
        allowed=allowed_kinds(read.nested(fields, "allowed_updates")),
    )


def _may_hook(url: str) -> bool:
    """HTTPS anywhere, plain HTTP on this machine."""
    try:
        address = urlsplit(url)
        host = address.hostname
    except ValueError:
        return False
    return bool(host) and (address.scheme == "https" or (address.scheme == "http" and host in LOOPBACK))


@method("setWebhook")
async def set_webhook(methods: BotMethods, bot: Row, fields: Fields) -> Any:
    url = read.text(fields, "url")
    if url and not _may_hook(url):
        raise bad_request("bad webhook: An HTTPS URL must be provided for webhook")
    secret = read.text(fields, "secret_token")
    if secret and not (len(secret) <= 256 and secret.replace("-", "").replace("_", "").isalnum()):  # noqa: PLR2004
        raise bad_request("secret token contains unallowed characters")
    hook = json.dumps({"url": url, "secret_token": secret}) if url else None
    store = methods.town.store
    with store.begin():
        store.run(
            "UPDATE bot SET webhook = ?, webhook_error = NULL, webhook_error_at = NULL WHERE id = ?",
            hook,
            bot["id"],
        )
        allowed = allowed_kinds(read.nested(fields, "allowed_updates"))
        if allowed is not None:
            store.run("UPDATE bot SET allowed_updates = ? WHERE id = ?", allowed, bot["id"])
        if read.flag(fields, "drop_pending_updates"):
            store.run("DELETE FROM pending_update WHERE bot_id = ?", bot["id"])
    if hook:
        methods.polls.end(bot["id"])
        methods.webhooks.watch(bot["id"])
    else:
        methods.webhooks.forget(bot["id"])
    return True


@method("deleteWebhook")
async def delete_webhook(methods: BotMethods, bot: Row, fields: Fields) -> Any:
    wish = {"url": "", "drop_pending_updates": fields.get("drop_pending_updates")}
    return await set_webhook(methods, bot, wish)


@method("getWebhookInfo")
async def get_webhook_info(methods: BotMethods, bot: Row, _fields: Fields) -> Any:
    waiting = methods.town.store.one("SELECT count(*) AS n FROM pending_update WHERE bot_id = ?", bot["id"])
    info: dict[str, Any] = {
        "url": json.loads(bot["webhook"])["url"] if bot["webhook"] else "",
        "has_custom_certificate": False,
        "pending_update_count": waiting["n"] if waiting else 0,
    }
    if bot["webhook_error"]:
        info |= {"last_error_date": bot["webhook_error_at"], "last_error_message": bot["webhook_error"]}
    if bot["allowed_updates"]:
        info["allowed_updates"] = json.loads(bot["allowed_updates"])
    return info


@method("sendMessage")
async def send_message(methods: BotMethods, bot: Row, fields: Fields) -> Any:
    return methods.send(bot, fields, content.written(fields, "text", content.TEXT_LIMIT))


@method("sendPhoto")
async def send_photo(methods: BotMethods, bot: Row, fields: Fields) -> Any:
    return _send_media(methods, bot, fields, "photo")


@method("sendDocument")
async def send_document(methods: BotMethods, bot: Row, fields: Fields) -> Any:
    return _send_media(methods, bot, fields, "document")


def _send_media(methods: BotMethods, bot: Row, fields: Fields, kind: str) -> Any:
    person = methods.town.reachable(bot, fields.get("chat_id"))
    caption = content.written(fields, "caption", content.CAPTION_LIMIT)
    body, row = content.media(fields, kind, methods.town.files, bot)
    message = methods.send(bot, fields, body | caption)
    methods.town.files.show_to(row["id"], person["id"])
    return message


@method("editMessageText")
async def edit_message_text(methods: BotMethods, bot: Row, fields: Fields) -> Any:
    person, message = methods.own_message(bot, fields, "edit")
    if "text" not in message:
        raise bad_request("there is no text in the message to edit")
    return _edit(methods, bot, person, message, fields, "text", content.TEXT_LIMIT)


@method("editMessageCaption")
async def edit_message_caption(methods: BotMethods, bot: Row, fields: Fields) -> Any:
    person, message = methods.own_message(bot, fields, "edit")
    if "photo" not in message and "document" not in message:
        raise bad_request("there is no caption in the message to edit")
    return _edit(methods, bot, person, message, fields, "caption", content.CAPTION_LIMIT)


def _edit(
    methods: BotMethods, bot: Row, person: Row, message: dict[str, Any], fields: Fields, name: str, limit: int
) -> Any:
    entities = "entities" if name == "text" else "caption_entities"
    kept = {k: v for k, v in message.items() if k not in (name, entities, "reply_markup", "edit_date")}
    changed = kept | content.written(fields, name, limit) | _inline_markup(fields)
    return methods.town.edit(bot, person, _if_modified(message, changed))


@method("editMessageReplyMarkup")
async def edit_message_reply_markup(methods: BotMethods, bot: Row, fields: Fields) -> Any:
    person, message = methods.own_message(bot, fields, "edit")
    kept = {k: v for k, v in message.items() if k not in ("reply_markup", "edit_date")}
    return methods.town.edit(bot, person, _if_modified(message, kept | _inline_markup(fields)))


def _inline_markup(fields: Fields) -> dict[str, Any]:
    keyboard = content.markup(fields)
    if keyboard is None or not keyboard.get("inline_keyboard"):
        return {}
    return {"reply_markup": keyboard}


def _if_modified(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    if {k: v for k, v in before.items() if k != "edit_date"} == after:
        raise bad_request(
            "message is not modified: specified new message content and reply markup are exactly the same as a"
            " current content and reply markup of the message"
        )
    return after


@method("deleteMessage")
async def delete_message(methods: BotMethods, bot: Row, fields: Fields) -> Any:
    person, message = methods.own_message(bot, fields, "delete")
    methods.town.delete(bot, person["id"], message["message_id"])
    return True


@method("answerCallbackQuery")
async def answer_callback_query(methods: BotMethods, bot: Row, fields: Fields) -> Any:
    text = read.text(fields, "text")
    if len(text) > 200:  # noqa: PLR2004 - https://core.telegram.org/bots/api#answercallbackquery
        raise bad_request("MESSAGE_TOO_LONG")
    answer = {
        "text": text or None,
        "show_alert": read.flag(fields, "show_alert"),
        "url": fields.get("url") or None,
    }
    methods.town.answer(bot, fields.get("callback_query_id"), answer)
    return True


@method("sendChatAction")
async def send_chat_action(methods: BotMethods, bot: Row, fields: Fields) -> Any:
    person = methods.town.reachable(bot, fields.get("chat_id"))
    action = read.text(fields, "action")
    if action not in ACTIONS:
        raise bad_request("wrong parameter action in request")
    methods.town.emit(person["id"], "action", bot, action=action)
    methods.town.wakeups.ring(("person", person["id"]))
    return True


@method("getChat")
async def get_chat(methods: BotMethods, bot: Row, fields: Fields) -> Any:
    person = methods.town.person(read.number(fields, "chat_id"))
    if person is None or methods.town.chat(bot["id"], person["id"]) is None:
        raise bad_request("chat not found")
    accepted = {
        "unlimited_gifts": False, "limited_gifts": False, "unique_gifts": False,
        "premium_subscription": False, "gifts_from_channels": False,
    }  # fmt: skip
    return as_chat(person) | {"accent_color_id": 0, "max_reaction_count": 11, "accepted_gift_types": accepted}


@method("getFile")
async def get_file(methods: BotMethods, bot: Row, fields: Fields) -> Any:
    row = methods.town.files.find(read.text(fields, "file_id"))
    if row is None or row["bot_id"] != bot["id"]:
        raise bad_request("wrong file_id or the file is temporarily unavailable")
    return {
        "file_id": row["id"],
        "file_unique_id": row["digest"][:16],
        "file_size": row["size"],
        "file_path": f"{row['kind']}s/{row['id']}",
    }

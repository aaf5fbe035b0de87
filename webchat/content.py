"""The content of a message from a bot: text and entities, media, keyboards, each checked as Telegram does."""

import re
from typing import Any

from webchat import fields as read
from webchat import html_text, links
from webchat.errors import bad_request
from webchat.fields import Fields, Upload
from webchat.files import Files, as_document, as_photo
from webchat.store import Row

TEXT_LIMIT = 4096
CAPTION_LIMIT = 1024
BLANKS = " \n\r\t"
DATA_LIMIT = 64  # bytes of callback_data
COMMAND = re.compile(r"(?<![\w/])/[A-Za-z0-9_]{1,64}(?:@[A-Za-z0-9_]{3,32})?")
URL = re.compile(r"https?://[^\s<>\"，。；！？）】》]+", re.IGNORECASE)
SIMPLE = {"bold", "italic", "underline", "strikethrough", "spoiler", "blockquote", "expandable_blockquote", "code",
          "pre", "text_link", "text_mention", "custom_emoji", "mention", "hashtag", "cashtag", "bot_command", "url",
          "email", "phone_number"}  # fmt: skip
SENT_BY_BOTS = {"bold", "italic", "underline", "strikethrough", "spoiler", "blockquote", "expandable_blockquote",
                "code", "pre", "text_link"}  # fmt: skip


def written(fields: Fields, name: str, limit: int) -> dict[str, Any]:
    """Return ``{"text", "entities"}`` or ``{"caption", "caption_entities"}`` of a request."""
    entities_name = "entities" if name == "text" else "caption_entities"
    raw = read.text(fields, name)
    mode = read.text(fields, "parse_mode").lower()
    if mode == "html":
        plain, entities = html_text.parse(raw)
    elif mode:
        raise bad_request("unsupported parse_mode")
    else:
        plain, entities = raw, _entities(read.nested(fields, entities_name), raw)
    plain, entities = _trim(plain, entities)
    if name == "text" and not plain:
        raise bad_request("message text is empty")
    if html_text.units(plain) > limit:
        raise bad_request("message is too long" if name == "text" else "message caption is too long")
    entities = sorted([*entities, *found(plain, entities)], key=lambda e: (e["offset"], -e["length"]))
    return ({name: plain} if plain else {}) | ({entities_name: entities} if entities else {})


def found(plain: str, entities: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Find commands and addresses that no given entity covers."""
    hits: list[dict[str, Any]] = []
    for kind, pattern in (("bot_command", COMMAND), ("url", URL)):
        for match in pattern.finditer(plain):
            start = html_text.units(plain[: match.start()])
            length = html_text.units(match[0])
            blocked = any(
                e["offset"] < start + length and start < e["offset"] + e["length"]
                for e in [*(x for x in entities if x["type"] in ("code", "pre", "text_link")), *hits]
            )
            if not blocked:
                hits.append({"type": kind, "offset": start, "length": length})
    return hits


def _entities(given: Any, plain: str) -> list[dict[str, Any]]:
    if not isinstance(given, list):
        return []
    end = html_text.units(plain)
    kept = []
    for entity in given:
        if not isinstance(entity, dict) or str(entity.get("type")) not in SIMPLE:
            raise bad_request("can't parse MessageEntity: unsupported type specified")
        if not isinstance(entity.get("offset"), int) or not isinstance(entity.get("length"), int):
            raise bad_request('can\'t parse MessageEntity: Field "offset" must be of type Number')
        if entity["type"] not in SENT_BY_BOTS:
            continue
        if entity["type"] == "text_link" and not isinstance(entity.get("url"), str):
            raise bad_request("can't parse MessageEntity: Can't find field \"url\"")
        if entity["type"] == "text_link" and not links.safe(entity["url"]):
            continue
        offset, length = max(entity["offset"], 0), min(entity["length"], end - entity["offset"])
        if length > 0:
            extra = {key: entity[key] for key in ("url", "language") if isinstance(entity.get(key), str)}
            kept.append({"type": entity["type"], "offset": offset, "length": length, **extra})
    return kept


def _trim(plain: str, entities: list[dict[str, Any]]) -> tuple[str, list[dict[str, Any]]]:
    """Cut blanks and line ends around the text, as Telegram does, and shift the entities with it.

    A Chinese paragraph's indent (U+3000) is no blank and stays; a text of white space alone is empty.
    """
    if not plain.strip():
        return "", []
    cut = len(plain) - len(plain.lstrip(BLANKS))
    shift = html_text.units(plain[:cut])
    plain = plain.strip(BLANKS)
    end = html_text.units(plain)
    kept = []
    for entity in entities:
        start = max(entity["offset"] - shift, 0)
        stop = min(entity["offset"] + entity["length"] - shift, end)
        if stop > start:
            kept.append({**entity, "offset": start, "length": stop - start})
    return plain, kept


def markup(fields: Fields) -> dict[str, Any] | None:
    """Return the checked ``reply_markup``, or `None`."""
    given = read.nested(fields, "reply_markup")
    if not given:
        return None
    if not isinstance(given, dict):
        raise bad_request("object expected as reply markup")
    if "inline_keyboard" in given:
        return {
            "inline_keyboard": [[_inline(b) for b in _row(row)] for row in _rows(given["inline_keyboard"])]
        }
    if "keyboard" in given:
        options = {k: given[k] for k in ("resize_keyboard", "one_time_keyboard", "is_persistent",
                                         "input_field_placeholder") if given.get(k)}  # fmt: skip
        return {"keyboard": [[_key(b) for b in _row(row)] for row in _rows(given["keyboard"])], **options}
    if given.get("remove_keyboard"):
        return {"remove_keyboard": True}
    if given.get("force_reply"):
        return {k: given[k] for k in ("force_reply", "input_field_placeholder") if given.get(k)}
    return None


def _rows(rows: Any) -> list[Any]:
    if not isinstance(rows, list):
        raise bad_request('field "inline_keyboard" must be of type Array')
    return [row for row in rows if row]


def _row(row: Any) -> list[Any]:
    if not isinstance(row, list):
        raise bad_request("can't parse keyboard button row: must be an Array")
    return row


def _inline(button: Any) -> dict[str, Any]:
    if not isinstance(button, dict) or not isinstance(button.get("text"), str) or not button["text"]:
        raise bad_request('can\'t parse inline keyboard button: Field "text" must be non-empty')
    if button.get("url"):
        if not links.safe(button["url"]):
            raise bad_request(
                f"inline keyboard button URL '{button['url']}' is invalid: Unsupported URL protocol"
            )
        return {"text": button["text"], "url": button["url"]}
    data = button.get("callback_data")
    if not isinstance(data, str) or not data:
        raise bad_request(
            "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard"
        )
    if len(data.encode()) > DATA_LIMIT:
        raise bad_request("BUTTON_DATA_INVALID")
    return {"text": button["text"], "callback_data": data}


def _key(button: Any) -> dict[str, Any]:
    if isinstance(button, str):
        return {"text": button}
    if not isinstance(button, dict) or not isinstance(button.get("text"), str) or not button["text"]:
        raise bad_request('can\'t parse keyboard button: Field "text" must be non-empty')
    return {"text": button["text"]} | ({"request_contact": True} if button.get("request_contact") else {})


def media(fields: Fields, kind: str, files: Files, bot: Row) -> tuple[dict[str, Any], Row]:
    """Return ``{"photo": [...]}`` or ``{"document": {...}}`` from an upload or a known file_id, and the file."""
    given = fields.get(kind)
    if isinstance(given, str) and given.startswith("attach://"):
        given = fields.get(given.removeprefix("attach://"))
    if isinstance(given, Upload):
        if not given.body:
            raise bad_request("file must be non-empty")
        row = files.keep(bot["id"], kind, given.name or "file", given.body)
        if row is None:
            raise bad_request("IMAGE_PROCESS_FAILED")
    elif isinstance(given, str) and given:
        known = files.find(given)
        if known is None or known["bot_id"] != bot["id"]:
            raise bad_request("wrong file identifier/HTTP URL specified")
        if known["kind"] != kind:
            raise bad_request(f"can't use file of type {known['kind'].title()} as {kind.title()}")
        row = known
    else:
        raise bad_request(f"there is no {kind} in the request")
    return ({"photo": as_photo(row)} if kind == "photo" else {"document": as_document(row)}), row

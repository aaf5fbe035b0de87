"""Raw updates as JSON: read what a server sends, however odd, and find the chat an update belongs to."""

import json
from typing import Any, TypeGuard

import orjson
import structlog

log = structlog.get_logger(__name__)

Update = dict[str, Any]
LARGEST = 2**63
LONGEST_PREFIX = 16
"""Characters of a tap's prefix, which says what kind of button it was."""


def decode(body: bytes) -> Any:
    """Read JSON; half a surrogate pair, which orjson refuses, must not hold up the updates around it."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return json.loads(body)


def encode(update: Update) -> bytes:
    """Write an update as JSON; what orjson cannot write it cannot read either, and the inbox sets it aside."""
    try:
        return orjson.dumps(update)
    except TypeError:
        return json.dumps(update).encode()


def is_update(value: object) -> TypeGuard[Update]:
    """Say whether a value has an update's number; without one it can be neither kept nor confirmed."""
    found = isinstance(value, dict) and _number(value.get("update_id")) is not None
    if not found:
        log.error("update_without_number")
    return found


def number_of(update: Update) -> int:
    return int(update["update_id"])


def chat_of(update: Update) -> int | None:
    """Find the chat an update belongs to, so that it waits in that chat's line."""
    for name, event in update.items():
        if name == "update_id" or not isinstance(event, dict):
            continue
        message = event.get("message") if name == "callback_query" else event
        for place in (_inside(message, "chat"), event.get("from"), event.get("user")):
            number = _number(_inside(place, "id"))
            if number is not None:
                return number
    return None


def outline(raw: bytes) -> bytes:
    """Return an update without what a person wrote or pressed: its fields, and the numbers that name things.

    An update that failed is kept as this. Its content may be a vote or a letter, and would stand beside a chat.
    """
    try:
        update = decode(raw)
    except ValueError:
        return b'"not JSON"'
    return orjson.dumps(_outline(update))


def _outline(value: object, name: str = "") -> object:
    if isinstance(value, dict):
        return {str(key): _outline(each, str(key)) for key, each in value.items()}
    if isinstance(value, list):
        return [_outline(each) for each in value]
    if isinstance(value, bool) or (_number(value) is not None and name.endswith(("id", "date"))):
        return value
    if isinstance(value, str) and name == "data" and ":" in value:
        return f"{value.partition(':')[0][:LONGEST_PREFIX]}:…"
    return None if value is None else "…"


def _inside(value: object, name: str) -> object:
    return value.get(name) if isinstance(value, dict) else None


def _number(value: object) -> int | None:
    """Return a whole number that a column can hold; JSON's `true` is none."""
    fits = isinstance(value, int) and not isinstance(value, bool) and -LARGEST <= value < LARGEST
    return int(value) if fits else None  # type: ignore[call-overload]

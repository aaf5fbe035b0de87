"""What both bulk clients read alike: which errors say that nothing left us, and what a server's words mean."""

from collections.abc import Sequence
from typing import Any

import aiohttp
import orjson

from domain.delivery import Moved, Outcome, Unknown
from domain.messages import Media

Messages = Sequence[dict[str, Any]]
NEVER_LEFT = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.ClientHttpProxyError)
"""Refused, no such host, TLS, no connection free in time, and a proxy that would not let us through."""
GONE = {
    "bot was blocked by the user": "blocked",
    "user is deactivated": "deactivated",
    "bot was kicked": "kicked",
    "chat not found": "chat_not_found",
    "user not found": "chat_not_found",
}
FREE_WITHIN, CONNECTED_WITHIN = 5.0, 5.0
"""Seconds to wait for one of our connections to be free, and for a new one."""
SLOWEST_UPLOAD = 64 * 1024
"""Bytes a second: how slow a line may be before an upload is given up."""
LONGEST_UPLOAD = 900.0
LONGEST_REASON = 120
LONGEST_HOLD = 86_400.0
"""Seconds: after a day it is asked again, whatever a 429 said."""
LARGEST = 2**63 - 1
"""What a column for a number of a messenger's holds."""


LIMITS = aiohttp.ClientTimeout(
    total=None, connect=FREE_WITHIN + CONNECTED_WITHIN, sock_connect=CONNECTED_WITHIN, sock_read=None
)
"""Of a connection only: for the answer there is `bot.channels.patience`."""


def longest(patience: float, size: int = 0) -> float:
    """Return the seconds that a whole request may take, with what a body of this size may take on a slow line."""
    return patience + min(size / SLOWEST_UPLOAD, LONGEST_UPLOAD)


def gone(description: str) -> str | None:
    """Say why a chat cannot be reached, if that is what a refusal says."""
    lower = description.lower()
    return next((reason for words, reason in GONE.items() if words in lower), None)


def retry_after(payload: bytes, header: str | None) -> float:
    """Read how many seconds a 429 wants us to wait; one, if neither body nor header says it."""
    try:
        seconds = float(orjson.loads(payload)["parameters"]["retry_after"])
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError, OverflowError):
        seconds = float(header) if header is not None and header.isdecimal() else 1.0
    return min(max(seconds, 0.0), LONGEST_HOLD)


def reason_of(description: str) -> str:
    """Return a refusal's words as they can be kept and shown: in one line, without what no database takes."""
    shown = "".join(each if each.isprintable() else " " for each in description)
    return " ".join(shown.split())[:LONGEST_REASON]


def message_id_of(messages: Messages) -> int:
    """Return the id of the last message that a server says it sent; raises `ValueError` for one that cannot be kept."""
    number = int(messages[-1]["message_id"])
    if abs(number) > LARGEST:
        msg = "a message's id beyond 64 bits"
        raise ValueError(msg)
    return number


def moved(chat_id: int) -> Outcome:
    """Return where a chat has moved to, if that can be an address."""
    return Moved(chat_id) if abs(chat_id) <= LARGEST else Unknown("bad_reply")


def album_ids_of(messages: Messages, album: Sequence[Media]) -> tuple[str, ...]:
    """Return as what the server knows the files of an album that it sent; nothing if its answer does not say it."""
    try:
        return tuple(file_id_of(message, media) for message, media in zip(messages, album, strict=True))
    except (LookupError, TypeError, ValueError):
        return ()


def file_id_of(message: dict[str, Any], media: Media) -> str:
    """Return the id under which the server that sent a message knows its file; a picture's largest size."""
    file = message[media.kind]
    return str((file[-1] if isinstance(file, list) else file)["file_id"])

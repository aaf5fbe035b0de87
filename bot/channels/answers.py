"""What both bulk clients read alike: which errors say that nothing left us, and what a server's words mean."""

from typing import Any

import aiohttp
import orjson

from domain.messages import Media

NEVER_LEFT = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.ClientHttpProxyError)
"""Refused, no such host, TLS, no connection free in time, and a proxy that would not let us through."""
GONE = {
    "bot was blocked by the user": "blocked",
    "user is deactivated": "deactivated",
    "bot was kicked": "kicked",
    "chat not found": "chat_not_found",
    "user not found": "chat_not_found",
}
LONGEST_REASON = 120


def gone(description: str) -> str | None:
    """Say why a chat cannot be reached, if that is what a refusal says."""
    lower = description.lower()
    return next((reason for words, reason in GONE.items() if words in lower), None)


def retry_after(payload: bytes, header: str | None) -> float:
    """Read how many seconds a 429 wants us to wait; one, if neither body nor header says it."""
    try:
        return float(orjson.loads(payload)["parameters"]["retry_after"])
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
        return float(header) if header is not None and header.isdigit() else 1.0


def file_id_of(message: dict[str, Any], media: Media) -> str:
    """Return the id under which the server that sent a message knows its file; a picture's largest size."""
    file = message[media.kind]
    return str((file[-1] if isinstance(file, list) else file)["file_id"])

"""Reading a method's fields: query string, form, multipart and JSON all look alike afterwards.

Nested values may come as JSON text (both client libraries send forms so), numbers and booleans as text.
"""

from typing import Any

import orjson
from aiohttp import web

from webchat.errors import BotApiError, bad_request

Fields = dict[str, Any]


class Upload:
    """A file in a multipart request."""

    def __init__(self, name: str, body: bytes) -> None:
        self.name = name
        self.body = body


async def read(request: web.Request) -> Fields:
    """Collect all fields of a request; a field of the body wins over the query."""
    fields: Fields = dict(request.query)
    if request.method == "GET" or not request.can_read_body:
        return fields
    if request.content_type == "application/json":
        try:
            body = orjson.loads(await request.read())
        except orjson.JSONDecodeError as error:
            raise bad_request("can't parse request JSON object") from error
        return fields | (body if isinstance(body, dict) else {})
    try:
        form = await request.post()
    except (ValueError, LookupError) as error:
        raise bad_request("can't parse the request's form") from error
    for name, value in form.items():
        fields[name] = (
            Upload(value.filename, value.file.read()) if isinstance(value, web.FileField) else value
        )
    return fields


def number(fields: Fields, name: str, default: int = 0) -> int:
    found = whole(fields.get(name))
    return default if found is None else found


def whole(given: Any) -> int | None:
    """Return a whole number that SQLite can hold, or `None`."""
    try:
        found = int(given)
    except (TypeError, ValueError, OverflowError):
        return None
    return found if -(2**63) <= found < 2**63 else None


def flag(fields: Fields, name: str) -> bool:
    return str(fields.get(name, "")).lower() in ("true", "1", "yes")


def text(fields: Fields, name: str) -> str:
    value = fields.get(name)
    return "" if value is None or isinstance(value, Upload) else str(value)


def nested(fields: Fields, name: str) -> Any:
    """Return a JSON value, sent as such or as text; `None` when absent."""
    value = fields.get(name)
    if not isinstance(value, str):
        return value
    if not value:
        return None
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError as error:
        raise bad_request(f"can't parse {name.replace('_', ' ')} JSON object") from error


def too_large() -> BotApiError:
    return BotApiError(413, "Request Entity Too Large")

"""The console's pages: templates filled in the reader's language, their assets, and what templates may call."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from functools import cache, partial
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from aiohttp import web
from babel.numbers import format_decimal
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from console.safety import WHO, csrf_of
from domain.clock import CITY_ZONE
from locales import DEFAULT, LANGUAGES, Words, speak
from services.sign_ins import SignedIn
from services.times import dated

FOLDER: Final = Path(__file__).parent / "pages"
CONTENT_TYPES: Final = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
YEAR: Final = 31536000  # seconds


def page(
    request: web.Request,
    template: str,
    *,
    status: int = 200,
    words: Words | None = None,
    **fields: Any,
) -> web.Response:
    """Fill a template; of whom the browser is signed in for, in their language."""
    who: SignedIn | None = request.get(WHO)
    words = words or speak(language_of(request), at_home=who is None or who.sign_in.at_home)
    text = (
        _templates()
        .get_template(template)
        .render(
            say=words,
            who=who,
            lang="zh-CN" if words.language == DEFAULT else words.language,
            other=next(each for each in LANGUAGES if each != words.language),
            csrf=csrf_of(request),
            here_again=request.path_qs,
            asset=partial(_asset_path),
            time=partial(_time, words, who.now if who is not None else None),
            number=partial(_number, words),
            **fields,
        )
    )
    return web.Response(
        text=text,
        status=status,
        content_type="text/html",
        charset="utf-8",
        headers={"Cache-Control": "no-store"},
    )


def language_of(request: web.Request) -> str:
    """Take the browser's own choice, else the first language it asks for that we speak, else Chinese."""
    who: SignedIn | None = request.get(WHO)
    if who is not None:
        return who.sign_in.language
    asked = request.headers.get("Accept-Language", "").lower()
    first = next((part.strip()[:2] for part in asked.split(",") if part.strip()[:2] in {"zh", "en"}), "zh")
    return "en" if first == "en" else DEFAULT


async def asset(request: web.Request) -> web.Response:
    """Give a file of the pages; a name that is none of them can never reach the disk."""
    name = request.match_info["name"]
    body = assets().get(name)
    if body is None:
        raise web.HTTPNotFound
    current = request.match_info["version"] == _version()
    return web.Response(
        body=body,
        headers={
            "Content-Type": f"{CONTENT_TYPES[Path(name).suffix]}; charset=utf-8",
            "Cache-Control": f"public, max-age={YEAR}, immutable" if current else "no-cache",
        },
    )


@cache
def assets() -> Mapping[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(FOLDER.iterdir()) if path.suffix in CONTENT_TYPES}


@cache
def _version() -> str:
    digest = hashlib.sha256()
    for name, body in assets().items():
        digest.update(name.encode() + b"\0" + body + b"\0")
    return digest.hexdigest()[:16]


@cache
def _templates() -> Environment:
    return Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _asset_path(name: str) -> str:
    return f"/console/static/{_version()}/{name}"


def _time(words: Words, now: datetime | None, at: datetime, zone: str = "") -> str:
    return dated(words, at, now or at, ZoneInfo(zone) if zone else CITY_ZONE)


def _number(words: Words, number: float) -> str:
    return format_decimal(number, locale=words.language)

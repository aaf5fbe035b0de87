"""Views of the web chat's page: the shell in the reader's language, its assets, and their headers."""

import hashlib
import mimetypes
import re
from functools import cache
from pathlib import Path
from typing import Final

from aiohttp import web

PAGES: Final = Path(__file__).parent / "pages"
MAX_UPLOAD: Final = web.AppKey(
    "page_max_upload", int
)  # told to the page, which then refuses before it uploads
DEFAULT_MAX_UPLOAD: Final = 20 * 1024 * 1024
LANGUAGES: Final = ("zh", "en")
LANGUAGE_COOKIE: Final = "webchat_language"
USERNAME: Final = r"[A-Za-z][A-Za-z0-9_]{2,31}"
CONTENT_TYPES: Final = {
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
}
# Trusted Types make the browser itself refuse innerHTML and its kin: text from people can never become markup.
CONTENT_SECURITY_POLICY: Final = (
    "default-src 'self'; img-src 'self' blob:; object-src 'none'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
SAFETY_HEADERS: Final = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",  # sign-in codes stand in URLs
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
}


def routes() -> list[web.RouteDef]:
    return [
        web.get("/", shell),
        web.get("/in/{code}", shell),
        web.get("/t/{username:" + USERNAME + "}", shell),
        web.get("/static/{version}/{name:.+}", asset),
        web.get("/favicon.ico", favicon),
        web.get("/{username:" + USERNAME + "}", shell),
    ]


async def shell(request: web.Request) -> web.Response:
    limit = request.app.get(MAX_UPLOAD, DEFAULT_MAX_UPLOAD)
    return web.Response(
        text=shell_html(choose_language(request), limit),
        content_type="text/html",
        charset="utf-8",
        headers={**SAFETY_HEADERS, "Cache-Control": "no-store", "Vary": "Accept-Language, Cookie"},
    )


async def asset(request: web.Request) -> web.Response:
    body = assets().get(request.match_info["name"])
    if body is None:
        raise web.HTTPNotFound(headers=SAFETY_HEADERS)
    current = request.match_info["version"] == version()
    return web.Response(
        body=body,
        headers={
            **SAFETY_HEADERS,
            "Content-Type": content_type(request.match_info["name"]),
            "Cache-Control": "public, max-age=31536000, immutable" if current else "no-cache",
        },
    )


async def favicon(_request: web.Request) -> web.Response:
    return web.Response(
        body=assets()["icon.svg"],
        headers={**SAFETY_HEADERS, "Content-Type": "image/svg+xml", "Cache-Control": "public, max-age=86400"},
    )


def choose_language(request: web.Request) -> str:
    """Take ?lang=, else the choice kept in the cookie, else the browser's first language we speak, else zh."""
    for wish in (request.query.get("lang"), request.cookies.get(LANGUAGE_COOKIE)):
        if wish in LANGUAGES:
            return wish
    return preferred_language(request.headers.get("Accept-Language", ""))


def preferred_language(header: str) -> str:
    wishes: list[tuple[float, str]] = []
    for part in header.split(","):
        match = re.fullmatch(r"\s*([A-Za-z]{1,8})(?:-[\w-]+)?\s*(?:;\s*q=([01](?:\.\d{1,3})?))?\s*", part)
        if match and match[1].lower() in LANGUAGES:
            wishes.append((float(match[2] or 1), match[1].lower()))
    accepted = [wish for wish in wishes if wish[0] > 0]
    return max(accepted, key=lambda wish: wish[0])[1] if accepted else LANGUAGES[0]


def shell_html(language: str, max_upload: int) -> str:
    shell = assets()[f"index.{language}.html"].decode()
    return shell.replace("{assets}", f"/static/{version()}").replace("{max_upload}", str(max_upload))


def content_type(name: str) -> str:
    suffix = Path(name).suffix
    kind = CONTENT_TYPES.get(suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
    return f"{kind}; charset=utf-8" if kind.startswith("text/") else kind


@cache
def assets() -> dict[str, bytes]:
    """All page files by relative name, read once; a name not in here can never reach the disk."""
    return {
        path.relative_to(PAGES).as_posix(): path.read_bytes()
        for path in sorted(PAGES.rglob("*"))
        if path.is_file() and not path.name.startswith(".")
    }


@cache
def version() -> str:
    """Digest all page files: modules import each other relatively, so they change address together."""
    digest = hashlib.sha256()
    for name, body in assets().items():
        digest.update(name.encode() + b"\0" + body + b"\0")
    return digest.hexdigest()[:16]

"""What every page of the console keeps to: who looks, from our own pages only, nothing foreign in them, and calm errors."""

import hashlib
import hmac
import secrets
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

import structlog
from aiohttp import web

from domain.refusals import NotAllowed, NotFound, Refusal
from domain.sign_ins import LASTS, SignedOut
from services.sign_ins import SignedIn, SignIns

log = structlog.get_logger(__name__)

COOKIE: Final = "tongdao_console"
SECURE_COOKIE: Final = "__Host-tongdao_console"
"""The name that browsers let nobody else set: https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers/Set-Cookie."""
HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex",
    "Referrer-Policy": "same-origin",  # sign-in secrets stand in URLs; "no-referrer" would blank the Origin of forms
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
}
STATUS: Final[dict[type[Refusal], HTTPStatus]] = {
    SignedOut: HTTPStatus.UNAUTHORIZED,
    NotAllowed: HTTPStatus.FORBIDDEN,
    NotFound: HTTPStatus.NOT_FOUND,
}
WHO: Final = web.RequestKey("who", SignedIn)
_CSRF: Final = web.RequestKey("csrf", str)
OPEN_TO_ALL: Final = frozenset({"link", "sign_in", "asset"})
"""Names of the routes that need nobody to be signed in."""
LIVE: Final = "/live"
"""How the paths end that a page asks for by itself."""
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Worded = Callable[[web.Request, HTTPStatus, Refusal | None, str], web.StreamResponse]
"""Words a refusal, or what broke by the number of the incident, as a page."""


class Safety:
    """The middlewares; `https` says whether browsers reach us by it."""

    def __init__(self, sign_ins: SignIns, worded: Worded, *, https: bool) -> None:
        self._sign_ins = sign_ins
        self._worded = worded
        self._https = https

    @property
    def cookie(self) -> str:
        return SECURE_COOKIE if self._https else COOKIE

    @web.middleware
    async def headers(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Give them to every answer, redirects included; only what says so itself is kept by browsers."""
        try:
            response = await handler(request)
        except web.HTTPException as redirect:
            _protect(redirect)
            raise
        _protect(response)
        return response

    @web.middleware
    async def errors(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except Refusal as refusal:
            status = STATUS.get(type(refusal), HTTPStatus.CONFLICT)
            return self._worded(request, status, refusal, "")
        except web.HTTPException as error:
            if error.status < HTTPStatus.BAD_REQUEST:
                raise
            return self._worded(request, HTTPStatus(error.status), None, "")
        except Exception:
            incident = secrets.token_hex(4)
            log.exception("console_failed", incident=incident, path=request.match_info.route.name)
            return self._worded(request, HTTPStatus.INTERNAL_SERVER_ERROR, None, incident)

    @web.middleware
    async def same_origin(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Take what changes something from our own pages only; a form says so twice, by its origin and its token."""
        if request.method == "POST":
            if not _from_here(request):
                raise web.HTTPForbidden
            known = request.cookies.get(self.cookie)
            sent = await _token(request)
            if known and not hmac.compare_digest(sent.encode(), _csrf(known).encode()):
                raise web.HTTPForbidden
        return await handler(request)

    @web.middleware
    async def who(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Know who is behind a browser, for the pages that ask for one."""
        secret = request.cookies.get(self.cookie, "")
        request[_CSRF] = _csrf(secret) if secret else ""
        if request.match_info.route.name not in OPEN_TO_ALL:
            request[WHO] = await self._sign_ins.behind(secret, by_itself=request.path.endswith(LIVE))
        return await handler(request)

    async def knows(self, request: web.Request) -> bool:
        """Say whether somebody is signed in, where nobody needs to be."""
        try:
            await self._sign_ins.behind(request.cookies.get(self.cookie, ""))
        except SignedOut:
            return False
        return True

    def let_in(self, response: web.StreamResponse, secret: str) -> None:
        response.set_cookie(
            self.cookie,
            secret,
            max_age=int(LASTS.total_seconds()),
            path="/",
            httponly=True,
            secure=self._https,
            samesite="Lax",  # Strict would show who comes from the chat as signed out
        )

    def let_out(self, response: web.StreamResponse) -> None:
        response.del_cookie(self.cookie, path="/", secure=self._https, httponly=True, samesite="Lax")


def csrf_of(request: web.Request) -> str:
    """Return the token that forms of this browser carry."""
    token: str = request.get(_CSRF, "")
    return token


def _protect(response: web.StreamResponse) -> None:
    response.headers.update(HEADERS)
    response.headers.setdefault("Cache-Control", "no-store")


async def _token(request: web.Request) -> str:
    """Return the token a form carries, if it is text; a form that cannot be read is refused."""
    try:
        sent = (await request.post()).get("csrf")
    except (ValueError, LookupError):  # bytes that are no text, or a charset that does not exist
        raise web.HTTPBadRequest from None
    return sent if isinstance(sent, str) else ""


def _csrf(secret: str) -> str:
    return hashlib.sha256(f"csrf:{secret}".encode()).hexdigest()


def _from_here(request: web.Request) -> bool:
    """Believe the browser: it names the site that sends a form; a program that names none has no cookies to abuse."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site in {"same-origin", "none"}
    origin = request.headers.get("Origin")
    try:
        return origin is None or urlsplit(origin).netloc == request.host
    except ValueError:  # an address that is none
        return False

"""Webhooks: the server posts updates to us; answered only once they are kept."""

import hmac
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
from aiohttp import web

SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 - the header's name
Receive = Callable[[int, list[dict[str, Any]]], Awaitable[None]]


class NoWebhookSecret(ValueError):  # noqa: N818 - named as a fact
    """A webhook needs a secret of its own, or anybody could post updates."""


def route(account_name: str, account_id: int, secret: str, receive: Receive) -> web.RouteDef:
    """Make the route of one account; `NoWebhookSecret` without a secret."""
    if not secret:
        raise NoWebhookSecret

    async def post(request: web.Request) -> web.Response:
        shown = request.headers.get(SECRET_HEADER, "")
        if not hmac.compare_digest(shown.encode(), secret.encode()):
            return web.Response(status=401)
        try:
            update = orjson.loads(await request.read())
        except orjson.JSONDecodeError:
            return web.Response(status=400)
        if not isinstance(update, dict) or not isinstance(update.get("update_id"), int):
            return web.Response(status=400)
        await receive(account_id, [update])
        return web.Response()

    return web.post(f"/webhook/{account_name}", post)

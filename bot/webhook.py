"""Webhooks: the server posts updates to us; answered only once they are kept."""

import hmac

from aiogram import Bot
from aiohttp import web

from bot import raw
from bot.polling import ALLOWED, Receive

SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 - the header's name


class NoWebhookSecret(ValueError):  # noqa: N818 - named as a fact
    """A webhook needs a secret of its own, or anybody could post updates."""


def path_of(account_name: str) -> str:
    return f"/webhook/{account_name}"


def route(account_name: str, account_id: int, secret: str, receive: Receive) -> web.RouteDef:
    """Make the route of one account; `NoWebhookSecret` without a secret."""
    if not secret:
        raise NoWebhookSecret

    async def post(request: web.Request) -> web.Response:
        shown = request.headers.get(SECRET_HEADER, "").encode(errors="replace")
        if not hmac.compare_digest(shown, secret.encode()):
            return web.Response(status=401)
        try:
            update = raw.decode(await request.read())
        except ValueError:
            return web.Response(status=400)
        if not raw.is_update(update):
            return web.Response(status=400)
        await receive(account_id, [update])
        return web.Response()

    return web.post(path_of(account_name), post)


async def announce(bot: Bot, public_url: str, account_name: str, secret: str) -> None:
    """Tell the server where to post; it keeps what it could not post and tries again."""
    await bot.set_webhook(public_url + path_of(account_name), secret_token=secret, allowed_updates=ALLOWED)

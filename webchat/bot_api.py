"""The bots' side over HTTP: ``/bot<token>/<method>`` and file downloads."""

from typing import Any

import orjson
from aiohttp import web

from webchat import fields
from webchat.bot_methods import BotMethods
from webchat.errors import BotApiError
from webchat.store import Row
from webchat.town import Town


def routes(town: Town, methods: BotMethods) -> list[web.RouteDef]:
    api = _BotApi(town, methods)
    return [
        web.route("*", "/bot{token}/{method}", api.call),
        web.get("/file/bot{token}/{kind}/{file_id}", api.download),
    ]


class _BotApi:
    def __init__(self, town: Town, methods: BotMethods) -> None:
        self._town = town
        self._methods = methods

    async def call(self, request: web.Request) -> web.Response:
        try:
            bot = self._bot(request)
            result = await self._methods.call(bot, request.match_info["method"], await fields.read(request))
        except BotApiError as error:
            return refused(error)
        except web.HTTPRequestEntityTooLarge:
            return refused(fields.too_large())
        return _answer(200, {"ok": True, "result": result})

    async def download(self, request: web.Request) -> web.StreamResponse:
        try:
            bot = self._bot(request)
        except BotApiError as error:
            return refused(error)
        row = self._town.files.find(request.match_info["file_id"])
        if row is None or row["bot_id"] != bot["id"]:
            return refused(BotApiError(404, "Not Found"))
        return web.FileResponse(
            self._town.files.path(row), headers={"Content-Type": "application/octet-stream"}
        )

    def _bot(self, request: web.Request) -> Row:
        bot = self._town.bot_by_token(request.match_info["token"])
        if bot is None:
            raise BotApiError(401, "Unauthorized")
        return bot


def refused(error: BotApiError) -> web.Response:
    """Word a refusal as the Bot API does; 429 also sets the HTTP header."""
    body: dict[str, Any] = {"ok": False, "error_code": error.code, "description": error.description}
    headers = {}
    if error.parameters:
        body["parameters"] = error.parameters
    if "retry_after" in error.parameters:
        headers["Retry-After"] = str(error.parameters["retry_after"])
    return _answer(error.code, body, headers)


def _answer(status: int, body: Any, headers: dict[str, str] | None = None) -> web.Response:
    return web.Response(
        status=status, body=orjson.dumps(body), content_type="application/json", headers=headers
    )

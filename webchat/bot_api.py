"""The bots' side over HTTP: ``/bot<token>/<method>`` and file downloads."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import orjson
from aiohttp import web

from webchat import fields
from webchat.bot_methods import BotMethods
from webchat.errors import BotApiError
from webchat.fields import Fields
from webchat.store import Row
from webchat.town import Town

Act = Callable[[], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Call:
    """A request that was understood: a bot's, to a method, with its fields."""

    bot: Row
    method: str
    fields: Fields


Meet = Callable[[web.Request, Call, Act], Awaitable[web.StreamResponse]]
"""What a request passes on its way to being carried out."""


def routes(town: Town, methods: BotMethods, meet: Meet | None = None) -> list[web.RouteDef]:
    api = _BotApi(town, methods, meet)
    return [
        web.route("*", "/bot{token}/{method}", api.call),
        web.get("/file/bot{token}/{kind}/{file_id}", api.download),
    ]


class _BotApi:
    def __init__(self, town: Town, methods: BotMethods, meet: Meet | None) -> None:
        self._town = town
        self._methods = methods
        self._meet = meet

    async def call(self, request: web.Request) -> web.StreamResponse:
        try:
            call = Call(self._bot(request), request.match_info["method"], await fields.read(request))
        except BotApiError as error:
            return refused(error)
        except web.HTTPRequestEntityTooLarge:
            return refused(fields.too_large())

        async def act() -> web.StreamResponse:
            return await self._act(call)

        return await (act() if self._meet is None else self._meet(request, call, act))

    async def _act(self, call: Call) -> web.Response:
        try:
            result = await self._methods.call(call.bot, call.method, call.fields)
        except BotApiError as error:
            return refused(error)
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

"""aiogram's session for answers: through an HTTP proxy where one is set, and with one family of errors.

aiogram asks for a further package to speak through a proxy, and raises what is no `TelegramAPIError` for a page
that is no answer; that error also carries the page, or what a person wrote, into whatever log it reaches.
"""

from typing import Any

import aiohttp
from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.exceptions import ClientDecodeError, TelegramNetworkError
from aiogram.methods import Response, TelegramMethod
from aiogram.methods.base import TelegramType


class AnswerSession(AiohttpSession):
    """Goes through `proxy`, an ``http://`` address, as aiohttp does by itself."""

    def __init__(self, *, proxy: str | None, **fields: Any) -> None:
        super().__init__(**fields)
        self._through = proxy

    async def create_session(self) -> aiohttp.ClientSession:
        if self._session is None or self._session.closed:
            connector = aiohttp.TCPConnector(**self._connector_init)
            self._session = aiohttp.ClientSession(connector=connector, proxy=self._through)
        return self._session

    def check_response(
        self, bot: Bot, method: TelegramMethod[TelegramType], status_code: int, content: str
    ) -> Response[TelegramType]:
        try:
            return super().check_response(bot, method, status_code, content)
        except ClientDecodeError:
            message = f"status {status_code} and no answer of the Bot API"
            raise TelegramNetworkError(method=method, message=message) from None

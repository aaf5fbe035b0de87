"""aiogram's session for answers, through an HTTP proxy where one is set: aiogram itself asks for a further package."""

from typing import Any

import aiohttp
from aiogram.client.session.aiohttp import AiohttpSession


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

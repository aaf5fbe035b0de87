"""A running web chat with one bot and its people, for the page's browser tests."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp.test_utils import TestServer, unused_port

from tests.webchat.page_driver import PageBrowser, PageDriver, chromium
from webchat.app import create
from webchat.config import WebchatConfig

OPERATOR = {"Authorization": "Bearer operator-token"}
UPLOAD_LIMIT = 300_000


class Bot:
    def __init__(self, http: aiohttp.ClientSession, origin: str, account: dict[str, Any]) -> None:
        self._http = http
        self._address = f"{origin}/bot{account['token']}"
        self._offset = 0
        self.username: str = account["username"]

    async def call(self, method: str, **fields: Any) -> Any:
        async with self._http.post(f"{self._address}/{method}", json=fields) as response:
            answer = await response.json()
        assert answer["ok"], answer
        return answer["result"]

    async def refusal(self, method: str, **fields: Any) -> int:
        async with self._http.post(f"{self._address}/{method}", json=fields) as response:
            code: int = (await response.json())["error_code"]
        return code

    async def say(self, person_id: int, text: str, **fields: Any) -> int:
        sent = await self.call("sendMessage", chat_id=person_id, text=text, **fields)
        message_id: int = sent["message_id"]
        return message_id

    async def next_update(self) -> dict[str, Any]:
        updates = await self.call("getUpdates", offset=self._offset, timeout=8, limit=1)
        assert updates, "the bot heard nothing"
        self._offset = updates[0]["update_id"] + 1
        update: dict[str, Any] = updates[0]
        return update

    async def hear(self) -> dict[str, Any]:
        """Wait for the next message to the bot, and give it."""
        while "message" not in (update := await self.next_update()):
            pass
        message: dict[str, Any] = update["message"]
        return message


class Town:
    def __init__(self, http: aiohttp.ClientSession, folder: Path) -> None:
        self._http = http
        self._port = unused_port()
        self.origin = f"http://127.0.0.1:{self._port}"
        self._config = WebchatConfig(
            data_dir=folder,
            public_url=self.origin,
            operator_token="operator-token",
            max_upload_bytes=UPLOAD_LIMIT,
        )

    async def start(self) -> None:
        self._server = TestServer(create(self._config), host="127.0.0.1", port=self._port)
        await self._server.start_server()

    async def stop(self) -> None:
        await self._server.close()

    async def operate(self, path: str, **fields: Any) -> dict[str, Any]:
        async with self._http.post(
            f"{self.origin}/operator{path}", json=fields, headers=OPERATOR
        ) as response:
            assert response.status < 300, await response.text()
            answer: dict[str, Any] = await response.json()
        return answer

    async def new_bot(self, name: str = "甬城通道", username: str = "tongdao_bot") -> Bot:
        return Bot(self._http, self.origin, await self.operate("/bots", name=name, username=username))

    async def new_person(self, name: str = "王芳", **fields: Any) -> int:
        person_id: int = (await self.operate("/people", name=name, **fields))["id"]
        return person_id

    async def link(self, person_id: int, **fields: Any) -> str:
        address: str = (await self.operate(f"/people/{person_id}/sign-in-links", **fields))["url"]
        return address


@dataclass
class Scene:
    """A chat server, a browser, one bot, and Wang, who has a phone number and no chat yet."""

    town: Town
    browser: PageBrowser
    bot: Bot
    wang: int

    async def inside(self, **fields: Any) -> PageDriver:
        """Let Wang in by a fresh invitation, which starts the bot."""
        link = await self.town.link(self.wang, bot=self.bot.username, start="invited")
        page = await self.browser.open_page(link, **fields)
        await page.wait_text("/start")
        await self.bot.hear()
        return page


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[Scene]:
    async with aiohttp.ClientSession() as http, chromium(folder) as browser:
        town = Town(http, folder)
        await town.start()
        try:
            yield Scene(town, browser, await town.new_bot(), await town.new_person(phone="13800001234"))
        finally:
            await town.stop()

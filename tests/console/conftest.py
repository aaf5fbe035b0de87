"""The console over real HTTP, with the town behind it, and browsers that keep their cookies."""

import html
import re
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp import ClientResponse, CookieJar, web
from aiohttp.test_utils import TestClient, TestServer

from console.app import build
from services.sign_ins import SignIns
from storage.accounts import account
from tests.desk_world import Desk, desk_over_town


class Browser:
    """A browser at the console: opens pages and sends the forms that stand in them."""

    def __init__(self, client: TestClient, world: Desk, sign_ins: SignIns) -> None:
        self.client = client
        self.world = world
        self.sign_ins = sign_ins
        self.text = ""
        self.status = 0

    async def link(self, who: str, *, abroad: bool = False, language: str = "zh_CN") -> str:
        """Ask for a link in the chat; returns its path."""
        number = self.world.town.telegram_id if abroad else self.world.town.account_id
        async with self.world.database.read() as session:
            chat = await account(session, number)
        url = await self.sign_ins.link(await self.world.actor(who), chat, language)
        return url.removeprefix("https://bridge.test")

    async def sign_in(self, who: str = "county_secretary", **how: Any) -> None:
        path = await self.link(who, **how)
        await self.open(path)
        await self.send(path)
        assert self.status == 200, self.text

    async def open(self, path: str, **headers: str) -> ClientResponse:
        return await self._read(await self.client.get(path, headers=headers))

    async def send(self, action: str, **fields: Any) -> ClientResponse:
        """Send the form with this action as it stands in the page; `fields` count more."""
        return await self.post(action, **{**self.form(action), **fields})

    async def post(
        self, action: str, *, headers: dict[str, str] | None = None, **fields: Any
    ) -> ClientResponse:
        sent = {name: str(value) for name, value in fields.items()}
        said = {"Sec-Fetch-Site": "same-origin", **(headers or {})}
        said = {name: value for name, value in said.items() if value}
        return await self._read(await self.client.post(action, data=sent, headers=said))

    def form(self, action: str) -> dict[str, str]:
        forms = re.findall(r"<form[^>]*>.*?</form>", self.text, re.DOTALL)
        wanted = [form for form in forms if f'action="{action}"' in form or "action=" not in form]
        assert wanted, f"no form {action} in {self.text}"
        fields = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', wanted[0])
        return {name: html.unescape(value) for name, value in fields}

    async def _read(self, response: ClientResponse) -> ClientResponse:
        self.text, self.status = await response.text(), response.status
        return response


@pytest.fixture
def database_url(sqlite_template: Path, tmp_path: Path) -> str:
    """Yield SQLite only: what a page says is the same on both, and services are tested on both."""
    path = tmp_path / "tongdao.db"
    shutil.copy(sqlite_template, path)
    return f"sqlite+aiosqlite:///{path}"


@pytest.fixture
async def world(database, clock, tmp_path) -> Desk:
    return await desk_over_town(database, clock, tmp_path)


@pytest.fixture
async def browser(world: Desk, clock) -> AsyncIterator[Browser]:
    sign_ins = sign_ins_of(world, clock)
    server = TestServer(console_of(world, sign_ins))
    async with TestClient(server, cookie_jar=CookieJar(unsafe=True)) as client:
        yield Browser(client, world, sign_ins)


def sign_ins_of(world: Desk, clock: Any) -> SignIns:
    audit = world.bridge.notices._audit
    return SignIns(database=world.database, clock=clock, audit=audit, public_url="https://bridge.test")


def console_of(world: Desk, sign_ins: SignIns, *, https: bool = False) -> web.Application:
    """Build the console as a process serves it."""
    toolbox: Any = SimpleNamespace(sign_ins=sign_ins, dispatch_desk=world.desk, halts=world.halts)
    app = web.Application()
    app.add_subapp("/console", build(toolbox, https=https))
    return app

"""A running chat server of ours on a free loopback port, for tests that need real HTTP between bot and people."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp.test_utils import TestServer, unused_port

from tests.webchat_client import Operator, Person
from webchat.app import create
from webchat.config import WebchatConfig

OPERATOR_TOKEN = "operator-token-of-tests"


@dataclass
class RunningWebchat:
    """The server's origin and one HTTP session for all its people."""

    origin: str
    operator: Operator
    http: aiohttp.ClientSession

    async def new_bot(self, username: str = "tongdao_bot", name: str = "甬城通道") -> str:
        """Register a bot and return its token."""
        token: str = (await self.operator.new_bot(name, username))["token"]
        return token

    async def new_person(self, name: str, *, bot: str = "tongdao_bot", **fields: Any) -> Person:
        """Create a person and sign them in."""
        person_id = await self.operator.put_person(name, **fields)
        url = await self.operator.sign_in_link(person_id)
        return await Person.sign_in(self.http, self.origin, url, bot)

    async def pending_updates(self, token: str) -> int:
        """Count the updates that a bot has not confirmed yet."""
        async with self.http.get(f"{self.origin}/bot{token}/getWebhookInfo") as response:
            return int((await response.json())["result"]["pending_update_count"])


@asynccontextmanager
async def running_webchat(
    folder: Path, *, port: int | None = None, **settings: Any
) -> AsyncIterator[RunningWebchat]:
    """Serve a chat server from `folder`; `settings` override those of `WebchatConfig`."""
    port = port or unused_port()
    origin = f"http://127.0.0.1:{port}"
    config = WebchatConfig(
        **{"data_dir": folder, "public_url": origin, "operator_token": OPERATOR_TOKEN, **settings}
    )
    server = TestServer(create(config), host="127.0.0.1", port=port)
    async with server, aiohttp.ClientSession() as http:
        yield RunningWebchat(origin, Operator(http, origin, OPERATOR_TOKEN), http)

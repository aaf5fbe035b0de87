"""Fixtures of the contract suite: a server, a bot on it, a person before it, and each of the two clients.

Point it at any server with ``BOT_API_URL``, ``BOT_API_TOKEN`` and ``BOT_API_CHAT`` (a chat that has started the
bot); what needs a person of ours is then skipped.
"""

import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.webchat.contract.clients import Aiogram, Ptb
from tests.webchat_client import Person
from tests.webchat_server import RunningWebchat, running_webchat


@dataclass
class Stage:
    """Where the suite plays: a server's address, a bot's token, a chat to write to."""

    origin: str
    token: str
    chat_id: int
    town: RunningWebchat | None = None
    wang: Person | None = None


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    """Yield the server under test: the one the environment names, else ours."""
    if "BOT_API_URL" in os.environ:
        yield Stage(os.environ["BOT_API_URL"], os.environ["BOT_API_TOKEN"], int(os.environ["BOT_API_CHAT"]))
        return
    async with running_webchat(tmp_path) as town:
        token = await town.new_bot()
        wang = await town.new_person("王芳", phone="13805740001")
        await wang.start()
        yield Stage(town.origin, token, wang.id, town, wang)


@pytest.fixture
def wang(stage: Stage) -> Person:
    """Yield the person in the chat; skip where the server under test has none of ours."""
    if stage.wang is None:
        pytest.skip("needs a person of our own web chat")
    return stage.wang


@pytest.fixture(params=["aiogram", "ptb"])
async def client(request: pytest.FixtureRequest, stage: Stage) -> AsyncIterator[Any]:
    """Yield each client in turn."""
    made = {"aiogram": Aiogram, "ptb": Ptb}[request.param](stage.origin, stage.token)
    yield made
    await made.close()

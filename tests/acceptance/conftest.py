"""The real bridge as a process of its own, with its demo city, and the people who look through it."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp.test_utils import unused_port

from bot.app import bridge
from bot.settings import Settings
from handlers.features import ROUTERS
from tests.webchat_client import Operator, Person

ROOT = Path(__file__).parents[2]
BOT = "tongdao_bot"
MEMBER, BRANCH_SECRETARY, CITY_SECRETARY = 1_000_001, 1_000_002, 1_000_003
"""Chats of the three people whom the demo is seen through (services/demo_data.py)."""


@dataclass
class City:
    """A running demo city: its address, and who opens the door for people."""

    folder: Path
    origin: str
    health: str
    operator: Operator
    http: aiohttp.ClientSession

    async def person(self, chat_id: int) -> Person:
        """Sign a demo person in, as a driver."""
        link = await self.link(chat_id)
        return await Person.sign_in(self.http, self.origin, link, BOT)

    async def link(self, chat_id: int) -> str:
        """Make a sign-in link for a browser."""
        return await self.operator.sign_in_link(chat_id, bot=BOT, start="")


class MovedClock:
    """A clock that runs on from a moment of ours, and jumps when a test says so."""

    def __init__(self, start: datetime) -> None:
        self._start = start
        self._begun = time.monotonic()

    def __call__(self) -> datetime:
        return self._start + timedelta(seconds=time.monotonic() - self._begun)

    def jump(self, **delta: float) -> None:
        self._start += timedelta(**delta)

    def jump_to(self, at: datetime) -> None:
        """Let it be this moment now."""
        self._start, self._begun = at, time.monotonic()


@dataclass
class MovedCity(City):
    """A demo city whose clock is moved by hand."""

    clock: MovedClock


@dataclass
class Demo(City):
    """A demo city in a process of its own."""

    process: asyncio.subprocess.Process
    ready_after: float

    async def stop(self) -> tuple[int, float]:
        """End it as an operator does; returns exit code and seconds."""
        begun = time.monotonic()
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGTERM)
        return await self.process.wait(), time.monotonic() - begun


@asynccontextmanager
async def running_demo(folder: Path, **env: str) -> AsyncIterator[Demo]:
    """Start `tongdao run --demo` in `folder`, wait until it is ready, and stop it at the end."""
    http_port, chat_port = unused_port(), unused_port()
    wish = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "LANG": "C.UTF-8",
        "TONGDAO_HTTP_PORT": str(http_port),
        "TONGDAO_WEBCHAT_PORT": str(chat_port),
        "TONGDAO_LOG_FORMAT": "json",
        **env,
    }
    with (folder / "out.log").open("ab") as out:
        begun = time.monotonic()
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot", "run", "--demo", cwd=folder, env=wish, stdout=out, stderr=out
        )
    health = f"http://127.0.0.1:{http_port}"
    async with aiohttp.ClientSession() as http:
        try:
            await _ready(http, health, process, folder)
            ready_after = time.monotonic() - begun
            token = (folder / "var" / "webchat-operator-token").read_text().strip()
            origin = f"http://127.0.0.1:{chat_port}"
            operator = Operator(http, origin, token)
            yield Demo(folder, origin, health, operator, http, process, ready_after)
        finally:
            if process.returncode is None:
                process.terminate()
                await process.wait()


@asynccontextmanager
async def moved_city(folder: Path, start: datetime, **fields: Any) -> AsyncIterator[MovedCity]:
    """Run a demo city inside this process, so that its clock can be moved; `fields` are settings."""
    http_port, chat_port = unused_port(), unused_port()
    settings = Settings(
        _env_file=None, data_dir=folder / "var", http_port=http_port, webchat_port=chat_port, **fields
    )
    clock = MovedClock(start)
    for router in ROUTERS:
        router._parent_router = None  # a router has one parent for life; each city builds a dispatcher anew
    async with bridge(settings, with_demo=True, clock=clock), aiohttp.ClientSession() as http:
        token = (folder / "var" / "webchat-operator-token").read_text().strip()
        origin = f"http://127.0.0.1:{chat_port}"
        operator = Operator(http, origin, token)
        yield MovedCity(folder, origin, f"http://127.0.0.1:{http_port}", operator, http, clock)


async def _ready(http: aiohttp.ClientSession, health: str, process: Any, folder: Path) -> None:
    deadline = time.monotonic() + 60
    log = folder / "out.log"
    while time.monotonic() < deadline and process.returncode is None:
        try:
            async with http.get(f"{health}/readyz") as response:
                if response.status == 200 and "/in/" in log.read_text():
                    return
        except aiohttp.ClientConnectionError:
            pass
        await asyncio.sleep(0.1)
    raise AssertionError(log.read_text()[-4000:])


@pytest.fixture
async def demo(tmp_path: Path) -> AsyncIterator[Demo]:
    """Yield a running demo city."""
    async with running_demo(tmp_path) as running:
        yield running


@pytest.fixture
def shots(tmp_path: Path) -> Path:
    """Yield the folder for pictures: `make screenshots` names one to keep."""
    named = os.environ.get("TONGDAO_SCREENSHOTS")
    return Path(named) if named else tmp_path / "shots"

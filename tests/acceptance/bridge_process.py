"""The whole bridge as a process, `tongdao run`, on a database and a chat server of a test."""

import asyncio
import base64
import json
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from aiohttp.test_utils import unused_port

from tests.webchat_server import RunningWebchat

ROOT = Path(__file__).parents[2]
KEY = bytes(range(32))


class Bridge:
    """Starts the real bridge again and again on one database and one chat server; `more` are settings."""

    def __init__(
        self,
        database_url: str,
        town: RunningWebchat,
        token: str,
        folder: Path,
        account: str = "chat",
        more: Mapping[str, str] | None = None,
    ) -> None:
        one = {"name": account, "base_url": town.origin, "token": token}
        self._folder = folder
        self.log = folder / "kills"
        self._env = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "LANG": "C.UTF-8",
            "TONGDAO_DATABASE_URL": database_url,
            "TONGDAO_DATA_DIR": str(folder / "var"),
            "TONGDAO_SECRET_KEY": f"test:{base64.b64encode(KEY).decode()}",
            "TONGDAO_ACCOUNTS": json.dumps([one]),
            "TONGDAO_QUIET_HOURS": "off",
            "TONGDAO_REST_DAYS": "off",
            "TONGDAO_WEEKLY_CAP": "0",
            "TONGDAO_PACE_START": "500",
            "TONGDAO_PACE_CEILING": "1000",
            "TONGDAO_LOG_LEVEL": "warning",
            "TONGDAO_KILL_LOG": str(self.log),
            **(more or {}),
        }

    async def start(
        self, kill_at: str = "", *, roles: Sequence[str] = ("bot", "worker", "clock"), port: int = 0
    ) -> asyncio.subprocess.Process:
        """Start one process with these roles; its health is told on `port`, or on any."""
        wish = {**self._env, "TONGDAO_HTTP_PORT": str(port or unused_port()), "TONGDAO_KILL_AT": kill_at}
        words = [word for role in roles for word in ("--role", role)]
        with (self._folder / "out.log").open("ab") as out:
            return await asyncio.create_subprocess_exec(
                sys.executable, "-m", "bot", "run", *words, cwd=self._folder, env=wish, stdout=out, stderr=out
            )

    async def killed_at(self, point: str, nth: int) -> None:
        """Run until the process ends itself at a point."""
        process = await self.start(f"{point}:{nth}")
        try:
            async with asyncio.timeout(90):
                assert await process.wait() == -signal.SIGKILL, self.said()
        finally:
            await end(process)

    def said(self) -> str:
        return (self._folder / "out.log").read_text()[-3000:]


async def end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.terminate()
        await process.wait()

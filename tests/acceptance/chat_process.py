"""The chat server as a process of its own, so that it can be killed and started again on its file and port.

It can be told to make faults.

python -m tests.acceptance.chat_process FOLDER PORT
"""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
from aiohttp import web
from aiohttp.test_utils import unused_port

from tests.webchat_client import Operator
from tests.webchat_server import OPERATOR_TOKEN, RunningWebchat
from webchat.app import create
from webchat.config import WebchatConfig

ROOT = Path(__file__).parents[2]
PATIENCE = 60.0


class ChatProcess:
    """Starts a chat server, kills it, and starts it again."""

    def __init__(self, folder: Path, port: int) -> None:
        self._arguments = [str(folder), str(port)]
        self._port = port
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start it, and return once it takes connections."""
        words = ["-m", "tests.acceptance.chat_process", *self._arguments]
        self._process = await asyncio.create_subprocess_exec(sys.executable, *words, cwd=ROOT)
        async with asyncio.timeout(PATIENCE):
            while not await self._answers():
                await asyncio.sleep(0.05)

    def freeze(self) -> None:
        """Let it do nothing more."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    async def kill(self) -> None:
        assert self._process is not None
        if self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    async def _answers(self) -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", self._port)
        except OSError:
            return False
        writer.close()
        return True


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[tuple[ChatProcess, RunningWebchat]]:
    """Run a chat server from `folder` until the end of the block, whatever became of its process."""
    port = unused_port()
    chat, origin = ChatProcess(folder, port), f"http://127.0.0.1:{port}"
    await chat.start()
    try:
        async with aiohttp.ClientSession() as http:
            yield chat, RunningWebchat(origin, Operator(http, origin, OPERATOR_TOKEN), http)
    finally:
        await chat.kill()


if __name__ == "__main__":
    config = WebchatConfig(
        data_dir=Path(sys.argv[1]),
        public_url=f"http://127.0.0.1:{sys.argv[2]}",
        operator_token=OPERATOR_TOKEN,
        faults=True,
    )
    web.run_app(create(config), host="127.0.0.1", port=int(sys.argv[2]), print=None, access_log=None)

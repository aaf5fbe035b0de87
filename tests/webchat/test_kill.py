"""A chat server that is killed has lost nothing it had answered."""

import asyncio
import signal
import sys
from pathlib import Path

import aiohttp
from aiohttp.test_utils import unused_port

from tests.webchat_client import Operator, Person

PROGRAM = """
import sys
from pathlib import Path
from aiohttp import web
from webchat.app import create
from webchat.config import WebchatConfig
origin = f"http://127.0.0.1:{sys.argv[2]}"
config = WebchatConfig(data_dir=Path(sys.argv[1]), public_url=origin, operator_token="operator")
web.run_app(create(config), host="127.0.0.1", port=int(sys.argv[2]), print=None, access_log=None)
"""


async def test_what_was_answered_survives_a_kill(tmp_path):
    port = unused_port()
    origin = f"http://127.0.0.1:{port}"
    async with aiohttp.ClientSession() as http:
        server = await start(http, tmp_path, port)
        operator = Operator(http, origin, "operator")
        token = (await operator.new_bot("甬城通道", "tongdao_bot"))["token"]
        link = await operator.sign_in_link(await operator.put_person("王芳"))
        wang = await Person.sign_in(http, origin, link, "tongdao_bot")
        said: list[str] = []
        talking = asyncio.create_task(talk(wang, said))
        while len(said) < 40:
            await asyncio.sleep(0.01)
        server.send_signal(signal.SIGKILL)
        await server.wait()
        await asyncio.gather(talking, return_exceptions=True)
        server = await start(http, tmp_path, port)
        try:
            async with http.get(f"{origin}/bot{token}/getUpdates") as response:
                heard = [update["message"]["text"] for update in (await response.json())["result"]]
            kept = [message["text"] for message in await wang.messages(100)]
        finally:
            server.send_signal(signal.SIGKILL)
            await server.wait()
    assert heard[: len(said)] == said
    assert len(heard) <= len(said) + 1  # one more may have been kept and not answered
    assert kept == heard


async def start(http: aiohttp.ClientSession, folder: Path, port: int) -> asyncio.subprocess.Process:
    """Start the server in a process of its own and wait until it answers."""
    server = await asyncio.create_subprocess_exec(sys.executable, "-c", PROGRAM, str(folder), str(port))
    async with asyncio.timeout(20):
        while True:
            try:
                async with http.get(f"http://127.0.0.1:{port}/healthz"):
                    return server
            except aiohttp.ClientConnectionError:
                await asyncio.sleep(0.05)


async def talk(person: Person, said: list[str]) -> None:
    """Say numbers until the server is gone, at most as many as one answer of getUpdates holds."""
    for number in range(90):
        await person.say(str(number))
        said.append(str(number))

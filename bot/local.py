"""The local socket: what an operator's command would write is written by the bridge that runs.

SQLite has one writing process, so while a bridge runs a command asks it: a POST to a Unix socket that only its
owner may open, answered with a line of JSON for each thing that happens, the last of them the outcome.
"""

import contextlib
import hashlib
import json
import os
import socket
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any

import aiohttp
import structlog
from aiohttp import web

from domain.refusals import Refusal

log = structlog.get_logger(__name__)

Said = dict[str, Any]
Command = Callable[[Said], AsyncIterator[Said]]
Commands = Mapping[str, Command]
"""By name: each takes what it was asked with, and yields what it has to say."""
STOP_GRACE = 0.5  # seconds
_LONGEST_PATH = 100
"""Bytes in the name of a Unix socket, on every system."""
_LONGEST_LINE = 64 * 1024**2


class CommandRefused(Exception):  # noqa: N818 - a fact
    """The bridge refused; `key` and `fields` word it."""

    def __init__(self, key: str, fields: Said) -> None:
        super().__init__(key)
        self.key = key
        self.fields = fields


class CommandFailed(Exception):  # noqa: N818 - a fact
    """The bridge could not do it; its log says why."""


def path_of(folder: Path) -> Path:
    """Name the socket of a data folder; one with a long name has its socket among the temporary files."""
    path = folder.resolve() / "tongdao.sock"
    if len(os.fsencode(path)) <= _LONGEST_PATH:
        return path
    name = hashlib.sha256(os.fsencode(path)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"tongdao-{os.getuid()}-{name}.sock"


def answers(path: Path) -> bool:
    """Say whether somebody listens there; a socket left behind by a crash is nobody."""
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True


async def serve(stack: contextlib.AsyncExitStack, path: Path, commands: Commands) -> None:
    """Listen until the stack unwinds; of several processes with one folder, the first does."""
    if answers(path):
        return
    _remove(path)
    app = web.Application(client_max_size=1024**2)

    async def command(request: web.Request) -> web.StreamResponse:
        return await _answer(request, commands)

    app.add_routes([web.post("/{name}", command)])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=STOP_GRACE)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    stack.callback(_remove, path)
    before = os.umask(0o177)
    try:
        await web.UnixSite(runner, str(path)).start()
    finally:
        os.umask(before)


async def ask(path: Path, name: str, body: Said) -> AsyncIterator[Said]:
    """Ask the bridge behind a socket, and yield what it says."""
    try:
        async for said in _asked(path, name, body):
            yield said
    except aiohttp.ClientError:
        msg = "The bridge stopped before it was done."
        raise CommandFailed(msg) from None


async def _asked(path: Path, name: str, body: Said) -> AsyncIterator[Said]:
    connector = aiohttp.UnixConnector(str(path))
    timeout = aiohttp.ClientTimeout(total=None)
    async with (
        aiohttp.ClientSession(connector=connector, timeout=timeout, read_bufsize=_LONGEST_LINE) as http,
        http.post(f"http://local/{name}", json=body) as response,
    ):
        if not response.ok:
            raise CommandFailed
        async for line in response.content:
            said = json.loads(line)
            if "refusal" in said:
                raise CommandRefused(said["refusal"], said["fields"])
            if "failed" in said:
                raise CommandFailed
            yield said


async def here(commands: Commands, name: str, body: Said) -> AsyncIterator[Said]:
    """Do a command in this process, with the same answers."""
    try:
        async for said in commands[name](body):
            yield said
    except Refusal as refusal:
        raise CommandRefused(refusal.key, refusal.fields) from None


async def _answer(request: web.Request, commands: Commands) -> web.StreamResponse:
    command = commands.get(request.match_info["name"])
    if command is None:
        raise web.HTTPNotFound
    body = await request.json()
    response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
    await response.prepare(request)
    try:
        async for said in command(body):
            await response.write(_line(said))
    except Refusal as refusal:
        await response.write(_line({"refusal": refusal.key, "fields": refusal.fields}))
    except ConnectionError:
        raise
    except Exception:
        log.exception("command_failed", command=request.match_info["name"])
        await response.write(_line({"failed": True}))
    await response.write_eof()
    return response


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)


def _line(said: Said) -> bytes:
    return json.dumps(said, ensure_ascii=False).encode() + b"\n"

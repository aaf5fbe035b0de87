"""The limit of a whole request: what takes too long ends, and what was answered while the process stood still is read."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from bot.channels import patience
from bot.channels.aiogram_sender import AiogramChannel
from bot.channels.patience import Patience
from bot.channels.telegram import TelegramChannel
from domain.accounts import Address
from domain.delivery import Sent
from domain.messages import Content, Envelope

ANSWERS_AFTER = 0.3
LIMIT = 2.0
STANDS_STILL = 2.5
SENDS = 20
TO_SOMEBODY = Envelope(Address(1, 5), Content(text="大家好"))


class Server(ThreadingHTTPServer):
    """A Bot API server with a thread for each connection: it answers while our own loop stands still."""

    request_queue_size = 2 * SENDS

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked = 0

    @classmethod
    @contextmanager
    def running(cls) -> Iterator["Server"]:
        server = cls()
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            server.server_close()
            thread.join()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked += 1
        time.sleep(ANSWERS_AFTER)
        body = b'{"ok": true, "result": {"message_id": 7}}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.mark.slow
@pytest.mark.parametrize("client", [TelegramChannel, AiogramChannel])
async def test_what_is_answered_while_the_process_stands_still_is_read(client, clock):
    """A machine that was paused: all limits are over, and all answers are there."""
    with Server.running() as server:
        origin = f"http://127.0.0.1:{server.server_port}"
        channel = client(token="42:canary", base_url=origin, clock=clock, media_path=Path, timeout=LIMIT)
        sends = [asyncio.create_task(channel.send(TO_SOMEBODY, None)) for _ in range(SENDS)]
        async with asyncio.timeout(LIMIT):
            while server.asked < SENDS:
                await asyncio.sleep(0.01)
        time.sleep(STANDS_STILL)
        outcomes = await asyncio.gather(*sends)
        await channel.close()
    assert outcomes == [Sent(7)] * SENDS


async def test_what_takes_too_long_ends(monkeypatch):
    monkeypatch.setattr(patience, "LOOK_EVERY", 0.01)
    limits, ended = Patience(), asyncio.Event()

    async def request(seconds: float) -> None:
        try:
            with limits.within(seconds):
                await asyncio.sleep(30)
        finally:
            ended.set()

    long = asyncio.create_task(request(60))
    with pytest.raises(TimeoutError):
        await request(0.02)
    assert not long.done()
    long.cancel()
    with pytest.raises(asyncio.CancelledError):
        await long
    with pytest.raises(TimeoutError):  # and so does what comes when nothing was open meanwhile
        await request(0.02)


async def test_a_cancel_from_outside_stays_one(monkeypatch):
    """Also one that comes together with the limit."""
    monkeypatch.setattr(patience, "LOOK_EVERY", 0.01)
    limits = Patience()

    async def request() -> None:
        with limits.within(0.02):
            try:
                await asyncio.sleep(30)
            except asyncio.CancelledError:
                task.cancel()
                raise

    task = asyncio.create_task(request())
    with pytest.raises(asyncio.CancelledError):
        await task
    assert task.cancelled()


async def test_a_process_that_is_always_late_ends_it_too(monkeypatch):
    monkeypatch.setattr(patience, "LOOK_EVERY", 0.01)
    monkeypatch.setattr(patience, "LATE", -1.0)
    monkeypatch.setattr(patience, "TO_READ", 0.01)
    with pytest.raises(TimeoutError), Patience().within(0.02):
        await asyncio.sleep(30)

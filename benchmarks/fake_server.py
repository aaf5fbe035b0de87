"""A lean fake Bot API server, a process of its own, so that its CPU is not the measured engine's.

    python -m benchmarks.fake_server --port 0 --latency 200 --spread 100 --limit 30 --punishing

prints the port it listens on, on loopback only. Benchmarks use `async with fake_server(...) as server`.
A message is taken, or refused with a 429, when its request arrives; the answer follows after the latency.
"""

import argparse
import asyncio
import json
import os
import random
import re
import sys
import time
import urllib.request
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, dataclass, field

import uvloop

TOKEN = "42:fake-token-of-the-benchmarks"
TEXT = (
    "【会议通知】定于本周五下午两点半在市委三楼会议室召开支部大会，请各位同志准时参加，收到请点按钮回复。" * 3
)
CHAT = re.compile(rb'chat_id["=:\s]+(-?\d+)')
LENGTH = re.compile(rb"(?i)\r\ncontent-length:\s*(\d+)")
TRUE = ("answer", "delete", "set")
"""Methods that begin so are answered with `true`, getMe with the bot, all others with a message."""
PARENT_SEEN_EVERY = 1.0


def _response(status: str, body: bytes, more: str = "") -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nConnection: keep-alive\r\n{more}"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


BOT = {"id": 42, "is_bot": True, "first_name": "通道", "username": "tongdao_bot"}
MESSAGE = json.dumps(
    {
        "ok": True,
        "result": {
            "message_id": 10**11,
            "from": BOT,
            "chat": {"id": 10**12, "first_name": "王小明", "username": "xiaoming", "type": "private"},
            "date": 1_772_589_600,
            "text": TEXT,
            "entities": [{"type": "bold", "offset": 0, "length": 6}],
            "reply_markup": {"inline_keyboard": [[{"text": "收到", "callback_data": "notice-ack:1234567"}]]},
        },
    }
).encode()
BEFORE, BETWEEN, AFTER = re.split(rb"10{11,12}", _response("200 OK", MESSAGE))
"""The prepared reply around its two numbers, which are padded with blanks, so that its length never changes."""
ME = _response("200 OK", json.dumps({"ok": True, "result": BOT}).encode())
YES = _response("200 OK", b'{"ok":true,"result":true}')


@dataclass(frozen=True, slots=True)
class Stats:
    """What the server saw; `seconds` counts what it took per second since the first, `busiest` in any second."""

    taken: int
    refused: int
    chats: int
    doubled: int
    elapsed: float
    seconds: tuple[int, ...]
    busiest: int
    cpu: float


@dataclass(slots=True)
class Limiter:
    """What a server takes: everything, at most so many in any second, and perhaps nothing for a while after."""

    limit: int = 0
    punishing: bool = False
    retry_after: int = 1
    recent: deque[float] = field(default_factory=deque)
    refuses_until: float = 0.0
    busiest: int = 0

    def takes(self, now: float) -> bool:
        recent = self.recent
        while recent and recent[0] <= now - 1:
            recent.popleft()
        if now < self.refuses_until:
            return False
        if self.limit and len(recent) >= self.limit:
            if self.punishing:
                self.refuses_until = now + self.retry_after
            return False
        recent.append(now)
        self.busiest = max(self.busiest, len(recent))
        return True

    def refusal(self, now: float) -> bytes:
        seconds = self.retry_after
        if now < self.refuses_until:
            seconds = max(1, round(self.refuses_until - now + 0.499))
        said = {
            "ok": False,
            "error_code": 429,
            "description": f"Too Many Requests: retry after {seconds}",
            "parameters": {"retry_after": seconds},
        }
        return _response("429 Too Many Requests", json.dumps(said).encode(), f"Retry-After: {seconds}\r\n")


class Server:
    """Answers requests and counts; one a process."""

    def __init__(self, limiter: Limiter, latency: float, spread: float) -> None:
        self._limiter = limiter
        self._latency, self._spread = latency, spread
        self._message_id = 0
        self.reset()

    def reset(self) -> None:
        self._taken = self._refused = 0
        self._chats: set[bytes] = set()
        self._seconds: Counter[int] = Counter()
        self._first = self._last = 0.0
        self._limiter.busiest = 0

    def delay(self) -> float:
        return self._latency + self._spread * (2 * random.random() - 1)

    def answer(self, target: bytes, body: bytes) -> tuple[bytes, bool]:
        """Return the response to a request, and whether it is one about ourselves, answered at once."""
        if target == b"/stats":
            return _response("200 OK", json.dumps(asdict(self.stats())).encode()), True
        if target == b"/reset":
            self.reset()
            return YES, True
        method = target.partition(b"?")[0].rpartition(b"/")[2].decode()
        if method == "getMe":
            return ME, True
        if method.startswith(TRUE):
            return YES, False
        return self._send(CHAT.search(body) or CHAT.search(target)), False

    def _send(self, chat: re.Match[bytes] | None) -> bytes:
        now = time.monotonic()
        if not self._limiter.takes(now):
            self._refused += 1
            return self._limiter.refusal(now)
        number = b"1" if chat is None else chat[1]
        self._first = self._first or now
        self._last = now
        self._taken += 1
        self._seconds[int(now - self._first)] += 1
        self._chats.add(number)
        self._message_id += 1
        return b"".join((BEFORE, b"%12d" % self._message_id, BETWEEN, number.rjust(13), AFTER))

    def stats(self) -> Stats:
        return Stats(
            taken=self._taken,
            refused=self._refused,
            chats=len(self._chats),
            doubled=self._taken - len(self._chats),
            elapsed=self._last - self._first,
            seconds=tuple(self._seconds[each] for each in range(int(self._last - self._first) + 1)),
            busiest=self._limiter.busiest,
            cpu=time.process_time(),
        )


class Connection(asyncio.Protocol):
    """One connection, kept alive: requests come one after the other, with a length."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._buffer = b""
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while True:
            head, found, rest = self._buffer.partition(b"\r\n\r\n")
            length = LENGTH.search(head)
            size = int(length[1]) if length else 0
            if not found or len(rest) < size:
                return
            self._buffer = rest[size:]
            response, at_once = self._server.answer(head.split(b" ", 2)[1], rest[:size])
            delay = 0.0 if at_once else self._server.delay()
            if delay > 0:
                asyncio.get_running_loop().call_later(delay, self._write, response)
            else:
                self._write(response)

    def _write(self, response: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(response)


class FakeServer:
    """The server's process as a benchmark sees it: `origin` and `token` for clients, figures for tables."""

    def __init__(self, port: int) -> None:
        self.origin = f"http://127.0.0.1:{port}"
        self.token = TOKEN

    async def stats(self) -> Stats:
        found = json.loads(await self._ask("/stats"))
        return Stats(**found | {"seconds": tuple(found["seconds"])})

    async def cpu(self) -> float:
        """Return the seconds of CPU that its process has used."""
        return (await self.stats()).cpu

    async def reset(self) -> None:
        await self._ask("/reset", b"")

    async def _ask(self, path: str, data: bytes | None = None) -> bytes:
        def ask() -> bytes:
            with urllib.request.urlopen(self.origin + path, data) as response:
                return response.read()

        return await asyncio.to_thread(ask)


@asynccontextmanager
async def fake_server(
    *,
    latency_ms: float = 0,
    spread_ms: float = 0,
    limit: int = 0,
    punishing: bool = False,
    retry_after: int = 1,
) -> AsyncIterator[FakeServer]:
    """Run a server in a process of its own; `limit` 0 takes everything."""
    options = {"latency": latency_ms, "spread": spread_ms, "limit": limit, "retry-after": retry_after}
    words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.fake_server", *words, *["--punishing"][: int(punishing)],
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert child.stdout is not None
    try:
        yield FakeServer(int(await child.stdout.readline()))
    finally:
        child.terminate()
        await child.wait()


async def serve(server: Server, port: int, parent: Callable[[], int] = os.getppid) -> None:
    """Listen until the process ends, or its parent has."""
    loop, begun_by = asyncio.get_running_loop(), parent()
    listening = await loop.create_server(lambda: Connection(server), "127.0.0.1", port, backlog=4096)
    print(listening.sockets[0].getsockname()[1], flush=True)
    while parent() == begun_by:  # noqa: ASYNC110 - no event tells of it
        await asyncio.sleep(PARENT_SEEN_EVERY)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--latency", type=float, default=0, help="mean, in ms")
    parser.add_argument("--spread", type=float, default=0, help="so much more or less, evenly, in ms")
    parser.add_argument("--limit", type=int, default=0, help="messages in any second; 0 for no limit")
    parser.add_argument(
        "--punishing", action="store_true", help="after one too many refuse everything a while"
    )
    parser.add_argument("--retry-after", type=int, default=1, help="how long to wait, in seconds")
    given = parser.parse_args()
    with suppress(PermissionError):
        os.nice(-10)  # a messenger has machines of its own: the load of ours is not to delay it
    limiter = Limiter(given.limit, given.punishing, given.retry_after)
    uvloop.run(serve(Server(limiter, given.latency / 1000, given.spread / 1000), given.port))


if __name__ == "__main__":
    main()

"""Polling: nothing is confirmed before it is kept, and nothing a server does ends the poller."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from structlog.testing import capture_logs

from bot import polling
from bot.polling import Poller, Source

TOKEN = "99:" + "x" * 35


class Server:
    """Answers getUpdates with what is lined up, then with nothing; `wishes` holds what was asked."""

    def __init__(self) -> None:
        self.answers: list[bytes] = []
        self.wishes: list[dict[str, Any]] = []
        self.asked = asyncio.Event()

    def line_up(self, *updates: Any) -> None:
        self.answers.append(orjson.dumps({"ok": True, "result": updates}))

    def refuse(self, code: int, description: str, **parameters: Any) -> None:
        body = {"ok": False, "error_code": code, "description": description, "parameters": parameters}
        self.answers.append(orjson.dumps(body))

    async def answer(self, request: web.Request) -> web.Response:
        self.wishes.append(await request.json())
        if self.answers:
            return web.Response(body=self.answers.pop(0))
        self.asked.set()
        await asyncio.sleep(0.01)
        return web.Response(body=b'{"ok": true, "result": []}')


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    made = Server()
    app = web.Application()
    app.router.add_post(f"/bot{TOKEN}/getUpdates", made.answer)
    async with TestServer(app, host="127.0.0.1") as running:
        made.origin = f"http://127.0.0.1:{running.port}"
        yield made


@pytest.fixture
async def kept() -> list[Any]:
    return []


@pytest.fixture
async def poller(server, kept, monkeypatch) -> Poller:
    monkeypatch.setattr(polling, "FIRST_WAIT", 0.02)
    held = asyncio.Event()
    held.set()

    async def receive(account_id: int, updates: list[Any]) -> None:
        kept.extend(updates)

    return Poller(Source(1, "webchat", server.origin, TOKEN), held=held, receive=receive)


async def poll_until(poller: Poller, event: asyncio.Event) -> None:
    task = asyncio.create_task(poller.run())
    try:
        async with asyncio.timeout(10):
            await event.wait()
        assert not task.done()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_updates_are_kept_and_then_confirmed_by_the_next_offset(server, poller, kept):
    server.line_up({"update_id": 5}, {"update_id": 6})
    await poll_until(poller, server.asked)
    assert [each["update_id"] for each in kept] == [5, 6]
    assert [wish["offset"] for wish in server.wishes][:2] == [0, 7]


async def test_what_was_not_kept_is_asked_for_again(server, poller, kept):
    real, failures = poller._receive, [OSError("the database is away")]

    async def receive(account_id: int, updates: list[Any]) -> None:
        if failures:
            raise failures.pop()
        await real(account_id, updates)

    poller._receive = receive
    server.line_up({"update_id": 5})
    server.line_up({"update_id": 5})
    await poll_until(poller, server.asked)
    assert [wish["offset"] for wish in server.wishes][:3] == [0, 0, 6]
    assert [each["update_id"] for each in kept] == [5]


async def test_an_update_that_cannot_be_decoded_does_not_stall_those_around_it(server, poller, kept):
    server.answers.append(b'{"ok": true, "result": [{"update_id": 5, "x": "\\ud83d"}, {"update_id": 6}]}')
    await poll_until(poller, server.asked)
    assert [each["update_id"] for each in kept] == [5, 6]
    assert server.wishes[1]["offset"] == 7


@pytest.mark.parametrize(
    "body", [b"", b"<html>bad gateway</html>", b"[]", b'{"ok": true}', b'{"ok": false}', b"null", b"4"]
)
async def test_an_answer_that_no_server_would_give_does_not_end_the_poller(server, poller, kept, body):
    server.answers.append(body)
    server.line_up({"update_id": 5})
    await poll_until(poller, server.asked)
    assert [each["update_id"] for each in kept] == [5]


@pytest.mark.parametrize(
    ("code", "event"), [(409, "poll_conflict"), (401, "poll_unauthorised"), (404, "poll_unauthorised")]
)
async def test_a_conflict_and_a_wrong_token_are_named_in_the_log_without_the_token(
    server, poller, code, event
):
    server.refuse(code, "no")
    with capture_logs() as lines:
        await poll_until(poller, server.asked)
    [line] = [each for each in lines if each["event"] == event]
    assert line["hint"]
    assert TOKEN not in str(lines)


async def test_a_server_that_asks_for_patience_gets_it(server, poller, monkeypatch):
    slept: list[float] = []
    real = asyncio.sleep

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        await real(0)

    monkeypatch.setattr(polling.asyncio, "sleep", sleep)
    server.refuse(429, "Too Many Requests", retry_after=7)
    await poll_until(poller, server.asked)
    assert 7.0 in slept


async def test_a_server_that_is_away_is_tried_less_and_less_often(monkeypatch, kept):
    slept: list[float] = []
    enough = asyncio.Event()
    real = asyncio.sleep

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 7:
            enough.set()
        await real(0)

    monkeypatch.setattr(polling.asyncio, "sleep", sleep)
    held = asyncio.Event()
    held.set()
    poller = Poller(Source(1, "webchat", "http://127.0.0.1:9", TOKEN), held=held, receive=kept.append)
    await poll_until(poller, enough)
    assert slept[:7] == [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]
    assert poller.problem()


async def test_an_account_that_another_process_holds_is_not_polled(server, poller):
    poller._held.clear()
    task = asyncio.create_task(poller.run())
    await asyncio.sleep(0.1)
    assert server.wishes == []
    assert poller.problem() == ""
    poller._held.set()
    async with asyncio.timeout(5):
        await server.asked.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_poller_is_well_once_a_poll_was_answered_and_not_when_it_falls_silent(
    server, poller, monkeypatch
):
    assert poller.problem()
    server.line_up({"update_id": 5})
    await poll_until(poller, server.asked)
    assert poller.problem() == ""
    monkeypatch.setattr(polling, "SILENT_AFTER", -1.0)
    assert poller.problem()

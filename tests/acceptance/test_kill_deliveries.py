"""A notice to 2,000 people, its worker killed at every named point: nobody is lost without a word.

Under `park` nobody gets it twice, and who perhaps got it is reported; under `resend` everybody gets it,
and twice at most those in flight at a kill. A point that is never reached fails the test.
"""

import asyncio
import os
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiohttp import web

from domain.delivery import UnknownPolicy
from tests.delivery_world import FakeChannel, build, settle, start, states

pytestmark = [pytest.mark.slow, pytest.mark.kill, pytest.mark.timeout(400)]
ROOT = Path(__file__).parents[2]
TOKEN = "42:kill"
PEOPLE = 2000
KILLS = [
    ("after_sending", 3),
    ("after_server_acted", 40),
    ("before_recording", 4),
    ("after_sending", 5),
    ("after_server_acted", 90),
    ("before_recording", 2),
    ("after_sending", 2),
    ("after_server_acted", 25),
]
MOST_IN_FLIGHT = 150


class Server:
    """Takes messages after 30 ms and counts them a chat; it outlives its callers."""

    def __init__(self) -> None:
        self.got: Counter[int] = Counter()

    async def answer(self, request: web.Request) -> web.Response:
        form = await request.post()
        self.got[int(str(form["chat_id"]))] += 1
        await asyncio.sleep(0.03)
        return web.json_response({"ok": True, "result": {"message_id": self.got.total()}})


@pytest.fixture
async def server() -> AsyncIterator[tuple[str, Server]]:
    server = Server()
    app = web.Application()
    app.router.add_post(f"/bot{TOKEN}/{{method}}", server.answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}", server
    await runner.cleanup()


async def run_worker(arguments: list[str], kill_at: str = "", kill_log: Path | None = None) -> int:
    environment = {**os.environ, "TONGDAO_KILL_AT": kill_at, "TONGDAO_KILL_LOG": str(kill_log or "")}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.acceptance.delivery_worker", *arguments, cwd=ROOT, env=environment
    )
    try:
        async with asyncio.timeout(90):
            return await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@pytest.mark.parametrize("policy", UnknownPolicy)
async def test_eight_kills_lose_nobody_without_a_word(database, database_url, server, tmp_path, policy):
    def clock() -> datetime:
        return datetime.now(UTC)

    url, received = server
    members = await settle(database, clock, PEOPLE)
    delivery = await build(database, clock, FakeChannel())
    dispatch = await start(delivery, database, members, unknown_policy=policy)
    arguments = [database_url, url, TOKEN]
    log = tmp_path / "kills"
    for point, nth in KILLS:
        assert await run_worker(arguments, f"{point}:{nth}", log) == -signal.SIGKILL
    assert log.read_text().split() == [point for point, _ in KILLS]
    assert await run_worker(arguments) == 0

    became = await states(database, dispatch)
    assert len(became) == PEOPLE
    got = {member: received.got[1000 + member] for member in members}
    assert all(got[member] >= 1 for member in members if became[member][0] == "sent")
    figures = await delivery.figures(dispatch)
    assert figures.sent + figures.unknown == PEOPLE
    if policy is UnknownPolicy.PARK:
        assert {state for state, _ in became.values()} <= {"sent", "unknown"}
        assert max(got.values()) == 1
        assert 0 < figures.unknown <= MOST_IN_FLIGHT * len(KILLS)
    else:
        assert {state for state, _ in became.values()} == {"sent"}
        assert 0 < received.got.total() - PEOPLE <= MOST_IN_FLIGHT * len(KILLS)

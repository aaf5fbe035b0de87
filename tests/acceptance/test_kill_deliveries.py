"""A notice to 2,000 people, its worker killed at every named point: nobody is lost without a word.

Under `park` nobody gets it twice, and who perhaps got it is reported; under `resend` everybody gets it,
and twice at most those in flight at a kill. A point that is never reached fails the test.
"""

import asyncio
import os
import signal
import sqlite3
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from domain.delivery import UnknownPolicy
from tests.delivery_world import FakeChannel, build, settle, start, states
from tests.webchat_server import RunningWebchat, running_webchat

pytestmark = [pytest.mark.slow, pytest.mark.kill, pytest.mark.timeout(400)]
ROOT = Path(__file__).parents[2]
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
MOST_IN_FLIGHT = 80


async def people_of(town: RunningWebchat) -> str:
    """Give the members their chats on the chat server; return the bot's token."""
    token = await town.new_bot()
    chats = [{"id": 1000 + n, "name": f"成员{n}", "bot": "tongdao_bot"} for n in range(1, PEOPLE + 1)]
    await town.operator.put_people(chats)
    return token


def received(folder: Path) -> dict[int, int]:
    """Count the messages that stand in each person's chat, as the chat server keeps them."""
    with sqlite3.connect(folder / "webchat.db") as store:
        rows = store.execute("SELECT person_id, count(*) FROM message WHERE NOT outgoing GROUP BY person_id")
        return {person - 1000: count for person, count in rows}


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
async def test_eight_kills_lose_nobody_without_a_word(database, database_url, tmp_path, policy):
    def clock() -> datetime:
        return datetime.now(UTC)

    members = await settle(database, clock, PEOPLE)
    delivery = await build(database, clock, FakeChannel())
    dispatch = await start(delivery, database, members, unknown_policy=policy)
    log = tmp_path / "kills"
    async with running_webchat(tmp_path / "webchat") as town:
        arguments = [database_url, town.origin, await people_of(town)]
        for point, nth in KILLS:
            assert await run_worker(arguments, f"{point}:{nth}", log) == -signal.SIGKILL
        assert log.read_text().split() == [point for point, _ in KILLS]
        assert await run_worker(arguments) == 0

    became = await states(database, dispatch)
    assert len(became) == PEOPLE
    counts = received(tmp_path / "webchat")
    got = {member: counts.get(member, 0) for member in members}
    assert all(got[member] >= 1 for member in members if became[member][0] == "sent")
    figures = await delivery.figures(dispatch)
    assert figures.sent + figures.unknown == PEOPLE
    if policy is UnknownPolicy.PARK:
        assert {state for state, _ in became.values()} <= {"sent", "unknown"}
        assert max(got.values()) == 1
        assert 0 < figures.unknown <= MOST_IN_FLIGHT * len(KILLS)
    else:
        assert {state for state, _ in became.values()} == {"sent"}
        assert 0 < sum(got.values()) - PEOPLE <= MOST_IN_FLIGHT * len(KILLS)

"""A bot killed after it kept updates and before it marked them done: nothing is lost, nothing is done twice."""

import asyncio
import os
import signal
import sys
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import select

from storage.tables import metadata
from tests.acceptance.inbox_worker import END
from tests.factories import make_account
from tests.webchat_client import Person, text_of
from tests.webchat_server import running_webchat

pytestmark = [pytest.mark.slow, pytest.mark.kill, pytest.mark.timeout(300)]
ROOT = Path(__file__).parents[2]
PEOPLE, TURNS = 20, 3
KILLS = [
    ("after_inbox_commit", 1),
    ("before_inbox_done", 20),
    ("after_inbox_commit", 1),
    ("before_inbox_done", 35),
    ("after_inbox_commit", 1),
    ("before_inbox_done", 5),
    ("after_inbox_commit", 1),
    ("before_inbox_done", 40),
]


async def run_worker(arguments: list[str], kill_at: str = "", kill_log: Path | None = None) -> int:
    environment = {**os.environ, "TONGDAO_KILL_AT": kill_at, "TONGDAO_KILL_LOG": str(kill_log or "")}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.acceptance.inbox_worker", *arguments, cwd=ROOT, env=environment
    )
    try:
        async with asyncio.timeout(60):
            return await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def speak(person: Person, kill: int) -> list[str]:
    said = [f"{person.id}-{kill}-{turn}" for turn in range(TURNS)]
    for text in said:
        await person.say(text)
    return said


async def test_eight_kills_lose_no_update_and_do_none_twice(database, database_url, tmp_path):
    account = await make_account(database)
    log = tmp_path / "kills"
    async with running_webchat(tmp_path / "webchat") as town:
        arguments = [database_url, town.origin, await town.new_bot(), str(account)]
        people = [await town.new_person(f"成员{number}") for number in range(PEOPLE)]
        said: dict[int, list[str]] = {person.id: [] for person in people}
        for kill, (point, nth) in enumerate(KILLS):
            for person in people:
                said[person.id] += await speak(person, kill)
            assert await run_worker(arguments, f"{point}:{nth}", log) == -signal.SIGKILL
        assert log.read_text().split() == [point for point, _ in KILLS]
        await people[0].say(END)
        assert await run_worker(arguments) == 0

        topic, inbox = metadata.tables["topic"], metadata.tables["inbox"]
        async with database.read() as session:
            done = Counter((await session.execute(select(topic.c.name).order_by(topic.c.id))).scalars())
            rows = (await session.execute(select(inbox.c.state, inbox.c.raw))).all()
        assert done == dict.fromkeys([END, *(text for texts in said.values() for text in texts)], 1)
        assert Counter(tuple(row) for row in rows) == {("done", None): PEOPLE * TURNS * len(KILLS) + 1}
        for person in people:
            answers = [text_of(each) for each in await person.messages(100) if not each["outgoing"]]
            first_ones = list(dict.fromkeys(text for text in answers if END not in text))
            assert first_ones == [f"办好了：{text}" for text in said[person.id]]

"""A bot killed after it kept updates and before it marked them done: nothing is lost, nothing is done twice."""

import asyncio
import contextlib
import os
import signal
import sys
from asyncio.subprocess import Process
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path

import pytest
from sqlalchemy import func, select

from storage.database import Database
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

        await nothing_was_lost_or_done_twice(database, people, said, [END])


async def nothing_was_lost_or_done_twice(
    database: Database, people: list[Person], said: dict[int, list[str]], besides: Sequence[str] = ()
) -> None:
    """Check that each word took effect once, in the order of its person, and was answered in that order."""
    topic, inbox = metadata.tables["topic"], metadata.tables["inbox"]
    async with database.read() as session:
        effects = list((await session.execute(select(topic.c.name).order_by(topic.c.id))).scalars())
        rows = (await session.execute(select(inbox.c.state, inbox.c.raw))).all()
    assert Counter(effects) == dict.fromkeys(
        [*besides, *(text for texts in said.values() for text in texts)], 1
    )
    assert Counter(tuple(row) for row in rows) == {("done", None): len(effects)}
    for person in people:
        mine = set(said[person.id])
        assert [text for text in effects if text in mine] == said[person.id]
        answers = [text_of(each) for each in await person.messages(100) if not each["outgoing"]]
        first_ones = list(dict.fromkeys(text for text in answers if END not in text))
        assert first_ones == [f"办好了：{text}" for text in said[person.id]]


@contextlib.asynccontextmanager
async def fleet(arguments: list[str]) -> AsyncIterator[Callable[[], Awaitable[Process]]]:
    """Yield what starts one more process; all are ended at the end."""
    running: list[Process] = []

    async def start() -> Process:
        module = ("-m", "tests.acceptance.inbox_worker", *arguments, f"process {len(running)}")
        running.append(await asyncio.create_subprocess_exec(sys.executable, *module, cwd=ROOT))
        return running[-1]

    try:
        yield start
    finally:
        for process in running:
            if process.returncode is None:
                process.kill()
            await process.wait()


async def until_done(database: Database, count: int) -> list[str]:
    """Wait until so many updates are done; return who holds chats then."""
    inbox, claim = metadata.tables["inbox"], metadata.tables["chat_claim"]
    async with asyncio.timeout(60):
        while True:
            async with database.read() as session:
                done = await session.execute(select(func.count()).where(inbox.c.state == "done"))
                if done.scalar_one() >= count:
                    return list((await session.execute(select(claim.c.holder).distinct())).scalars())
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_of_two_processes_that_share_the_chats_either_may_be_killed(database, database_url, tmp_path):
    account = await make_account(database)
    async with running_webchat(tmp_path / "webchat") as town:
        arguments = [database_url, town.origin, await town.new_bot(), str(account)]
        people = [await town.new_person(f"成员{number}") for number in range(PEOPLE)]
        said: dict[int, list[str]] = {person.id: [] for person in people}
        async with fleet(arguments) as start:
            older, younger = await start(), await start()
            for kill in range(3):
                count = sum(map(len, said.values()))
                for person in people:
                    said[person.id] += await speak(person, kill)
                await until_done(database, count + 5 + 10 * kill)
                older.kill()
                older, younger = younger, await start()
            await until_done(database, sum(map(len, said.values())))
            await nothing_was_lost_or_done_twice(database, people, said)

"""PostgreSQL, or the chat server, restarted five times while workers send: each worker comes back by itself."""

import asyncio
import os
from pathlib import Path

import pytest

from domain.delivery import UnknownPolicy
from storage import schema
from storage.database import Database
from tests import postgres
from tests.acceptance import chat_process
from tests.acceptance.delivery_proof import Book, Fleet, people_of, reached, received
from tests.acceptance.delivery_worker import clock
from tests.delivery_world import FakeChannel, build, settle, start
from tests.webchat_server import RunningWebchat, running_webchat

pytestmark = [pytest.mark.slow, pytest.mark.kill, pytest.mark.timeout(600)]
PEOPLE = int(os.environ.get("TONGDAO_KILL_PEOPLE", "4000"))
RATE = 250 if PEOPLE <= 4000 else 400
CHAT_PEOPLE = PEOPLE // 2
RESTARTS = 5
AWAY = 0.5
"""Seconds that a server stays away, besides its own stopping and starting."""


@pytest.mark.parametrize(("policy", "last"), [(UnknownPolicy.PARK, 0), (UnknownPolicy.RESEND, 1)])
async def test_two_workers_come_back_each_time_postgresql_was_restarted(tmp_path, policy, last):
    """In the end one of them is killed, so that the other has come back, or nothing goes on."""
    with postgres.running() as server:
        await postgres.execute(server, "CREATE DATABASE city")
        database = Database(postgres.url_of(server, "city"))
        await schema.upgrade(database)
        book, members = Book(database, policy), await begun(database, PEOPLE, policy)
        async with running_webchat(tmp_path / "webchat") as town:
            fleet = await fleet_of(database, town, PEOPLE, tmp_path)
            async with fleet.running(2) as workers:
                for number in range(1, RESTARTS + 1):
                    await reached(tmp_path / "webchat", PEOPLE * number // (RESTARTS + 3))
                    await away(server, "immediate" if number % 2 else "fast")
                    await database.engine.dispose()
                    await book.note()
                await reached(tmp_path / "webchat", PEOPLE * (RESTARTS + 1) // (RESTARTS + 3))
                workers[1 - last].kill()
                await workers[1 - last].wait()
                await book.note()
        await book.judge(members, received(tmp_path / "webchat"))
        await database.close()


@pytest.mark.parametrize("policy", UnknownPolicy)
async def test_workers_go_on_each_time_the_chat_server_was_killed(database, tmp_path, policy):
    book, members = Book(database, policy), await begun(database, CHAT_PEOPLE, policy)
    async with chat_process.running(tmp_path / "webchat") as (chat, town):
        fleet = await fleet_of(database, town, CHAT_PEOPLE, tmp_path)
        async with fleet.running(1 if database.dialect == "sqlite" else 2):
            for number in range(1, RESTARTS + 1):
                await reached(tmp_path / "webchat", CHAT_PEOPLE * number // (RESTARTS + 2))
                chat.freeze()  # what it did stays without an answer
                await book.note()
                await chat.kill()
                await asyncio.sleep(AWAY)
                await book.note("unknown")  # what reached it since then did nothing
                await chat.start()
    await book.judge(members, received(tmp_path / "webchat"))


async def begun(database: Database, people: int, policy: UnknownPolicy) -> list[int]:
    members = await settle(database, clock, people)
    delivery = await build(database, clock, FakeChannel())
    await start(delivery, database, members, unknown_policy=policy)
    return members


async def fleet_of(database: Database, town: RunningWebchat, people: int, folder: Path) -> Fleet:
    url = database.url.render_as_string(hide_password=False)
    arguments = [url, town.origin, await people_of(town, people), str(RATE)]
    return Fleet(arguments, folder / "kills", folder / "out")


async def away(server: str, mode: str) -> None:
    """Stop PostgreSQL for a moment; the loop goes on meanwhile, since the chat server is in it."""

    def restart() -> None:
        with postgres.away(server, mode):
            pass

    await asyncio.to_thread(restart)

"""PostgreSQL, or the chat server, restarted five times while workers send: each worker comes back by itself.

At the size that is promised: `TONGDAO_KILL_PEOPLE=20000`, as in `test_kill_deliveries.py`.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest

from domain.delivery import UnknownPolicy
from services.alerts import LINK_JOINED
from storage import schema
from storage.database import Database
from tests import postgres
from tests.acceptance import chat_process
from tests.acceptance.bridge_process import Bridge, end
from tests.acceptance.delivery_proof import BOT, PATIENCE, Book, Fleet, people_of, reached, received
from tests.acceptance.delivery_worker import clock
from tests.delivery_world import FakeChannel, build, settle, start, states
from tests.webchat_client import Message, Person, text_of
from tests.webchat_server import RunningWebchat, running_webchat

pytestmark = [pytest.mark.slow, pytest.mark.kill, pytest.mark.timeout(600)]
PEOPLE = int(os.environ.get("TONGDAO_KILL_PEOPLE", "4000"))
RATE = 250 if PEOPLE <= 4000 else 400
RESTARTS = 5
AWAY = 0.5
"""Seconds that a server stays away, besides its own stopping and starting."""


@pytest.mark.parametrize(("policy", "last"), [(UnknownPolicy.PARK, 0), (UnknownPolicy.RESEND, 1)])
async def test_two_workers_come_back_each_time_postgresql_was_restarted(tmp_path, policy, last):
    """In the end one of them is killed, so that the other has come back, or nothing goes on."""
    async with city() as (server, database):
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
                await book.note(of=workers[1 - last].pid)
        await book.judge(members, received(tmp_path / "webchat"))


async def test_the_whole_bridge_goes_on_when_postgresql_was_restarted(tmp_path):
    """Who sends, who polls, who ticks: a member is answered after each restart, and nobody gets it twice."""
    async with city() as (server, database), running_webchat(tmp_path / "webchat") as town:
        members = await settle(database, clock, 500)
        token = await people_of(town, len(members))
        delivery = await build(database, clock, FakeChannel(), rate=50)
        async with database.begin() as session:
            await delivery.dispatch(session, source=LINK_JOINED, source_id=1, member_ids=members)
        member = await Person.sign_in(town.http, town.origin, await town.operator.sign_in_link(1001), BOT)
        bridge = Bridge(database.url.render_as_string(), town, token, tmp_path, account="chat1")
        process = await bridge.start()
        try:
            for number, mode in enumerate(["immediate", "fast"], start=1):
                await reached(tmp_path / "webchat", len(members) * number // 4)
                await away(server, mode)
                asked = (await member.say("/me"))["message_id"]
                await member.wait(partial(answers, asked), PATIENCE)
            await database.engine.dispose()
            async with asyncio.timeout(PATIENCE):
                while "waiting" in {state for state, _ in (await states(database, 1)).values()}:
                    await asyncio.sleep(0.2)
            assert process.returncode is None, bridge.said()
        finally:
            await end(process)
        became, got = await states(database, 1), received(tmp_path / "webchat")
        sent = {each for each, (state, _) in became.items() if state == "sent"}
        assert sent == {each for each in members if got[each]}
        assert len(became) == len(members)
        left = {state for state, _ in became.values()} - {"sent"}
        assert left <= {"sending", "waiting"}  # a claim cut short is reaped, or was given back as it ended
        assert max(got[each] for each in members[1:]) == 1


def answers(asked: int, message: Message) -> bool:
    return message["message_id"] > asked and "我的信息" in text_of(message)


@asynccontextmanager
async def city() -> AsyncIterator[tuple[str, Database]]:
    """Run a PostgreSQL of our own with an empty migrated database."""
    with postgres.running() as server:
        await postgres.execute(server, "CREATE DATABASE city")
        database = Database(postgres.url_of(server, "city"))
        try:
            await schema.upgrade(database)
            yield server, database
        finally:
            await database.close()  # a loop with connections open never closes


@pytest.mark.parametrize("policy", UnknownPolicy)
async def test_workers_go_on_each_time_the_chat_server_was_killed(database, tmp_path, policy):
    book, members = Book(database, policy), await begun(database, PEOPLE, policy)
    async with chat_process.running(tmp_path / "webchat") as (chat, town):
        fleet = await fleet_of(database, town, PEOPLE, tmp_path)
        async with fleet.running(1 if database.dialect == "sqlite" else 2):
            for number in range(1, RESTARTS + 1):
                await reached(tmp_path / "webchat", PEOPLE * number // (RESTARTS + 2))
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

"""Two processes of each role on PostgreSQL are one bridge, also when one of each has died."""

import asyncio
import contextlib
import signal
from functools import partial
from pathlib import Path

import aiohttp
import pytest
from aiohttp.test_utils import unused_port

from services.alerts import LINK_JOINED
from services.delivery import Delivery
from storage.database import Database
from tests.acceptance.bridge_process import Bridge, end
from tests.acceptance.delivery_proof import BOT, clock, people_of, received
from tests.acceptance.test_restarts import answers, city
from tests.delivery_world import FakeChannel, build, settle, states
from tests.webchat_client import Person
from tests.webchat_server import running_webchat

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]
PEOPLE = 300
ROLES = ("bot", "bot", "worker", "worker", "clock", "clock")
PATIENCE = 90


async def test_two_of_each_role_are_one_bridge_and_one_of_each_is_enough(tmp_path: Path):
    async with city() as (_, database), running_webchat(tmp_path / "webchat") as town:
        members = await settle(database, clock, PEOPLE)
        token = await people_of(town, len(members))
        delivery = await build(database, clock, FakeChannel(), rate=50)
        member = await Person.sign_in(town.http, town.origin, await town.operator.sign_in_link(1001), BOT)
        bridge = Bridge(database.url.render_as_string(), town, token, tmp_path, account="chat1")
        async with contextlib.AsyncExitStack() as stack:
            fleet = []
            for role in ROLES:
                port = unused_port()
                process = await bridge.start(roles=[role], port=port)
                stack.push_async_callback(end, process)
                fleet.append((process, port))
            await asyncio.gather(*(ready(port) for _, port in fleet))
            await told(database, delivery, 1, members)
            await answered(member)
            for process, _ in fleet[::2]:
                process.send_signal(signal.SIGKILL)
            await told(database, delivery, 2, members)
            await answered(member)
            for process, _ in fleet[1::2]:
                process.send_signal(signal.SIGTERM)
                assert await asyncio.wait_for(process.wait(), 15) == 0, bridge.said()
        got = received(tmp_path / "webchat")
        assert {got[each] for each in members[1:]} == {2}
        assert got[members[0]] == 4  # with an answer to each of two questions


async def ready(port: int) -> None:
    async with asyncio.timeout(PATIENCE), aiohttp.ClientSession() as http:
        while True:
            with contextlib.suppress(aiohttp.ClientError):
                async with http.get(f"http://127.0.0.1:{port}/readyz") as answer:
                    if answer.status == 200:
                        return
            await asyncio.sleep(0.3)


async def told(database: Database, delivery: Delivery, number: int, members: list[int]) -> None:
    """Dispatch to everybody, and wait until each has it; the clock's tick finds the slices."""
    async with database.begin() as session:
        await delivery.dispatch(session, source=LINK_JOINED, source_id=number, member_ids=members)
    async with asyncio.timeout(PATIENCE):
        while {state for state, _ in (await states(database, number)).values()} != {"sent"}:
            await asyncio.sleep(0.3)


async def answered(member: Person) -> None:
    asked = (await member.say("/me"))["message_id"]
    await member.wait(partial(answers, asked), PATIENCE)

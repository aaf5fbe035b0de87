"""Two processes of each role on PostgreSQL are one bridge, also when one of each has died."""

import asyncio
import contextlib
import re
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
from tests.factories import make_grant
from tests.webchat_client import Person, text_of
from tests.webchat_server import running_webchat

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]
PEOPLE = 300
ROLES = ("bot", "bot", "worker", "worker", "clock", "clock", "console", "console")
PATIENCE = 90
WELCOME = "支部已经确认"


async def test_two_of_each_role_are_one_bridge_and_one_of_each_is_enough(tmp_path: Path):
    async with city() as (_, database), running_webchat(tmp_path / "webchat") as town:
        members = await settle(database, clock, PEOPLE)
        token = await people_of(town, len(members))
        await make_grant(database, member=members[0], organisation=1)
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
            browser = await signed_in(member, fleet[-2][1])
            assert await sees(browser, fleet[-1][1]) == 1
            for language in ("en", "zh_CN"):
                await presses_at_the_other(browser, fleet[-2][1], fleet[-1][1], language)
            for process, _ in fleet[::2]:
                process.send_signal(signal.SIGKILL)
            made = await begun(database, delivery, 2, members)
            await paused_and_resumed(browser, fleet[-1][1], made)
            await all_got_it(database, made)
            await answered(member)
            assert await sees(browser, fleet[-1][1]) == 2
            for process, _ in fleet[1::2]:
                process.send_signal(signal.SIGTERM)
                assert await asyncio.wait_for(process.wait(), 15) == 0, bridge.said()
        got = received(tmp_path / "webchat", WELCOME)
        assert {got[each] for each in members} == {2}


async def signed_in(member: Person, port: int) -> str:
    """Open the link that the bot gives, at the console on this port; returns the cookie."""
    await member.say("/console")
    said = text_of(await member.wait("/console/in/", PATIENCE))
    (path,) = re.findall(r"/console/in/[\w-]+", said)
    async with aiohttp.ClientSession() as http:
        answer = await http.post(f"http://127.0.0.1:{port}{path}", allow_redirects=False)
        assert answer.status == 303, await answer.text()
        return answer.headers["Set-Cookie"].partition(";")[0]


async def sees(browser: str, port: int) -> int:
    """Count what the bridge told by itself and all received, as the console on this port shows it to a browser."""
    async with aiohttp.ClientSession(headers={"Cookie": browser}) as http:
        answer = await http.get(f"http://127.0.0.1:{port}/console/own")
        assert answer.status == 200
        return (await answer.text()).count(f"已送达 {PEOPLE} / {PEOPLE}")


async def presses_at_the_other(browser: str, shown: int, pressed: int, language: str) -> None:
    """Choose a language by the form that one console shows, at the other; both then speak it."""
    async with aiohttp.ClientSession(headers={"Cookie": browser}) as http:
        page = await (await http.get(f"http://127.0.0.1:{shown}/console")).text()
        (token,) = set(re.findall(r'name="csrf" value="(\w+)"', page))
        form = {"csrf": token, "language": language}
        answer = await http.post(f"http://127.0.0.1:{pressed}/console/language", data=form)
        assert answer.status == 200
        for port in (shown, pressed):
            page = await (await http.get(f"http://127.0.0.1:{port}/console")).text()
            assert f'<html lang="{language.replace("_", "-")}">' in page


async def ready(port: int) -> None:
    async with asyncio.timeout(PATIENCE), aiohttp.ClientSession() as http:
        while True:
            with contextlib.suppress(aiohttp.ClientError):
                async with http.get(f"http://127.0.0.1:{port}/readyz") as answer:
                    if answer.status == 200:
                        return
            await asyncio.sleep(0.3)


async def paused_and_resumed(browser: str, port: int, made: int) -> None:
    """Stop a send at a console that has no worker in its process, and let it go on."""
    async with aiohttp.ClientSession(headers={"Cookie": browser}) as http:
        address = f"http://127.0.0.1:{port}/console/dispatches/{made}"
        page = await (await http.get(address)).text()
        token = re.findall(r'name="csrf" value="(\w+)"', page)[0]
        for step, said in (("pause", "已暂停。"), ("resume", "已继续。")):
            answer = await http.post(f"{address}/{step}", data={"csrf": token})
            assert said in await answer.text()


async def told(database: Database, delivery: Delivery, number: int, members: list[int]) -> None:
    """Dispatch to everybody, and wait until each has it; the clock's tick finds the slices."""
    await all_got_it(database, await begun(database, delivery, number, members))


async def begun(database: Database, delivery: Delivery, number: int, members: list[int]) -> int:
    async with database.begin() as session:
        return await delivery.dispatch(session, source=LINK_JOINED, source_id=number, member_ids=members)


async def all_got_it(database: Database, made: int) -> None:
    async with asyncio.timeout(PATIENCE):
        while {state for state, _ in (await states(database, made)).values()} != {"sent"}:
            await asyncio.sleep(0.3)


async def answered(member: Person) -> None:
    asked = (await member.say("/me"))["message_id"]
    await member.wait(partial(answers, asked), PATIENCE)

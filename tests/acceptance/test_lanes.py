"""A member's tap while a broadcast to 100,000 runs at the ceiling: the whole bridge, over real HTTP at 200 ms."""

import asyncio
import time
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import pytest
from aiohttp.test_utils import unused_port
from sqlalchemy import insert, select

from bot.app import Bridge, bridge
from bot.settings import Settings
from handlers.features import ROUTERS
from scheduler.jobs import Engine
from services.delivery import Delivery
from tests.acceptance.conftest import BOT, MEMBER, MovedClock
from tests.delivery_world import T
from tests.webchat_client import Operator, Person, text_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(150)]

WEDNESDAY = datetime(2026, 9, 23, 2, 0, tzinfo=UTC)  # 10:00 in Shanghai
EVERYBODY, WITH_CHATS, TAPS = 100_000, 1500, 40
ANSWERS = 2  # to a tap: that it was heard, and the screen
THINKING = 0.25
"""Seconds between taps: what answers people is taken from the pace of the broadcast."""
FIRST = 5_000_000


async def test_a_menu_tap_is_answered_within_a_second_while_a_broadcast_runs(tmp_path: Path):
    for router in ROUTERS:
        router._parent_router = None
    http_port, chat_port = unused_port(), unused_port()
    settings = Settings(
        _env_file=None,
        data_dir=tmp_path / "var",
        http_port=http_port,
        webchat_port=chat_port,
        webchat_faults=True,
        pace_start=29.0,
    )
    clock = MovedClock(WEDNESDAY)
    async with bridge(settings, with_demo=True, clock=clock) as running, aiohttp.ClientSession() as http:
        token = (tmp_path / "var" / "webchat-operator-token").read_text().strip()
        operator = Operator(http, f"http://127.0.0.1:{chat_port}", token)
        await operator.fault("latency", method="sendMessage", mean=0.2, spread=0.1)
        link = await operator.sign_in_link(MEMBER, bot=BOT, start="")
        member = await Person.sign_in(http, f"http://127.0.0.1:{chat_port}", link, BOT)
        dispatch = await broadcast(running, operator, clock)
        await member.say("/start")
        await member.wait("通道")
        async with asyncio.timeout(20):
            while await sent(running, dispatch) < EVERYBODY // 1000:
                await asyncio.sleep(0.2)
        before, begun = await sent(running, dispatch), time.monotonic()
        waits = []
        for number in range(TAPS):
            waits.append(await tap(member, number))
            await asyncio.sleep(THINKING)
        took = time.monotonic() - begun
        out = await sent(running, dispatch) - before + ANSWERS * TAPS
    p95 = sorted(waits)[int(TAPS * 0.95)]
    assert p95 < 1.0
    assert out / took > 23


async def tap(member: Person, number: int) -> float:
    """Press a button of the menu, or back to it, and return how long the answer took."""
    label, title = ("通知", "通知\n\n") if number % 2 == 0 else ("首页", "通道\n\n")
    begun = time.monotonic()
    await member.press(label)
    await member.wait(lambda message: text_of(message).startswith(title))
    return time.monotonic() - begun


async def broadcast(running: Bridge, operator: Operator, clock: MovedClock) -> int:
    """Write a dispatch to 100,000 members, the first of whom the chat server knows; the bridge finds it."""
    database = running.database
    people = await operator.put_people([{"name": f"人{number}", "bot": BOT} for number in range(WITH_CHATS)])
    chats = people + list(range(9_000_000, 9_000_000 + EVERYBODY - WITH_CHATS))
    async with database.begin() as session:
        home = (await session.execute(select(T["organisation"].c.id).limit(1))).scalar_one()
        account = (await session.execute(select(T["account"].c.id).limit(1))).scalar_one()
        fields = {
            "home_id": home,
            "standing": "full",
            "status": "active",
            "mobile": False,
            "language": "zh_CN",
        }
        members = [{"id": FIRST + n, "name": "x", "phone_hint": "", **fields} for n in range(EVERYBODY)]
        connection = await session.connection()
        await connection.execute(insert(T["member"]), members)
        links = [
            {
                "member_id": FIRST + n,
                "account_id": account,
                "chat_id": chat,
                "state": "active",
                "since": clock(),
            }
            for n, chat in enumerate(chats)
        ]
        await connection.execute(insert(T["account_link"]), links)
    delivery = Delivery(database=database, clock=clock, jobs=Engine.in_memory().jobs, channels={})
    async with database.begin() as session:
        everybody = select(T["member"].c.id).where(T["member"].c.id >= FIRST)
        return await delivery.dispatch(session, source="link_joined", source_id=1, members=everybody)


async def sent(running: Bridge, dispatch: int) -> int:
    async with running.database.read() as session:
        found = select(T["slice"].c.sent).where(T["slice"].c.dispatch_id == dispatch)
        return sum((await session.execute(found)).scalars())

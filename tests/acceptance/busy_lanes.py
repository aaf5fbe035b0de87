"""A member who taps through the menu while a broadcast runs at the ceiling, over real HTTP to a chat server that is slow.

Every method of the chat server but the poll takes 200 +- 100 ms, those that answer a tap as well as those that send.
"""

import asyncio
import contextlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import func, select

from services.alerts import LINK_JOINED
from storage.database import Database
from tests.acceptance import chat_process
from tests.acceptance.bridge_process import Bridge, end
from tests.acceptance.delivery_proof import BOT, clock, people_of
from tests.delivery_world import FakeChannel, T, build, settle
from tests.webchat_client import Person, text_of

MEAN, SPREAD = 0.2, 0.1
"""Seconds that the chat server takes for an answer, and how much more or less."""
START, CEILING = 29.0, 30.0
EVERYBODY = 100_000
IN_HAND = 2000
"""Deliveries of the four slices that are in hand at once: what goes out lies that far apart at first."""
ANSWERS = 1
"""Messages of the pace that an answer to a tap takes: the screen; that the tap was heard is none."""
THINKING = 0.25
"""Seconds between taps: what answers people is taken from the pace of the broadcast."""
UNDER_WAY = 100
TAPPING = 1001
ALL_ROLES = (("bot", "worker", "clock"),)
SPLIT_ROLES = (("bot",), ("worker",), ("worker",), ("clock",))


@dataclass(frozen=True, slots=True)
class Tapped:
    """How long each answer took, and how many messages of the broadcast, and of both, went out a second meanwhile."""

    waits: list[float]
    broadcast: float
    together: float

    @property
    def p95(self) -> float:
        return sorted(self.waits)[int(len(self.waits) * 0.95)]

    @property
    def share(self) -> float:
        """Of what is allowed."""
        return self.together / CEILING


async def tap_amid_a_broadcast(
    database: Database, folder: Path, roles: Sequence[Sequence[str]], taps: int
) -> Tapped:
    """Broadcast to 100,000 by a process for each of `roles`, and tap so many times meanwhile."""
    await settle(database, clock, EVERYBODY)
    known = IN_HAND + round(taps * CEILING)  # a second a tap; the chat server need not know the others
    async with (
        chat_process.running(folder / "webchat") as (_, town),
        contextlib.AsyncExitStack() as processes,
    ):
        token = await people_of(town, known)
        await town.operator.fault("latency", mean=MEAN, spread=SPREAD)
        member = await Person.sign_in(town.http, town.origin, await town.operator.sign_in_link(TAPPING), BOT)
        delivery = await build(database, clock, FakeChannel(), rate=START)
        async with database.begin() as session:
            others = select(T["member"].c.id).where(T["member"].c.id > 1)
            await delivery.dispatch(session, source=LINK_JOINED, source_id=1, members=others)
        url = database.url.render_as_string(hide_password=False)
        pace = {"TONGDAO_PACE_START": str(START), "TONGDAO_PACE_CEILING": str(CEILING)}
        bridge = Bridge(url, town, token, folder, account="chat1", more=pace)
        for each in roles:
            processes.push_async_callback(end, await bridge.start(roles=each))
        await member.say("/start")
        await member.wait("通道", 60)
        async with asyncio.timeout(60):
            while await sent(database) < UNDER_WAY:
                await asyncio.sleep(0.2)
        return await _tap(database, member, taps)


async def _tap(database: Database, member: Person, taps: int) -> Tapped:
    before, begun = await sent(database), time.monotonic()
    waits = []
    for number in range(taps):
        waits.append(await tap(member, number))
        await asyncio.sleep(THINKING)
    took = time.monotonic() - begun
    out = await sent(database) - before
    return Tapped(waits, out / took, (out + ANSWERS * taps) / took)


async def tap(member: Person, number: int) -> float:
    """Press a button of the menu, or back to it, and return how long the answer took."""
    label, title = ("通知", "通知\n\n") if number % 2 == 0 else ("首页", "通道\n\n")
    begun = time.monotonic()
    await member.press(label)
    await member.wait(lambda message: text_of(message).startswith(title))
    return time.monotonic() - begun


async def sent(database: Database) -> int:
    async with database.read() as session:
        return int((await session.execute(select(func.sum(T["slice"].c.sent)))).scalar_one())

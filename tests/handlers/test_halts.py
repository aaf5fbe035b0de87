"""Accounts that stopped by themselves, as an administrator of the city sees them, and lets one go again."""

from typing import Any

import pytest

from services.halts import Halts
from storage import halts, pace
from storage.sealing import Sealer
from tests.conftest import HandClock
from tests.factories import make_grant
from tests.fakes import Chat, World
from tests.town import Town


@pytest.fixture
async def admin(world: World, town: Town, toolbox: Any, sealer: Sealer, clock: HandClock) -> Chat:
    toolbox.halts = Halts(database=town.database, clock=clock, audit=toolbox.audit, delivery=toolbox.delivery)
    await make_grant(town.database, member=town.members["wang"], organisation=town.nodes["city"])
    await town.link("wang", 300)
    await town.link("county_secretary", 200)
    async with town.database.begin() as session:
        await pace.ensure(session, town.account_id, rate=25, ceiling=30, now=clock())
    return world.chat(300)


async def test_nothing_has_stopped(admin: Chat):
    await admin.say("/halted")
    assert "所有聊天账号都正常" in admin.screen


async def test_a_stopped_account_is_shown_and_goes_again_at_a_press(
    admin: Chat, town: Town, clock: HandClock
):
    async with town.database.begin() as session:
        await halts.halt(session, town.account_id, "unauthorized", clock())
    await admin.say("/halted")
    assert "密钥失效" in admin.screen
    await admin.press("▶ 恢复")
    assert "所有聊天账号都正常" in admin.screen
    await admin.tap(f"halt:{town.account_id}")
    async with town.database.read() as session:
        assert await halts.read_all(session) == []


async def test_a_county_neither_sees_nor_resumes_it(admin: Chat, world: World, town: Town, clock: HandClock):
    async with town.database.begin() as session:
        await halts.halt(session, town.account_id, "unauthorized", clock())
    county = world.chat(200)
    await county.say("/halted")
    assert "密钥失效" not in county.screen
    await county.tap(f"halt:{town.account_id}")
    async with town.database.read() as session:
        assert len(await halts.read_all(session)) == 1

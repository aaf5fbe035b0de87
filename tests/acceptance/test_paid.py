"""A notice that would take minutes for nothing is there in seconds, once a second person pays for it."""

import asyncio
import time
from pathlib import Path

import pytest
from aiohttp.test_utils import unused_port

from bot.app import bridge
from bot.settings import AccountSettings, Settings
from handlers.features import ROUTERS
from tests.acceptance.conftest import MovedClock
from tests.acceptance.test_two_accounts import KEY, TUESDAY, got, joined, settled
from tests.webchat_client import Person
from tests.webchat_server import RunningWebchat, running_webchat

pytestmark = [pytest.mark.slow, pytest.mark.timeout(90)]

SLOW = 0.01
"""Messages a second for nothing: what goes that way does not come while the test waits."""


async def settings_of(folder: Path, server: RunningWebchat) -> Settings:
    account = AccountSettings(
        name="webchat", base_url=server.origin, token=await server.new_bot(), paid_broadcast=True
    )
    return Settings(
        _env_file=None,
        data_dir=folder / "var",
        http_port=unused_port(),
        secret_key=KEY,
        accounts=(account,),
        pace_start=SLOW,
        pace_ceiling=SLOW,
    )


async def presses(person: Person, *labels: str) -> None:
    for label in labels:
        await person.wait(lambda message, label=label: label in str(message.get("reply_markup")))
        await person.press(label)


async def test_a_paid_notice_is_there_in_seconds_and_not_before_somebody_else_approves(tmp_path):
    town = await settled(tmp_path)
    names = ("branch_secretary", "wang", "zhang", "county_secretary")
    async with running_webchat(tmp_path / "chat", flood_limits=True) as server:
        settings = await settings_of(tmp_path, server)
        author, wang, zhang, second = await joined(town, server, town.account_id, *names)
        for router in ROUTERS:
            router._parent_router = None  # a router has one parent for life
        async with bridge(settings, ("bot", "worker", "clock"), clock=MovedClock(TUESDAY)):
            await author.say("/notice 明天学习")
            await presses(author, "全部", "下一步", "付费快速发送", "申请批准")
            await author.wait("等另一位书记批准")
            await second.say("/decide")
            await presses(second, "明天学习")
            await second.wait("约 3 条")
            assert [await got(person, "明天学习") for person in (wang, zhang)] == [0, 0]
            approved = time.monotonic()
            await presses(second, "批准并发送")
            for person in (wang, zhang):
                await person.wait("明天学习")
            assert time.monotonic() - approved < 20
            await asyncio.sleep(0.5)
            assert [await got(person, "明天学习") for person in (wang, zhang)] == [1, 1]
    await town.database.close()

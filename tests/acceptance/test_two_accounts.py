"""One notice over two accounts, each a server of its own: everybody once, where they want it or where it gets to."""

import asyncio
import time
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import unused_port
from sqlalchemy import insert, select

from bot.app import bridge
from bot.settings import AccountSettings, Settings
from handlers.features import ROUTERS
from storage import schema
from storage.database import Database
from storage.sealing import Sealer
from storage.tables import metadata
from tests.acceptance.conftest import MovedClock
from tests.town import Town, build
from tests.webchat_client import Person, text_of
from tests.webchat_server import RunningWebchat, running_webchat

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

TUESDAY = datetime(2026, 9, 22, 2, 0, tzinfo=UTC)  # 10:00 in Shanghai
KEY = "test:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
HERE, ABROAD = "webchat", "telegram"


@asynccontextmanager
async def servers(folder: Path):
    """Run two chat servers, each with a bot; yields both and the settings of their accounts."""
    async with (
        running_webchat(folder / "here", faults=True) as here,
        running_webchat(folder / "abroad", faults=True) as abroad,
    ):
        accounts = [
            AccountSettings(
                name=name, base_url=server.origin, token=await server.new_bot(), residency=residency
            )
            for name, server, residency in ((HERE, here, "CN"), (ABROAD, abroad, "AE"))
        ]
        yield here, abroad, accounts


@asynccontextmanager
async def running(folder: Path, accounts: list[AccountSettings], **fields: Any):
    settings = Settings(
        _env_file=None,
        data_dir=folder / "var",
        http_port=unused_port(),
        secret_key=KEY,
        accounts=tuple(accounts),
        **fields,
    )
    for router in ROUTERS:
        router._parent_router = None  # a router has one parent for life; each bridge builds a dispatcher anew
    async with bridge(settings, ("bot", "worker", "clock"), clock=MovedClock(TUESDAY)):
        yield


async def settled(folder: Path) -> Town:
    (folder / "var").mkdir()
    database = Database(f"sqlite+aiosqlite:///{folder / 'var' / 'tongdao.db'}")
    await schema.upgrade(database)
    return await build(database, Sealer({"test": bytes(range(32))}, "test"))


async def joined(town: Town, server: RunningWebchat, account_id: int, *names: str) -> list[Person]:
    """Let members start the bot of a server, and join their chats."""
    people = [await server.new_person(name) for name in names]
    for name, person in zip(names, people, strict=True):
        await person.start()
        link = {"member_id": town.members[name], "account_id": account_id, "chat_id": person.id}
        async with town.database.begin() as session:
            values = {**link, "state": "active", "since": TUESDAY}
            await session.execute(insert(metadata.tables["account_link"]).values(values))
    return people


async def send(secretary: Person, text: str) -> None:
    """Send a notice to the whole branch, and wait until its author sees the end."""
    await secretary.say(f"/notice {text}")
    for label in ("全部", "下一步", "现在发出"):
        await secretary.wait(lambda message, label=label: label in str(message.get("reply_markup")))
        await secretary.press(label)


async def got(person: Person, text: str) -> int:
    return sum(text in text_of(message) for message in await person.messages() if not message["outgoing"])


async def counted(town: Town) -> bool:
    """Say whether the slices count one sent here and one there, and one that took the detour."""
    table = metadata.tables["slice"]
    async with town.database.read() as session:
        found = select(table.c.account_id, table.c.planned, table.c.sent).order_by(table.c.id)
        here, there = (town.account_id, 1, 1), (town.telegram_id, 1, 1)
        return [tuple(row) for row in await session.execute(found)] == [here, there, there]


async def until(true: Any, seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not await true():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.1)


async def test_a_notice_goes_over_two_accounts_and_only_over_one_where_residency_says_so(tmp_path):
    town = await settled(tmp_path)
    async with servers(tmp_path) as (here, abroad, accounts):
        secretary, wang, zhang = await joined(
            town, here, town.account_id, "branch_secretary", "wang", "zhang"
        )
        wang_abroad, zhang_abroad = await joined(town, abroad, town.telegram_id, "wang", "zhang")
        async with running(tmp_path, accounts):
            await wang.say("/chats")
            await wang.wait("您在几个聊天里")
            await wang.press("Telegram")
            await wang.wait(lambda message: "✓ Telegram" in str(message.get("reply_markup")))
            await here.operator.fault("blocked", method="sendMessage", chat_id=zhang.id, times=None)
            await abroad.operator.fault(
                "flood", method="sendMessage", chat_id=wang_abroad.id, retry_after=2, times=1
            )
            await send(secretary, "明天学习")
            await secretary.wait("明天学习")
            assert not await got(wang_abroad, "明天学习")  # that server wants us to wait; this one did not
            await until(lambda: got(wang_abroad, "明天学习"))
            await until(lambda: got(zhang_abroad, "明天学习"))
            assert [await got(person, "明天学习") for person in (wang, zhang)] == [0, 0]
            await until(lambda: counted(town))
        await here.operator.heal()
        async with running(tmp_path, accounts, residency=("CN",)):
            await zhang.unblock()
            await send(secretary, "后天学习")
            for person in (wang, secretary):
                await until(lambda person=person: got(person, "后天学习"))
            await wang_abroad.say("/notices")
            await wang_abroad.wait("不能用来接收")
            assert [await got(person, "后天学习") for person in (wang_abroad, zhang_abroad)] == [0, 0]
    await town.database.close()

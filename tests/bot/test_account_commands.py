"""What an operator does to accounts that stopped by themselves: list, resume, as over the socket."""

from typing import Any

import pytest

from bot.account_commands import commands_of
from bot.local import CommandRefused, here
from storage import halts
from storage.database import Database
from tests.conftest import HandClock
from tests.delivery_world import FakeChannel, build, settle, start


async def do(database: Database, what: str, **body: Any) -> dict[str, Any]:
    return [said async for said in here(commands_of(database), f"accounts.{what}", body)][-1]


async def test_a_stopped_account_is_listed_and_goes_again(database: Database, clock: HandClock):
    members = await settle(database, clock, 3)
    delivery = await build(database, clock, FakeChannel())
    await start(delivery, database, members)
    async with database.begin() as session:
        assert await halts.halt(session, 1, "failing", clock())
        assert not await halts.halt(session, 1, "failing", clock())
    (listed,) = (await do(database, "list"))["accounts"]
    assert listed == {
        "name": "chat1", "rate": 1000.0, "why": "failing", "since": clock().isoformat(), "waiting": 3,
    }  # fmt: skip
    assert await do(database, "resume", name="chat1") == {"name": "chat1"}
    assert (await do(database, "list"))["accounts"][0]["since"] is None
    for name in ("chat1", "nobody"):
        with pytest.raises(CommandRefused):
            await do(database, "resume", name=name)

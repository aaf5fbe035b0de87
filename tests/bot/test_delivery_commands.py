"""What an operator does to deliveries that wait: list, resume, cancel, resolve, in this process as over the socket."""

from typing import Any

import pytest

from bot.delivery_commands import commands_of
from bot.local import CommandRefused, here
from domain.delivery import Sent, Unknown
from storage import dispatches
from storage.database import Database
from tests.conftest import HandClock
from tests.delivery_world import FakeChannel, build, run_all, settle, start


async def do(database: Database, clock: HandClock, name: str, **body: Any) -> dict[str, Any]:
    heard = [said async for said in here(commands_of(database, clock), f"deliveries.{name}", body)]
    return heard[-1]


async def test_what_a_restore_held_is_listed_resumed_and_goes_out(database: Database, clock: HandClock):
    members = await settle(database, clock, 3)
    channel = FakeChannel()
    delivery = await build(database, clock, channel)
    number = await start(delivery, database, members)
    async with database.begin() as session:
        await dispatches.pause_all(session, "restored")
    await delivery.tick()
    (listed,) = (await do(database, clock, "list"))["dispatches"]
    assert {**listed, "created_at": ""} == {
        "id": number, "source": "notice", "state": "paused", "why": "restored", "planned": 3, "done": 0,
        "created_at": "",
    }  # fmt: skip
    await do(database, clock, "resume", id=number)
    await delivery.tick()
    await run_all(delivery, database)
    await delivery.tick()
    assert len(channel.sent) == 3
    assert (await do(database, clock, "list"))["dispatches"] == []


async def test_a_single_word_to_one_person_is_not_held_by_a_restore(database: Database, clock: HandClock):
    members = await settle(database, clock, 1)
    delivery = await build(database, clock, FakeChannel())
    await start(delivery, database, members)
    async with database.begin() as session:
        await dispatches.pause_all(session, "restored")
    (listed,) = (await do(database, clock, "list"))["dispatches"]
    assert listed["state"] == "running"


async def test_what_is_cancelled_reaches_nobody_and_is_done_once(database: Database, clock: HandClock):
    members = await settle(database, clock, 3)
    channel = FakeChannel()
    delivery = await build(database, clock, channel)
    number = await start(delivery, database, members)
    await do(database, clock, "cancel", id=number)
    await run_all(delivery, database)
    assert channel.sent == []
    for name in ("cancel", "resume"):
        with pytest.raises(CommandRefused):
            await do(database, clock, name, id=number)


async def test_an_operator_decides_about_those_who_perhaps_received_it(database: Database, clock: HandClock):
    members = await settle(database, clock, 3)
    channel = FakeChannel(lambda envelope: Unknown("502"))
    delivery = await build(database, clock, channel)
    number = await start(delivery, database, members)
    await run_all(delivery, database)
    assert (await do(database, clock, "list"))["doubtful"] == [
        {"id": number, "source": "notice", "parked": 3}
    ]
    assert await do(database, clock, "resolve", id=number, again=True) == {"id": number, "count": 3}
    channel.answer = lambda envelope: Sent(1) if envelope.to.chat_id < 1003 else Unknown("502")
    await run_all(delivery, database)
    assert await do(database, clock, "resolve", id=number, again=False) == {"id": number, "count": 1}
    assert (await do(database, clock, "list"))["doubtful"] == []
    with pytest.raises(CommandRefused):
        await do(database, clock, "resolve", id=number, again=True)
    assert len(channel.sent) == 6

"""Asking for the pace: nobody asks for what this process knows to be reserved."""

import pytest

from domain.delivery import Lane
from domain.pace import Granted, Later
from storage import pace
from tests.delivery_world import ACCOUNT, FakeChannel, build, run_all, settle, start

PEOPLE, RATE = 60, 20.0


@pytest.fixture
def answers(monkeypatch) -> list[Granted | Later]:
    """Note what each asking was answered."""
    reserve, noted = pace.reserve, []

    async def noting(*arguments, **more):
        noted.append(await reserve(*arguments, **more))
        return noted[-1]

    monkeypatch.setattr("services.pacer.pace.reserve", noting)
    return noted


async def test_nobody_is_refused_where_nobody_else_asks(database, clock, answers):
    members, channel = await settle(database, clock, PEOPLE), FakeChannel()
    delivery = await build(database, clock, channel, rate=RATE)
    began = clock()
    for each in (members[:20], members[20:40], members[40:]):
        await start(delivery, database, each)
    await run_all(delivery, database)
    assert len(channel.sent) == PEOPLE
    assert {type(each) for each in answers} == {Granted}
    assert (PEOPLE - 10) / RATE <= (clock() - began).total_seconds() <= (PEOPLE + 10) / RATE


async def test_what_another_process_reserved_is_learnt_from_a_refusal(database, clock, answers):
    members, channel = await settle(database, clock, PEOPLE), FakeChannel()
    delivery = await build(database, clock, channel, rate=RATE)
    await start(delivery, database, members)
    async with database.begin() as session:
        await pace.reserve(session, ACCOUNT, Lane.NORMAL, 15, clock())
    began = clock()
    await run_all(delivery, database)
    assert len(channel.sent) == PEOPLE
    assert [type(each) for each in answers].count(Later) == 1
    assert (clock() - began).total_seconds() >= (PEOPLE + 15 - 10) / RATE

"""Chats claimed by row: several processes share the updates, each chat in one of them, and in order."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import select

from bot import inbox as inbox_module
from bot.claims import KEPT_IDLE, LEASE, Claims
from bot.inbox import Inbox
from storage import claims as stored
from storage.tables import metadata
from tests.bot.test_inbox import SEALER, said
from tests.factories import make_account, make_topic

T = metadata.tables


class Process:
    """One process of a fleet: each update it handles adds a topic, once its gate (if any) is open."""

    def __init__(self, name: str, database, clock) -> None:
        self.codes = name
        self.fed: list[int] = []
        self.forgotten: list[stored.Chat | None] = []
        self.gates: dict[int, asyncio.Event] = {}
        self.database = database
        self.claims = Claims(database=database, clock=clock, holder=name, forget=self.forgotten.append)
        self.box = Inbox(
            database=database,
            clock=clock,
            sealer=SEALER,
            feed=self.feed,
            apologise=self.feed,
            claims=self.claims,
        )

    async def feed(self, account_id: int, update: dict[str, Any], again: bool) -> None:
        number = update["update_id"]
        if number in self.gates:
            await self.gates[number].wait()
        if not again:
            async with self.database.begin() as session:
                await make_topic(session, f"{self.codes}-{number}", name=str(number))
        self.fed.append(number)

    def hold_up(self, number: int) -> None:
        self.gates[number] = asyncio.Event()

    async def look(self) -> None:
        await self.box.look()
        if all(gate.is_set() for gate in self.gates.values()):
            await self.box.idle()


@pytest.fixture
async def account(database) -> int:
    return await make_account(database)


@pytest.fixture
async def two(database, clock, account) -> tuple[Process, Process]:
    processes = Process("a", database, clock), Process("b", database, clock)
    for each in processes:
        await each.claims.renew()
        await each.box.take(account)
    return processes


async def effects(database) -> list[str]:
    async with database.read() as session:
        return sorted((await session.execute(select(T["topic"].c.name))).scalars())


async def states(database) -> set[str]:
    async with database.read() as session:
        return set((await session.execute(select(T["inbox"].c.state))).scalars())


async def test_a_chat_stays_with_one_process_and_in_the_order_of_its_updates(two, account, database):
    a, b = two
    a.hold_up(1)
    await a.box.receive(account, [said(1)])
    await b.box.receive(account, [said(3), said(4, chat_id=8)])
    await b.box.idle()
    await a.box.receive(account, [said(2)])
    a.gates[1].set()
    await a.box.idle()
    assert (a.fed, b.fed) == ([1, 2, 3], [4])
    await b.box.receive(account, [said(5)])
    await b.look()
    await a.look()
    assert (a.fed, b.fed) == ([1, 2, 3, 5], [4])
    assert await states(database) == {"done"}


async def test_who_has_plenty_in_hand_leaves_new_chats_to_others(two, account, monkeypatch):
    monkeypatch.setattr(inbox_module, "MOST_CHATS", 2)
    a, b = two
    a.hold_up(1)
    a.hold_up(2)
    await a.box.receive(account, [said(number, chat_id=number) for number in (1, 2, 3, 4)])
    await a.look()
    await b.look()
    assert (a.fed, sorted(b.fed)) == ([], [3, 4])
    for gate in a.gates.values():
        gate.set()
    await a.box.idle()
    assert sorted(a.fed) == [1, 2]


@pytest.mark.parametrize("codes", ["a", "b"])
async def test_another_takes_over_from_a_process_that_stands_still_and_nothing_takes_effect_twice(
    two, account, database, clock, codes
):
    a, b = two
    a.codes = codes  # with b's codes its write is refused, with its own it is taken back
    a.hold_up(1)
    await a.box.receive(account, [said(1), said(2)])
    await b.look()
    assert b.fed == []
    clock.forward(seconds=LEASE.total_seconds() + 1)
    await b.claims.renew()
    await b.look()
    await b.box.idle()
    assert b.fed == [1, 2]
    await a.claims.renew()
    a.gates[1].set()
    await a.box.idle()
    assert (a.fed, a.forgotten[-1]) == ([], (account, 7))
    assert await effects(database) == ["1", "2"]
    assert await states(database) == {"done"}


async def test_what_took_effect_before_its_process_died_is_only_answered_by_the_next(
    two, account, database, clock
):
    a, b = two
    async with database.begin() as session:
        await stored.take(session, [(account, 7)], "a", clock())
    a.hold_up(1)
    await a.box.receive(account, [said(1)])
    async with database.begin() as session:
        assert await stored.effective(session, {1: (account, 7)}, "a")
        assert not await stored.effective(session, {1: (account, 7)}, "b")
    clock.forward(seconds=LEASE.total_seconds() + 1)
    await b.claims.renew()
    await b.look()
    assert (b.fed, await effects(database)) == ([1], [])


async def test_a_chat_at_rest_is_let_go_and_its_dialogue_forgotten(two, account, clock):
    a, b = two
    await a.box.receive(account, [said(1)])
    await a.box.idle()
    clock.forward(seconds=KEPT_IDLE.total_seconds() - 1)
    await a.box.tidy()
    assert a.claims.holds((account, 7))
    clock.forward(seconds=2)
    await a.box.tidy()
    assert not a.claims.holds((account, 7))
    assert a.forgotten == [None, (account, 7)]
    await b.box.receive(account, [said(2)])
    await b.box.idle()
    assert b.fed == [2]


async def test_who_stops_lets_others_go_on_at_once_and_who_is_long_gone_leaves_no_rows(
    two, account, database, clock
):
    a, b = two
    await a.box.receive(account, [said(1)])
    await a.box.idle()
    await a.claims.give_all_back()
    await a.box.receive(account, [said(2)])
    await b.look()
    assert (a.fed, b.fed) == ([1], [2])
    clock.forward(hours=2)
    await a.claims.reap()
    async with database.read() as session:
        for table in ("chat_claim", "lease"):
            assert (await session.execute(select(T[table]))).all() == []

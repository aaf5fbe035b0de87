"""Tenure: one process at a time holds an account, and another takes over what it leaves or loses."""

import asyncio

import pytest

from bot import tenure as tenure_module
from bot.tenure import LEASE, Tenure
from tests.factories import make_account


class Process:
    """What a process holds, and how often it looked for what others kept."""

    def __init__(self, name, database, clock, account) -> None:
        self.held: set[int] = set()
        self.looked = 0
        self.tenure = Tenure(
            account,
            database=database,
            clock=clock,
            holder=name,
            take=self.take,
            let_go=self.held.discard,
            look=self.look,
        )

    async def take(self, account_id: int) -> None:
        self.held.add(account_id)

    async def look(self) -> None:
        self.looked += 1


@pytest.fixture
async def account(database) -> int:
    return await make_account(database)


@pytest.fixture
def processes(database, clock, account) -> tuple[Process, Process]:
    return Process("a", database, clock, account), Process("b", database, clock, account)


async def test_the_first_process_takes_an_account_and_the_second_waits(processes, account):
    first, second = processes
    await first.tenure.renew()
    await second.tenure.renew()
    assert (first.held, second.held) == ({account}, set())
    assert first.tenure.taken.is_set()
    assert not second.tenure.taken.is_set()


async def test_who_renews_keeps_it_and_looks_for_what_others_kept(processes, account, clock):
    first, second = processes
    await first.tenure.renew()
    for _ in range(3):
        clock.forward(seconds=10)
        await first.tenure.renew()
        await second.tenure.renew()
    assert (first.held, first.looked, second.held) == ({account}, 3, set())


async def test_another_takes_over_from_one_that_died(processes, account, clock):
    first, second = processes
    await first.tenure.renew()
    clock.forward(seconds=LEASE.total_seconds() + 1)
    await second.tenure.renew()
    assert second.held == {account}
    await first.tenure.renew()
    assert first.held == set()


async def test_who_stops_gives_it_back_at_once(processes, account):
    first, second = processes
    await first.tenure.renew()
    await first.tenure.give_back()
    await second.tenure.renew()
    assert (first.held, second.held) == (set(), {account})


async def test_giving_back_what_another_holds_takes_nothing_from_it(processes, account, clock):
    first, second = processes
    await first.tenure.renew()
    clock.forward(seconds=LEASE.total_seconds() + 1)
    await second.tenure.renew()
    await first.tenure.give_back()
    await first.tenure.renew()
    assert (first.held, second.held) == (set(), {account})


async def test_a_database_away_for_longer_than_the_lease_costs_the_account(
    processes, account, clock, monkeypatch
):
    monkeypatch.setattr(tenure_module, "RENEW_EVERY", 0.01)
    first, _ = processes
    await first.tenure.renew()

    async def away(*_: object, **__: object) -> bool:
        raise OSError

    monkeypatch.setattr(tenure_module.leases, "take", away)
    task = asyncio.create_task(first.tenure.run())
    await asyncio.sleep(0.1)
    assert first.held == {account}
    clock.forward(seconds=LEASE.total_seconds() + 1)
    await asyncio.sleep(0.1)
    assert first.held == set()
    monkeypatch.undo()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

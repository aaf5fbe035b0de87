"""The turnstile: one at a time, the least share first, and nobody lost when a waiter gives up."""

import asyncio

from domain.shares import Shares
from services.turnstile import Turnstile


async def ask(turnstile: Turnstile, dispatch_id: int, order: list[int]) -> None:
    async with turnstile.turn(dispatch_id):
        order.append(dispatch_id)


async def waiting(turnstile: Turnstile, *dispatches: int) -> tuple[list[asyncio.Task[None]], list[int]]:
    order: list[int] = []
    tasks = [asyncio.create_task(ask(turnstile, each, order)) for each in dispatches]
    await asyncio.sleep(0)
    return tasks, order


async def test_the_least_share_goes_first_and_equals_take_turns():
    turnstile = Turnstile()
    turnstile.shares = Shares({1: 30.0, 2: 10.0, 3: 10.0})
    async with turnstile.turn(2):
        tasks, order = await waiting(turnstile, 1, 1, 2, 2, 3)
        assert (turnstile.behind(1), turnstile.behind(2), order) == (True, False, [])
    await asyncio.gather(*tasks)
    assert order == [2, 3, 2, 1, 1]


async def test_a_turn_given_to_one_who_gave_up_is_passed_on():
    turnstile = Turnstile()
    async with turnstile.turn(1):
        tasks, order = await waiting(turnstile, 2, 3, 4)
        tasks[1].cancel()
    tasks[0].cancel()  # it was given the turn, and has not taken it yet
    await asyncio.gather(*tasks, return_exceptions=True)
    assert order == [4]
    async with asyncio.timeout(1), turnstile.turn(5):
        assert not turnstile.behind(5)

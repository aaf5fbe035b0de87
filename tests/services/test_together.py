"""Doing for many at once: who is in a round, who is apart, and who fails by whom."""

import asyncio
from collections.abc import Sequence
from contextvars import ContextVar

import pytest

from services.together import MOST, Together

whose: ContextVar[str] = ContextVar("whose", default="nobody's")


class Rounds:
    """Doubles numbers, in rounds that a gate holds up; what is in `trouble` fails the round it is in."""

    def __init__(self) -> None:
        self.seen: list[list[int]] = []
        self.contexts: list[str] = []
        self.trouble: set[int] = set()
        self.gate = asyncio.Event()
        self.gate.set()

    async def double(self, numbers: Sequence[int]) -> list[int | Exception]:
        self.seen.append(list(numbers))
        self.contexts.append(whose.get())
        await self.gate.wait()
        if self.trouble & set(numbers):
            raise ValueError(sorted(self.trouble & set(numbers)))
        return [LookupError(number) if number < 0 else 2 * number for number in numbers]


@pytest.fixture
def rounds() -> Rounds:
    return Rounds()


async def test_who_asks_at_once_is_answered_in_one_round(rounds: Rounds):
    together = Together(rounds.double)
    assert await asyncio.gather(*(together.ask(number) for number in (1, 2, 3))) == [2, 4, 6]
    assert rounds.seen == [[1, 2, 3]]


async def test_who_asks_while_a_round_runs_is_in_the_next(rounds: Rounds):
    together = Together(rounds.double)
    rounds.gate.clear()
    first = asyncio.create_task(together.ask(1))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    others = [asyncio.create_task(together.ask(number)) for number in (2, 3)]
    await asyncio.sleep(0)
    rounds.gate.set()
    assert await asyncio.gather(first, *others) == [2, 4, 6]
    assert rounds.seen == [[1], [2, 3]]


async def test_an_answer_that_is_an_exception_is_raised_for_who_asked_only(rounds: Rounds):
    together = Together(rounds.double)
    bad, good = await asyncio.gather(together.ask(-1), together.ask(1), return_exceptions=True)
    assert isinstance(bad, LookupError)
    assert good == 2
    assert len(rounds.seen) == 1


async def test_nobody_fails_by_what_somebody_else_asked(rounds: Rounds):
    together = Together(rounds.double)
    rounds.trouble = {2}
    answers = await asyncio.gather(*(together.ask(number) for number in (1, 2, 3)), return_exceptions=True)
    assert answers[0::2] == [2, 6]
    assert isinstance(answers[1], ValueError)
    assert rounds.seen == [[1, 2, 3], [1], [2], [3]]


async def test_after_a_failed_round_the_next_one_comes(rounds: Rounds):
    together = Together(rounds.double)
    rounds.trouble = {1}
    with pytest.raises(ValueError, match="1"):
        await together.ask(1)
    assert await together.ask(2) == 4


async def test_what_is_to_be_apart_comes_one_after_the_other_and_in_order(rounds: Rounds):
    together = Together(rounds.double, apart=lambda number: number % 10)
    await asyncio.gather(*(together.ask(number) for number in (1, 2, 11, 21, 12)))
    assert rounds.seen == [[1, 2], [11, 12], [21]]


async def test_a_round_is_no_longer_than_it_may_be(rounds: Rounds):
    for together in (Together(rounds.double), Together(rounds.double, apart=lambda number: number)):
        rounds.seen.clear()
        await asyncio.gather(*(together.ask(number) for number in range(MOST + 1)))
        assert [len(each) for each in rounds.seen] == [MOST, 1]


async def test_who_was_cancelled_before_their_round_wants_nothing_more(rounds: Rounds):
    together = Together(rounds.double)
    rounds.gate.clear()
    first, given_up, last = (asyncio.create_task(together.ask(number)) for number in (1, 2, 3))
    await asyncio.sleep(0)
    given_up.cancel()
    await asyncio.sleep(0)
    rounds.gate.set()
    assert await asyncio.gather(first, last) == [2, 6]
    assert rounds.seen == [[1, 3]]


async def test_who_is_cancelled_amid_their_round_holds_up_nobody(rounds: Rounds):
    together = Together(rounds.double)
    rounds.gate.clear()
    given_up, other = (asyncio.create_task(together.ask(number)) for number in (1, 2))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    given_up.cancel()
    rounds.gate.set()
    assert await other == 4
    assert rounds.seen == [[1, 2]]


async def test_a_round_runs_in_nobodys_context(rounds: Rounds):
    together = Together(rounds.double)
    token = whose.set("mine")
    await together.ask(1)
    whose.reset(token)
    assert rounds.contexts == ["nobody's"]

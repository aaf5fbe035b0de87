"""Doing for many in one go what each asks for: who asks while a round runs is in the next one, with all others.

A statement costs hardly more for thirty than for one, and a trip to SQLite's thread the same: a vote among fifty
costs a fifth of a vote alone (`python -m benchmarks vote_cost`). Who asks alone waits for nobody.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Sequence
from contextvars import Context
from typing import Any, Generic, TypeVar

MOST = 100
Asked = TypeVar("Asked")
Answer = TypeVar("Answer")


class Together(Generic[Asked, Answer]):
    """Asks `do` for the answers to many, in their order; one that is an exception is raised for who asked.

    Two that are the same to `apart` are never in one round. A round that fails as a whole is done again for each
    alone, so that nobody fails by what somebody else asked: `do` must have changed nothing then.
    """

    def __init__(
        self,
        do: Callable[[Sequence[Asked]], Awaitable[Sequence[Answer | Exception]]],
        *,
        apart: Callable[[Asked], Hashable] | None = None,
    ) -> None:
        self._do = do
        self._apart = apart
        self._waiting: list[tuple[Asked, asyncio.Future[Answer]]] = []
        self._rounds: asyncio.Task[None] | None = None

    async def ask(self, asked: Asked) -> Answer:
        """Return the answer once the round is over that this is part of."""
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((asked, future))
        if self._rounds is None or self._rounds.done():
            # In no context of who asks: a round is nobody's own.
            self._rounds = asyncio.create_task(self._run(), context=Context())
        return await future

    async def _run(self) -> None:
        while self._waiting:
            taken = self._take()
            answers = await self._answers([asked for asked, _ in taken])
            for (_, future), answer in zip(taken, answers, strict=True):
                _settle(future, answer)

    def _take(self) -> list[tuple[Asked, asyncio.Future[Answer]]]:
        """Take the next round out of those who wait; who was cancelled meanwhile wants nothing more."""
        wanted = [each for each in self._waiting if not each[1].done()]
        if self._apart is None:
            self._waiting = wanted[MOST:]
            return wanted[:MOST]
        taken: dict[Hashable, tuple[Asked, asyncio.Future[Answer]]] = {}
        self._waiting = []
        for each in wanted:
            key = self._apart(each[0])
            if key in taken or len(taken) == MOST:
                self._waiting.append(each)
            else:
                taken[key] = each
        return list(taken.values())

    async def _answers(self, asked: Sequence[Asked]) -> Sequence[Answer | Exception]:
        try:
            return await self._do(asked)
        except Exception as error:  # noqa: BLE001 - it is raised for who asked
            if len(asked) == 1:
                return [error]
        return [(await self._answers([each]))[0] for each in asked]


def _settle(future: asyncio.Future[Any], answer: object) -> None:
    if future.done():
        return
    if isinstance(answer, Exception):
        future.set_exception(answer)
    else:
        future.set_result(answer)

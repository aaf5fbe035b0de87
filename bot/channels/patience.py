"""How long a whole request may take: one look at all that are open, instead of a timer for each.

A limit must not end what is answered already. After the process stood still (a machine that was paused, a SIGSTOP),
answers lie in its sockets and limits are over, and a loop that was interrupted runs its timers before it reads: with
aiohttp's limits each of those requests ended in doubt. So a look that is late itself lets be read first what has come.
It ends a server that drips its answer too: each single byte would be in time.
"""

import asyncio
from types import TracebackType

LOOK_EVERY = 0.25
LATE = 0.5
"""Seconds by which a look is late after a moment in which the process did nothing."""
TO_READ = 2.0
"""Seconds for what has come meanwhile, before it is looked again."""
MOST_FORGIVEN = 3
"""Late looks in a row: a process that is late all the time ends its requests too."""


class Patience:
    """Opens limits for one session's requests, and ends those that are over."""

    def __init__(self) -> None:
        self._open: set[Limit] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._forgiven = 0

    def within(self, seconds: float) -> "Limit":
        """Return a context in which a request may be that long; beyond it raises `TimeoutError`."""
        return Limit(self, seconds)

    def begin(self, limit: "Limit") -> None:
        self._open.add(limit)
        if self._timer is None:
            self._look_in(LOOK_EVERY)

    def end(self, limit: "Limit") -> None:
        self._open.discard(limit)

    def _look_in(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(seconds, self._look, loop.time() + seconds)

    def _look(self, due: float) -> None:
        self._timer = None
        now = asyncio.get_running_loop().time()
        forgives = now - due > LATE and self._forgiven < MOST_FORGIVEN
        self._forgiven = self._forgiven + 1 if forgives else 0
        if not forgives:
            for limit in [each for each in self._open if each.until < now]:
                limit.is_over()
        if self._open:
            self._look_in(TO_READ if forgives else LOOK_EVERY)


class Limit:
    """The limit of one request, in the task that enters it."""

    __slots__ = ("_cancelling", "_over", "_patience", "_seconds", "_task", "until")

    def __init__(self, patience: Patience, seconds: float) -> None:
        self._patience = patience
        self._seconds = seconds
        self._over = False
        self.until = 0.0

    def __enter__(self) -> None:
        task = asyncio.current_task()
        if task is None:
            msg = "a request is made in a task"
            raise RuntimeError(msg)
        self._task, self._cancelling = task, task.cancelling()
        self.until = asyncio.get_running_loop().time() + self._seconds
        self._patience.begin(self)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self._patience.end(self)
        if self._over and self._task.uncancel() <= self._cancelling and kind is asyncio.CancelledError:
            raise TimeoutError from error

    def is_over(self) -> None:
        """End what runs in this limit; once, since it may need a moment to end."""
        if not self._over:
            self._over = True
            self._task.cancel()

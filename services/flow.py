"""What is in flight on an account in this process, and what all its sends share."""

import asyncio
from collections import deque
from dataclasses import dataclass, field

from domain.delivery import Lane
from domain.halts import Streak
from domain.pace import in_flight_limit
from services.turnstile import Turnstile
from storage.deliveries import OpenSlice

KEPT_FENCES = 256


@dataclass(slots=True)
class Line:
    """What all sends of one account in this process share, those for nothing and those that are paid."""

    streak: Streak
    held_until: float = 0.0


@dataclass(slots=True)
class Flow:
    """What is in flight on one account in this process, of one kind of its pace."""

    line: Line
    rate: float = 25.0
    in_flight: int = 0
    free_at: float = 0.0
    arrival: float = 0.0
    """Until then the pace is reserved, as far as this process knows: others may have reserved more."""
    latencies: deque[float] = field(default_factory=lambda: deque([0.3], maxlen=200))
    landed: asyncio.Event = field(default_factory=asyncio.Event)
    fences: dict[int, int] = field(default_factory=dict)
    late: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Those that lost their place ask for a new one, one after the other."""
    turnstiles: dict[Lane, Turnstile] = field(default_factory=lambda: {lane: Turnstile() for lane in Lane})

    @property
    def limit(self) -> int:
        ordered = sorted(self.latencies)
        return in_flight_limit(self.rate, ordered[int(len(ordered) * 0.95)])

    def reserved(self, until: float) -> None:
        """Note how far the pace is reserved: it only grows."""
        self.arrival = max(self.arrival, until)

    def in_hand(self, taken: OpenSlice) -> None:
        """Note who has a slice in hand here, of the last few."""
        self.fences[taken.id] = max(taken.fence, self.fences.pop(taken.id, 0))
        while len(self.fences) > KEPT_FENCES:
            self.fences.pop(next(iter(self.fences)))

    async def room(self, count: int, most: float) -> None:
        while self.in_flight and self.in_flight + count > min(self.limit, most):
            self.landed.clear()
            await self.landed.wait()

    def land(self, seconds: float | None) -> None:
        self.in_flight -= 1
        if seconds is not None:
            self.latencies.append(seconds)
        self.landed.set()

"""The processes of the fleet, by what each says of itself every few seconds."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

BEAT_EVERY = 5.0  # seconds
ALIVE_FOR = timedelta(seconds=20)
"""A process that has said nothing for longer is gone, or its machine is."""
KEPT = timedelta(days=1)
"""What ended without a word is told for so long."""
NEEDED = ("bot", "worker", "clock")


@dataclass(frozen=True, slots=True)
class Process:
    """One process: what it does and where, and what it finds wrong; `address` is that of its health and metrics."""

    name: str
    roles: tuple[str, ...]
    host: str
    address: str
    since: datetime
    beat_at: datetime
    tick_lag: float | None = None
    problems: str = ""

    def is_alive(self, now: datetime) -> bool:
        return now - self.beat_at < ALIVE_FOR


def missing(alive: Iterable[Process]) -> list[str]:
    """Name the roles without which nothing works, and that nobody has."""
    held = {role for each in alive for role in each.roles}
    return [role for role in NEEDED if role not in held]


def roles_of(alive: Iterable[Process]) -> dict[str, int]:
    """Return how many have each role."""
    return dict(sorted(Counter(role for each in alive for role in each.roles).items()))

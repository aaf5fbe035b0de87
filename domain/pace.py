"""The pace of one account: a GCRA (generic cell rate algorithm) with lanes and an adaptive rate.

The server's limits are unspecified and dynamic; only `retry_after` is true (TELEGRAM.md, "Outbound").
So the rate starts low, halves on a 429, rises again under traffic, and stays under the ceiling.
How it rises follows what was learnt (`_rise`): quickly where the server has taken as much before, hardly where it
refused last, and steadily beyond. With one slow step for all, a start at 25/s cost 2 % of an allowed 30/s over
3,000 sends, and a 429 a minute of half the rate; with one quick step, a lower limit is met again every few seconds.
`storage.pace` says the same in one UPDATE; a test compares the two.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from domain.delivery import Lane

HEADROOM = 0.975
"""The rate stays under this share of the ceiling; sends keep their distance, so that no second holds more."""
CREEP_EVERY = 1.0
"""Seconds between two steps up, and after a hold before the first."""
CREEP_STEP = 0.02
"""A step into the unknown, as a share of the ceiling."""
KNOWN_GOOD, KNOWN_PAST = 0.97, 1.03
"""Below and above these shares of the rate that was refused last, its refusal says nothing."""
RECOVERY = 0.5
"""A step up to what is known to be good, as a share of what lacks."""
CAREFUL_STEP = 0.00025
"""A step near the rate that was refused, as a share of it: it is met again every few minutes, not seconds."""
SLOWEST = 1.0
GROUP_SECONDS = 0.2
"""Of the pace in a group. What is claimed and not yet sent is in doubt at a kill, and yields to no other: so not more."""
LARGEST_GROUP = 1000
"""Of a fast pace: a group's statements cost the same whatever its size."""
LOOK_AHEAD = {Lane.NORMAL: 0.3, Lane.URGENT: 0.8}
"""Seconds a lane may reserve ahead: an urgent reservation pushes the normal lane out of its window."""
STAND_BACK = 0.1
"""Seconds less that a dispatch may reserve ahead which had more than others (`domain.shares`)."""


class PaceKind(StrEnum):
    """What an account sends for nothing and what it pays for have a pace each, beside each other."""

    FREE = "free"
    PAID = "paid"


@dataclass(frozen=True, slots=True)
class Granted:
    """Send from `start` on, `interval` seconds apart (epoch seconds)."""

    start: float
    interval: float


@dataclass(frozen=True, slots=True)
class Later:
    """Nothing now: ask again at `at`; `held` says that a 429 holds the account."""

    at: float
    held: bool = False


@dataclass(frozen=True, slots=True)
class Pace:
    """State of one account's pace; all times in epoch seconds."""

    rate: float = 25.0
    ceiling: float = 30.0
    arrival: float = 0.0
    reply_arrival: float = 0.0
    held_until: float | None = None
    changed_at: float = 0.0
    refused: float = 0.0

    @property
    def top(self) -> float:
        return max(SLOWEST, self.ceiling * HEADROOM)

    def reserve(
        self, lane: Lane, count: int, now: float, stand_back: float = 0.0
    ) -> "tuple[Pace, Granted | Later]":
        """Reserve `count` sends, all or none, `stand_back` seconds less ahead than the lane may.

        A reply starts beside the other lanes, within the ceiling, and pushes them back by as much,
        so that the sum stays under the limit. It asks nobody, so it counts while a 429 holds the rest too.
        """
        if lane is Lane.REPLY:
            start, interval = max(self.reply_arrival, now), 1 / self.ceiling
            moved = replace(
                self,
                reply_arrival=start + count * interval,
                arrival=max(self.arrival, now) + count / self.rate,
            )
            return moved, Granted(start, interval)
        if self.held_until is not None and now < self.held_until:
            return self, Later(self.held_until, held=True)
        foresight = ahead(lane, stand_back)
        if self.arrival > now + foresight:
            return self, Later(self.arrival - foresight)
        pace = self.crept(now)
        start = max(pace.arrival, now)
        return replace(pace, arrival=start + count / pace.rate), Granted(start, 1 / pace.rate)

    def crept(self, now: float) -> "Pace":
        """Rise by one step if the last change is long enough ago."""
        if now - self.changed_at < CREEP_EVERY or self.rate >= self.top:
            return self
        return replace(self, rate=min(self.top, self.rate + self._rise()), changed_at=now)

    def _rise(self) -> float:
        good = self.refused * KNOWN_GOOD
        if self.rate < good:
            return min(good - self.rate, max((good - self.rate) * RECOVERY, self.refused * CREEP_STEP))
        if self.rate < self.refused * KNOWN_PAST:
            return self.refused * CAREFUL_STEP
        return self.ceiling * CREEP_STEP

    def slowed(self, retry_at: float, now: float) -> "Pace":
        """After a 429: hold the account, and halve the rate once per hold, however many sends met it."""
        held = self.held(retry_at)
        if self.held_until is not None and now < self.held_until:
            return held
        return replace(held, rate=max(SLOWEST, self.rate / 2), refused=self.rate)

    def held(self, retry_at: float) -> "Pace":
        """After a 429 that the other kind met: hold the account too, and keep the rate."""
        until = max(retry_at, self.held_until or retry_at)
        return replace(self, held_until=until, changed_at=until)


def ahead(lane: Lane, stand_back: float = 0.0) -> float:
    """Return how many seconds ahead a lane may reserve, who stands back so many less."""
    return LOOK_AHEAD.get(lane, 0.0) - stand_back


def group_size(rate: float, remaining: int) -> int:
    """How many to reserve and claim at once: so many of the pace, at most a slice."""
    return max(1, min(LARGEST_GROUP, round(rate * GROUP_SECONDS), remaining))


def in_flight_limit(rate: float, p95: float) -> int:
    """How many sends to keep in flight: twice pace x p95 latency, so that latency never sets the rate."""
    return max(16, min(2000, round(2 * rate * p95)))

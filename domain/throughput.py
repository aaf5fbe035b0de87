"""How quickly a dispatch really goes out: what messengers answered for lately, and when the rest will be over.

Counted in windows of ten seconds, this one and the one before, so that a count is an addition and what stands still
shows within twenty. A rate is only said of what moves; what has not begun yet gets an estimate from its share of the
pace, as such.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.delivery import DeliveryState

WINDOW = 10.0
ANSWERED = frozenset({DeliveryState.SENT, DeliveryState.UNREACHABLE, DeliveryState.REJECTED})
"""What a messenger took or refused for good: what failed before it left us, or is in doubt, is no progress."""
SOON = 1.0
"""Seconds for which the first answers count at least, or three of them at once would be a rate."""


@dataclass(frozen=True, slots=True)
class Moved:
    """Answers of this window and of the one before; `since` they came without a gap of a window (epoch seconds)."""

    now: int = 0
    before: int = 0
    since: float | None = None

    def rate(self, at: float) -> float:
        """Return how many a second there were lately."""
        if self.since is None:
            return 0.0
        began = window_of(at) * WINDOW
        covered = min(WINDOW, began - self.since)
        wanted = began + WINDOW - at
        before = self.before * min(1.0, wanted / covered) if covered > 0 else 0.0
        return (self.now + before) / min(WINDOW, max(SOON, at - self.since))


@dataclass(frozen=True, slots=True)
class Rest:
    """What is still to do of a dispatch on one account; `begun` once a messenger has answered for any of it."""

    due: int
    held: int
    held_until: datetime | None
    begun: bool


@dataclass(frozen=True, slots=True)
class Finish:
    """When all will be over; `estimated` where that follows from a share of the pace, not from what moves."""

    at: datetime
    estimated: bool = False


def window_of(at: float) -> int:
    return int(at // WINDOW)


def finish(rest: Rest, rate: float, share: float, now: datetime) -> Finish | None:
    """Return when it will be over; `None` if it had begun and nothing moves."""
    at, estimated = now, False
    if rest.due:
        if not rate and rest.begun:
            return None
        at, estimated = now + timedelta(seconds=rest.due / (rate or share)), not rate
    if rest.held:
        at = max(at, rest.held_until or at) + timedelta(seconds=rest.held / share)
        estimated = True
    return Finish(at, estimated)


def last(finishes: "list[Finish | None]") -> Finish | None:
    """Return when the last of several will be over, if each of them will."""
    known = [each for each in finishes if each is not None]
    if not known or len(known) < len(finishes):
        return None
    return Finish(max(each.at for each in known), estimated=any(each.estimated for each in known))

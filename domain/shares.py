"""How dispatches share the pace of an account: start-time fair queueing over the whole fleet.

Each dispatch has a virtual time, the sends it was granted. Of those who wait in a process the one with the least
goes first; a process that has only dispatches that are ahead lets the others ask before it. One that begins, or
comes back, begins where the last of the others is, so that nobody makes up for what they did not ask for.
Source: P. Goyal, H. M. Vin, H. Cheng, "Start-time Fair Queuing", SIGCOMM 1996.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

LATELY = 3.0
"""Seconds after its last grant for which a dispatch counts as one that wants its share."""


@dataclass(frozen=True, slots=True)
class Shares:
    """The virtual times, in sends, of the dispatches that were lately granted some of the pace."""

    granted: Mapping[int, float] = field(default_factory=dict)

    @property
    def least(self) -> float:
        return min(self.granted.values(), default=0.0)

    def at(self, dispatch_id: int) -> float:
        return self.granted.get(dispatch_id, self.least)

    def first(self, waiting: Collection[int]) -> int:
        """Return who of them goes next: of equals, the one that is named first."""
        return min(waiting, key=self.at)

    def after(self, dispatch_id: int, count: int) -> "Shares":
        """Return them as they are once it was granted `count` sends more."""
        return self.noted(dispatch_id, self.at(dispatch_id) + count)

    def noted(self, dispatch_id: int, granted: float) -> "Shares":
        """Return them with what is known of one of them."""
        return Shares({**self.granted, dispatch_id: granted})

    def ahead(self, dispatch_id: int, by: float) -> bool:
        """Say whether it was granted more than `by` sends beyond another."""
        return self.at(dispatch_id) > self.least + by

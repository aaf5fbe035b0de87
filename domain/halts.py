"""When an account stops by itself: its token is refused, or its server failed many times in a row.

A restart of the server is no failure: what was in flight when it went away counts once, and refused connections
only after some seconds. A server that takes messages and loses its answers leaves a doubt each time, so it is
stopped as soon as the limit is reached.
"""

from dataclasses import dataclass
from datetime import timedelta

from domain.delivery import NotSent, Outcome, Skipped, Unknown

UNAUTHORIZED = "unauthorized"
FAILING = "failing"
OURS = frozenset({"content", "database", "media_missing", "stopped_meanwhile"})
"""Reasons for which we did not send: they say nothing of the server."""
MOST_IN_A_ROW = 20
LEAST_SECONDS = 10.0
FIRST_PROBE = timedelta(minutes=1)
LONGEST_PROBE = timedelta(minutes=15)


@dataclass(slots=True)
class Streak:
    """The failures of an account in this process since its server last answered; times are a monotonic clock's."""

    limit: int = MOST_IN_A_ROW
    since: float | None = None
    failures: int = 0
    doubts: int = 0

    def note(self, outcome: Outcome, began: float, landed: float) -> bool:
        """Take what became of a send, and say whether the account has to stop."""
        if isinstance(outcome, Skipped) or (isinstance(outcome, NotSent) and outcome.reason in OURS):
            return False
        if not isinstance(outcome, NotSent | Unknown):
            self.since, self.failures, self.doubts = None, 0, 0
            return False
        if self.since is not None and began < self.since:
            return False
        self.since = landed if self.since is None else self.since
        self.failures += 1
        self.doubts += isinstance(outcome, Unknown)
        lasting = self.failures >= self.limit and landed - self.since >= LEAST_SECONDS
        return bool(self.limit) and (self.doubts >= self.limit or lasting)


def next_probe(before: timedelta | None) -> timedelta:
    """Return how long to wait until the account is looked at again: a minute, then longer each time."""
    return FIRST_PROBE if before is None else min(LONGEST_PROBE, before * 2)

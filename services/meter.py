"""The port for what a process measures of itself; whoever watches hangs a meter up, and nobody else needs one."""

from typing import Protocol


class Meter(Protocol):
    """Is told of work that has just been done."""

    def recorded(self, outcomes: int, seconds: float) -> None:
        """Note a batch of outcomes that was written, so many seconds after the first of them was known."""

    def worked(self, job: str, seconds: float) -> None:
        """Note a turn of the job engine."""


class Unwatched:
    """Measures nothing."""

    def recorded(self, outcomes: int, seconds: float) -> None:
        """Note nothing."""

    def worked(self, job: str, seconds: float) -> None:
        """Note nothing."""

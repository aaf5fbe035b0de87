"""The toolbox: one of each service, built once, handed to chat and clock."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Toolbox:
    """All services of one process."""

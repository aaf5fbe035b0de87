"""Topics: the subjects a member may subscribe to."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Topic:
    """A subject; `by_default` says that a new member starts with it."""

    id: int
    code: str
    name: str
    name_en: str
    by_default: bool
    position: int

"""What can be aimed at an audience: each thing by the one letter that the picker's buttons carry."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol

from aiogram.filters.callback_data import CallbackData

from domain.audiences import Audience
from domain.permissions import Action, Actor
from handlers.keyboards import Number, Turn
from handlers.taps import StaleTap
from services.toolbox import Toolbox


class Aim(CallbackData, prefix="aim"):
    """A step of the audience picker while `view` is looked at: at, add, drop, out, back (for `node`), find, hits."""

    step: str
    what: str
    id: Number
    view: Number = 0
    node: Number = 0
    page: Turn = 0


class Sift(CallbackData, prefix="sift"):
    """A filter of the audience: its field and value; without a value that field's choices are shown."""

    what: str
    id: Number
    field: str = ""
    value: str = ""
    on: bool = False


class Aimable(Protocol):
    """A service whose drafts are aimed; it checks the actor's right at each call."""

    def for_actor(self, actor: Actor, number: int, action: Action, /) -> Awaitable[Any]: ...

    def audience(self, actor: Actor, number: int, /) -> Awaitable[Audience | None]: ...

    def choose(self, actor: Actor, number: int, audience: Audience | None, /) -> Awaitable[Any]: ...


@dataclass(frozen=True, slots=True)
class Aimed:
    """A thing that is aimed: its service, the words of its picker, and where Back and Next lead."""

    service: Callable[[Toolbox], Aimable]
    title: str
    onward: str
    back: Callable[[int], CallbackData]
    next: Callable[[int], CallbackData]


_aimed: dict[str, Aimed] = {}


def register(letter: str, aimed: Aimed) -> None:
    """Let something be aimed; its buttons carry this letter."""
    if letter in _aimed:
        msg = f"two things are aimed as {letter!r}"
        raise ValueError(msg)
    _aimed[letter] = aimed


def aimed_as(letter: str) -> Aimed:
    """Return what a letter stands for; `StaleTap` for one that stands for nothing."""
    found = _aimed.get(letter)
    if found is None:
        raise StaleTap
    return found

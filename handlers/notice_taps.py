"""The buttons of a secretary's notices, and the dialogue steps that await a message."""

from typing import Annotated, Literal

from aiogram.filters.callback_data import CallbackData
from aiogram.fsm.state import State, StatesGroup
from pydantic import Field

from handlers import aims
from handlers.keyboards import Number, Turn

Moment = Annotated[int, Field(ge=0, lt=2**37)]
"""Seconds since the epoch, as far as a date can be made of them."""
NOTICE = "n"
"""Says in the audience picker that it is a notice which is aimed."""


class Noticing(StatesGroup):
    """What is awaited: a content, a time, or the number of recipients."""

    content = State()
    time = State()
    number = State()


class Desk(CallbackData, prefix="ndesk"):
    """A page of the desk: my drafts, what is under way, what was sent."""

    page: Turn = 0


class Draft(CallbackData, prefix="ndraft"):
    """A step on a notice: open, write, plain (without its file), confirm, quiet, discard, gone, test.

    `sensitive` and `usual` say whether it touches personal matters.
    """

    step: str
    id: Number


class Send(CallbackData, prefix="nsend"):
    """Sending: now, when (choose a time), at (seconds since the epoch), recall (a scheduled one)."""

    step: str
    id: Number
    at: Moment = 0


class Progress(CallbackData, prefix="nprog"):
    """Control of what goes out: look, pause, resume, ask (whether to cancel), cancel."""

    step: str
    id: Number


class Look(CallbackData, prefix="nrep"):
    """A report: look, retry, calls."""

    step: str
    id: Number
    page: Turn = 0


class Doubt(CallbackData, prefix="ndoubt"):
    """Those who perhaps received it: ask (what again means), again, leave; `seen` is the generation looked at."""

    step: Literal["ask", "again", "leave"]
    id: Number
    seen: Number


class Nudge(CallbackData, prefix="nudge"):
    """A reminder to who has not confirmed: ask (how many), do."""

    step: Literal["ask", "do"]
    id: Number


class After(CallbackData, prefix="nafter"):
    """When a draft is to remind by itself: ask, or set it (0 days: not)."""

    step: Literal["ask", "set"]
    id: Number
    days: Number = 0


aims.register(
    NOTICE,
    aims.Aimed(
        service=lambda toolbox: toolbox.notices,
        title="audience.title",
        onward="audience.button.next",
        back=lambda number: Draft(step="open", id=number),
        next=lambda number: Draft(step="open", id=number),
    ),
)

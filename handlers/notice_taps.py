"""The buttons of a secretary's notices, and the dialogue steps that await a message."""

from typing import Annotated

from aiogram.filters.callback_data import CallbackData
from aiogram.fsm.state import State, StatesGroup
from pydantic import Field

from handlers.keyboards import Number, Turn

Moment = Annotated[int, Field(ge=0, lt=2**37)]
"""Seconds since the epoch, as far as a date can be made of them."""


class Noticing(StatesGroup):
    """What is awaited: a content, a part of an organisation's name, a time, or the number of recipients."""

    content = State()
    name = State()
    time = State()
    number = State()


class Desk(CallbackData, prefix="ndesk"):
    """A page of the desk: my drafts, what is under way, what was sent."""

    page: Turn = 0


class Draft(CallbackData, prefix="ndraft"):
    """A step on a notice: open, write, plain (without its file), confirm, quiet, discard, gone, test."""

    step: str
    id: Number


class Aim(CallbackData, prefix="naim"):
    """A step of the audience picker while `view` is looked at: at, add, drop, out, back (for `node`), find, hits."""

    step: str
    id: Number
    view: Number = 0
    node: Number = 0
    page: Turn = 0


class Sift(CallbackData, prefix="nsift"):
    """A filter of the audience: its field and value; without a value that field's choices are shown."""

    id: Number
    field: str = ""
    value: str = ""
    on: bool = False


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

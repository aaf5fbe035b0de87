"""The buttons of repeating notices, and the dialogue steps that await a message."""

from typing import Annotated

from aiogram.filters.callback_data import CallbackData
from aiogram.fsm.state import State, StatesGroup
from pydantic import Field

from handlers.keyboards import Number, Turn

Code = Annotated[str, Field(max_length=6)]


class Repeating(StatesGroup):
    """What is awaited: a time of day, or the number of recipients."""

    time = State()
    number = State()


class Repeat(CallbackData, prefix="nrpt"):
    """A step of repeating: ask, week, month, ends, year, days, time, show, do; look, pause, resume, stop, end, edit."""

    step: str
    id: Number
    code: Code = ""
    at: Code = ""


class Repeaters(CallbackData, prefix="nrpts"):
    """A page of what repeats."""

    page: Turn = 0

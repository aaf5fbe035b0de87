"""The buttons of sending quickly for a price."""

from typing import Literal

from aiogram.filters.callback_data import CallbackData

from handlers.keyboards import Number, Turn


class Pay(CallbackData, prefix="pay"):
    """A step of a notice's author: look at the price, or ask for a second person's word at the price seen."""

    step: Literal["look", "ask"]
    id: Number
    stars: Number = 0


class Paying(CallbackData, prefix="pays"):
    """A step on a request: see, yes, no, back (withdraw); page of the list."""

    step: Literal["see", "yes", "no", "back", "page"]
    id: Number = 0
    page: Turn = 0

"""The buttons of sending beyond the usual: for a price, or urgently."""

from typing import Literal

from aiogram.filters.callback_data import CallbackData

from domain.send_requests import Way
from handlers.keyboards import Number, Turn


class Ask(CallbackData, prefix="req"):
    """A step of a notice's author: look at what it means, or ask for a second person's word at the price seen."""

    step: Literal["look", "ask"]
    way: Way
    id: Number
    stars: Number = 0


class Asked(CallbackData, prefix="reqs"):
    """A step on a request: see, test (the message as it would come), yes, no, back (withdraw); page of the list."""

    step: Literal["see", "test", "yes", "no", "back", "page"]
    id: Number = 0
    page: Turn = 0

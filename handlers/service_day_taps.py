"""The buttons of service days, and the dialogue steps that await a message."""

from datetime import date

from aiogram.filters.callback_data import CallbackData
from aiogram.fsm.state import State, StatesGroup

from handlers.keyboards import Number
from handlers.taps import StaleTap
from services.service_day_content import KEEPER, MEMBER


class Keeping(StatesGroup):
    """What is awaited of who decides: a date, or what is done on the day."""

    date = State()
    text = State()


class Mine(CallbackData, prefix=MEMBER):
    """A member's step: look, ics (of a day, 0: the next three), mine, lead (n, on or off), stop, web, ask, renew, off."""

    step: str
    id: Number = 0
    at: Number = 0


class Keep(CallbackData, prefix=KEEPER):
    """A step of who decides, at an organisation; `at` is a date (its ordinal), a year or the number of a policy.

    Steps: desk, day, yes, other, to, move, none, cancel, text, clear, year, rule, policy, own, follow.
    """

    step: str
    org: Number
    id: Number = 0
    at: Number = 0


def date_of(ordinal: int) -> date:
    """Return the date of a button; a forged number that is none is stale."""
    try:
        return date.fromordinal(ordinal)
    except (ValueError, OverflowError) as error:
        raise StaleTap from error

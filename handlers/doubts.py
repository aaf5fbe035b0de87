"""How those who perhaps received something are decided about: two buttons, and what sending again means."""

from collections.abc import Callable

from aiogram.filters.callback_data import CallbackData
from aiogram.types import InlineKeyboardMarkup
from aiogram.utils.formatting import Text

from handlers.keyboards import Row, button, screen
from locales import Words

Steps = Callable[[str], CallbackData]
"""Makes the tap of a step: ask, again, leave."""


def row(words: Words, count: int, step: Steps) -> Row:
    return [
        button(words("doubt.button.again", n=count), step("ask")),
        button(words("doubt.button.leave"), step("leave")),
    ]


def question(
    words: Words, count: int, step: Steps, *, about: str | Text, back: CallbackData
) -> tuple[Text, InlineKeyboardMarkup]:
    """Ask before anything is sent again: some may get it twice."""
    rows = [
        [button(words("doubt.button.sure", n=count), step("again"))],
        [button(words("doubt.button.leave_all"), step("leave"))],
        [button(words("menu.back"), back)],
    ]
    text = screen(words("doubt.ask.title", n=count), about, words("doubt.ask.what"))
    return text, InlineKeyboardMarkup(inline_keyboard=rows)

"""The language of a chat."""

from aiogram.filters.callback_data import CallbackData
from aiogram.types import CallbackQuery

from domain.accounts import Address
from handlers.keyboards import Event, button, keyboard, screen, show
from handlers.taps import command, tap
from locales import LANGUAGES, Words, speak
from services.toolbox import Toolbox


class Speak(CallbackData, prefix="lang"):
    """A language was chosen."""

    language: str


@command("language")
async def on_language(event: Event, words: Words) -> None:
    await _show(event, words)


@tap(Speak)
async def on_speak(query: CallbackQuery, tap: Speak, toolbox: Toolbox, address: Address) -> None:
    """Speak the chosen language from this very message on."""
    chosen = speak(tap.language)
    await toolbox.people.set_language(address, chosen.language)
    await _show(query, chosen)


async def _show(event: Event, words: Words) -> None:
    rows = []
    for language in LANGUAGES:
        mark = "✓ " if language == words.language else ""
        rows.append([button(mark + speak(language)("language.own_name"), Speak(language=language))])
    await show(event, screen(words("language.title"), words("language.what")), keyboard(words, *rows))

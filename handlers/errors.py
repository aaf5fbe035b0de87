"""What a person is told when a request is refused, a button is old, or something broke."""

from typing import Any

from aiogram.dispatcher.event.bases import UNHANDLED
from aiogram.exceptions import TelegramAPIError, TelegramForbiddenError
from aiogram.types import CallbackQuery, ErrorEvent, Message, Update

from domain.accounts import Address
from domain.refusals import Refusal
from handlers.keyboards import Go, button, keyboard, screen, send, show
from handlers.taps import StaleTap
from locales import DEFAULT, Words, speak
from services.toolbox import Toolbox

ALERT_LIMIT = 200  # characters: https://core.telegram.org/bots/api#answercallbackquery


async def on_error(
    event: ErrorEvent,
    toolbox: Toolbox,
    words: Words | None = None,
    address: Address | None = None,
) -> Any:
    """Word a refusal; leave anything unexpected to the inbox, which tries again and then apologises."""
    error = event.exception
    words = words or speak(DEFAULT)
    if isinstance(error, TelegramForbiddenError) and address is not None:
        await toolbox.people.blocked(address)
        return None
    if isinstance(error, StaleTap):
        await _tell(event.update, words, words("errors.stale"), stale=True)
    elif isinstance(error, Refusal):
        await _tell(event.update, words, words(error.key, **error.fields))
    else:
        return UNHANDLED
    return None


async def apologise(event: Message | CallbackQuery, words: Words, incident: str) -> None:
    """Say calmly that something broke and how to go on; `incident` is what an operator needs to hear."""
    text = screen(words("errors.broken.title"), words("errors.broken.what", incident=incident))
    try:
        if isinstance(event, CallbackQuery):
            await event.answer()
        await send(event, text, keyboard(words))
    except TelegramAPIError:
        return


async def resume(event: Message | CallbackQuery, words: Words) -> None:
    """Say that the last step is recorded, after a failure ate its answer, and how to go on."""
    await show(event, screen(words("errors.resumed.title"), words("errors.resumed.what")), keyboard(words))


async def _tell(update: Update, words: Words, text: str, *, stale: bool = False) -> None:
    query = update.callback_query
    if query is not None and not stale:
        await query.answer(text[:ALERT_LIMIT], show_alert=True)
        return
    if query is not None:
        await query.answer()
    event = query or update.message
    if event is not None:
        row = [button(words("menu.button.help"), Go(to="help"))]
        await send(event, text, keyboard(words, row))

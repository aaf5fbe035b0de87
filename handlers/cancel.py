"""Cancel: leave whatever was begun."""

from aiogram.fsm.context import FSMContext

from handlers.keyboards import Event, keyboard, screen, show
from handlers.taps import command
from locales import Words


@command("cancel")
async def on_cancel(event: Event, state: FSMContext, words: Words) -> None:
    """Forget the dialogue that is open, if there is one."""
    was_open = await state.get_state() is not None
    await state.clear()
    text = words("cancel.done") if was_open else words("cancel.nothing")
    await show(event, screen(words("cancel.title"), text), keyboard(words))

"""Being forgotten: what goes and what stays, asked twice, then done at once."""

from typing import Literal

from aiogram.filters.callback_data import CallbackData
from aiogram.fsm.context import FSMContext
from aiogram.types import CallbackQuery, InlineKeyboardMarkup

from domain.clock import Clock
from domain.forgetting import minute_of
from domain.permissions import Actor
from handlers.keyboards import Event, Go, Number, button, keyboard, screen, show
from handlers.names import name_of
from handlers.taps import command, tap
from handlers.welcome import members_only
from locales import Words
from services.forgetting import Farewell
from services.toolbox import Toolbox


class Forget(CallbackData, prefix="forget"):
    """A step of being forgotten; the last one says whom, and when they were asked."""

    step: Literal["ask", "do"]
    id: Number = 0
    at: Number = 0


@command("forget")
@members_only
async def on_forget(event: Event, actor: Actor, words: Words) -> None:
    """Say what is deleted, what stays and who else keeps something, before anything is asked."""
    text = screen(
        words("forget.title"),
        words("forget.goes"),
        words("forget.stays"),
        words("forget.stays.author") if actor.grants else "",
        words("forget.elsewhere"),
        words("forget.membership"),
    )
    rows = [
        [button(words("forget.button.export"), Go(to="export"))],
        [button(words("forget.button.ask"), Forget(step="ask"))],
    ]
    await show(event, text, keyboard(words, *rows, back=Go(to="privacy")))


@tap(Forget)
@members_only
async def on_step(
    query: CallbackQuery,
    tap: Forget,
    toolbox: Toolbox,
    actor: Actor,
    words: Words,
    clock: Clock,
    state: FSMContext,
) -> None:
    if tap.step == "ask":
        farewell = await toolbox.forgetting.farewell(actor)
        await _ask(query, words, farewell, Forget(step="do", id=actor.member_id, at=minute_of(clock())))
        return
    await toolbox.forgetting.forget(actor, tap.id, tap.at)
    await state.clear()
    text = screen(words("forget.done.title"), words("forget.done.what"), words("forget.done.again"))
    await show(query, text)


async def _ask(event: Event, words: Words, farewell: Farewell, sure: Forget) -> None:
    names = words("forget.comma").join(name_of(words, one) for one in farewell.without_secretary)
    text = screen(
        words("forget.sure.title"),
        words("forget.sure.what"),
        words("forget.sure.last_secretary", names=names) if names else "",
        words.plural("forget.sure.scheduled", farewell.scheduled) if farewell.scheduled else "",
    )
    rows = [
        [button(words("forget.button.keep"), Go(to="menu"))],
        [button(words("forget.button.do"), sure)],
    ]
    await show(event, text, InlineKeyboardMarkup(inline_keyboard=rows))

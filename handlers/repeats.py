"""Taps of repeating notices: choosing, looking, pausing, changing and ending."""

from aiogram.fsm.context import FSMContext
from aiogram.types import CallbackQuery

from domain.permissions import Action, Actor
from handlers import repeat_choose
from handlers.keyboards import button, keyboard, screen, show
from handlers.notice_preview import show_preview
from handlers.notice_taps import Desk
from handlers.notice_words import headline
from handlers.repeat_taps import Repeat, Repeaters
from handlers.repeat_view import show_list, show_repeating
from handlers.taps import StaleTap, tap
from handlers.welcome import members_only
from locales import Words
from services.senders import author_of
from services.toolbox import Toolbox


@tap(Repeaters)
@members_only
async def on_list(query: CallbackQuery, tap: Repeaters, toolbox: Toolbox, actor: Actor, words: Words) -> None:
    await show_list(query, toolbox, actor, words, max(tap.page, 0))


@tap(Repeat)
@members_only
async def on_repeat(
    query: CallbackQuery, tap: Repeat, toolbox: Toolbox, actor: Actor, words: Words, state: FSMContext
) -> None:
    if tap.step in repeat_choose.STEPS:
        await repeat_choose.on_step(query, tap, toolbox, actor, words, state)
    elif tap.step == "edit":
        await _edit(query, toolbox, actor, words, state, tap.id)
    elif tap.step == "stop":
        await _ask_end(query, toolbox, actor, words, tap.id)
    elif tap.step == "end":
        await toolbox.repeats.end(actor, tap.id)
        await show_list(query, toolbox, actor, words)
    else:
        await _control(query, toolbox, actor, words, tap)


async def _control(query: CallbackQuery, toolbox: Toolbox, actor: Actor, words: Words, tap: Repeat) -> None:
    if tap.step == "pause":
        await toolbox.repeats.pause(actor, tap.id)
    elif tap.step == "resume":
        await toolbox.repeats.resume(actor, tap.id)
    elif tap.step != "look":
        raise StaleTap
    await show_repeating(query, toolbox, actor, words, tap.id)


async def _edit(
    query: CallbackQuery, toolbox: Toolbox, actor: Actor, words: Words, state: FSMContext, notice_id: int
) -> None:
    """Make it a draft again; a draft is its author's alone, so anybody else is only told."""
    found = await toolbox.repeats.recall(actor, notice_id)
    if found.sender.author_id == actor.member_id:
        await show_preview(query, toolbox, actor, words, state, notice_id)
        return
    text = screen(
        words("repeats.recalled.title"),
        words("preview.recalled.what", author=author_of(words, found.sender.author)),
    )
    await show(query, text, keyboard(words, back=Desk()))


async def _ask_end(
    query: CallbackQuery, toolbox: Toolbox, actor: Actor, words: Words, notice_id: int
) -> None:
    found = await toolbox.notices.for_actor(actor, notice_id, Action.SEND_NOTICE)
    text = screen(words("repeats.stop.title"), headline(words, found, 100), words("repeats.stop.what"))
    rows = [[button(words("repeats.stop.sure"), Repeat(step="end", id=notice_id))]]
    await show(query, text, keyboard(words, *rows, back=Repeat(step="look", id=notice_id)))

"""A member's suggestions: write one, choose to whom it goes, and see what was answered."""

from aiogram import Router
from aiogram.filters.callback_data import CallbackData
from aiogram.fsm.context import FSMContext
from aiogram.fsm.state import State, StatesGroup
from aiogram.types import CallbackQuery, Message

from domain.permissions import Actor
from domain.suggestions import LONGEST, MOST_A_DAY, check_text
from handlers.keyboards import Event, Go, Number, Row, Turn, button, keyboard, pager, screen, show
from handlers.names import name_of
from handlers.notice_words import fit
from handlers.taps import StaleTap, command, tap
from handlers.times import day
from handlers.welcome import members_only
from locales import Words
from services.toolbox import Toolbox

router = Router(name="suggest")
LABEL = 36
"""Columns of a suggestion on a button."""


class Suggesting(StatesGroup):
    """The dialogue of suggesting: a text is awaited, then to whom it goes."""

    text = State()
    addressee = State()


class Suggest(CallbackData, prefix="sg"):
    """A step of one's own suggestions: page, open (the `id`-th of a page), to (an organisation)."""

    step: str = "page"
    id: Number = 0
    page: Turn = 0


@command("suggest")
@members_only
async def on_suggest(
    event: Event, toolbox: Toolbox, actor: Actor, words: Words, state: FSMContext, argument: str
) -> None:
    """Show one's suggestions, ready to write; ``/suggest 食堂早点开门`` begins at once."""
    if argument:
        await _ask_addressee(event, toolbox, actor, words, state, argument)
        return
    await _show_mine(event, toolbox, actor, words, state, 0)


@tap(Suggest)
@members_only
async def on_tap(
    query: CallbackQuery, tap: Suggest, toolbox: Toolbox, actor: Actor, words: Words, state: FSMContext
) -> None:
    page = max(tap.page, 0)
    if tap.step == "page":
        await _show_mine(query, toolbox, actor, words, state, page)
    elif tap.step == "open":
        await _show_one(query, toolbox, actor, words, page, tap.id)
    elif tap.step == "to":
        await _send(query, toolbox, actor, words, state, tap.id)
    else:
        raise StaleTap


@router.message(Suggesting.text)
@router.message(Suggesting.addressee)
@members_only
async def on_text(message: Message, toolbox: Toolbox, actor: Actor, words: Words, state: FSMContext) -> None:
    """Take what was typed for the suggestion; typed again it takes the place of the first."""
    await _ask_addressee(message, toolbox, actor, words, state, message.text or "")


async def _show_mine(
    event: Event, toolbox: Toolbox, actor: Actor, words: Words, state: FSMContext, page: int
) -> None:
    found, more = await toolbox.suggestions.mine(actor, page)
    rows: list[Row] = []
    for at, own in enumerate(found):
        mark = "✓ " if own.answer else ""
        rows.append([button(f"{mark}{fit(own.text, LABEL)}", Suggest(step="open", id=at, page=page))])
    rows.append(pager(words, page, more=more, to=[Suggest(page=page - 1), Suggest(page=page + 1)]))
    await state.clear()
    await state.set_state(Suggesting.text)
    text = screen(
        words("suggest.title"),
        words("suggest.ask", most=LONGEST),
        words("suggest.named"),
        words("suggest.list" if found else "suggest.none"),
    )
    await show(event, text, keyboard(words, *rows))


async def _show_one(event: Event, toolbox: Toolbox, actor: Actor, words: Words, page: int, at: int) -> None:
    found, _ = await toolbox.suggestions.mine(actor, page)
    if at >= len(found):
        raise StaleTap
    own = found[at]
    name = own.organisation_en if words.language == "en" and own.organisation_en else own.organisation
    text = screen(
        words("suggest.one.title", day=day(words, own.day)),
        own.text,
        words("suggest.one.to", organisation=name),
        words("suggest.one.answer", answer=own.answer) if own.answer else words("suggest.one.waits"),
    )
    await show(event, text, keyboard(words, back=Suggest(page=page)))


async def _ask_addressee(
    event: Event, toolbox: Toolbox, actor: Actor, words: Words, state: FSMContext, typed: str
) -> None:
    text = check_text(typed)
    rows: list[Row] = [
        [
            button(
                words("suggest.button.to", organisation=name_of(words, each)), Suggest(step="to", id=each.id)
            )
        ]
        for each in await toolbox.suggestions.addressees(actor)
    ]
    await state.set_state(Suggesting.addressee)
    await state.set_data({"text": text})
    seen = screen(words("suggest.confirm.title"), text, words("suggest.confirm.what"))
    await show(event, seen, keyboard(words, *rows, back=Go(to="suggest")))


async def _send(
    query: CallbackQuery, toolbox: Toolbox, actor: Actor, words: Words, state: FSMContext, to: int
) -> None:
    text = (await state.get_data()).get("text", "")
    if not text:
        raise StaleTap
    await toolbox.suggestions.suggest(actor, to, text)
    await state.clear()
    seen = screen(words("suggest.done.title"), text, words("suggest.done.what", most=MOST_A_DAY))
    rows = [[button(words("suggest.button.mine"), Go(to="suggest"))]]
    await show(query, seen, keyboard(words, *rows))

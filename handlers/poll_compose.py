"""A secretary's polls: the desk, the question, its options and its settings."""

from collections.abc import Sequence
from typing import Any

from aiogram import Router
from aiogram.fsm.context import FSMContext
from aiogram.types import CallbackQuery, InlineKeyboardButton, Message

from domain.permissions import Action, Actor
from domain.polls import FEWEST_OPTIONS, MOST_OPTIONS, OPTION_LIMIT, Poll, ResultOwed
from domain.refusals import NotFound
from handlers.keyboards import Event, Row, button, keyboard, pager, screen, show
from handlers.poll_run import or_as_it_is
from handlers.poll_taps import Asking, Edit, Own, PollDesk, Setting
from handlers.poll_words import asked, desk_line
from handlers.taps import StaleTap, command, tap
from handlers.welcome import members_only
from locales import Words
from services.toolbox import Toolbox

router = Router(name="poll_compose")
SETTINGS = ("anonymous", "multiple", "suggestions", "live")
USUAL = ("agree", "disagree", "unsure")
"""Options that a secretary can take with one press."""


@command("poll")
@members_only
async def on_poll(
    event: Event, toolbox: Toolbox, actor: Actor, words: Words, state: FSMContext, argument: str
) -> None:
    """Show the desk, ready to write; ``/poll 食堂几点开门？`` begins at once. An owed result comes first."""
    if argument:
        await _begin(event, toolbox, actor, words, state, argument)
        return
    owed = await toolbox.polls.owed(actor)
    if owed is None:
        await show_desk(event, toolbox, actor, words, state, 0)
    else:
        await _show_owed(event, words, state, owed.id, owed.question)


@tap(PollDesk)
@members_only
async def on_desk(
    query: CallbackQuery, tap: PollDesk, toolbox: Toolbox, actor: Actor, words: Words, state: FSMContext
) -> None:
    await show_desk(query, toolbox, actor, words, state, max(tap.page, 0))


async def show_desk(
    event: Event, toolbox: Toolbox, actor: Actor, words: Words, state: FSMContext, page: int
) -> None:
    """Show drafts, what owes a result, what is open, and what is over; a typed question begins a new one."""
    found, more = await toolbox.polls.desk(actor, page)
    may_open = toolbox.polls.may_open(actor)
    await state.clear()
    if may_open:
        await state.set_state(Asking.question)
    rows: list[Row] = [[button(desk_line(words, one), Own(id=one.id))] for one in found]
    rows.append(pager(words, page, more=more, to=[PollDesk(page=page - 1), PollDesk(page=page + 1)]))
    text = screen(
        words("polls.desk.title"),
        words("polls.desk.write") if may_open else "",
        words("polls.desk.list") if found else words("polls.desk.empty"),
        words("poll_messages.opinion_only"),
    )
    await show(event, text, keyboard(words, *rows))


async def _show_owed(event: Event, words: Words, state: FSMContext, poll_id: int, question: str) -> None:
    """Say that an earlier poll still owes its result, and lead there."""
    await state.clear()
    text = screen(words("polls.owed.title"), question, words("polls.owed.what"))
    rows = [
        [button(words("poll_messages.closed.button"), Own(id=poll_id))],
        [button(words("polls.owed.all"), PollDesk())],
    ]
    await show(event, text, keyboard(words, *rows))


async def _begin(
    event: Event, toolbox: Toolbox, actor: Actor, words: Words, state: FSMContext, typed: str
) -> None:
    """Begin a draft: the first line asks, the lines below it are options."""
    question, *options = typed.strip().splitlines() or [""]
    try:
        draft = await toolbox.polls.draft(actor, question)
    except ResultOwed as owed:
        await _show_owed(event, words, state, owed.fields["id"], owed.fields["question"])
        return
    if not options:
        await ask_options(event, words, state, draft)
        return
    await state.set_state(Asking.options)
    await state.set_data({"id": draft.id, "options": []})
    await _take_options(event, toolbox, actor, words, state, draft, options)


@router.message(Asking.question)
@members_only
async def on_question(
    message: Message, toolbox: Toolbox, actor: Actor, words: Words, state: FSMContext
) -> None:
    """Take a question: a new draft gets its options next, an old one goes on with what it lacks."""
    poll_id = (await state.get_data()).get("id")
    if poll_id is None:
        await _begin(message, toolbox, actor, words, state, message.text or "")
        return
    draft = await toolbox.polls.rewrite(actor, poll_id, question=message.text or "")
    text = screen(words("polls.question.kept"), asked(words, draft))
    await show(message, text, keyboard(words, [_next(words, draft.id)], back=Own(id=draft.id)))
    await state.clear()


@router.message(Asking.options)
@members_only
async def on_options(
    message: Message, toolbox: Toolbox, actor: Actor, words: Words, state: FSMContext
) -> None:
    """Take options: several lines are all of them, one line is one more."""
    data = await state.get_data()
    typed = [line for line in (message.text or "").splitlines() if line.strip()]
    options = typed if len(typed) > 1 else [*data.get("options", []), *typed]
    draft = await _own(toolbox, actor, data.get("id", 0))
    await _take_options(message, toolbox, actor, words, state, draft, options)


async def _take_options(
    event: Event,
    toolbox: Toolbox,
    actor: Actor,
    words: Words,
    state: FSMContext,
    draft: Poll,
    options: list[str],
) -> None:
    """Keep options; a first one waits in the dialogue for its second."""
    if len(options) >= FEWEST_OPTIONS:
        draft = await toolbox.polls.rewrite(actor, draft.id, options=options)
    await state.update_data(options=options)
    await _show_options(event, words, draft, options)


async def ask_options(
    event: Event, words: Words, state: FSMContext, draft: Poll, *, anew: bool = False
) -> None:
    """Await options; those there are already may be added to, or written anew."""
    options = [] if anew else [option.text for option in draft.options]
    await state.set_state(Asking.options)
    await state.set_data({"id": draft.id, "options": options})
    await _show_options(event, words, draft, options)


async def _show_options(event: Event, words: Words, draft: Poll, options: Sequence[str]) -> None:
    lines = "\n".join(f"{number}. {text}" for number, text in enumerate(options, start=1))
    rows: list[Row] = []
    if len(options) >= FEWEST_OPTIONS:
        rows.append([button(words("polls.options.done"), Edit(step="settings", id=draft.id))])
    if options:
        rows.append([button(words("polls.options.clear"), Edit(step="clear", id=draft.id))])
    else:
        rows.append([button(words("polls.options.usual"), Edit(step="usual", id=draft.id))])
    text = screen(
        words("polls.options.title"),
        draft.question,
        lines,
        words("polls.options.more" if options else "polls.options.ask", most=MOST_OPTIONS, long=OPTION_LIMIT),
    )
    await show(event, text, keyboard(words, *rows, back=Own(id=draft.id)))


async def take_usual(
    query: CallbackQuery, toolbox: Toolbox, actor: Actor, words: Words, state: FSMContext, poll_id: int
) -> None:
    """Take "agree, disagree, cannot say" as the options."""
    options = [words(f"polls.options.usual.{name}") for name in USUAL]
    await ask_options(query, words, state, await toolbox.polls.rewrite(actor, poll_id, options=options))


async def ask_question(
    query: CallbackQuery, toolbox: Toolbox, actor: Actor, words: Words, state: FSMContext, poll_id: int
) -> None:
    draft = await _own(toolbox, actor, poll_id)
    await state.set_state(Asking.question)
    await state.set_data({"id": poll_id})
    text = screen(words("polls.question.title"), draft.question, words("polls.question.ask"))
    await show(query, text, keyboard(words, back=Own(id=poll_id)))


async def ask_discard(
    query: CallbackQuery, toolbox: Toolbox, actor: Actor, words: Words, poll_id: int
) -> None:
    draft = await _own(toolbox, actor, poll_id)
    text = screen(words("compose.discard.title"), draft.question, words("compose.discard.what"))
    rows = [[button(words("compose.discard.sure"), Edit(step="gone", id=poll_id))]]
    await show(query, text, keyboard(words, *rows, back=Own(id=poll_id)))


@tap(Setting)
@members_only
@or_as_it_is
async def on_setting(
    query: CallbackQuery, tap: Setting, toolbox: Toolbox, actor: Actor, words: Words, state: FSMContext
) -> None:
    if tap.field not in SETTINGS:
        raise StaleTap
    change: dict[str, Any] = {tap.field: tap.on}
    draft = await toolbox.polls.rewrite(actor, tap.id, **change)
    await show_settings(query, words, state, draft)


async def show_settings(query: CallbackQuery, words: Words, state: FSMContext, draft: Poll) -> None:
    """Show what is on and off, each with what it means; live results are for named polls only."""
    await state.clear()
    fields = [field for field in SETTINGS if field != "live" or not draft.anonymous]
    rows: list[Row] = [[_switch(words, draft, field)] for field in fields]
    rows.append([_next(words, draft.id)])
    lines = [words(f"polls.setting.{field}.{'on' if getattr(draft, field) else 'off'}") for field in fields]
    text = screen(words("polls.settings.title"), draft.question, "\n".join(lines))
    await show(query, text, keyboard(words, *rows, back=Own(id=draft.id)))


def _switch(words: Words, draft: Poll, field: str) -> InlineKeyboardButton:
    on = bool(getattr(draft, field))
    label = f"{'✅' if on else '⬜'} {words(f'polls.setting.{field}')}"
    return button(label, Setting(id=draft.id, field=field, on=not on))


def _next(words: Words, poll_id: int) -> InlineKeyboardButton:
    return button(words("polls.button.next"), Edit(step="next", id=poll_id))


async def _own(toolbox: Toolbox, actor: Actor, poll_id: int) -> Poll:
    found = await toolbox.polls.for_actor(actor, poll_id, Action.SEND_NOTICE)
    if found.sender.author_id != actor.member_id:
        raise NotFound
    return found

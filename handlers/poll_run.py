"""A poll that has left its author's desk: opened, watched, closed early or called off, and answered with its result."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

from aiogram import Bot, Router
from aiogram.dispatcher.event.handler import CallableObject
from aiogram.fsm.context import FSMContext
from aiogram.types import CallbackQuery, Message
from aiogram.utils.formatting import Bold, Text

from domain.accounts import Address
from domain.clock import Clock
from domain.permissions import Action, Actor
from domain.polls import Poll, PollMovedOn, PollNotDraft, PollState, check_change
from domain.refusals import Refusal
from handlers import doubts
from handlers.keyboards import Event, Row, button, keyboard, screen, show
from handlers.notice_files import send_content
from handlers.poll_preview import ask_number, number_in, show_preview
from handlers.poll_results import changed
from handlers.poll_taps import Asking, Doubt, Own, PollDesk, Run
from handlers.poll_words import asked, bars, poll_moment
from handlers.suggestions import Pile
from handlers.taps import StaleTap, tap
from handlers.welcome import members_only
from locales import Words
from services import poll_content
from services.notice_content import without_buttons
from services.polls import Result
from services.senders import author_of
from services.toolbox import Toolbox

router = Router(name="poll_run")
UNOPENED = {PollState.DRAFT, PollState.SCHEDULED}
OVER = {PollState.CLOSED, PollState.PUBLISHED}


def or_as_it_is(handler: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """Let a tap on a poll that has moved on say so, and show the poll as it is now."""
    inner = CallableObject(handler)

    async def guarded(query: CallbackQuery, **data: Any) -> None:
        try:
            await inner.call(query, **data)
        except (PollNotDraft, PollMovedOn) as refusal:
            words: Words = data["words"]
            await query.answer(words(refusal.key, **refusal.fields), show_alert=True)
            names = ("toolbox", "actor", "words", "state", "clock")
            await show_poll(query, **{name: data[name] for name in names}, poll_id=data["tap"].id)

    return guarded


@tap(Own)
@members_only
async def on_own(
    query: CallbackQuery,
    tap: Own,
    toolbox: Toolbox,
    actor: Actor,
    words: Words,
    state: FSMContext,
    clock: Clock,
) -> None:
    await show_poll(query, toolbox, actor, words, state, clock, tap.id)


async def show_poll(
    event: Event,
    toolbox: Toolbox,
    actor: Actor,
    words: Words,
    state: FSMContext,
    clock: Clock,
    poll_id: int,
) -> None:
    """Show a poll as far as it has come."""
    found = await toolbox.polls.for_actor(actor, poll_id)
    await state.clear()
    if found.state in UNOPENED:
        await show_preview(event, toolbox, actor, words, state, clock, poll_id)
    elif found.state in OVER:
        await _show_result(event, toolbox, actor, words, state, poll_id)
    else:
        await _show_turnout(event, toolbox, actor, words, found)


@tap(Run)
@members_only
@or_as_it_is
async def on_run(
    query: CallbackQuery,
    tap: Run,
    toolbox: Toolbox,
    actor: Actor,
    words: Words,
    state: FSMContext,
    clock: Clock,
) -> None:
    """Take a step; what is pressed twice is done once."""
    polls = toolbox.polls
    match tap.step:
        case "start":
            await _open(query, toolbox, actor, words, state, clock, tap.id)
            return
        case "early" | "off":
            await _ask(query, toolbox, actor, words, tap.id, tap.step)
            return
        case "publish":
            await _publish(query, toolbox, actor, words, state, clock, tap.id)
            return
        case "recall":
            await _recall(query, toolbox, actor, words, state, clock, tap.id)
            return
        case "close":
            await polls.close(actor, tap.id)
        case "cancel":
            await polls.cancel(actor, tap.id)
        case _:
            raise StaleTap
    await show_poll(query, toolbox, actor, words, state, clock, tap.id)


async def _open(
    event: Event,
    toolbox: Toolbox,
    actor: Actor,
    words: Words,
    state: FSMContext,
    clock: Clock,
    poll_id: int,
    typed: int | None = None,
) -> None:
    """Open or schedule; a large audience is asked for its number first."""
    preview = await toolbox.polls.preview(actor, poll_id)
    if typed is None and preview.must_type and preview.poll.state is PollState.DRAFT:
        await ask_number(event, words, state, preview)
        return
    await toolbox.polls.open(actor, poll_id, typed)
    await show_poll(event, toolbox, actor, words, state, clock, poll_id)


@router.message(Asking.number)
@members_only
async def on_number(
    message: Message, toolbox: Toolbox, actor: Actor, words: Words, state: FSMContext, clock: Clock
) -> None:
    """Take the typed number; a wrong one is refused and may be typed again."""
    poll_id = (await state.get_data()).get("id", 0)
    await _open(message, toolbox, actor, words, state, clock, poll_id, number_in(message))


async def _recall(
    query: CallbackQuery,
    toolbox: Toolbox,
    actor: Actor,
    words: Words,
    state: FSMContext,
    clock: Clock,
    poll_id: int,
) -> None:
    """Take a scheduled poll back; a draft is its author's alone, so anybody else is only told."""
    found = await toolbox.polls.unschedule(actor, poll_id)
    if found.sender.author_id == actor.member_id:
        await show_preview(query, toolbox, actor, words, state, clock, poll_id)
        return
    text = screen(
        words("preview.recalled.title"), words("polls.recalled", author=author_of(words, found.sender.author))
    )
    await show(query, text, keyboard(words, back=PollDesk()))


async def _show_turnout(event: Event, toolbox: Toolbox, actor: Actor, words: Words, found: Poll) -> None:
    """Show how an open poll goes: totals only, never names."""
    turnout = await toolbox.polls.turnout(actor, found.id)
    is_open = found.state is PollState.OPEN
    rows: list[Row] = []
    parts: list[str | Text] = [asked(words, found)]
    if found.state is PollState.CANCELLED:
        parts.append(words("polls.run.cancelled"))
    else:
        parts.append(words("polls.run.turnout", voted=turnout.voted, asked=turnout.asked))
        if found.suggestions:
            parts.append(words("polls.run.suggestions", n=turnout.suggestions))
        parts.append(words("polls.run.next" if is_open else "polls.run.counting"))
        if found.live and is_open:
            parts.append(_counted(words, await toolbox.polls.result(actor, found.id)))
        rows.append([button(words("polls.button.refresh"), Own(id=found.id))])
    if is_open and await _may_run(toolbox, actor, found.id):
        await _add_doubt(toolbox, actor, words, found, parts, rows)
        rows.append(
            [
                button(words("polls.button.close"), Run(step="early", id=found.id)),
                button(words("polls.button.cancel"), Run(step="off", id=found.id)),
            ]
        )
    text = screen(words(f"polls.run.title.{found.state}"), *parts)
    await show(event, text, keyboard(words, *rows, back=PollDesk()))


async def _add_doubt(
    toolbox: Toolbox, actor: Actor, words: Words, found: Poll, parts: list[str | Text], rows: list[Row]
) -> None:
    """Add who perhaps received what the poll said last, and what can be decided about them."""
    doubtful = await toolbox.polls.doubtful(actor, found.id)
    if doubtful is None:
        return
    parts.append(words(f"polls.run.doubt.{doubtful.told}", n=doubtful.count))
    seen, told = doubtful.generation, doubtful.told.value
    rows.append(
        doubts.row(words, doubtful.count, lambda step: Doubt(step=step, id=found.id, seen=seen, told=told))
    )


async def _ask(
    query: CallbackQuery, toolbox: Toolbox, actor: Actor, words: Words, poll_id: int, what: str
) -> None:
    """Ask before a poll is closed early or called off."""
    found = await toolbox.polls.for_actor(actor, poll_id, Action.SEND_NOTICE)
    if found.state not in {PollState.OPEN, PollState.SCHEDULED}:
        raise PollMovedOn
    step = "close" if what == "early" else "cancel"
    text = screen(
        words(f"polls.ask.{step}.title"),
        found.question,
        words(f"polls.ask.{step}.what", when=poll_moment(words, found)),
    )
    rows = [[button(words(f"polls.ask.{step}.sure"), Run(step=step, id=poll_id))]]
    await show(query, text, keyboard(words, *rows, back=Own(id=poll_id)))


# Its result


async def _show_result(
    event: Event, toolbox: Toolbox, actor: Actor, words: Words, state: FSMContext, poll_id: int
) -> None:
    """Show the result; while it is not published, await what changed."""
    result = await toolbox.polls.result(actor, poll_id)
    poll = result.poll
    owed = poll.state is PollState.CLOSED
    may_answer = owed and await _may_run(toolbox, actor, poll_id)
    parts: list[str | Text] = [Bold(poll.question), _counted(words, result), changed(words, poll)]
    if may_answer:
        await state.set_state(Asking.change)
        await state.set_data({"id": poll_id})
        parts.append(words("polls.answer.ask", n=result.asked))
    elif owed:
        parts.append(words("polls.answer.waits"))
    rows: list[Row] = []
    if await _may_run(toolbox, actor, poll_id):
        await _add_doubt(toolbox, actor, words, poll, parts, rows)
    text = screen(words(f"polls.run.title.{poll.state}"), *parts, words("poll_messages.opinion_only"))
    if poll.suggestions and toolbox.suggestions.may_handle(actor):
        rows.append([button(words("polls.button.suggestions"), Pile(step="poll", id=poll_id))])
    await show(event, text, keyboard(words, *rows, back=PollDesk()))


def _counted(words: Words, result: Result) -> str:
    if result.count is None:
        return words("poll_messages.result.hidden")
    head = words("poll_messages.result.turnout", voted=result.count.voted, asked=result.asked)
    return f"{head}\n{bars(words, result.poll, result.count)}"


@router.message(Asking.change)
@members_only
async def on_change(
    message: Message,
    toolbox: Toolbox,
    actor: Actor,
    words: Words,
    state: FSMContext,
    address: Address,
    bot: Bot,
) -> None:
    """Take what changed, and show the result as everybody will get it; the next message replaces it."""
    poll_id = (await state.get_data()).get("id", 0)
    change = check_change(message.text or "")
    found = await toolbox.polls.for_actor(actor, poll_id, Action.SEND_NOTICE)
    if found.state is not PollState.CLOSED:
        raise PollMovedOn
    await state.update_data(change=change)
    result = await toolbox.polls.result(actor, poll_id)
    shown = replace(found, what_changed=change, chart=await toolbox.polls.chart(found))
    content = poll_content.result(shown, result.count, result.asked, words.language)
    await send_content(bot, address.chat_id, address.account_id, toolbox.notices, without_buttons(content))
    rows = [[button(words("polls.button.publish", n=result.asked), Run(step="publish", id=poll_id))]]
    text = screen(words("polls.publish.title"), words("polls.publish.what", n=result.asked))
    await show(message, text, keyboard(words, *rows, back=Own(id=poll_id)))


async def _publish(
    query: CallbackQuery,
    toolbox: Toolbox,
    actor: Actor,
    words: Words,
    state: FSMContext,
    clock: Clock,
    poll_id: int,
) -> None:
    """Publish with what was written last for this poll; without it, it is asked for again."""
    data = await state.get_data()
    change = data.get("change") if data.get("id") == poll_id else None
    if change is not None:
        await toolbox.polls.publish(actor, poll_id, change)
    await show_poll(query, toolbox, actor, words, state, clock, poll_id)


async def _may_run(toolbox: Toolbox, actor: Actor, poll_id: int) -> bool:
    """Say whether the actor may do more with a poll than look at it."""
    with suppress(Refusal):
        await toolbox.polls.for_actor(actor, poll_id, Action.SEND_NOTICE)
        return True
    return False

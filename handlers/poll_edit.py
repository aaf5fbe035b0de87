"""Where the buttons of a poll's draft lead: to what is missing, to one part of it, to a test, or away with it."""

from aiogram import Bot
from aiogram.fsm.context import FSMContext
from aiogram.types import CallbackQuery

from domain.accounts import Address
from domain.clock import Clock
from domain.permissions import Action, Actor
from domain.polls import FEWEST_OPTIONS, Poll, PollNotDraft, PollState
from handlers.aim_places import show_picker
from handlers.poll_compose import (
    ask_discard,
    ask_options,
    ask_question,
    show_desk,
    show_settings,
    take_usual,
)
from handlers.poll_preview import send_test, show_preview
from handlers.poll_run import or_as_it_is
from handlers.poll_taps import POLL, Edit
from handlers.poll_times import ask_time
from handlers.taps import StaleTap, tap
from handlers.welcome import members_only
from locales import Words
from services.toolbox import Toolbox


@tap(Edit)
@members_only
@or_as_it_is
async def on_edit(
    query: CallbackQuery,
    tap: Edit,
    toolbox: Toolbox,
    actor: Actor,
    words: Words,
    state: FSMContext,
    clock: Clock,
    address: Address,
    bot: Bot,
) -> None:
    draft = await toolbox.polls.for_actor(actor, tap.id, Action.SEND_NOTICE)
    if draft.state is not PollState.DRAFT:
        raise PollNotDraft
    match tap.step:
        case "next":
            await _go_on(query, toolbox, actor, words, state, clock, draft)
        case "question":
            await ask_question(query, toolbox, actor, words, state, tap.id)
        case "options" | "clear":
            await ask_options(query, words, state, draft, anew=tap.step == "clear")
        case "usual":
            await take_usual(query, toolbox, actor, words, state, tap.id)
        case "settings":
            await show_settings(query, words, state, draft)
        case "test":
            await send_test(query, toolbox, actor, words, address, bot, tap.id)
        case "discard":
            await ask_discard(query, toolbox, actor, words, tap.id)
        case "gone":
            await toolbox.polls.discard(actor, tap.id)
            await show_desk(query, toolbox, actor, words, state, 0)
        case _:
            raise StaleTap


async def _go_on(
    query: CallbackQuery,
    toolbox: Toolbox,
    actor: Actor,
    words: Words,
    state: FSMContext,
    clock: Clock,
    draft: Poll,
) -> None:
    """Lead to the first thing that a draft lacks; to its preview when it lacks nothing."""
    if len(draft.options) < FEWEST_OPTIONS:
        await ask_options(query, words, state, draft)
    elif draft.audience_id is None:
        await show_picker(query, toolbox, actor, words, state, POLL, draft.id)
    elif draft.closes_at is None:
        await ask_time(query, words, state, clock, draft, "closes")
    else:
        await show_preview(query, toolbox, actor, words, state, clock, draft.id)

"""When a poll opens and closes: a few good moments to press, or a time as people type it."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from aiogram import Router
from aiogram.fsm.context import FSMContext
from aiogram.types import CallbackQuery, Message

from domain import poll_times, spoken_times
from domain.clock import Clock
from domain.permissions import Action, Actor
from domain.polls import Poll, PollNotDraft, PollState
from handlers.keyboards import Event, Row, button, keyboard, screen, show
from handlers.poll_preview import show_preview
from handlers.poll_run import or_as_it_is
from handlers.poll_taps import Asking, Own, When
from handlers.taps import StaleTap, tap
from handlers.times import moment
from handlers.welcome import members_only
from locales import Words
from services.toolbox import Toolbox

router = Router(name="poll_times")
STATES = {"opens": Asking.opens, "closes": Asking.closes}


@tap(When)
@members_only
@or_as_it_is
async def on_when(
    query: CallbackQuery,
    tap: When,
    toolbox: Toolbox,
    actor: Actor,
    words: Words,
    state: FSMContext,
    clock: Clock,
) -> None:
    if tap.of not in STATES:
        raise StaleTap
    if tap.ask:
        draft = await toolbox.polls.for_actor(actor, tap.id, Action.SEND_NOTICE)
        if draft.state is not PollState.DRAFT:
            raise PollNotDraft
        await ask_time(query, words, state, clock, draft, tap.of)
        return
    at = datetime.fromtimestamp(tap.at, UTC) if tap.at else None
    await _set(query, toolbox, actor, words, state, clock, tap.id, tap.of, at)


async def ask_time(event: Event, words: Words, state: FSMContext, clock: Clock, draft: Poll, of: str) -> None:
    """Offer moments and await a typed one."""
    zone = ZoneInfo(draft.sender.zone)
    await state.set_state(STATES[of])
    await state.set_data({"id": draft.id})
    if of == "opens":
        rows: list[Row] = [[button(words("polls.time.at_once"), When(of=of, id=draft.id))]]
        moments = spoken_times.offered(clock(), zone)
    else:
        rows = []
        moments = poll_times.closings(max(draft.opens_at or clock(), clock()), zone)
    rows.extend(
        [button(moment(words, at, zone), When(of=of, id=draft.id, at=int(at.timestamp())))] for at in moments
    )
    text = screen(words(f"polls.time.{of}.title"), draft.question, words(f"polls.time.{of}.ask"))
    await show(event, text, keyboard(words, *rows, back=Own(id=draft.id)))


@router.message(Asking.opens)
@members_only
async def on_opens(
    message: Message, toolbox: Toolbox, actor: Actor, words: Words, state: FSMContext, clock: Clock
) -> None:
    await _typed(message, toolbox, actor, words, state, clock, "opens")


@router.message(Asking.closes)
@members_only
async def on_closes(
    message: Message, toolbox: Toolbox, actor: Actor, words: Words, state: FSMContext, clock: Clock
) -> None:
    await _typed(message, toolbox, actor, words, state, clock, "closes")


async def _typed(
    message: Message,
    toolbox: Toolbox,
    actor: Actor,
    words: Words,
    state: FSMContext,
    clock: Clock,
    of: str,
) -> None:
    """Read a typed time; what is no time is asked again, with examples."""
    poll_id = (await state.get_data()).get("id", 0)
    draft = await toolbox.polls.for_actor(actor, poll_id, Action.SEND_NOTICE)
    at = spoken_times.read(message.text or "", clock(), ZoneInfo(draft.sender.zone))
    if at is None:
        text = screen(words(f"polls.time.{of}.title"), words("preview.time.unread"))
        await show(message, text, keyboard(words, back=Own(id=poll_id)))
        return
    await _set(message, toolbox, actor, words, state, clock, poll_id, of, at)


async def _set(
    event: Event,
    toolbox: Toolbox,
    actor: Actor,
    words: Words,
    state: FSMContext,
    clock: Clock,
    poll_id: int,
    of: str,
    at: datetime | None,
) -> None:
    if of == "opens":
        await toolbox.polls.rewrite(actor, poll_id, opens_at=at)
    else:
        await toolbox.polls.rewrite(actor, poll_id, closes_at=at)
    await show_preview(event, toolbox, actor, words, state, clock, poll_id)

"""Dissolving an organisation: what it would touch, who takes its members in, and a second person's word."""

from typing import Any

from aiogram import Router
from aiogram.filters.callback_data import CallbackData
from aiogram.fsm.context import FSMContext
from aiogram.fsm.state import State, StatesGroup
from aiogram.types import CallbackQuery, Message

from domain.dissolutions import (
    LONGEST_REASON,
    Dissolution,
    DissolutionState,
    Figures,
    check_number,
    check_reason,
)
from domain.permissions import Actor
from domain.refusals import Refusal
from handlers.keyboards import Event, Number, Row, Turn, button, keyboard, pager, screen, show
from handlers.names import name_of
from handlers.org import Dissolve, Org
from handlers.taps import StaleTap, command, tap
from handlers.times import moment
from handlers.welcome import members_only
from locales import Words
from services.toolbox import Toolbox

router = Router(name="dissolve")


class Dissolving(StatesGroup):
    """What is awaited of who asks."""

    number = State()
    reason = State()
    ready = State()


class Asked(CallbackData, prefix="dsr"):
    """A step on a request: see, ask (before yes), ask_no (before no), yes, no, back (withdraw); page of the list."""

    step: str = "see"
    id: Number = 0
    page: Turn = 0


@command("dissolve")
@members_only
async def on_dissolve(event: Event, toolbox: Toolbox, actor: Actor, words: Words, state: FSMContext) -> None:
    """Show what waits for a decision."""
    await state.clear()
    await _show_list(event, toolbox, actor, words, 0)


@tap(Dissolve)
@members_only
async def on_step(
    query: CallbackQuery, tap: Dissolve, toolbox: Toolbox, actor: Actor, words: Words, state: FSMContext
) -> None:
    """Lead who asks: look, choose, number, reason, ask."""
    if tap.step == "see":
        await state.clear()
        await _show_preview(query, toolbox, actor, words, tap)
    elif tap.step == "targets":
        await _show_targets(query, toolbox, actor, words, tap)
    elif tap.step == "go":
        await _ask_number(query, toolbox, actor, words, state, tap)
    elif tap.step == "ask":
        await _ask_approval(query, toolbox, actor, words, state, tap)
    else:
        raise StaleTap


@tap(Asked)
@members_only
async def on_request(query: CallbackQuery, tap: Asked, toolbox: Toolbox, actor: Actor, words: Words) -> None:
    """Lead who decides."""
    desk = toolbox.dissolutions
    if tap.step == "page":
        await _show_list(query, toolbox, actor, words, max(tap.page, 0))
    elif tap.step in ("ask", "ask_no"):
        await _show_sure(query, toolbox, actor, words, tap)
    elif tap.step == "yes":
        await _show_request(query, toolbox, actor, words, await desk.approve(actor, tap.id))
    elif tap.step == "no":
        await _show_request(query, toolbox, actor, words, await desk.refuse(actor, tap.id))
    elif tap.step == "back":
        await _show_request(query, toolbox, actor, words, await desk.withdraw(actor, tap.id))
    elif tap.step == "see":
        await _show_request(query, toolbox, actor, words, await desk.for_actor(actor, tap.id))
    else:
        raise StaleTap


@router.message(Dissolving.number)
@members_only
async def on_number(message: Message, words: Words, state: FSMContext) -> None:
    data = await state.update_data(number=check_number(message.text or ""))
    await state.set_state(Dissolving.reason)
    text = screen(words("dissolve.title"), words("dissolve.ask.reason", most=LONGEST_REASON))
    await show(message, text, keyboard(words, back=_seen(data)))


@router.message(Dissolving.reason)
@router.message(Dissolving.ready)
@members_only
async def on_reason(
    message: Message, toolbox: Toolbox, actor: Actor, words: Words, state: FSMContext
) -> None:
    """Show the request as it will stand; a reason typed again takes the place of the first."""
    data = await state.update_data(reason=check_reason(message.text or ""))
    await state.set_state(Dissolving.ready)
    seen = await toolbox.dissolutions.preview(actor, data.get("id", 0), data.get("target", 0))
    facts = words(
        "dissolve.facts",
        name=name_of(words, seen.organisation),
        target=name_of(words, seen.target),
        number=data.get("number", ""),
        reason=data["reason"],
    )
    text = screen(words("dissolve.ready.title"), facts, words("dissolve.ready.what"))
    ask = Dissolve(step="ask", id=seen.organisation.id, target=seen.target.id)
    rows = [[button(words("dissolve.button.ask"), ask)]]
    await show(message, text, keyboard(words, *rows, back=_seen(data)))


def _seen(data: dict[str, Any]) -> Dissolve:
    return Dissolve(id=data.get("id", 0), target=data.get("target", 0))


async def _show_preview(event: Event, toolbox: Toolbox, actor: Actor, words: Words, at: Dissolve) -> None:
    seen = await toolbox.dissolutions.preview(actor, at.id, at.target or None)
    text = screen(
        words("dissolve.title"),
        words("dissolve.what", name=name_of(words, seen.organisation)),
        words("dissolve.target", target=name_of(words, seen.target)),
        *_touched(words, seen.figures),
    )
    rows: list[Row] = [
        [button(words("dissolve.button.go"), Dissolve(step="go", id=at.id, target=seen.target.id))],
        [button(words("dissolve.button.other"), Dissolve(step="targets", id=at.id, target=seen.target.id))],
        [button(words("dissolve.button.list"), Asked(step="page"))],
    ]
    await show(event, text, keyboard(words, *rows, back=Org(id=at.id)))


def _touched(words: Words, figures: Figures) -> tuple[str, str]:
    """Word what a dissolution would touch, and what is still under way."""
    told = words(
        "dissolve.figures",
        members=figures.members,
        guests=figures.guests,
        roles=figures.roles,
        seats=figures.seats,
    )
    under_way = figures.polls or figures.notices
    unfinished = words("dissolve.open", polls=figures.polls, notices=figures.notices) if under_way else ""
    return told, unfinished


async def _show_targets(
    query: CallbackQuery, toolbox: Toolbox, actor: Actor, words: Words, at: Dissolve
) -> None:
    page = max(at.page, 0)
    found, more = await toolbox.dissolutions.targets(actor, at.id, page)
    rows: list[Row] = [[button(name_of(words, each), Dissolve(id=at.id, target=each.id))] for each in found]
    turns = [Dissolve(step="targets", id=at.id, target=at.target, page=page + turn) for turn in (-1, 1)]
    rows.append(pager(words, page, more=more, to=turns))
    text = screen(words("dissolve.title"), words("dissolve.targets"))
    await show(query, text, keyboard(words, *rows, back=Dissolve(id=at.id, target=at.target)))


async def _ask_number(
    query: CallbackQuery, toolbox: Toolbox, actor: Actor, words: Words, state: FSMContext, at: Dissolve
) -> None:
    seen = await toolbox.dissolutions.preview(actor, at.id, at.target)
    await state.set_state(Dissolving.number)
    await state.set_data({"id": seen.organisation.id, "target": seen.target.id})
    text = screen(words("dissolve.title"), words("dissolve.ask.number"))
    await show(query, text, keyboard(words, back=Dissolve(id=at.id, target=at.target)))


async def _ask_approval(
    query: CallbackQuery, toolbox: Toolbox, actor: Actor, words: Words, state: FSMContext, at: Dissolve
) -> None:
    data = await state.get_data()
    if (data.get("id"), data.get("target")) != (at.id, at.target) or "reason" not in data:
        raise StaleTap
    asked = await toolbox.dissolutions.ask(actor, at.id, at.target, data["number"], data["reason"])
    await _show_request(query, toolbox, actor, words, asked, said=words("dissolve.asked"))
    await state.set_state(None)


async def _show_list(event: Event, toolbox: Toolbox, actor: Actor, words: Words, page: int) -> None:
    found, more = await toolbox.dissolutions.waiting(actor, page)
    rows: list[Row] = [
        [button(f"{name_of(words, each.organisation)} · {each.asker}", Asked(id=each.id))] for each in found
    ]
    turns = [Asked(step="page", page=page + turn) for turn in (-1, 1)]
    rows.append(pager(words, page, more=more, to=turns))
    text = screen(words("dissolve.title"), words("dissolve.list" if found else "dissolve.list.none"))
    await show(event, text, keyboard(words, *rows))


async def _show_request(
    event: Event, toolbox: Toolbox, actor: Actor, words: Words, asked: Dissolution, said: str = ""
) -> None:
    """Show a request and what the reader can do about it."""
    paragraphs = [_facts(words, asked), said or words(f"dissolve.state.{asked.state}", moved=asked.moved)]
    rows: list[Row] = []
    if asked.state is DissolutionState.ASKED:
        told, stuck = await _outlook(toolbox, actor, words, asked)
        paragraphs.extend(told)
        rows.extend(_decisions(toolbox, actor, words, asked, stuck=stuck))
    text = screen(words("dissolve.title"), *paragraphs)
    await show(event, text, keyboard(words, *rows, back=Asked(step="page")))


async def _outlook(
    toolbox: Toolbox, actor: Actor, words: Words, asked: Dissolution
) -> tuple[tuple[str, ...], bool]:
    """Say what approving would do now, or why it cannot be."""
    try:
        seen = await toolbox.dissolutions.preview(actor, asked.organisation.id, asked.target.id)
    except Refusal as refusal:
        return (words("dissolve.stuck", why=words(refusal.key, **refusal.fields)),), True
    return _touched(words, seen.figures), False


def _decisions(toolbox: Toolbox, actor: Actor, words: Words, asked: Dissolution, *, stuck: bool) -> list[Row]:
    if asked.asked_by == actor.member_id:
        return [[button(words("dissolve.button.withdraw"), Asked(step="back", id=asked.id))]]
    rows: list[Row] = []
    if not stuck and toolbox.dissolutions.may_approve(actor, asked):
        rows.append([button(words("dissolve.button.approve"), Asked(step="ask", id=asked.id))])
    rows.append([button(words("dissolve.button.refuse"), Asked(step="ask_no", id=asked.id))])
    return rows


def _facts(words: Words, asked: Dissolution) -> str:
    facts = words(
        "dissolve.facts",
        name=name_of(words, asked.organisation),
        target=name_of(words, asked.target),
        number=asked.filing_number,
        reason=asked.reason,
    )
    return f"{facts}\n{words('dissolve.asker', asker=asked.asker, when=moment(words, asked.asked_at))}"


async def _show_sure(query: CallbackQuery, toolbox: Toolbox, actor: Actor, words: Words, at: Asked) -> None:
    """Ask once more before what cannot be undone, with the figures of this moment."""
    asked = await toolbox.dissolutions.for_actor(actor, at.id)
    if asked.state is not DissolutionState.ASKED:
        await _show_request(query, toolbox, actor, words, asked)
        return
    if at.step == "ask":
        seen = await toolbox.dissolutions.preview(actor, asked.organisation.id, asked.target.id)
        what = words(
            "dissolve.sure.what",
            members=seen.figures.members,
            target=name_of(words, seen.target),
            name=name_of(words, seen.organisation),
        )
        text = screen(words("dissolve.sure.title"), what)
        rows = [[button(words("dissolve.button.sure"), Asked(step="yes", id=at.id))]]
    else:
        text = screen(words("dissolve.sure_no.title"), words("dissolve.sure_no.what"))
        rows = [[button(words("dissolve.button.sure_no"), Asked(step="no", id=at.id))]]
    await show(query, text, keyboard(words, *rows, back=Asked(id=at.id)))

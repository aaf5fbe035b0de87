"""Picking whom something is for: walk down the tree, search, put places in and take parts out."""

from aiogram import Router
from aiogram.fsm.context import FSMContext
from aiogram.fsm.state import State, StatesGroup
from aiogram.types import CallbackQuery, InlineKeyboardButton, Message

from domain.organisations import Organisation
from domain.permissions import Action, Actor
from domain.picking import Picked, picked
from handlers.aims import Aim, Sift, aimed_as
from handlers.keyboards import LONGEST_NAME, Event, Row, button, keyboard, pager, screen, show
from handlers.names import name_of
from handlers.notice_words import audience_lines
from handlers.taps import tap
from handlers.welcome import members_only
from locales import Words
from services.toolbox import Toolbox

router = Router(name="aim_places")
PAGE = 6
"""So many places on one screen, below what is chosen so far."""


class Aiming(StatesGroup):
    """What is awaited: a part of an organisation's name."""

    name = State()


@tap(Aim)
@members_only
async def on_aim(
    query: CallbackQuery, tap: Aim, toolbox: Toolbox, actor: Actor, words: Words, state: FSMContext
) -> None:
    if tap.step == "find":
        await _ask_name(query, toolbox, actor, words, state, tap)
        return
    if tap.step == "hits":
        name = (await state.get_data()).get("name", "")
        await _show_hits(query, toolbox, actor, words, tap.what, tap.id, name, max(tap.page, 0))
        return
    if tap.node:
        await _change(toolbox, actor, tap)
    await show_picker(query, toolbox, actor, words, state, tap.what, tap.id, tap.view, max(tap.page, 0))


async def _change(toolbox: Toolbox, actor: Actor, tap: Aim) -> None:
    """Put a place in or take it out; said outright, so that a tap that comes twice changes nothing."""
    place = await toolbox.organisations.for_actor(actor, tap.node, Action.SEND_NOTICE)
    service = aimed_as(tap.what).service(toolbox)
    before = picked(await service.audience(actor, tap.id))
    changes = {"add": before.add, "drop": before.drop, "out": before.leave_out, "back": before.let_in}
    change = changes.get(tap.step)
    if change is not None:
        await service.choose(actor, tap.id, change(place).audience)


async def show_picker(
    event: Event,
    toolbox: Toolbox,
    actor: Actor,
    words: Words,
    state: FSMContext,
    what: str,
    number: int,
    view: int = 0,
    page: int = 0,
) -> None:
    """Show a place and what lies right below it, with what is chosen so far."""
    aimed = aimed_as(what)
    roots = await toolbox.organisations.roots(actor, Action.SEND_NOTICE)
    audience = await aimed.service(toolbox).audience(actor, number)
    chosen = picked(audience)
    if not view and len(roots) == 1:
        view = roots[0].id
    at = Aim(step="at", what=what, id=number, view=view, page=page)
    rows: list[Row] = []
    here: Organisation | None = None
    if view:
        here = await toolbox.organisations.for_actor(actor, view, Action.SEND_NOTICE)
        below = await toolbox.organisations.children(actor, view, Action.SEND_NOTICE, page=page, size=PAGE)
        rows.append([_toggle(words, chosen, here, at, whole=True)])
        places, more = below.items, below.total > (page + 1) * PAGE
    else:
        places, more = roots, False
    rows.extend(_place(words, chosen, place, at) for place in places)
    turns = [at.model_copy(update={"page": page + turn}) for turn in (-1, 1)]
    rows.append(pager(words, page, more=more, to=turns))
    rows.append(_around(words, here, roots, at))
    if audience is not None:
        rows.append(
            [
                button(words("audience.button.filters"), Sift(what=what, id=number)),
                button(words(aimed.onward), aimed.next(number)),
            ]
        )
    text = screen(
        words(aimed.title),
        await chosen_lines(toolbox, actor, words, what, number),
        words("audience.here", name=name_of(words, here)) if here else words("audience.roots"),
    )
    await show(event, text, keyboard(words, *rows, back=aimed.back(number)))
    await state.clear()


async def chosen_lines(toolbox: Toolbox, actor: Actor, words: Words, what: str, number: int) -> str:
    """Read aloud what is chosen so far, and how many that is."""
    audience = await aimed_as(what).service(toolbox).audience(actor, number)
    if audience is None:
        return words("audience.none")
    lines = audience_lines(words, await toolbox.audiences.parts(audience))
    count = await toolbox.audiences.count(actor, audience)
    return f"{lines}\n{words('audience.count', n=count)}"


def _place(words: Words, chosen: Picked, place: Organisation, at: Aim) -> Row:
    """Return the row of a place: look into it, and put it in or out."""
    look = Aim(step="at", what=at.what, id=at.id, view=place.id)
    return [
        button(words("audience.button.look", name=name_of(words, place)), look),
        _toggle(words, chosen, place, at, whole=False),
    ]


def _toggle(
    words: Words, chosen: Picked, place: Organisation, at: Aim, *, whole: bool
) -> InlineKeyboardButton:
    step = _step(chosen, place)
    label = words(f"audience.button.{step}{'.whole' if whole else ''}", name=name_of(words, place))
    return button(label, at.model_copy(update={"step": step, "node": place.id}))


def _step(chosen: Picked, place: Organisation) -> str:
    """Say what a press does to a place."""
    if chosen.leaves_out(place):
        return "back"
    if chosen.has(place):
        return "drop"
    return "out" if chosen.covers(place) else "add"


def _around(words: Words, here: Organisation | None, roots: tuple[Organisation, ...], at: Aim) -> Row:
    """Return the ways to elsewhere: up, as far as one may, and the search."""
    row = []
    is_root = here is not None and any(root.id == here.id for root in roots)
    if here is not None and (not is_root or len(roots) > 1):
        above = 0 if is_root else here.parent_id or 0
        row.append(button(words("audience.button.up"), Aim(step="at", what=at.what, id=at.id, view=above)))
    row.append(button(words("audience.button.find"), Aim(step="find", what=at.what, id=at.id)))
    return row


async def _ask_name(
    query: CallbackQuery, toolbox: Toolbox, actor: Actor, words: Words, state: FSMContext, tap: Aim
) -> None:
    await aimed_as(tap.what).service(toolbox).for_actor(actor, tap.id, Action.SEND_NOTICE)
    await state.set_state(Aiming.name)
    await state.set_data({"what": tap.what, "id": tap.id})
    text = screen(words("audience.find.title"), words("audience.find.ask"))
    await show(query, text, keyboard(words, back=Aim(step="at", what=tap.what, id=tap.id)))


@router.message(Aiming.name)
@members_only
async def on_name(message: Message, toolbox: Toolbox, actor: Actor, words: Words, state: FSMContext) -> None:
    """Search for what was typed; the next message searches again."""
    name = (message.text or "").strip()[:LONGEST_NAME]
    data = await state.update_data(name=name)
    what, number = data.get("what", ""), data.get("id", 0)
    await _show_hits(message, toolbox, actor, words, what, number, name, 0)


async def _show_hits(
    event: Event,
    toolbox: Toolbox,
    actor: Actor,
    words: Words,
    what: str,
    number: int,
    name: str,
    page: int,
) -> None:
    await aimed_as(what).service(toolbox).for_actor(actor, number, Action.SEND_NOTICE)
    found = await toolbox.organisations.search(actor, Action.SEND_NOTICE, name, page=page, size=PAGE)
    rows: list[Row] = [
        [
            button(
                words("audience.button.look", name=name_of(words, one)),
                Aim(step="at", what=what, id=number, view=one.id),
            )
        ]
        for one in found.items
    ]
    turns = [Aim(step="hits", what=what, id=number, page=page + turn) for turn in (-1, 1)]
    rows.append(pager(words, page, more=found.total > (page + 1) * PAGE, to=turns))
    key = "audience.find.found" if found.total else "audience.find.nothing"
    text = screen(words("audience.find.title"), words(key, name=name, n=found.total))
    await show(event, text, keyboard(words, *rows, back=Aim(step="at", what=what, id=number)))

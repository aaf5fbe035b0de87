"""The desk of suggestions: groups of what says the same, to tag, merge, take apart, and answer at once."""

from typing import Any

from aiogram import Router
from aiogram.filters.callback_data import CallbackData
from aiogram.fsm.context import FSMContext
from aiogram.fsm.state import State, StatesGroup
from aiogram.types import CallbackQuery, Message

from domain.permissions import Actor
from domain.suggestions import LONGEST_ANSWER, LONGEST_TAG, Group, GroupState, check_answer
from handlers.keyboards import Event, Number, Row, Turn, button, keyboard, pager, screen, show
from handlers.notice_words import fit
from handlers.taps import StaleTap, command, tap
from handlers.times import moment
from handlers.welcome import members_only
from locales import Words
from services.suggestion_desk import Wish
from services.toolbox import Toolbox

router = Router(name="suggestions")
LABEL, LINE = 32, 320
"""Columns of a group on a button, and of a text on the screen of a group."""


class Handling(StatesGroup):
    """What is awaited of a secretary."""

    answer = State()
    ready = State()
    tag = State()


class Pile(CallbackData, prefix="sgp"):
    """A step in the list: page, open (state), done (state), tags, tag (the `id`-th), poll (of a poll)."""

    step: str = "page"
    id: Number = 0
    page: Turn = 0


class Bundle(CallbackData, prefix="sgg"):
    """A step on a group: see, answer, send, tag, set (a used tag), merge, into, part, out, take."""

    step: str = "see"
    id: Number
    other: Number = 0
    page: Turn = 0


@command("suggestions")
@members_only
async def on_suggestions(
    event: Event, toolbox: Toolbox, actor: Actor, words: Words, state: FSMContext
) -> None:
    """Show what is not answered yet, what most people say first."""
    await state.clear()
    await toolbox.suggestions.tick()
    await _show_pile(event, toolbox, actor, words, state, 0)


@tap(Pile)
@members_only
async def on_pile(
    query: CallbackQuery, tap: Pile, toolbox: Toolbox, actor: Actor, words: Words, state: FSMContext
) -> None:
    if tap.step == "tags":
        await _show_tags(query, toolbox, actor, words)
        return
    if tap.step == "tag":
        tags = await toolbox.suggestions.tags(actor)
        if tap.id >= len(tags):
            raise StaleTap
        await state.set_data({"tag": tags[tap.id]})
    elif tap.step == "poll":
        await state.set_data({"poll": tap.id, "state": ""})
    elif tap.step in ("open", "done"):
        await state.set_data({"state": tap.step})
    elif tap.step != "page":
        raise StaleTap
    await state.set_state(None)
    await _show_pile(query, toolbox, actor, words, state, max(tap.page, 0))


@tap(Bundle)
@members_only
async def on_bundle(
    query: CallbackQuery, tap: Bundle, toolbox: Toolbox, actor: Actor, words: Words, state: FSMContext
) -> None:
    page = max(tap.page, 0)
    if tap.step == "answer":
        await _ask(query, toolbox, actor, words, state, tap.id, Handling.answer)
    elif tap.step == "tag":
        await _ask(query, toolbox, actor, words, state, tap.id, Handling.tag)
    elif tap.step == "merge":
        await _show_others(query, toolbox, actor, words, tap.id, page)
    elif tap.step == "out":
        await _show_texts_to_take(query, toolbox, actor, words, tap.id, page)
    else:
        said = await _change(toolbox, actor, tap, (await state.get_data()).get("answer", ""))
        await _forget_dialogue(state)
        await _show_group(query, toolbox, actor, words, tap.id, page, words(said) if said else "")


async def _change(toolbox: Toolbox, actor: Actor, tap: Bundle, answer: str) -> str:
    """Do what a button says to a group; returns the key of what is said about it."""
    desk = toolbox.suggestions
    if tap.step == "send" and answer:
        await desk.answer(actor, tap.id, answer)
        return "suggestions.sent"
    if tap.step == "set":
        await desk.tag(actor, tap.id, await _used_tag(toolbox, actor, tap.other))
        return ""
    if tap.step == "into":
        await desk.merge(actor, tap.id, tap.other)
        return "suggestions.merged"
    if tap.step == "part":
        await desk.part(actor, tap.id)
        return "suggestions.parted"
    if tap.step == "take":
        await desk.take_out(actor, tap.other)
        return "suggestions.taken"
    if tap.step != "see":
        raise StaleTap
    return ""


@router.message(Handling.answer)
@router.message(Handling.ready)
@members_only
async def on_answer(
    message: Message, toolbox: Toolbox, actor: Actor, words: Words, state: FSMContext
) -> None:
    """Show the answer as it will be got; typed again it takes the place of the first."""
    text = check_answer(message.text or "")
    data = await state.update_data(answer=text)
    found = await toolbox.suggestions.for_actor(actor, data.get("id", 0))
    await state.set_state(Handling.ready)
    rows = [[button(words("suggestions.button.send", n=found.size), Bundle(step="send", id=found.id))]]
    seen = screen(
        words("suggestions.ready.title"), f"“{fit(found.title, LINE)}”", text, words("suggestions.ready.what")
    )
    await show(message, seen, keyboard(words, *rows, back=Bundle(id=found.id)))


@router.message(Handling.tag)
@members_only
async def on_tag(message: Message, toolbox: Toolbox, actor: Actor, words: Words, state: FSMContext) -> None:
    data = await state.get_data()
    found = await toolbox.suggestions.tag(actor, data.get("id", 0), message.text or "")
    await _forget_dialogue(state)
    await _show_group(message, toolbox, actor, words, found.id, 0)


async def _used_tag(toolbox: Toolbox, actor: Actor, at: int) -> str:
    """Return a tag by its place in the list, counted from one; none takes the tag away."""
    tags = await toolbox.suggestions.tags(actor)
    if at > len(tags):
        raise StaleTap
    return tags[at - 1] if at else ""


async def _forget_dialogue(state: FSMContext) -> None:
    """Await nothing any more, and keep what is looked for in the list."""
    data = await state.get_data()
    await state.set_state(None)
    await state.set_data({name: data[name] for name in ("state", "tag", "poll") if name in data})


def _wish(data: dict[str, Any]) -> Wish:
    states = {"done": GroupState.ANSWERED, "": None}
    wanted = states.get(data.get("state", "open"), GroupState.OPEN)
    return Wish(state=wanted, tag=data.get("tag", ""), poll_id=data.get("poll"))


async def _show_pile(
    event: Event, toolbox: Toolbox, actor: Actor, words: Words, state: FSMContext, page: int
) -> None:
    wish = _wish(await state.get_data())
    found, more = await toolbox.suggestions.groups(actor, wish, page)
    rows: list[Row] = [[button(_line(each), Bundle(id=each.id))] for each in found]
    rows.append(pager(words, page, more=more, to=[Pile(page=page - 1), Pile(page=page + 1)]))
    other = "open" if wish.state is GroupState.ANSWERED else "done"
    rows.append(
        [
            button(words(f"suggestions.button.{other}"), Pile(step=other)),
            button(words("suggestions.button.tags"), Pile(step="tags")),
        ]
    )
    shown = "done" if wish.state is GroupState.ANSWERED else "open"
    text = screen(
        words("suggestions.title"),
        words(f"suggestions.{shown}" if found else f"suggestions.none.{shown}"),
        words("suggestions.with_tag", tag=wish.tag) if wish.tag else "",
    )
    await show(event, text, keyboard(words, *rows))


def _line(found: Group) -> str:
    tag = f"#{found.tag} " if found.tag else ""
    return f"{found.size}× {tag}{fit(found.title, LABEL)}"


async def _show_tags(event: Event, toolbox: Toolbox, actor: Actor, words: Words) -> None:
    tags = await toolbox.suggestions.tags(actor)
    rows: list[Row] = [[button(f"#{tag}", Pile(step="tag", id=at))] for at, tag in enumerate(tags)]
    text = screen(
        words("suggestions.tags.title"), words("suggestions.tags" if tags else "suggestions.tags.none")
    )
    await show(event, text, keyboard(words, *rows, back=Pile(step="open")))


async def _show_group(
    event: Event, toolbox: Toolbox, actor: Actor, words: Words, group_id: int, page: int, said: str = ""
) -> None:
    found = await toolbox.suggestions.for_actor(actor, group_id)
    listed, more = await toolbox.suggestions.texts(actor, found.id, page)
    lines = [
        words(
            "suggestions.text",
            text=fit(each.text, LINE),
            author=each.author or words("suggestions.anonymous"),
        )
        for each in listed
    ]
    rows: list[Row] = []
    if found.state is GroupState.OPEN:
        rows.append([button(words("suggestions.button.answer"), Bundle(step="answer", id=found.id))])
        rows.append(
            [
                button(words("suggestions.button.tag"), Bundle(step="tag", id=found.id)),
                button(words("suggestions.button.merge"), Bundle(step="merge", id=found.id)),
            ]
        )
        if found.size > 1:
            rows.append([button(words("suggestions.button.out"), Bundle(step="out", id=found.id))])
        if found.merged:
            rows.append([button(words("suggestions.button.part"), Bundle(step="part", id=found.id))])
    turns = [Bundle(id=found.id, page=page + turn) for turn in (-1, 1)]
    rows.append(pager(words, page, more=more, to=turns))
    text = screen(
        words("suggestions.group.title", n=found.size),
        said,
        "\n".join(lines),
        _answered(words, found),
        words("suggestions.with_tag", tag=found.tag) if found.tag else "",
    )
    await show(event, text, keyboard(words, *rows, back=Pile()))


def _answered(words: Words, found: Group) -> str:
    if found.answered_at is None:
        return ""
    return words("suggestions.answered", when=moment(words, found.answered_at), answer=found.answer)


async def _ask(
    query: CallbackQuery,
    toolbox: Toolbox,
    actor: Actor,
    words: Words,
    state: FSMContext,
    group_id: int,
    what: State,
) -> None:
    """Await the answer or the tag of a group; a used tag is one press."""
    found = await toolbox.suggestions.for_actor(actor, group_id)
    await state.set_state(what)
    await state.update_data(id=found.id)
    rows: list[Row] = []
    if what is Handling.tag:
        tags = await toolbox.suggestions.tags(actor)
        rows = [
            [button(f"#{tag}", Bundle(step="set", id=found.id, other=at))]
            for at, tag in enumerate(tags, start=1)
        ]
        if found.tag:
            rows.append([button(words("suggestions.button.untag"), Bundle(step="set", id=found.id))])
        ask = words("suggestions.ask.tag", most=LONGEST_TAG)
    else:
        ask = words("suggestions.ask.answer", n=found.size, most=LONGEST_ANSWER)
    seen = screen(words("suggestions.ask.title"), f"“{fit(found.title, LINE)}”", ask)
    await show(query, seen, keyboard(words, *rows, back=Bundle(id=found.id)))


async def _show_others(
    query: CallbackQuery, toolbox: Toolbox, actor: Actor, words: Words, group_id: int, page: int
) -> None:
    found, more = await toolbox.suggestions.others(actor, group_id, page)
    rows: list[Row] = [
        [button(_line(each), Bundle(step="into", id=group_id, other=each.id))] for each in found
    ]
    turns = [Bundle(step="merge", id=group_id, page=page + turn) for turn in (-1, 1)]
    rows.append(pager(words, page, more=more, to=turns))
    key = "suggestions.merge.ask" if found else "suggestions.merge.none"
    text = screen(words("suggestions.merge.title"), words(key))
    await show(query, text, keyboard(words, *rows, back=Bundle(id=group_id)))


async def _show_texts_to_take(
    query: CallbackQuery, toolbox: Toolbox, actor: Actor, words: Words, group_id: int, page: int
) -> None:
    listed, more = await toolbox.suggestions.texts(actor, group_id, page)
    rows: list[Row] = [
        [button(fit(each.text, LABEL), Bundle(step="take", id=group_id, other=each.id))] for each in listed
    ]
    turns = [Bundle(step="out", id=group_id, page=page + turn) for turn in (-1, 1)]
    rows.append(pager(words, page, more=more, to=turns))
    text = screen(words("suggestions.out.title"), words("suggestions.out.ask"))
    await show(query, text, keyboard(words, *rows, back=Bundle(id=group_id)))

"""Topics: a tap subscribes, the next one unsubscribes."""

from aiogram.filters.callback_data import CallbackData
from aiogram.types import CallbackQuery

from domain.permissions import Actor
from handlers.keyboards import Event, Go, Number, Row, button, keyboard, screen, show
from handlers.names import name_of
from handlers.taps import command, tap
from handlers.welcome import members_only
from locales import Words
from services.toolbox import Toolbox
from services.topics import Choice


class Pick(CallbackData, prefix="topic"):
    """Whether a topic is wanted: said outright, so that a tap that comes twice changes nothing."""

    id: Number
    wanted: bool


@command("topics")
@members_only
async def on_topics(event: Event, toolbox: Toolbox, actor: Actor, words: Words) -> None:
    await _show(event, toolbox, actor, words)


@tap(Pick)
@members_only
async def on_pick(query: CallbackQuery, tap: Pick, toolbox: Toolbox, actor: Actor, words: Words) -> None:
    if tap.wanted:
        await toolbox.topics.subscribe(actor, tap.id)
    else:
        await toolbox.topics.unsubscribe(actor, tap.id)
    await _show(query, toolbox, actor, words)


async def _show(event: Event, toolbox: Toolbox, actor: Actor, words: Words) -> None:
    choices = await toolbox.topics.choices(actor)
    if not choices:
        await show(
            event, screen(words("topics.title"), words("topics.none")), keyboard(words, _digest(words))
        )
        return
    rows = [[button(_label(words, one), Pick(id=one.topic.id, wanted=not one.subscribed))] for one in choices]
    rows.append(_digest(words))
    await show(event, screen(words("topics.title"), words("topics.what")), keyboard(words, *rows))


def _digest(words: Words) -> Row:
    return [button(words("digests.button.often"), Go(to="digest"))]


def _label(words: Words, choice: Choice) -> str:
    mark = "✅" if choice.subscribed else "⬜"
    return f"{mark} {name_of(words, choice.topic)}"

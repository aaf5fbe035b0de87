"""Accounts that stopped by themselves, for who may act: why, since when, what waits, and letting one go again."""

from aiogram.filters.callback_data import CallbackData
from aiogram.types import CallbackQuery

from domain.permissions import Actor
from handlers.keyboards import Event, Go, Number, button, keyboard, screen, show
from handlers.taps import command, tap
from handlers.times import moment
from handlers.welcome import members_only
from locales import Words
from services.halts import Stopped
from services.toolbox import Toolbox


class Again(CallbackData, prefix="halt"):
    """Let a stopped account go again."""

    id: Number


@command("halted")
@members_only
async def on_halted(event: Event, toolbox: Toolbox, actor: Actor, words: Words) -> None:
    await _show(event, toolbox, actor, words)


@tap(Again)
@members_only
async def on_again(query: CallbackQuery, tap: Again, toolbox: Toolbox, actor: Actor, words: Words) -> None:
    """Obey a press; one that goes already is left alone."""
    await toolbox.halts.resume(actor, tap.id)
    await _show(query, toolbox, actor, words)


async def _show(event: Event, toolbox: Toolbox, actor: Actor, words: Words) -> None:
    found = await toolbox.halts.stopped(actor)
    parts = [_line(words, each) for each in found]
    rows = [
        [button(words("halts.button.again", name=each.halt.name), Again(id=each.halt.account_id))]
        for each in found
    ]
    hint = words("halts.hint" if found else "halts.none")
    rows.append([button(words("halts.button.refresh"), Go(to="halted"))])
    await show(event, screen(words("halts.title"), *parts, hint), keyboard(words, *rows))


def _line(words: Words, one: Stopped) -> str:
    key = f"halts.reason.{one.halt.reason}"
    return words(
        "halts.one",
        name=one.halt.name,
        reason=words(key if key in words else "halts.reason.failing"),
        since=moment(words, one.halt.since),
        n=one.waiting,
    )

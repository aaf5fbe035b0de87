"""The main menu: what a member can do here, and what a secretary can do besides."""

from typing import Any

from aiogram.fsm.context import FSMContext
from aiogram.types import CallbackQuery, InlineKeyboardMarkup

from domain.permissions import Actor
from handlers import taps
from handlers.keyboards import Event, Go, Row, button, screen, show
from handlers.names import name_of
from handlers.welcome import members_only
from locales import Words
from services.members import Overview
from services.toolbox import Toolbox

_MEMBER_ROWS = (
    ("notices", "polls"),
    ("serviceday", "suggest"),
    ("me", "org"),
    ("topics", "language"),
    ("help", "privacy"),
)


@taps.command("menu")
@members_only
async def on_menu(event: Event, toolbox: Toolbox, actor: Actor, words: Words) -> None:
    await show_menu(event, toolbox, actor, words)


async def show_menu(event: Event, toolbox: Toolbox, actor: Actor, words: Words) -> None:
    overview = await toolbox.members.overview(actor)
    text = screen(
        words("menu.title"),
        words("menu.greeting", name=actor.name, organisation=name_of(words, overview.home)),
        words("menu.stopped") if overview.stopped else "",
        words("menu.hint"),
    )
    console = toolbox.sign_ins.offered and toolbox.sign_ins.may(actor)
    await show(event, text, _buttons(words, overview, console=console))


def _buttons(words: Words, overview: Overview, *, console: bool) -> InlineKeyboardMarkup:
    rows: list[Row] = [[_go(words, name) for name in names] for names in _MEMBER_ROWS]
    rows.append([_go(words, "resume" if overview.stopped else "stop")])
    secretary = []
    if overview.may_send:
        rows.append([_go(words, "notice"), _go(words, "poll")])
        secretary.append(_go(words, "suggestions"))
    if overview.may_invite:
        secretary.append(_go(words, "invite"))
    rows.append(secretary)
    if overview.may_approve:
        label = words("menu.button.approvals", n=overview.waiting_links)
        rows.append([button(label, Go(to="approvals"))])
    if overview.waiting_sends:
        rows.append([button(words("menu.button.decide", n=overview.waiting_sends), Go(to="decide"))])
    desk = [_go(words, "import")] if overview.may_manage else []
    rows.append([*desk, _go(words, "console")] if console else desk)
    return InlineKeyboardMarkup(inline_keyboard=[row for row in rows if row])


def _go(words: Words, name: str) -> Any:
    return button(words(f"menu.button.{name}"), Go(to=name))


@taps.tap(Go)
async def on_go(query: CallbackQuery, tap: Go, state: FSMContext, **data: Any) -> None:
    """Run a command in place; whatever dialogue was open is left."""
    await state.clear()
    await taps.run_command(tap.to, query, state=state, **data)

"""Reminding who has not confirmed a notice: how many, then once; or by itself, chosen before it is sent."""

from zoneinfo import ZoneInfo

from aiogram.fsm.context import FSMContext
from aiogram.types import CallbackQuery, InlineKeyboardButton

from domain.notices import Notice
from domain.nudges import AFTER_DAYS
from domain.permissions import Actor
from handlers.keyboards import Event, Row, button, keyboard, screen, show
from handlers.notice_preview import show_preview
from handlers.notice_taps import After, Draft, Look, Nudge
from handlers.notice_words import headline, reach_lines
from handlers.taps import tap
from handlers.times import moment
from handlers.welcome import members_only
from locales import Words
from services.nudges import Nudging
from services.toolbox import Toolbox


@tap(Nudge)
@members_only
async def on_nudge(query: CallbackQuery, tap: Nudge, toolbox: Toolbox, actor: Actor, words: Words) -> None:
    if tap.step == "ask":
        await _ask(query, toolbox, actor, words, tap.id)
        return
    members = await toolbox.notices.nudges.nudge(actor, tap.id)
    text = screen(words("nudge.done.title"), words("nudge.done.what", n=members))
    await show(query, text, keyboard(words, back=await _origin(toolbox, actor, tap.id)))


async def _ask(event: Event, toolbox: Toolbox, actor: Actor, words: Words, notice_id: int) -> None:
    """Say how many it would remind, before anybody is."""
    nudging = await toolbox.notices.nudges.look(actor, notice_id)
    members = nudging.reach.total
    text = screen(
        words("nudge.title"),
        words("report.of", headline=headline(words, nudging.notice, 100)),
        _whom(words, nudging),
        words("nudge.rules") if members else words("nudge.call"),
    )
    rows: list[Row] = []
    if members:
        rows.append([button(words("nudge.button.do", n=members), Nudge(step="do", id=notice_id))])
    await show(event, text, keyboard(words, *rows, back=await _origin(toolbox, actor, notice_id)))


def _whom(words: Words, nudging: Nudging) -> str:
    if nudging.reach.total:
        key = "nudge.whom.everybody" if nudging.everybody else "nudge.whom.own"
        zone = ZoneInfo(nudging.notice.sender.zone)
        return f"{words(key)}\n{reach_lines(words, nudging.reach, zone)}"
    if nudging.earlier is not None:
        return words("nudge.earlier", when=moment(words, nudging.earlier.at), n=nudging.earlier.members)
    return words("nudge.nobody")


async def _origin(toolbox: Toolbox, actor: Actor, notice_id: int) -> Look:
    """Lead back to the report, or to the list of calls for who has no report."""
    reached = await toolbox.notices.reports.may_see(actor, notice_id)
    return Look(step="look" if reached else "calls", id=notice_id)


@tap(After)
@members_only
async def on_after(
    query: CallbackQuery, tap: After, toolbox: Toolbox, actor: Actor, words: Words, state: FSMContext
) -> None:
    if tap.step == "set":
        await toolbox.notices.nudges.nudge_after(actor, tap.id, tap.days or None)
        await show_preview(query, toolbox, actor, words, state, tap.id)
        return
    found = await toolbox.notices.for_actor(actor, tap.id)
    rows = [
        [_choice(words, found, days) for days in AFTER_DAYS],
        [_choice(words, found, 0)],
    ]
    text = screen(words("nudge.after.title"), words("nudge.after.what"))
    await show(query, text, keyboard(words, *rows, back=Draft(step="open", id=tap.id)))


def _choice(words: Words, found: Notice, days: int) -> InlineKeyboardButton:
    mark = "✅ " if (found.nudge_after or 0) == days else ""
    label = words("nudge.after.days", n=days) if days else words("nudge.after.never")
    return button(mark + label, After(step="set", id=found.id, days=days))

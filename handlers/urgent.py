"""Sending a notice urgently: what that means, and what it is for, as its author sees it before asking."""

from zoneinfo import ZoneInfo

from aiogram.types import CallbackQuery

from domain.permissions import Actor
from domain.send_requests import Way
from handlers.keyboards import button, keyboard, screen, show
from handlers.notice_taps import Draft
from handlers.notice_words import opening, reach_lines
from handlers.send_request_taps import Ask
from locales import Words
from services.toolbox import Toolbox


async def show_urgent(
    query: CallbackQuery, toolbox: Toolbox, actor: Actor, words: Words, notice_id: int
) -> None:
    found, reach = await toolbox.notices.urgent.look(actor, notice_id)
    text = screen(
        words("requests.title.urgent"),
        words("urgent.what"),
        words("urgent.when"),
        opening(words, found),
        reach_lines(words, reach, ZoneInfo(found.sender.zone)),
        words("urgent.how"),
    )
    rows = [[button(words("urgent.button.ask"), Ask(step="ask", way=Way.URGENT, id=notice_id))]]
    await show(query, text, keyboard(words, *rows, back=Draft(step="open", id=notice_id)))

"""Sending a notice quickly for a price: what its author sees before asking."""

from datetime import timedelta
from math import ceil

from aiogram.types import CallbackQuery

from domain.permissions import Actor
from domain.send_requests import Way
from handlers.keyboards import button, keyboard, screen, show
from handlers.notice_taps import Draft
from handlers.send_request_taps import Ask
from handlers.taps import StaleTap
from locales import Words
from services.toolbox import Toolbox

HOURS_FROM = 90
"""Minutes from which a duration is said in hours."""


async def show_paid(
    query: CallbackQuery, toolbox: Toolbox, actor: Actor, words: Words, notice_id: int
) -> None:
    offer = await toolbox.notices.paid.look(actor, notice_id)
    if offer is None:
        raise StaleTap
    text = screen(
        words("requests.title.paid"),
        words("paid.messages", n=offer.messages),
        words("paid.free", time=duration(words, offer.free)),
        words("paid.price", time=duration(words, offer.paid), stars=offer.stars),
        words("paid.what"),
    )
    ask = Ask(step="ask", way=Way.PAID, id=notice_id, stars=offer.stars)
    rows = [[button(words("paid.button.ask", stars=offer.stars), ask)]]
    await show(query, text, keyboard(words, *rows, back=Draft(step="open", id=notice_id)))


def duration(words: Words, time: timedelta) -> str:
    """Say how long something takes, rounded up."""
    minutes = max(1, ceil(time.total_seconds() / 60))
    if minutes < HOURS_FROM:
        return words("paid.minutes", n=minutes)
    return words("paid.hours", n=ceil(minutes / 60))

"""Sending a notice quickly for a price: its author asks, a second person approves."""

from datetime import timedelta
from math import ceil

from aiogram.types import CallbackQuery

from domain.notices import NoticeState
from domain.paid import PaidRequest, PaidState
from domain.permissions import Actor
from handlers.keyboards import Event, Row, button, keyboard, pager, screen, show
from handlers.notice_taps import Desk, Draft, Progress
from handlers.notice_words import headline, opening
from handlers.paid_taps import Pay, Paying
from handlers.taps import StaleTap, command, tap
from handlers.times import moment
from handlers.welcome import members_only
from locales import Words
from services.senders import author_of
from services.toolbox import Toolbox

HOURS_FROM = 90
"""Minutes from which a duration is said in hours."""


@command("paid")
@members_only
async def on_paid(event: Event, toolbox: Toolbox, actor: Actor, words: Words) -> None:
    """Show what waits for a decision."""
    await _show_list(event, toolbox, actor, words, 0)


@tap(Pay)
@members_only
async def on_pay(query: CallbackQuery, tap: Pay, toolbox: Toolbox, actor: Actor, words: Words) -> None:
    """Lead who asks."""
    if tap.step == "look":
        await _show_offer(query, toolbox, actor, words, tap.id)
        return
    asked = await toolbox.notices.paid.ask(actor, tap.id, tap.stars)
    await _show_request(query, actor, words, asked)


@tap(Paying)
@members_only
async def on_paying(query: CallbackQuery, tap: Paying, toolbox: Toolbox, actor: Actor, words: Words) -> None:
    """Lead who decides, and who takes back."""
    desk = toolbox.notices.paid
    if tap.step == "page":
        await _show_list(query, toolbox, actor, words, max(tap.page, 0))
        return
    steps = {"see": desk.for_actor, "yes": desk.approve, "no": desk.refuse, "back": desk.withdraw}
    await _show_request(query, actor, words, await steps[tap.step](actor, tap.id))


async def _show_offer(
    query: CallbackQuery, toolbox: Toolbox, actor: Actor, words: Words, notice_id: int
) -> None:
    seen = await toolbox.notices.paid.look(actor, notice_id)
    if seen.offer is None:
        raise StaleTap
    text = screen(
        words("paid.title"),
        words("paid.messages", n=seen.offer.messages),
        words("paid.free", time=duration(words, seen.offer.free)),
        words("paid.price", time=duration(words, seen.offer.paid), stars=seen.offer.stars),
        words("paid.what"),
    )
    ask = Pay(step="ask", id=notice_id, stars=seen.offer.stars)
    rows = [[button(words("paid.button.ask", stars=seen.offer.stars), ask)]]
    await show(query, text, keyboard(words, *rows, back=Draft(step="open", id=notice_id)))


async def _show_request(event: Event, actor: Actor, words: Words, asked: PaidRequest) -> None:
    """Show a request and what the reader can do about it."""
    facts = words(
        "paid.facts",
        asker=author_of(words, asked.asker),
        when=moment(words, asked.asked_at),
        n=asked.messages,
        stars=asked.stars,
    )
    state = words(f"paid.state.{asked.state}", until=moment(words, asked.expires_at))
    text = screen(words("paid.title"), opening(words, asked.notice), facts, state)
    mine = asked.asked_by == actor.member_id
    own = Draft(step="open", id=asked.notice.id) if asked.notice.state is NoticeState.DRAFT else Desk()
    await show(
        event,
        text,
        keyboard(words, *_decisions(words, asked, mine=mine), back=own if mine else Paying(step="page")),
    )


def _decisions(words: Words, asked: PaidRequest, *, mine: bool) -> list[Row]:
    if asked.state is PaidState.APPROVED:
        look = Progress(step="look", id=asked.notice.id)
        return [[button(words("paid.button.progress"), look)]]
    if asked.state is not PaidState.ASKED:
        return []
    if mine:
        return [[button(words("paid.button.withdraw"), Paying(step="back", id=asked.id))]]
    return [
        [button(words("paid.button.approve", stars=asked.stars), Paying(step="yes", id=asked.id))],
        [button(words("paid.button.refuse"), Paying(step="no", id=asked.id))],
    ]


async def _show_list(event: Event, toolbox: Toolbox, actor: Actor, words: Words, page: int) -> None:
    found, more = await toolbox.notices.paid.waiting(actor, page)
    rows: list[Row] = [
        [button(f"{headline(words, each.notice)} · {each.stars}★", Paying(step="see", id=each.id))]
        for each in found
    ]
    rows.append(pager(words, page, more=more, to=[Paying(step="page", page=page + turn) for turn in (-1, 1)]))
    text = screen(words("paid.title"), words("paid.list" if found else "paid.list.none"))
    await show(event, text, keyboard(words, *rows))


def duration(words: Words, time: timedelta) -> str:
    """Say how long something takes, rounded up."""
    minutes = max(1, ceil(time.total_seconds() / 60))
    if minutes < HOURS_FROM:
        return words("paid.minutes", n=minutes)
    return words("paid.hours", n=ceil(minutes / 60))

"""Sending a notice beyond the usual: its author asks, a second person looks at it and decides."""

from zoneinfo import ZoneInfo

from aiogram import Bot
from aiogram.types import CallbackQuery

from domain.accounts import Address
from domain.notices import NoticeState
from domain.permissions import Actor
from domain.send_requests import RequestState, SendRequest, Way
from handlers.keyboards import Event, Row, button, keyboard, pager, screen, show
from handlers.notice_files import send_sample
from handlers.notice_taps import Desk, Draft, Progress
from handlers.notice_words import audience_lines, headline, media_line, opening, reach_lines
from handlers.paid import show_paid
from handlers.send_request_taps import Ask, Asked
from handlers.taps import command, tap
from handlers.times import moment
from handlers.urgent import show_urgent
from handlers.welcome import members_only
from locales import Words
from services.send_requests import Shown
from services.senders import author_of
from services.toolbox import Toolbox

TERMS = {Way.PAID: show_paid, Way.URGENT: show_urgent}
"""The screens on which an author reads what a way of sending means."""
MOST_READ = 1500
"""UTF-16 units of a text that its second person reads on the screen; the whole is a press away."""


@command("decide")
@members_only
async def on_decide(event: Event, toolbox: Toolbox, actor: Actor, words: Words) -> None:
    """Show what waits for a decision."""
    await _show_list(event, toolbox, actor, words, 0)


@tap(Ask)
@members_only
async def on_ask(query: CallbackQuery, tap: Ask, toolbox: Toolbox, actor: Actor, words: Words) -> None:
    """Lead who asks."""
    if tap.step == "look":
        await TERMS[tap.way](query, toolbox, actor, words, tap.id)
        return
    asked = await toolbox.notices.requests.ask(actor, tap.id, tap.way, tap.stars)
    await _show_request(query, toolbox, actor, words, asked)


@tap(Asked)
@members_only
async def on_asked(
    query: CallbackQuery,
    tap: Asked,
    toolbox: Toolbox,
    actor: Actor,
    words: Words,
    address: Address,
    bot: Bot,
) -> None:
    """Lead who decides, and who takes back."""
    desk = toolbox.notices.requests
    if tap.step == "page":
        await _show_list(query, toolbox, actor, words, max(tap.page, 0))
        return
    if tap.step == "test":
        found, content = await desk.sample(actor, tap.id, words.language)
        await send_sample(query, toolbox.notices, words, address, bot, found, content)
        return
    steps = {"see": desk.for_actor, "yes": desk.approve, "no": desk.refuse, "back": desk.withdraw}
    await _show_request(query, toolbox, actor, words, await steps[tap.step](actor, tap.id))


async def _show_request(
    event: Event, toolbox: Toolbox, actor: Actor, words: Words, asked: SendRequest
) -> None:
    """Show a request and what the reader can do about it."""
    mine = asked.asked_by == actor.member_id
    shown = await toolbox.notices.requests.shown(asked)
    text = screen(
        words(f"requests.title.{asked.way}"),
        opening(words, asked.notice, MOST_READ),
        media_line(words, asked.notice),
        *_facts(words, shown),
        _told(words, shown) if mine else "",
        _state(words, asked),
    )
    own = Draft(step="open", id=asked.notice.id) if asked.notice.state is NoticeState.DRAFT else Desk()
    rows = _decisions(words, asked, mine=mine)
    await show(event, text, keyboard(words, *rows, back=own if mine else Asked(step="page")))


def _facts(words: Words, shown: Shown) -> list[str]:
    """Say who asks and what it comes to; while it waits, also for whom it is and whom it would reach now."""
    asked = shown.request
    who = words("requests.asker", asker=author_of(words, asked.asker), when=moment(words, asked.asked_at))
    what = words(f"requests.facts.{asked.way}", n=asked.messages, stars=asked.stars)
    if asked.state is not RequestState.ASKED:
        return [f"{who}\n{what}"]
    return [
        f"{who}\n{what}",
        words("preview.audience", lines=audience_lines(words, shown.parts)),
        reach_lines(words, shown.reach, ZoneInfo(asked.notice.sender.zone)),
    ]


def _told(words: Words, shown: Shown) -> str:
    """Name to who asks those who were told, and those whom no message reaches: a call helps more than waiting."""
    if shown.request.state is not RequestState.ASKED:
        return ""
    reached = [each.name for each in shown.told if each.reached]
    others = [each.name for each in shown.told if not each.reached]
    comma = words("requests.comma")
    return "\n".join(
        words(key, names=comma.join(names))
        for key, names in (("requests.reached", reached), ("requests.unreached", others))
        if names
    )


def _state(words: Words, asked: SendRequest) -> str:
    return words(f"requests.state.{asked.state}.{asked.way}", until=moment(words, asked.expires_at))


def _decisions(words: Words, asked: SendRequest, *, mine: bool) -> list[Row]:
    if asked.state is RequestState.APPROVED:
        look = Progress(step="look", id=asked.notice.id)
        return [[button(words("requests.button.progress"), look)]]
    if asked.state is not RequestState.ASKED:
        return []
    if mine:
        return [[button(words("requests.button.withdraw"), Asked(step="back", id=asked.id))]]
    approve = words(f"requests.button.approve.{asked.way}", stars=asked.stars)
    return [
        [button(approve, Asked(step="yes", id=asked.id))],
        [button(words("requests.button.refuse"), Asked(step="no", id=asked.id))],
        [button(words("requests.button.test"), Asked(step="test", id=asked.id))],
    ]


async def _show_list(event: Event, toolbox: Toolbox, actor: Actor, words: Words, page: int) -> None:
    found, more = await toolbox.notices.requests.waiting(actor, page)
    rows: list[Row] = [[button(_line(words, each), Asked(step="see", id=each.id))] for each in found]
    rows.append(pager(words, page, more=more, to=[Asked(step="page", page=page + turn) for turn in (-1, 1)]))
    text = screen(words("requests.title"), words("requests.list" if found else "requests.list.none"))
    await show(event, text, keyboard(words, *rows))


def _line(words: Words, asked: SendRequest) -> str:
    return words(f"requests.line.{asked.way}", headline=headline(words, asked.notice), stars=asked.stars)

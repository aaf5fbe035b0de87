"""A draft before it goes: how it reads, whom it reaches and whom not, a test, and sending now or at a time."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from aiogram import Bot, Router
from aiogram.fsm.context import FSMContext
from aiogram.types import CallbackQuery, Message

from domain.accounts import Address
from domain.messages import MESSAGE
from domain.notices import Notice, NoticeState
from domain.paid import Offer
from domain.permissions import Actor
from domain.send_requests import SendRequest, Way
from handlers.aims import Aim
from handlers.keyboards import Event, Row, button, keyboard, screen, show
from handlers.notice_files import send_sample
from handlers.notice_progress import show_progress
from handlers.notice_taps import NOTICE, After, Desk, Draft, Noticing, Send
from handlers.notice_words import audience_lines, media_line, opening, reach_lines
from handlers.repeat_taps import Repeat
from handlers.repeat_words import outlook_words
from handlers.send_request_taps import Ask, Asked
from handlers.taps import tap
from handlers.times import moment
from handlers.welcome import members_only
from locales import Words
from services.notices import Preview
from services.senders import author_of
from services.toolbox import Toolbox

router = Router(name="notice_preview")
UNSENT = {NoticeState.DRAFT, NoticeState.SCHEDULED}


async def show_preview(
    event: Event, toolbox: Toolbox, actor: Actor, words: Words, state: FSMContext, notice_id: int
) -> Message:
    """Show a draft or a scheduled notice, and return that screen; once it is seen, nothing is awaited any more."""
    preview = await toolbox.notices.preview(actor, notice_id)
    found = preview.notice
    offer = await toolbox.notices.paid.look(actor, notice_id)
    asked = await toolbox.notices.requests.waiting_for(actor, notice_id)
    text = screen(
        words(f"preview.title.{found.state}"),
        opening(words, found),
        media_line(words, found),
        words("preview.audience", lines=audience_lines(words, preview.parts))
        if preview.audience
        else words("preview.no_audience"),
        reach_lines(words, preview.reach, ZoneInfo(found.sender.zone)) if preview.reach else "",
        _confirmation(words, found),
        words("preview.film") if found.media is not None and found.media.kind == MESSAGE else "",
        words("preview.sensitive") if found.sensitive else "",
        await _scheduled(toolbox, words, found),
        words(f"preview.requests.waits.{asked.way}", stars=asked.stars) if asked else "",
    )
    shown = await show(event, text, keyboard(words, *_rows(words, preview, asked, offer), back=Desk()))
    await state.clear()
    return shown


async def _scheduled(toolbox: Toolbox, words: Words, found: Notice) -> str:
    """Say when it goes out, and what that day is."""
    if found.scheduled_at is None:
        return ""
    zone = found.sender.zone
    one = await toolbox.repeats.outlook(zone, found.scheduled_at)
    return words("preview.at", when=outlook_words(words, one, ZoneInfo(zone)))


def _rows(words: Words, preview: Preview, asked: SendRequest | None, offer: Offer | None) -> list[Row]:
    found, number = preview.notice, preview.notice.id
    if found.state is NoticeState.SCHEDULED:
        return [
            [button(words("preview.button.recall"), Send(step="recall", id=number))],
            [
                button(
                    words("preview.button.now", n=preview.reach.total if preview.reach else 0), _now(number)
                )
            ],
        ]
    rows: list[Row] = []
    if preview.reach and preview.reach.total:
        rows.append([button(words("preview.button.now", n=preview.reach.total), _now(number))])
        rows.append(
            [
                button(words("preview.button.when"), Send(step="when", id=number)),
                button(words("repeats.button.repeat"), Repeat(step="ask", id=number)),
            ]
        )
        rows.extend(_beyond(words, asked, offer, number))
        rows.append([button(words("preview.button.test"), Draft(step="test", id=number))])
    rows.append(
        [
            button(words("preview.button.audience"), Aim(step="at", what=NOTICE, id=number)),
            button(words("preview.button.write"), Draft(step="write", id=number)),
        ]
    )
    step = "quiet" if found.needs_confirmation else "confirm"
    rows.append(
        [
            button(words(f"preview.button.{step}"), Draft(step=step, id=number)),
            button(words("preview.button.discard"), Draft(step="discard", id=number)),
        ]
    )
    mark = "usual" if found.sensitive else "sensitive"
    rows.append([button(words(f"preview.button.{mark}"), Draft(step=mark, id=number))])
    if found.needs_confirmation:
        label = (
            words("nudge.after.button.on", n=found.nudge_after)
            if found.nudge_after
            else words("nudge.after.button.off")
        )
        rows.append([button(label, After(step="ask", id=number))])
    return rows


def _beyond(words: Words, asked: SendRequest | None, offer: Offer | None, number: int) -> list[Row]:
    """Offer to send urgently, and quickly where an account may pay; or lead to the request that waits."""
    if asked is not None:
        return [[button(words("preview.requests.button.waits"), Asked(step="see", id=asked.id))]]
    ways = [Way.URGENT, Way.PAID] if offer is not None else [Way.URGENT]
    return [
        [button(words(f"preview.requests.button.{way}"), Ask(step="look", way=way, id=number))]
        for way in ways
    ]


def _confirmation(words: Words, found: Notice) -> str:
    if not found.needs_confirmation:
        return ""
    nudges = [words("nudge.after.line", n=found.nudge_after)] if found.nudge_after else []
    return "\n".join([words("preview.confirms"), *nudges])


@tap(Send)
@members_only
async def on_send(
    query: CallbackQuery,
    tap: Send,
    toolbox: Toolbox,
    actor: Actor,
    words: Words,
    state: FSMContext,
    address: Address,
) -> None:
    if tap.step == "recall":
        await _recall(query, toolbox, actor, words, state, tap.id)
    elif tap.step == "when":
        await _ask_time(query, toolbox, actor, words, state, tap.id)
    else:
        at = datetime.fromtimestamp(tap.at, UTC) if tap.step == "at" else None
        await _go(query, toolbox, actor, words, state, address, tap.id, at)


async def _recall(
    query: CallbackQuery, toolbox: Toolbox, actor: Actor, words: Words, state: FSMContext, notice_id: int
) -> None:
    """Take a scheduled notice back; a draft is its author's alone, so anybody else is only told."""
    found = await toolbox.notices.unschedule(actor, notice_id)
    if found.sender.author_id == actor.member_id:
        await show_preview(query, toolbox, actor, words, state, notice_id)
        return
    text = screen(
        words("preview.recalled.title"),
        words("preview.recalled.what", author=author_of(words, found.sender.author)),
    )
    await show(query, text, keyboard(words, back=Desk()))


async def _go(
    event: Event,
    toolbox: Toolbox,
    actor: Actor,
    words: Words,
    state: FSMContext,
    address: Address,
    notice_id: int,
    at: datetime | None,
    typed: int | None = None,
) -> None:
    """Send or schedule; a large audience is asked for its number first."""
    preview = await toolbox.notices.preview(actor, notice_id)
    if typed is None and preview.must_type and preview.notice.state in UNSENT:
        await _ask_number(event, words, state, preview, at)
        return
    if at is None:
        await toolbox.notices.send(actor, notice_id, typed)
        await show_progress(event, toolbox, actor, words, address, notice_id)
        await state.clear()
    else:
        await toolbox.notices.schedule(actor, notice_id, at, typed)
        await show_preview(event, toolbox, actor, words, state, notice_id)


async def _ask_number(
    event: Event, words: Words, state: FSMContext, preview: Preview, at: datetime | None
) -> None:
    number = preview.reach.total if preview.reach else 0
    await state.set_state(Noticing.number)
    await state.set_data({"id": preview.notice.id, "at": int(at.timestamp()) if at else 0})
    text = screen(
        words("preview.number.title", n=number),
        words("preview.audience", lines=audience_lines(words, preview.parts)),
        words("preview.number.ask", n=number),
    )
    await show(event, text, keyboard(words, back=Draft(step="open", id=preview.notice.id)))


@router.message(Noticing.number)
@members_only
async def on_number(
    message: Message, toolbox: Toolbox, actor: Actor, words: Words, state: FSMContext, address: Address
) -> None:
    """Take the typed number; a wrong one is refused and may be typed again."""
    data = await state.get_data()
    digits = "".join(each for each in message.text or "" if each.isdecimal())
    at = datetime.fromtimestamp(data["at"], UTC) if data.get("at") else None
    typed = int(digits[:9] or 0)
    await _go(message, toolbox, actor, words, state, address, data.get("id", 0), at, typed)


async def _ask_time(
    query: CallbackQuery,
    toolbox: Toolbox,
    actor: Actor,
    words: Words,
    state: FSMContext,
    notice_id: int,
) -> None:
    found, moments = await toolbox.notices.moments(actor, notice_id)
    await state.set_state(Noticing.time)
    await state.set_data({"id": notice_id})
    rows: list[Row] = [
        [button(_moment(words, found, at), Send(step="at", id=notice_id, at=int(at.timestamp())))]
        for at in moments
    ]
    text = screen(words("preview.time.title"), words("preview.time.ask"))
    await show(query, text, keyboard(words, *rows, back=Draft(step="open", id=notice_id)))


@router.message(Noticing.time)
@members_only
async def on_time(
    message: Message,
    toolbox: Toolbox,
    actor: Actor,
    words: Words,
    state: FSMContext,
    address: Address,
) -> None:
    """Read a typed time; what is no time is asked again, with examples."""
    notice_id = (await state.get_data()).get("id", 0)
    at = await toolbox.notices.read_time(actor, notice_id, message.text or "")
    if at is None:
        text = screen(words("preview.time.title"), words("preview.time.unread"))
        await show(message, text, keyboard(words, back=Draft(step="open", id=notice_id)))
        return
    await _go(message, toolbox, actor, words, state, address, notice_id, at)


async def send_test(
    query: CallbackQuery,
    toolbox: Toolbox,
    actor: Actor,
    words: Words,
    address: Address,
    bot: Bot,
    number: int,
) -> None:
    """Send the message as recipients get it, to its author alone."""
    found = await toolbox.notices.for_actor(actor, number)
    content = await toolbox.notices.test(actor, number, words.language)
    await send_sample(query, toolbox.notices, words, address, bot, found, content)


def _now(number: int) -> Send:
    return Send(step="now", id=number)


def _moment(words: Words, found: Notice, at: datetime) -> str:
    return moment(words, at, ZoneInfo(found.sender.zone))

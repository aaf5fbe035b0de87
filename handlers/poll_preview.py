"""A poll before it opens: how it reads, whom it asks and reaches, what is still missing, a test, and opening it."""

from zoneinfo import ZoneInfo

from aiogram import Bot
from aiogram.fsm.context import FSMContext
from aiogram.types import CallbackQuery, Message

from domain.accounts import Address
from domain.clock import Clock
from domain.permissions import Actor
from domain.polls import PollState, check_ready
from domain.refusals import Refusal
from handlers.aims import Aim
from handlers.keyboards import Event, Row, button, keyboard, screen, show
from handlers.notice_files import send_content
from handlers.notice_words import audience_lines, reach_lines
from handlers.poll_taps import POLL, Asking, Edit, Own, PollDesk, Run, When
from handlers.poll_words import asked, poll_moment
from locales import Words
from services.poll_drafts import PollPreview
from services.toolbox import Toolbox


async def show_preview(
    event: Event,
    toolbox: Toolbox,
    actor: Actor,
    words: Words,
    state: FSMContext,
    clock: Clock,
    poll_id: int,
) -> None:
    """Show a draft or a scheduled poll; once it is seen, nothing is awaited any more."""
    preview = await toolbox.polls.preview(actor, poll_id)
    poll = preview.poll
    lacking = _lacking(words, preview, clock)
    text = screen(
        words(f"polls.preview.title.{poll.state}"),
        asked(words, poll),
        _extras(words, preview),
        words("polls.preview.audience", lines=audience_lines(words, preview.parts))
        if preview.audience
        else words("polls.preview.no_audience"),
        reach_lines(words, preview.reach, ZoneInfo(poll.sender.zone)) if preview.reach else "",
        words("polls.preview.opens", when=poll_moment(words, poll, "opens_at")) if poll.opens_at else "",
        lacking,
    )
    await show(event, text, keyboard(words, *_rows(words, preview, lacking=bool(lacking)), back=PollDesk()))
    await state.clear()


def _extras(words: Words, preview: PollPreview) -> str:
    """Say what else is set: suggestions, and a result that is shown live."""
    poll = preview.poll
    lines = [words(f"polls.setting.suggestions.{'on' if poll.suggestions else 'off'}")]
    if poll.live:
        lines.append(words("polls.setting.live.on"))
    return "\n".join(lines)


def _lacking(words: Words, preview: PollPreview, clock: Clock) -> str:
    """Say what keeps a draft from being opened; the same rules refuse it."""
    if preview.poll.state is not PollState.DRAFT:
        return ""
    try:
        check_ready(preview.poll, clock())
    except Refusal as refusal:
        return words("polls.preview.lacking", what=words(refusal.key, **refusal.fields))
    return ""


def _rows(words: Words, preview: PollPreview, *, lacking: bool) -> list[Row]:
    poll = preview.poll
    if poll.state is PollState.SCHEDULED:
        return [
            [button(words("polls.button.recall"), Run(step="recall", id=poll.id))],
            [button(words("polls.button.cancel"), Run(step="off", id=poll.id))],
        ]
    rows: list[Row] = []
    if lacking:
        rows.append([button(words("polls.button.next"), Edit(step="next", id=poll.id))])
    elif preview.reach is not None:
        key = "polls.button.schedule" if poll.opens_at else "polls.button.open"
        rows.append([button(words(key, n=preview.reach.total), Run(step="start", id=poll.id))])
    rows.append(
        [
            button(words("polls.button.test"), Edit(step="test", id=poll.id)),
            button(words("polls.button.audience"), Aim(step="at", what=POLL, id=poll.id)),
        ]
    )
    rows.append(
        [
            button(words("polls.button.closes"), When(of="closes", id=poll.id, ask=True)),
            button(words("polls.button.opens"), When(of="opens", id=poll.id, ask=True)),
        ]
    )
    rows.append(
        [
            button(words("polls.button.question"), Edit(step="question", id=poll.id)),
            button(words("polls.button.options"), Edit(step="options", id=poll.id)),
        ]
    )
    rows.append(
        [
            button(words("polls.button.settings"), Edit(step="settings", id=poll.id)),
            button(words("preview.button.discard"), Edit(step="discard", id=poll.id)),
        ]
    )
    return rows


async def ask_number(event: Event, words: Words, state: FSMContext, preview: PollPreview) -> None:
    """Have the number of a large audience typed before it is asked."""
    number = preview.reach.total if preview.reach else 0
    await state.set_state(Asking.number)
    await state.set_data({"id": preview.poll.id})
    text = screen(
        words("polls.number.title", n=number),
        words("polls.preview.audience", lines=audience_lines(words, preview.parts)),
        words("polls.number.ask", n=number),
    )
    await show(event, text, keyboard(words, back=Own(id=preview.poll.id)))


async def send_test(
    query: CallbackQuery,
    toolbox: Toolbox,
    actor: Actor,
    words: Words,
    address: Address,
    bot: Bot,
    poll_id: int,
) -> None:
    """Send the call as it will be got, to its author alone."""
    content = await toolbox.polls.test(actor, poll_id, words.language)
    await query.answer(words("preview.tested"))
    await send_content(bot, address.chat_id, address.account_id, toolbox.notices, content)


def number_in(message: Message) -> int:
    """Read the digits of a message, as many as a number of people has."""
    digits = "".join(each for each in message.text or "" if each.isdecimal())
    return int(digits[:9] or 0)

"""A member's notices: the latest, page by page, a search, one of them, why it came, and 收到."""

from contextlib import suppress

from aiogram import Bot, Router
from aiogram.exceptions import TelegramBadRequest
from aiogram.filters.callback_data import CallbackData
from aiogram.fsm.context import FSMContext
from aiogram.fsm.state import State, StatesGroup
from aiogram.types import CallbackQuery, InlineKeyboardMarkup, Message

from domain.accounts import Address
from domain.notices import CONFIRM, WHY
from domain.permissions import Actor
from handlers.keyboards import (
    Event,
    Go,
    Number,
    Row,
    Turn,
    button,
    keyboard,
    pager,
    screen,
    send,
    show,
)
from handlers.names import name_of
from handlers.notice_files import send_content
from handlers.notice_taps import Look
from handlers.notice_words import excerpt, headline, media_line, scope_words
from handlers.taps import command, tap
from handlers.times import moment, short_day
from handlers.welcome import members_only
from locales import Words
from services.notice_content import NO_NOTICE, footer, render, without_buttons
from services.notice_inbox import Received
from services.senders import author_of
from services.toolbox import Toolbox

router = Router(name="notices")
WHOLE = 3600
"""UTF-16 units of a text that are shown with its frame; a longer one is opened like a file."""


class Reading(StatesGroup):
    """The dialogue of searching: a word is awaited."""

    word = State()


class Confirm(CallbackData, prefix=CONFIRM):
    """收到, below a notice wherever it is shown."""

    id: Number


class Why(CallbackData, prefix=WHY):
    """The question below each notice."""

    id: Number


class Inbox(CallbackData, prefix="inbox"):
    """A step in the list: page, search, open (a notice), file (its attachment)."""

    step: str = "page"
    id: Number = 0
    page: Turn = 0


@command("notices")
@members_only
async def on_notices(
    event: Event,
    toolbox: Toolbox,
    actor: Actor,
    words: Words,
    state: FSMContext,
    argument: str,
    address: Address,
) -> None:
    """Show the latest notices; ``/notices 党费`` searches."""
    await state.clear()
    if argument:
        await state.update_data(search=argument)
    await _show_list(event, toolbox, actor, words, address, argument, 0)


@tap(Inbox)
@members_only
async def on_inbox(
    query: CallbackQuery,
    tap: Inbox,
    toolbox: Toolbox,
    actor: Actor,
    words: Words,
    state: FSMContext,
    address: Address,
    bot: Bot,
) -> None:
    if tap.step == "search":
        await state.set_state(Reading.word)
        text = screen(words("notices.search.title"), words("notices.search.ask"))
        await show(query, text, keyboard(words, back=Go(to="notices")))
    elif tap.step == "open":
        received = await toolbox.notices.inbox.open(actor, tap.id, address.account_id)
        await _show_one(query, toolbox, actor, words, received, tap.page)
    elif tap.step == "file":
        await _send_file(query, toolbox, actor, words, address, bot, tap.id)
    else:
        search = (await state.get_data()).get("search", "")
        await _show_list(query, toolbox, actor, words, address, search, max(tap.page, 0))


@router.message(Reading.word)
@members_only
async def on_word(
    message: Message, toolbox: Toolbox, actor: Actor, words: Words, state: FSMContext, address: Address
) -> None:
    """Search for what was typed; the next message searches again."""
    search = (message.text or "").strip()
    await state.update_data(search=search)
    await _show_list(message, toolbox, actor, words, address, search, 0)


async def _show_list(
    event: Event, toolbox: Toolbox, actor: Actor, words: Words, address: Address, search: str, page: int
) -> None:
    found, more = await toolbox.notices.inbox.latest(actor, page, search, address.account_id)
    rows: list[Row] = []
    for one in found:
        when = short_day(words, one.sent_at or one.created_at)
        label = words(
            "notices.list.item", when=when, mark="📎 " if one.media else "", text=headline(words, one)
        )
        rows.append([button(label, Inbox(step="open", id=one.id, page=page))])
    rows.append(pager(words, page, more=more, to=[Inbox(page=page - 1), Inbox(page=page + 1)]))
    foot = [button(words("notices.button.search"), Inbox(step="search"))] if found or search else []
    if search:
        foot.append(button(words("notices.button.all"), Go(to="notices")))
    rows.append(foot)
    text = screen(words("notices.list.title"), _list_text(words, search, found=bool(found)))
    await show(event, text, keyboard(words, *rows))


def _list_text(words: Words, search: str, *, found: bool) -> str:
    if search:
        return words("notices.list.found" if found else "notices.list.nothing", search=search[:60])
    return words("notices.list.hint" if found else "notices.list.empty")


async def _show_one(
    event: Event, toolbox: Toolbox, actor: Actor, words: Words, received: Received, page: int = 0
) -> None:
    found = received.notice
    text = screen(
        words("notices.open.title", when=moment(words, found.sent_at or found.created_at)),
        words("notices.urgent.mark") if found.urgent else "",
        excerpt(found.content, WHOLE),
        media_line(words, found),
        footer(found.sender, words.language),
        _confirmation(words, received),
    )
    rows: list[Row] = []
    if found.needs_confirmation and received.confirmed_at is None:
        rows.append([button(words("notices.button.confirm"), Confirm(id=found.id))])
    if found.media is not None or found.content.units > WHOLE:
        rows.append([button(words("notices.button.file"), Inbox(step="file", id=found.id))])
    rows.append([button(words("notices.button.why"), Why(id=found.id))])
    to_call = await toolbox.notices.reports.count_calls(actor, found)
    if to_call:
        rows.append([button(words("notices.button.calls", n=to_call), Look(step="calls", id=found.id))])
    await show(event, text, keyboard(words, *rows, back=Inbox(page=page)))


def _confirmation(words: Words, received: Received) -> str:
    if received.confirmed_at is not None:
        return words("notices.confirmed.line", when=moment(words, received.confirmed_at))
    return words("notices.confirm.line") if received.notice.needs_confirmation else ""


async def _send_file(
    query: CallbackQuery,
    toolbox: Toolbox,
    actor: Actor,
    words: Words,
    address: Address,
    bot: Bot,
    notice_id: int,
) -> None:
    found = (await toolbox.notices.inbox.open(actor, notice_id, address.account_id)).notice
    content = without_buttons(render(found, words.language))
    try:
        await send_content(bot, address.chat_id, address.account_id, toolbox.notices, content)
    except FileNotFoundError:
        await query.answer(words("notices.file.gone"), show_alert=True)
        return
    await query.answer()


@tap(Confirm)
@members_only
async def on_confirm(
    query: CallbackQuery, tap: Confirm, toolbox: Toolbox, actor: Actor, words: Words, address: Address
) -> None:
    """Take 收到, once; the button then says so, on the notice itself or on the opened one."""
    if tap.id == NO_NOTICE:
        await query.answer(words("notices.test.button"))
        return
    received = await toolbox.notices.inbox.confirm(actor, tap.id, address.account_id)
    if not isinstance(query.message, Message) or _is_pushed(query.message, tap.id):
        await query.answer(words("notices.confirmed"))
        await _mark(query, words, received)
        return
    await _show_one(query, toolbox, actor, words, received)


@tap(Why)
@members_only
async def on_why(query: CallbackQuery, tap: Why, toolbox: Toolbox, actor: Actor, words: Words) -> None:
    """Say in plain words why this notice came; below the notice, which stays as it is."""
    if tap.id == NO_NOTICE:
        await query.answer(words("notices.test.button"))
        return
    why = await toolbox.notices.inbox.why(actor, tap.id)
    sender = why.notice.sender
    text = screen(
        words("notices.why.title"),
        words(
            "notices.why.sender",
            organisation=sender.organisation(words.language),
            author=author_of(words, sender.author),
        ),
        words("notices.why.scope", scope=scope_words(words, why.part)) if why.part else "",
        words("notices.why.topic", topic=name_of(words, why.topic)) if why.topic else "",
        words("notices.why.urgent") if why.notice.urgent else "",
        words("notices.why.stop"),
    )
    rows = [[button(words("menu.button.topics"), Go(to="topics"))]]
    pushed = not isinstance(query.message, Message) or _is_pushed(query.message, tap.id)
    if pushed:
        await query.answer()
        await send(query, text, keyboard(words, *rows, back=Inbox(step="open", id=tap.id)))
    else:
        await show(query, text, keyboard(words, *rows, back=Inbox(step="open", id=tap.id)))


def _is_pushed(message: Message, notice_id: int) -> bool:
    """Say whether this is the notice as it was pushed: a screen of ours also leads elsewhere."""
    markup = message.reply_markup
    own = {Confirm(id=notice_id).pack(), Why(id=notice_id).pack()}
    buttons = [each for row in markup.inline_keyboard for each in row] if markup else []
    return all(each.callback_data in own for each in buttons)


async def _mark(query: CallbackQuery, words: Words, received: Received) -> None:
    """Leave the pushed notice with a button that says it is confirmed."""
    if not isinstance(query.message, Message) or received.confirmed_at is None:
        return
    done = words("notices.confirmed.button", when=moment(words, received.confirmed_at))
    rows = [
        [button(done, Confirm(id=received.notice.id))],
        [button(words("notices.button.why"), Why(id=received.notice.id))],
    ]
    with suppress(TelegramBadRequest):  # it is marked already, or gone: the answer to the tap has said it
        await query.message.edit_reply_markup(reply_markup=InlineKeyboardMarkup(inline_keyboard=rows))

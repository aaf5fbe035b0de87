"""The desk of a secretary: drafts, what is under way, what was sent; and writing a notice."""

from contextlib import suppress

from aiogram import Bot, F, Router
from aiogram.dispatcher.event.bases import SkipHandler
from aiogram.enums import ContentType
from aiogram.exceptions import TelegramBadRequest
from aiogram.fsm.context import FSMContext
from aiogram.types import CallbackQuery, Message

from domain.accounts import Account, Address
from domain.notices import NoticeState
from domain.permissions import Action, Actor
from domain.richtext import RichText
from handlers.aim_places import show_picker
from handlers.keyboards import Event, Row, button, keyboard, pager, screen, show
from handlers.notice_files import media_of, text_of
from handlers.notice_preview import send_test, show_preview
from handlers.notice_progress import show_progress
from handlers.notice_report import show_report
from handlers.notice_taps import NOTICE, Desk, Draft, Noticing
from handlers.notice_words import desk_line, headline
from handlers.repeat_taps import Repeaters
from handlers.repeat_view import show_repeating
from handlers.taps import command, tap
from handlers.welcome import members_only
from locales import Words
from services.toolbox import Toolbox

router = Router(name="notice_compose")


@command("notice")
@members_only
async def on_notice(
    event: Event,
    toolbox: Toolbox,
    actor: Actor,
    words: Words,
    state: FSMContext,
    argument: str,
    address: Address,
    bot: Bot,
) -> None:
    """Show the desk, ready to write; ``/notice 请参加学习``, below a picture too, begins a draft at once."""
    media = None
    if isinstance(event, Message) and toolbox.notices.may_write(actor):
        media = await media_of(event, bot, toolbox.notices, address.account_id)
    if argument or media is not None:
        group = event.media_group_id if isinstance(event, Message) else None
        draft = await toolbox.notices.draft(actor, RichText(argument), media, group=group)
        await show_picker(event, toolbox, actor, words, state, NOTICE, draft.id)
        return
    await _show_desk(event, toolbox, actor, words, state, 0)


@tap(Desk)
@members_only
async def on_desk(
    query: CallbackQuery,
    tap: Desk,
    toolbox: Toolbox,
    actor: Actor,
    words: Words,
    state: FSMContext,
    address: Address,
) -> None:
    if isinstance(query.message, Message):
        await toolbox.notices.reports.forget(address, query.message.message_id)
    await _show_desk(query, toolbox, actor, words, state, max(tap.page, 0))


async def _show_desk(
    event: Event, toolbox: Toolbox, actor: Actor, words: Words, state: FSMContext, page: int
) -> None:
    found, more = await toolbox.notices.desk(actor, page)
    repeats, _ = await toolbox.repeats.listed(actor)
    may_write = toolbox.notices.may_write(actor)
    await state.clear()
    if may_write:
        await state.set_state(Noticing.content)
    rows: list[Row] = [[button(desk_line(words, one), Draft(step="open", id=one.id))] for one in found]
    rows.append(pager(words, page, more=more, to=[Desk(page=page - 1), Desk(page=page + 1)]))
    rows.append([button(words("repeats.button.list"), Repeaters())] if repeats else [])
    text = screen(
        words("compose.title"),
        words("compose.write") if may_write else "",
        words("compose.list") if found else words("compose.empty"),
    )
    await show(event, text, keyboard(words, *rows))


@tap(Draft)
@members_only
async def on_draft(
    query: CallbackQuery,
    tap: Draft,
    toolbox: Toolbox,
    actor: Actor,
    words: Words,
    state: FSMContext,
    account: Account,
    address: Address,
    bot: Bot,
) -> None:
    notices = toolbox.notices
    match tap.step:
        case "open":
            await _open(query, toolbox, actor, words, state, address, tap.id)
            return
        case "test":
            await send_test(query, toolbox, actor, words, address, bot, tap.id)
            return
        case "write":
            await _ask_content(query, toolbox, actor, words, state, tap.id)
            return
        case "discard":
            await _ask_discard(query, toolbox, actor, words, tap.id)
            return
        case "gone":
            await notices.discard(actor, tap.id)
            await _show_desk(query, toolbox, actor, words, state, 0)
            return
        case "plain":
            kept = (await notices.for_actor(actor, tap.id, Action.SEND_NOTICE)).content
            await notices.rewrite(actor, tap.id, kept, None)
        case "sensitive" | "usual":
            await notices.mark_sensitive(actor, tap.id, sensitive=tap.step == "sensitive")
            if tap.step == "sensitive" and not account.at_home:
                await query.answer(words("compose.sensitive.abroad"), show_alert=True)
        case _:
            await notices.ask_confirmation(actor, tap.id, needed=tap.step == "confirm")
    await show_preview(query, toolbox, actor, words, state, tap.id)


async def _open(
    query: CallbackQuery,
    toolbox: Toolbox,
    actor: Actor,
    words: Words,
    state: FSMContext,
    address: Address,
    notice_id: int,
) -> None:
    """Show a notice as far as it has come."""
    found = await toolbox.notices.for_actor(actor, notice_id)
    await state.clear()
    if found.state in {NoticeState.DRAFT, NoticeState.SCHEDULED}:
        await show_preview(query, toolbox, actor, words, state, notice_id)
    elif found.state is NoticeState.REPEATING:
        await show_repeating(query, toolbox, actor, words, notice_id)
    elif found.state is NoticeState.SENDING:
        await show_progress(query, toolbox, actor, words, address, notice_id)
    else:
        await show_report(query, toolbox, actor, words, notice_id)


async def _ask_content(
    query: CallbackQuery, toolbox: Toolbox, actor: Actor, words: Words, state: FSMContext, notice_id: int
) -> None:
    found = await toolbox.notices.for_actor(actor, notice_id, Action.SEND_NOTICE)
    await state.set_state(Noticing.content)
    await state.set_data({"id": notice_id})
    rows: list[Row] = []
    if found.media is not None and found.content.text:
        rows.append([button(words("compose.rewrite.plain"), Draft(step="plain", id=notice_id))])
    text = screen(words("compose.rewrite.title"), words("compose.rewrite.ask"))
    await show(query, text, keyboard(words, *rows, back=Draft(step="open", id=notice_id)))


async def _ask_discard(
    query: CallbackQuery, toolbox: Toolbox, actor: Actor, words: Words, notice_id: int
) -> None:
    found = await toolbox.notices.for_actor(actor, notice_id, Action.SEND_NOTICE)
    text = screen(words("compose.discard.title"), headline(words, found, 100), words("compose.discard.what"))
    rows = [[button(words("compose.discard.sure"), Draft(step="gone", id=notice_id))]]
    await show(query, text, keyboard(words, *rows, back=Draft(step="open", id=notice_id)))


@router.message(Noticing.content)
@members_only
async def on_content(
    message: Message,
    toolbox: Toolbox,
    actor: Actor,
    words: Words,
    state: FSMContext,
    address: Address,
    bot: Bot,
) -> None:
    """Take a text, a file, a film or a sound; a new draft is aimed next, an old one is looked at again."""
    notices = toolbox.notices
    if await _joined(message, toolbox, actor, words, address, bot):
        return
    notice_id = (await state.get_data()).get("id")
    text = text_of(message)
    media = await media_of(message, bot, notices, address.account_id)
    if (message.content_type != ContentType.TEXT and media is None) or (message.text and not text.text):
        await show(message, screen(words("compose.title"), words("compose.unfit")), keyboard(words))
        return
    if notice_id is None:
        draft = await notices.draft(actor, text, media, group=message.media_group_id)
        await show_picker(message, toolbox, actor, words, state, NOTICE, draft.id)
        return
    before = await notices.for_actor(actor, notice_id, Action.SEND_NOTICE)
    content = text if text.text else before.content
    if media is None:
        await notices.rewrite(actor, notice_id, content, before.media, more=before.more)
    else:
        await notices.rewrite(actor, notice_id, content, media, group=message.media_group_id)
    shown = await show_preview(message, toolbox, actor, words, state, notice_id)
    if message.media_group_id is not None:
        await state.set_data({"rewritten": notice_id, "shown": shown.message_id})


@router.message(F.media_group_id)
@members_only
async def on_album(
    message: Message,
    toolbox: Toolbox,
    actor: Actor,
    words: Words,
    state: FSMContext,
    address: Address,
    bot: Bot,
) -> None:
    """Take the further files of an album: its first has led on to another screen already."""
    if not await _joined(message, toolbox, actor, words, address, bot):
        raise SkipHandler
    data = await state.get_data()
    if "rewritten" in data:  # the preview that its first file led to shows too few
        with suppress(TelegramBadRequest):
            await bot.delete_message(message.chat.id, data["shown"])
        shown = await show_preview(message, toolbox, actor, words, state, data["rewritten"])
        await state.set_data(data | {"shown": shown.message_id})


async def _joined(
    message: Message, toolbox: Toolbox, actor: Actor, words: Words, address: Address, bot: Bot
) -> bool:
    """Add a file of an album to the draft that the album began; say whether there is such a draft."""
    group, notices = message.media_group_id, toolbox.notices
    if group is None or await notices.begun_by(actor, group) is None:
        return False
    media = await media_of(message, bot, notices, address.account_id)
    if media is None:
        await show(message, screen(words("compose.title"), words("compose.unfit")), keyboard(words))
        return True
    return await notices.join(actor, group, text_of(message), media) is not None

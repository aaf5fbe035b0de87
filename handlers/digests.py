"""A member's digest: its list, each thing in it as it would have come alone, and how often it comes."""

from typing import Literal

from aiogram import Bot
from aiogram.filters.callback_data import CallbackData
from aiogram.types import CallbackQuery, InlineKeyboardButton

from domain.accounts import Address
from domain.digests import NOW, Cadence
from domain.messages import Content
from domain.permissions import Actor
from handlers.keyboards import Event, Go, Number, Row, Turn, button, keyboard, pager, screen, show
from handlers.notice_files import send_content
from handlers.notice_words import fit
from handlers.taps import command, tap
from handlers.welcome import members_only
from locales import Words
from services.digests import Choice, Line
from services.toolbox import Toolbox

TITLE, LABEL = 76, 26
"""Columns of a title in the list and on its button; a Chinese character takes two."""


class Digest(CallbackData, prefix="digest"):
    """A step in a digest: open (a page of its list), look (at one thing, by its delivery)."""

    step: Literal["open", "look"]
    id: Number
    page: Turn = 0


class Often(CallbackData, prefix="dgset"):
    """How often the digest comes: said outright, so that a tap that comes twice changes nothing."""

    cadence: Cadence


@command("digest")
@members_only
async def on_digest(event: Event, toolbox: Toolbox, actor: Actor, words: Words) -> None:
    """Say what a digest is, how often it comes, and what waits for the next."""
    await _settings(event, words, await toolbox.digests.choice(actor))


@tap(Often)
@members_only
async def on_often(query: CallbackQuery, tap: Often, toolbox: Toolbox, actor: Actor, words: Words) -> None:
    await _settings(query, words, await toolbox.digests.choose(actor, tap.cadence))


@tap(Digest)
@members_only
async def on_tap(
    query: CallbackQuery,
    tap: Digest,
    toolbox: Toolbox,
    actor: Actor,
    words: Words,
    address: Address,
    bot: Bot,
) -> None:
    if tap.step == "open":
        await _list(query, toolbox, actor, words, address, tap)
        return
    content = await toolbox.digests.open(actor, tap.id, words.language, address.account_id)
    try:
        await send_content(bot, address.chat_id, address.account_id, toolbox.notices, content)
    except FileNotFoundError:
        await query.answer(words("notices.file.gone"), show_alert=True)
        return
    await query.answer()


async def _list(
    event: Event, toolbox: Toolbox, actor: Actor, words: Words, address: Address, at: Digest
) -> None:
    page = max(at.page, 0)
    found = await toolbox.digests.page(actor, at.id, words.language, page, address.account_id)
    rows: list[Row] = [[_entry(line)] for line in found.lines]
    turns = [at.model_copy(update={"page": page + turn}) for turn in (-1, 1)]
    rows.append(pager(words, page, more=found.more, to=turns))
    rows.append([button(words("digests.button.often"), Go(to="digest"))])
    text = screen(
        words("digests.title.now" if at.id == NOW else "digests.title"),
        words.plural("digests.list", found.total) if found.lines else words("digests.empty"),
        "\n".join(_title(line.content, TITLE) for line in found.lines),
    )
    await show(event, text, keyboard(words, *rows))


def _entry(line: Line) -> InlineKeyboardButton:
    return button(_title(line.content, LABEL), Digest(step="look", id=line.delivery_id))


def _title(content: Content, columns: int) -> str:
    """Name a message by its first lines, as far as they fit, with a mark if it brings a file."""
    lines = [line.strip() for line in content.text.splitlines() if line.strip()]
    mark = "📎 " if content.media else "· "
    return mark + fit(" ".join(lines[:2]), columns)


async def _settings(event: Event, words: Words, choice: Choice) -> None:
    rows: list[Row] = [
        [_cadence(words, each, chosen=each is choice.cadence) for each in Cadence],
    ]
    if choice.waiting:
        rows.append([button(words("digests.button.now", n=choice.waiting), Digest(step="open", id=NOW))])
    text = screen(
        words("digests.settings.title"),
        words("digests.settings.what", cap=choice.cap) if choice.cap else words("digests.settings.no_cap"),
        words("digests.settings.often") if choice.cap else "",
    )
    await show(event, text, keyboard(words, *rows, back=Go(to="topics")))


def _cadence(words: Words, cadence: Cadence, *, chosen: bool) -> InlineKeyboardButton:
    mark = "✅" if chosen else "⬜"
    return button(f"{mark} {words(f'digests.cadence.{cadence}')}", Often(cadence=cadence))

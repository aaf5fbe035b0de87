"""The look of every screen: one message edited in place, its buttons, and Back and Home below them.

``show(event, text, keyboard)`` answers a command with a new message and a tap by editing its message.
``Go("me")`` on a button runs the command ``/me`` in place, so that a feature is written once for both.
"""

from collections.abc import Sequence
from contextlib import suppress
from typing import Annotated, Any

from aiogram.exceptions import TelegramBadRequest
from aiogram.filters.callback_data import CallbackData
from aiogram.types import (
    CallbackQuery,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    LinkPreviewOptions,
    Message,
    ReplyKeyboardMarkup,
    ReplyKeyboardRemove,
)
from aiogram.utils.formatting import Bold, Text
from pydantic import Field

from locales import Words

Event = Message | CallbackQuery
Number = Annotated[int, Field(ge=0, lt=2**59)]
"""An id or a page in callback data: a forged one that no database could hold is stale, not an error."""
Turn = Annotated[int, Field(gt=-(2**59), lt=2**59)]
"""A page in callback data, one before the first included: it is taken for the first."""
LONGEST_NAME = 60
"""Characters of a typed name that are searched for and said again."""
Row = list[InlineKeyboardButton]
Markup = InlineKeyboardMarkup | ReplyKeyboardMarkup | ReplyKeyboardRemove

_UNCHANGED = "message is not modified"
_GONE = ("message to edit not found", "message can't be edited", "there is no text in the message to edit")


class Go(CallbackData, prefix="go"):
    """A button that runs a command in place: ``Go(to="me")``."""

    to: str


def button(text: str, data: CallbackData) -> InlineKeyboardButton:
    return InlineKeyboardButton(text=text, callback_data=data.pack())


def keyboard(words: Words, *rows: Row, back: CallbackData | None = None) -> InlineKeyboardMarkup:
    """Put Back (where there is a place to go back to) and Home below the rows of a screen."""
    foot = [button(words("menu.back"), back)] if back is not None else []
    foot.append(button(words("menu.home"), Go(to="menu")))
    return InlineKeyboardMarkup(inline_keyboard=[*(row for row in rows if row), foot])


def pager(words: Words, page: int, *, more: bool, to: Sequence[CallbackData]) -> Row:
    """Return the row "previous, next"; `to` holds the taps of the page before and the page after."""
    row = []
    if page > 0:
        row.append(button(words("menu.previous"), to[0]))
    if more:
        row.append(button(words("menu.next"), to[1]))
    return row


def screen(title: str, *paragraphs: str | Text) -> Text:
    """Lay out a screen: a bold title, then paragraphs, with an empty line between; empty ones are left out."""
    parts: list[str | Text] = [Bold(title)]
    for paragraph in paragraphs:
        if paragraph:
            parts.extend(("\n\n", paragraph))
    return Text(*parts)


async def show(
    event: Event,
    text: str | Text,
    markup: InlineKeyboardMarkup | None = None,
    preview: LinkPreviewOptions | None = None,
) -> Message:
    """Edit the message of a tap, or answer a message with a new one; returns the message that is seen then.

    Without `preview` the messenger shows what its own look at a link finds.
    """
    content = _content(text, preview)
    if isinstance(event, Message):
        return await event.answer(**content, reply_markup=markup)
    with suppress(
        TelegramBadRequest
    ):  # after a restart the tap may be too old to be answered, but not to be done
        await event.answer()
    if isinstance(event.message, Message) and event.message.text:
        edited = await _edit(event.message, content, markup)
        if edited is not None:
            return edited
    return await send(event, text, markup, preview)


async def send(
    event: Event, text: str | Text, markup: Markup | None = None, preview: LinkPreviewOptions | None = None
) -> Message:
    """Answer with a new message, below what is there."""
    content = _content(text, preview)
    assert event.bot is not None  # noqa: S101 - the dispatcher binds every event
    return await event.bot.send_message(chat_of(event), **content, reply_markup=markup)


def chat_of(event: Event) -> int:
    """Return the chat of an event; we only work in private chats, where it is the person's id as well."""
    if isinstance(event, Message):
        return event.chat.id
    return event.message.chat.id if event.message is not None else event.from_user.id


def _content(text: str | Text, preview: LinkPreviewOptions | None) -> dict[str, Any]:
    content = text.as_kwargs() if isinstance(text, Text) else {"text": text}
    return content if preview is None else {**content, "link_preview_options": preview}


async def _edit(
    message: Message, content: dict[str, Any], markup: InlineKeyboardMarkup | None
) -> Message | None:
    try:
        edited = await message.edit_text(**content, reply_markup=markup)
    except TelegramBadRequest as error:
        if _UNCHANGED in error.message:
            return message
        if any(reason in error.message for reason in _GONE):
            return None
        raise
    return edited if isinstance(edited, Message) else message

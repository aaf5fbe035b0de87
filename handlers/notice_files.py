"""Files of notices: taken from a chat into the media folder, and shown in one again."""

from collections.abc import Mapping
from contextlib import suppress
from hashlib import sha256
from typing import Any

from aiogram import Bot
from aiogram.enums import ContentType
from aiogram.exceptions import TelegramBadRequest
from aiogram.types import (
    BufferedInputFile,
    CallbackQuery,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputMediaDocument,
    InputMediaPhoto,
    Message,
    MessageEntity,
)

from domain.accounts import Address
from domain.messages import MESSAGE, Content, Media, Original
from domain.notices import LARGEST_FILE, Notice, NoticeFileTooLarge
from domain.richtext import RichText, tidy
from handlers.notice_words import is_hidden
from locales import Words
from services.notices import Notices

COPIED = {ContentType.VIDEO, ContentType.ANIMATION, ContentType.AUDIO, ContentType.VOICE}
"""What is copied from the chat in which it was given: it may have words under it, and any size."""
ITEMS = {"photo": InputMediaPhoto, "document": InputMediaDocument}


def text_of(message: Message) -> RichText:
    """Return what was written, with the styles that were set by hand."""
    entities = message.entities or message.caption_entities or []
    given: list[Mapping[str, Any]] = [entity.model_dump(exclude_none=True) for entity in entities]
    return tidy(message.text or message.caption or "", given)


async def media_of(message: Message, bot: Bot, notices: Notices, account_id: int) -> Media | None:
    """Take the photo or document of a message into the media folder; `None` if it has none.

    A film or a sound stays where it is, to be copied from there; in an album it cannot go.
    """
    if message.content_type in COPIED:
        return None if message.media_group_id else await _copied(message, notices, account_id)
    found = _file_of(message)
    if found is None:
        return None
    kind, file_id, name, size = found
    if size > LARGEST_FILE:
        raise NoticeFileTooLarge(megabytes=LARGEST_FILE // 1024 // 1024)
    stream = await bot.download(file_id)
    if stream is None:
        return None
    media = Media(kind=kind, name=name, digest=await notices.media.save(stream.read()))
    await notices.known_file(account_id, media, file_id)
    return media


async def _copied(message: Message, notices: Notices, account_id: int) -> Media:
    known_as = Original(message.chat.id, message.message_id).known_as
    media = Media(MESSAGE, "", sha256(f"{account_id}/{known_as}".encode()).hexdigest())
    await notices.known_file(account_id, media, known_as)
    return media


async def send_content(bot: Bot, chat_id: int, account_id: int, notices: Notices, content: Content) -> None:
    """Show a content in a chat as its recipients get it; a file is uploaded to an account only once."""
    entities = [MessageEntity.model_validate(entity) for entity in content.entities]
    markup = _markup(content)
    if content.album:
        await _send_album(bot, chat_id, account_id, notices, content)
        return
    media = content.media
    known = None if media is None else await notices.known_file(account_id, media)
    caption: dict[str, Any] = {"caption": content.text, "caption_entities": entities, "reply_markup": markup}
    if media is not None and media.kind == MESSAGE and known is not None:
        original = Original.of(known)
        with suppress(TelegramBadRequest):  # it is there no more: its words go alone, as they will to members
            await bot.copy_message(chat_id, original.chat_id, original.message_id, **caption)
            return
    if media is None or media.kind == MESSAGE:
        await bot.send_message(chat_id, content.text, entities=entities, reply_markup=markup)
        return
    file = known or await _upload(notices, media)
    if media.kind == "photo":
        sent = await bot.send_photo(chat_id, file, **caption)
    else:
        sent = await bot.send_document(chat_id, file, **caption)
    if known is None:
        await notices.known_file(account_id, media, _file_id(sent))


async def send_sample(
    query: CallbackQuery,
    notices: Notices,
    words: Words,
    address: Address,
    bot: Bot,
    notice: Notice,
    content: Content,
) -> None:
    """Send a notice as recipients get it into one chat, if it may be shown there."""
    if is_hidden(words, notice):
        await query.answer(words("notices.hidden.test"), show_alert=True)
        return
    await query.answer(words("preview.tested"))
    await send_content(bot, address.chat_id, address.account_id, notices, content)


async def _send_album(bot: Bot, chat_id: int, account_id: int, notices: Notices, content: Content) -> None:
    """Show an album, and its words below it: an album has no buttons."""
    known = [await notices.known_file(account_id, media) for media in content.album]
    items: list[Any] = [
        ITEMS[media.kind](media=file_id or await _upload(notices, media))
        for media, file_id in zip(content.album, known, strict=True)
    ]
    sent = await bot.send_media_group(chat_id, items)
    for media, file_id, message in zip(content.album, known, sent, strict=True):
        if file_id is None:
            await notices.known_file(account_id, media, _file_id(message))
    entities = [MessageEntity.model_validate(entity) for entity in content.entities]
    await bot.send_message(chat_id, content.text, entities=entities, reply_markup=_markup(content))


async def _upload(notices: Notices, media: Media) -> BufferedInputFile:
    return BufferedInputFile(await notices.media.read(media.digest), media.name)


def _file_of(message: Message) -> tuple[str, str, str, int] | None:
    """Return kind, file_id, name and size of what a message carries."""
    if message.photo:
        largest = message.photo[-1]
        return "photo", largest.file_id, "photo.jpg", largest.file_size or 0
    document = message.document
    if document is None:
        return None
    return "document", document.file_id, document.file_name or "file", document.file_size or 0


def _file_id(message: Message) -> str | None:
    if message.photo:
        return message.photo[-1].file_id
    return message.document.file_id if message.document else None


def _markup(content: Content) -> InlineKeyboardMarkup | None:
    if not content.keyboard:
        return None
    rows = [
        [InlineKeyboardButton(text=each.text, callback_data=each.data, url=each.url) for each in row]
        for row in content.keyboard
    ]
    return InlineKeyboardMarkup(inline_keyboard=rows)

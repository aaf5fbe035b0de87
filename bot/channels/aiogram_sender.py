"""The other bulk way out: aiogram's `Bot` where PTB's stands in `bot.channels.telegram`.

It passes the same contract suite, so that the two clients check each other, and the server both.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from itertools import zip_longest
from pathlib import Path
from typing import Any

from aiogram import Bot
from aiogram.exceptions import (
    AiogramError,
    TelegramAPIError,
    TelegramBadRequest,
    TelegramEntityTooLarge,
    TelegramForbiddenError,
    TelegramMigrateToChat,
    TelegramNetworkError,
    TelegramNotFound,
    TelegramRetryAfter,
    TelegramServerError,
    TelegramUnauthorizedError,
)
from aiogram.methods import CopyMessage, SendDocument, SendMediaGroup, SendMessage, SendPhoto, TelegramMethod
from aiogram.types import (
    BufferedInputFile,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputMediaDocument,
    InputMediaPhoto,
    MessageEntity,
)

from bot.channels.aiogram_session import LeanSession
from bot.channels.answers import (
    NEVER_LEFT,
    Messages,
    album_ids_of,
    file_id_of,
    gone,
    message_id_of,
    moved,
    reason_of,
)
from bot.channels.copies import Copies
from domain.clock import Clock
from domain.delivery import Busy, NotSent, Outcome, Rejected, Sent, Unknown, Unreachable
from domain.messages import MESSAGE, Button, Content, Envelope, Media, Original

KEPT_METHODS = 32
METHODS: dict[str, Callable[..., TelegramMethod[Any]]] = {"photo": SendPhoto, "document": SendDocument}
ITEMS: dict[str, Callable[..., Any]] = {"photo": InputMediaPhoto, "document": InputMediaDocument}


@dataclass(frozen=True, slots=True)
class Prepared:
    """A content as a method, all but the recipient and the file."""

    content: Content
    method: TelegramMethod[Any]


class AiogramChannel:
    """Sends through one bot account. `media_path` finds a file by its digest."""

    def __init__(
        self,
        *,
        token: str,
        base_url: str,
        clock: Clock,
        media_path: Callable[[str], Path],
        timeout: float = 20.0,
        proxy: str | None = None,
    ) -> None:
        session = LeanSession(base_url=base_url, timeout=timeout, proxy=proxy)
        self._bot = Bot(token, session=session)
        self._clock = clock
        self._media_path = media_path
        self._prepared: OrderedDict[int, Prepared] = OrderedDict()
        self._copies = Copies(ask=self._copy, say=self.send)

    async def send(self, envelope: Envelope, file_id: str | None) -> Outcome:
        """Send one message, or an album without buttons; every failure comes back as an outcome."""
        if envelope.content.album:
            return await self._send_album(envelope)
        media = envelope.content.media
        if media is not None and media.kind == MESSAGE:
            return await self._copies.send(envelope, file_id)
        try:
            change = _whither(envelope)
            if media is not None:
                change[media.kind] = file_id or await self._file(media)
        except OSError:
            return NotSent("media_missing")
        outcome, messages = await self._ask(self._prepare(envelope.content).model_copy(update=change))
        if media is None or not isinstance(outcome, Sent):
            return outcome
        try:
            return Sent(outcome.message_id, file_id_of(messages[0], media))
        except (LookupError, TypeError):
            return Unknown("bad_reply")

    async def close(self) -> None:
        await self._bot.session.close()

    async def _ask(self, method: TelegramMethod[Any]) -> tuple[Outcome, Messages]:
        try:
            answer = await self._bot(method)
            messages = answer if isinstance(answer, list) else [answer]
            return Sent(message_id_of(messages)), messages
        except AiogramError as error:
            return self._outcome(error), ()
        except (LookupError, TypeError, ValueError):
            return Unknown("bad_reply"), ()

    async def _send_album(self, envelope: Envelope) -> Outcome:
        content = envelope.content
        items: list[Any] = []
        for media, known in zip_longest(content.album, envelope.album_ids):
            try:
                file = known or await self._file(media)
            except OSError:
                return NotSent("media_missing")
            under = {} if items else {"caption": content.text or None, "caption_entities": _entities(content)}
            items.append(ITEMS[media.kind](media=file, **under))
        outcome, messages = await self._ask(SendMediaGroup(media=items, **_whither(envelope)))
        if not isinstance(outcome, Sent):
            return outcome
        return Sent(outcome.message_id, album_ids=album_ids_of(messages, content.album))

    async def _copy(self, envelope: Envelope, original: Original) -> Outcome:
        method = CopyMessage(
            **_whither(envelope),
            from_chat_id=original.chat_id,
            message_id=original.message_id,
            caption=envelope.content.text or None,
            caption_entities=_entities(envelope.content),
            reply_markup=_markup(envelope.content),
        )
        return (await self._ask(method))[0]

    def _prepare(self, content: Content) -> TelegramMethod[Any]:
        known = self._prepared.get(id(content))
        if known is None or known.content is not content:
            known = self._prepared[id(content)] = Prepared(content, _method_of(content))
            while len(self._prepared) > KEPT_METHODS:
                self._prepared.popitem(last=False)
        return known.method

    async def _file(self, media: Media) -> BufferedInputFile:
        data = await asyncio.to_thread(self._media_path(media.digest).read_bytes)
        return BufferedInputFile(data, filename=media.name)

    def _outcome(self, error: AiogramError) -> Outcome:  # noqa: PLR0911 - one return for each fact
        match error:
            case TelegramAPIError() if (
                not error.message
            ):  # not the Bot API's answer: each of its own says why
                return Unknown("bad_reply")
            case TelegramRetryAfter(retry_after=seconds):
                return Busy(self._clock() + timedelta(seconds=seconds))
            case TelegramMigrateToChat(migrate_to_chat_id=chat_id):
                return moved(chat_id)
            case TelegramUnauthorizedError() | TelegramNotFound():
                return NotSent("unauthorized", account_dead=True)
            case TelegramForbiddenError():
                return Unreachable(gone(error.message) or "forbidden")
            case TelegramBadRequest() if reason := gone(error.message):
                return Unreachable(reason)
            case TelegramNetworkError() if not isinstance(error, TelegramEntityTooLarge):
                return _lost(error)
            case TelegramServerError():
                return Unknown(error.message)
            case TelegramAPIError():
                return Rejected(_reason(error))
            case _:
                return Unknown("bad_reply")


def _whither(envelope: Envelope) -> dict[str, Any]:
    paid = {"allow_paid_broadcast": True} if envelope.paid else {}
    return {"chat_id": envelope.to.chat_id, **paid}


def _lost(error: TelegramNetworkError) -> Outcome:
    return (NotSent if isinstance(error.__cause__, NEVER_LEFT) else Unknown)(error.message)


def _reason(error: TelegramAPIError) -> str:
    """Word a refusal as PTB does, so that both clients' refusals are counted together."""
    said = error.message.removeprefix("Bad Request: ")
    return reason_of(said if said == error.message else said.capitalize())


def _method_of(content: Content) -> TelegramMethod[Any]:
    entities, markup = _entities(content), _markup(content)
    if content.media is None:
        return SendMessage(chat_id=0, text=content.text, entities=entities, reply_markup=markup)
    caption = {"caption": content.text or None, "caption_entities": entities, "reply_markup": markup}
    return METHODS[content.media.kind](chat_id=0, **{content.media.kind: ""}, **caption)


def _entities(content: Content) -> list[MessageEntity] | None:
    return [MessageEntity(**each) for each in content.entities] or None


def _markup(content: Content) -> InlineKeyboardMarkup | None:
    rows = [[_button(button) for button in row] for row in content.keyboard]
    return InlineKeyboardMarkup(inline_keyboard=rows) if rows else None


def _button(button: Button) -> InlineKeyboardButton:
    if button.url is not None:
        return InlineKeyboardButton(text=button.text, url=button.url)
    return InlineKeyboardButton(text=button.text, callback_data=button.data or "")

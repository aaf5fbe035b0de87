"""The bulk way out to any server of the Telegram Bot API, ours included: PTB's bare `ExtBot`, raw results.

No `Application`: it would poll, and a second poller on one token is a 409.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from itertools import zip_longest
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import orjson
from telegram import InputFile, InputMedia, InputMediaDocument, InputMediaPhoto, MessageEntity
from telegram.error import BadRequest, ChatMigrated, Forbidden, InvalidToken, TelegramError
from telegram.ext import ExtBot

from bot.channels.answers import Messages, album_ids_of, file_id_of, gone, message_id_of, moved, reason_of
from bot.channels.copies import Copies
from bot.channels.request import AiohttpRequest, Body, NeverLeft, ReplyLost, ServerFailed, Throttled
from domain.clock import Clock
from domain.delivery import Busy, NotSent, Outcome, Rejected, Sent, Unknown, Unreachable
from domain.messages import MESSAGE, Button, Content, Envelope, Media, Original

NOUNS = {"photo": "Photo", "document": "Document"}
ITEMS: dict[str, Callable[..., InputMedia]] = {"photo": InputMediaPhoto, "document": InputMediaDocument}
KEPT_PAYLOADS = 32
PAID = b"allow_paid_broadcast=true&"
"""https://core.telegram.org/bots/api#sendmessage: beyond the free limit, for 0.1 Star of the bot's each."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A content as parameters of a method, all but the recipient; nested values are JSON already.

    `body` holds them encoded: to encode Chinese anew for each recipient costs a fifth of the sending.
    """

    content: Content
    noun: str
    parameters: dict[str, str]
    body: bytes

    @property
    def method(self) -> str:
        """With two underscores PTB makes the same method name of it, and does not advise its typed method."""
        return f"send__{self.noun.lower()}"


class TelegramChannel:
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
        self._request = AiohttpRequest(timeout=timeout, proxy=proxy)
        self._bot = ExtBot(
            token=token,
            base_url=f"{base_url.rstrip('/')}/bot",
            request=self._request,
            get_updates_request=self._request,
        )
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
            outcome, messages = await self._send(self._prepare(envelope.content), envelope, file_id)
        except OSError:
            return NotSent("media_missing")
        if media is None or not isinstance(outcome, Sent):
            return outcome
        try:
            return Sent(outcome.message_id, file_id_of(messages[0], media))
        except (LookupError, TypeError):
            return Unknown("bad_reply")

    async def close(self) -> None:
        await self._request.shutdown()

    async def _send(
        self, prepared: Prepared, envelope: Envelope, file_id: str | None
    ) -> tuple[Outcome, Messages]:
        """Send what changes from one recipient to the next before what does not; a file's first time it uploads it.

        A body that is whole needs nothing of the `Bot` but its request: its own way there costs a sixth more.
        """
        media = envelope.content.media
        if media is None:
            paid = PAID if envelope.paid else b""
            body = Body(b"chat_id=%d&%b%b" % (envelope.to.chat_id, paid, prepared.body))
        elif file_id is not None:
            own = urlencode({**_whither(envelope), media.kind: file_id}).encode()
            body = Body(b"%b&%b" % (own, prepared.body))
        else:
            file = await self._file(media)
            parameters = {**_whither(envelope), **prepared.parameters, media.kind: file}
            return await self._ask(prepared.method, parameters)
        return await self._answered(
            self._request.post_body(f"{self._bot.base_url}/send{prepared.noun}", body)
        )

    async def _ask(self, method: str, parameters: dict[str, Any]) -> tuple[Outcome, Messages]:
        return await self._answered(self._bot.do_api_request(method, api_kwargs=parameters))

    async def _answered(self, request: Awaitable[Any]) -> tuple[Outcome, Messages]:
        try:
            answer = await request
            messages = answer if isinstance(answer, list) else [answer]
            return Sent(message_id_of(messages)), messages
        except TelegramError as error:
            return self._outcome(error), ()
        except (LookupError, TypeError, ValueError):
            return Unknown("bad_reply"), ()

    async def _send_album(self, envelope: Envelope) -> Outcome:
        content = envelope.content
        items: list[InputMedia] = []
        for media, known in zip_longest(content.album, envelope.album_ids):
            try:
                file = known or await self._file(media, attach=True)
            except OSError:
                return NotSent("media_missing")
            items.append(ITEMS[media.kind](file, **({} if items else _words_under(content))))
        outcome, messages = await self._ask("send__media_group", {**_whither(envelope), "media": items})
        if not isinstance(outcome, Sent):
            return outcome
        return Sent(outcome.message_id, album_ids=album_ids_of(messages, content.album))

    async def _copy(self, envelope: Envelope, original: Original) -> Outcome:
        source = {"from_chat_id": original.chat_id, "message_id": original.message_id}
        parameters = {**_whither(envelope), **source, **_words_and_markup(envelope.content)}
        return (await self._ask("copy__message", parameters))[0]

    def _prepare(self, content: Content) -> Prepared:
        known = self._prepared.get(id(content))
        if known is None or known.content is not content:
            known = self._prepared[id(content)] = _prepared(content)
            while len(self._prepared) > KEPT_PAYLOADS:
                self._prepared.popitem(last=False)
        return known

    async def _file(self, media: Media, *, attach: bool = False) -> InputFile:
        data = await asyncio.to_thread(self._media_path(media.digest).read_bytes)
        return InputFile(data, filename=media.name, attach=attach)

    def _outcome(self, error: TelegramError) -> Outcome:  # noqa: PLR0911 - one return for each fact
        match error:
            case _ if _is_page(error):
                return Unknown("bad_reply")
            case Throttled(seconds=seconds):
                return Busy(self._clock() + timedelta(seconds=seconds))
            case NeverLeft():
                return NotSent(error.message)
            case InvalidToken():
                return NotSent("unauthorized", account_dead=True)
            case ChatMigrated(new_chat_id=chat_id):
                return moved(chat_id)
            case Forbidden():
                return Unreachable(gone(error.message) or "forbidden")
            case BadRequest() if reason := gone(error.message):
                return Unreachable(reason)
            case ReplyLost() | ServerFailed():
                return Unknown(error.message)
            case _ if error.__cause__ is None:
                return Rejected(reason_of(error.message))
            case _:
                return Unknown("bad_reply")


def _whither(envelope: Envelope) -> dict[str, Any]:
    paid = {"allow_paid_broadcast": "true"} if envelope.paid else {}
    return {"chat_id": envelope.to.chat_id, **paid}


def _is_page(error: TelegramError) -> bool:
    """Say whether what came back was no answer of the Bot API, whatever its status: a proxy's page."""
    cause = error.__cause__
    while cause is not None and not isinstance(cause, ReplyLost):
        cause = cause.__cause__
    return cause is not None


def _prepared(content: Content) -> Prepared:
    noun, parameters = _call_of(content)
    return Prepared(content, noun, parameters, urlencode(parameters).encode())


def _call_of(content: Content) -> tuple[str, dict[str, str]]:
    noun = "Message" if content.media is None else NOUNS[content.media.kind]
    return noun, _words_and_markup(content)


def _words_and_markup(content: Content) -> dict[str, str]:
    text, entities = ("text", "entities") if content.media is None else ("caption", "caption_entities")
    parameters = {text: content.text} if content.text or content.media is None else {}
    if content.entities:
        parameters[entities] = orjson.dumps(content.entities).decode()
    return parameters | _markup(content)


def _words_under(content: Content) -> dict[str, Any]:
    entities = [MessageEntity(**each) for each in content.entities]
    return {"caption": content.text, "caption_entities": entities} if content.text else {}


def _markup(content: Content) -> dict[str, str]:
    if not content.keyboard:
        return {}
    rows = [[_button(button) for button in row] for row in content.keyboard]
    return {"reply_markup": orjson.dumps({"inline_keyboard": rows}).decode()}


def _button(button: Button) -> dict[str, str]:
    if button.url is not None:
        return {"text": button.text, "url": button.url}
    return {"text": button.text, "callback_data": button.data or ""}

"""Two independent clients of the Bot API behind one small face, so that one suite certifies the server over both."""

from typing import Any, Protocol

from aiogram import Bot as AiogramBot
from aiogram import types as aiogram_types
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.exceptions import TelegramAPIError, TelegramRetryAfter
from telegram import (
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputMediaDocument,
    InputMediaPhoto,
    KeyboardButton,
    ReplyKeyboardMarkup,
)
from telegram import MessageEntity as PtbEntity
from telegram.error import RetryAfter, TelegramError
from telegram.ext import ExtBot
from telegram.request import HTTPXRequest


class Refused(Exception):  # noqa: N818 - a fact, as everywhere
    """The server's refusal: its description, and `retry_after` where it has one."""

    def __init__(self, description: str, retry_after: int | None = None) -> None:
        super().__init__(description)
        self.retry_after = retry_after


class Client(Protocol):
    """What the suite asks of a client; results are plain JSON as each library understood them."""

    async def call(self, name: str, **fields: Any) -> Any: ...
    async def close(self) -> None: ...


class Aiogram:
    """aiogram's `Bot`: each answer has passed its models."""

    def __init__(self, origin: str, token: str) -> None:
        session = AiohttpSession(api=TelegramAPIServer.from_base(origin))
        self._bot = AiogramBot(token, session=session)

    async def call(self, name: str, **fields: Any) -> Any:
        try:
            answer = await getattr(self._bot, name)(**_aiogram_fields(fields))
        except TelegramRetryAfter as error:
            raise Refused(error.message, error.retry_after) from error
        except TelegramAPIError as error:
            raise Refused(error.message) from error
        return _plain(answer)

    async def download(self, file_id: str) -> bytes:
        stream = await self._bot.download(file_id)
        assert stream is not None
        return stream.read()

    async def close(self) -> None:
        await self._bot.session.close()


class Ptb:
    """python-telegram-bot's `ExtBot` with its own request."""

    def __init__(self, origin: str, token: str) -> None:
        request = HTTPXRequest(httpx_kwargs={"trust_env": False})
        self._bot = ExtBot(
            token,
            base_url=f"{origin}/bot",
            base_file_url=f"{origin}/file/bot",
            request=request,
            get_updates_request=HTTPXRequest(httpx_kwargs={"trust_env": False}),
        )
        self._initialised = False

    async def call(self, name: str, **fields: Any) -> Any:
        try:
            if not self._initialised:
                await self._bot.initialize()
                self._initialised = True
            answer = await getattr(self._bot, name)(**_ptb_fields(fields))
        except RetryAfter as error:
            after = error.retry_after
            raise Refused(
                error.message, int(after if isinstance(after, int) else after.total_seconds())
            ) from error
        except TelegramError as error:
            raise Refused(error.message) from error
        if isinstance(answer, tuple | list):
            return [each.to_dict() if hasattr(each, "to_dict") else each for each in answer]
        return answer.to_dict() if hasattr(answer, "to_dict") else answer

    async def download(self, file_id: str) -> bytes:
        return bytes(await (await self._bot.get_file(file_id)).download_as_bytearray())

    async def close(self) -> None:
        await self._bot.shutdown()


def _plain(answer: Any) -> Any:
    if isinstance(answer, list):
        return [_plain(each) for each in answer]
    if hasattr(answer, "model_dump"):
        return answer.model_dump(mode="json", by_alias=True, exclude_none=True)
    return answer


def _aiogram_fields(fields: dict[str, Any]) -> dict[str, Any]:
    fields = dict(fields)
    if "entities" in fields:
        fields["entities"] = [aiogram_types.MessageEntity(**each) for each in fields["entities"]]
    if "inline" in fields:
        rows = [[aiogram_types.InlineKeyboardButton(**b) for b in row] for row in fields.pop("inline")]
        fields["reply_markup"] = aiogram_types.InlineKeyboardMarkup(inline_keyboard=rows)
    if "keyboard" in fields:
        rows = [[aiogram_types.KeyboardButton(**b) for b in row] for row in fields.pop("keyboard")]
        fields["reply_markup"] = aiogram_types.ReplyKeyboardMarkup(keyboard=rows, resize_keyboard=True)
    for kind in ("photo", "document"):
        if isinstance(fields.get(kind), tuple):
            name, body = fields[kind]
            fields[kind] = aiogram_types.BufferedInputFile(body, name)
    if "album" in fields:
        kind, files = fields.pop("album")
        made = {"photo": aiogram_types.InputMediaPhoto, "document": aiogram_types.InputMediaDocument}[kind]
        captions = [fields.pop("caption", None), *[None] * (len(files) - 1)]
        fields["media"] = [
            made(
                media=aiogram_types.BufferedInputFile(file[1], file[0]) if isinstance(file, tuple) else file,
                caption=caption,
            )
            for file, caption in zip(files, captions, strict=True)
        ]
    if "commands" in fields:
        fields["commands"] = [
            aiogram_types.BotCommand(command=c, description=d) for c, d in fields["commands"]
        ]
    return fields


def _ptb_fields(fields: dict[str, Any]) -> dict[str, Any]:
    from telegram import InputFile

    fields = dict(fields)
    if "entities" in fields:
        fields["entities"] = [PtbEntity(**each) for each in fields["entities"]]
    if "inline" in fields:
        rows = [[InlineKeyboardButton(**b) for b in row] for row in fields.pop("inline")]
        fields["reply_markup"] = InlineKeyboardMarkup(rows)
    if "keyboard" in fields:
        rows = [[KeyboardButton(**b) for b in row] for row in fields.pop("keyboard")]
        fields["reply_markup"] = ReplyKeyboardMarkup(rows, resize_keyboard=True)
    for kind in ("photo", "document"):
        if isinstance(fields.get(kind), tuple):
            name, body = fields[kind]
            fields[kind] = InputFile(body, filename=name)
    if "album" in fields:
        kind, files = fields.pop("album")
        made = {"photo": InputMediaPhoto, "document": InputMediaDocument}[kind]
        fields["media"] = [
            made(file[1], filename=file[0]) if isinstance(file, tuple) else made(file) for file in files
        ]
    return fields

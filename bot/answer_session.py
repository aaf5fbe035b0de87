"""aiogram's session for answers: lean, through an HTTP proxy where one is set, and with one family of errors.

aiogram asks for a further package to speak through a proxy, and raises what is no `TelegramAPIError` for a page
that is no answer; that error also carries the page, or what a person wrote, into whatever log it reaches.
"""

from functools import cache
from typing import Any

from aiogram import Bot
from aiogram.exceptions import ClientDecodeError, TelegramNetworkError
from aiogram.methods import Response, TelegramMethod
from aiogram.methods.base import TelegramType
from pydantic import TypeAdapter, ValidationError

from bot.channels.aiogram_session import LeanSession


class AnswerSession(LeanSession):
    """Its results are models as aiogram's are, but for an edited message, which who edits has already: `True`."""

    async def make_request(
        self,
        bot: Bot,
        method: TelegramMethod[Any],
        timeout: int | None = None,  # noqa: ASYNC109 - as aiogram names it
    ) -> Any:
        result = await super().make_request(bot, method, timeout)
        if result is True or method.__api_method__.startswith("edit"):
            return True
        try:
            return _reader(method.__returning__).validate_python(result, context={"bot": bot})
        except ValidationError:
            raise _no_answer(method, 200) from None

    def check_response(
        self, bot: Bot, method: TelegramMethod[TelegramType], status_code: int, content: str
    ) -> Response[TelegramType]:
        try:
            return super().check_response(bot, method, status_code, content)
        except ClientDecodeError:
            raise _no_answer(method, status_code) from None


@cache
def _reader(returning: Any) -> TypeAdapter[Any]:
    """Build what reads a kind of result once."""
    return TypeAdapter(returning)


def _no_answer(method: TelegramMethod[Any], status: int) -> TelegramNetworkError:
    return TelegramNetworkError(method=method, message=f"status {status} and no answer of the Bot API")

"""Answers to taps: each tap gets one, so that no button spins, and one that comes too late is no failure."""

from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import Any

from aiogram import Bot
from aiogram.client.session.middlewares.base import BaseRequestMiddleware, NextRequestMiddlewareType
from aiogram.exceptions import TelegramBadRequest
from aiogram.methods import AnswerCallbackQuery, Response, TelegramMethod
from aiogram.methods.base import TelegramType
from aiogram.types import CallbackQuery, TelegramObject

TOO_LATE = "query is too old"
"""After a restart a tap may be too old to be answered, but not to be done."""
_answered: ContextVar[set[str] | None] = ContextVar("answered", default=None)


class LateAnswers(BaseRequestMiddleware):
    """Notes which taps are answered, and takes "too old" for done."""

    async def __call__(
        self,
        make_request: NextRequestMiddlewareType[TelegramType],
        bot: Bot,
        method: TelegramMethod[TelegramType],
    ) -> Response[TelegramType]:
        query_id = method.callback_query_id if isinstance(method, AnswerCallbackQuery) else None
        answered = _answered.get()
        if query_id is not None and answered is not None:
            answered.add(query_id)
        try:
            return await make_request(bot, method)
        except TelegramBadRequest as error:
            if query_id is None or TOO_LATE not in error.message:
                raise
            return True  # type: ignore[return-value]


async def answer_each_tap(
    handler: Callable[[TelegramObject, dict[str, Any]], Awaitable[Any]],
    query: TelegramObject,
    data: dict[str, Any],
) -> Any:
    """Answer a tap whose handler did not; one that was refused is answered with the reason."""
    answered: set[str] = set()
    token = _answered.set(answered)
    try:
        result = await handler(query, data)
        if isinstance(query, CallbackQuery) and query.id not in answered:
            await query.answer()
    finally:
        _answered.reset(token)
    return result

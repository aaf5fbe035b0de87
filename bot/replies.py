"""The reply lane: direct answers go out at once, and what they took of an account's pace is noted.

Deliveries then step back by as much, so that the sum stays under the server's limit, and keep their distance from the
chats answered (`domain.chat_pace`). The first is noted at once, and those of the next tenth of a second together. A 429 that an answer meets holds the account for everybody, as a delivery's does: nothing
in it tells a chat's limit from the bot's, so the whole bot waits.
"""

import asyncio
from contextvars import Context

import structlog
from aiogram import Bot
from aiogram.client.session.middlewares.base import BaseRequestMiddleware, NextRequestMiddlewareType
from aiogram.exceptions import TelegramRetryAfter
from aiogram.methods import Response, TelegramMethod
from aiogram.methods.base import TelegramType

from bot.channels.answers import LONGEST_HOLD
from services.delivery import Delivery

GATHER_SECONDS = 0.1
COUNTED = ("send", "edit", "copy", "forward")

log = structlog.get_logger(__name__)


class ReplyLane(BaseRequestMiddleware):
    """Counts what an account's `Bot` sends and edits, and tells when its server wants patience."""

    def __init__(self, delivery: Delivery, account_id: int) -> None:
        self._delivery = delivery
        self._account_id = account_id
        self._count = 0
        self._noting: asyncio.Task[None] | None = None

    async def __call__(
        self,
        make_request: NextRequestMiddlewareType[TelegramType],
        bot: Bot,
        method: TelegramMethod[TelegramType],
    ) -> Response[TelegramType]:
        if method.__api_method__.startswith(COUNTED) and not method.__api_method__.endswith("Action"):
            self._count += 1
            if self._noting is None or self._noting.done():
                # Not in the context of the update that is answered: this says nothing of its having taken effect.
                self._noting = asyncio.create_task(self._note(), context=Context())
        try:
            return await make_request(bot, method)
        except TelegramRetryAfter as error:
            await asyncio.create_task(self._hold(error.retry_after), context=Context())
            raise

    async def drain(self) -> None:
        """Wait until what was counted is noted."""
        if self._noting is not None:
            await self._noting

    async def _hold(self, seconds: float) -> None:
        try:
            await self._delivery.hold(self._account_id, min(seconds, LONGEST_HOLD))
        except Exception:  # the answer waits all the same
            log.exception("hold not noted", account=self._account_id)

    async def _note(self) -> None:
        while self._count:
            count, self._count = self._count, 0
            try:
                await self._delivery.replied(self._account_id, count)
            except Exception:  # an answer was given; a pace not noted only risks a 429
                log.exception("replies not noted", account=self._account_id)
            await asyncio.sleep(GATHER_SECONDS)

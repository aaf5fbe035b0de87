"""aiogram's dispatcher as we use it: one handler for all commands, one for all taps, dialogues by state."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import aiohttp
import structlog
from aiogram import Bot, Dispatcher
from aiogram.exceptions import TelegramNetworkError, TelegramRetryAfter
from aiogram.fsm.middleware import FSMContextMiddleware
from aiogram.fsm.storage.base import BaseStorage
from aiogram.types import CallbackQuery, Message, TelegramObject, Update
from aiogram.types.update import UpdateTypeLookupError
from pydantic import ValidationError

from bot.answers import answer_each_tap
from bot.inbox import NotNow, Undecodable
from domain.accounts import Address
from domain.clock import Clock, day_of
from handlers import errors, taps
from handlers.features import ROUTERS
from locales import speak
from services.toolbox import Toolbox

MESSENGER_AWAY = 5.0
"""Seconds to wait when the messenger's server takes no connection."""
Handler = Callable[[TelegramObject, dict[str, Any]], Awaitable[Any]]


class Identify:
    """Gives handlers by name who writes and how to word the answer."""

    def __init__(self, toolbox: Toolbox, clock: Clock) -> None:
        self._toolbox = toolbox
        self._clock = clock

    async def __call__(self, handler: Handler, update: TelegramObject, data: dict[str, Any]) -> Any:
        user, chat = data.get("event_from_user"), data.get("event_chat")
        if user is None or (chat is not None and chat.type != "private"):
            return None  # what we show is personal: a group gets no answer
        address = Address(data["account_id"], user.id)
        behind = await self._toolbox.people.behind(address, day_of(self._clock()))
        data["address"] = address
        data["words"] = speak(behind.language, at_home=behind.account.at_home)
        data["account"] = behind.account
        data["actor"] = behind.actor
        return await handler(update, data)


class DialogueOfMessages(FSMContextMiddleware):
    """aiogram's own, but that it reads the dialogue only for a message: no handler of taps waits for a state."""

    async def __call__(self, handler: Handler, event: TelegramObject, data: dict[str, Any]) -> Any:
        if isinstance(event, Update) and event.callback_query is not None:
            data["fsm_storage"], data["state"] = self.storage, self.resolve_event_context(data["bot"], data)
            return await handler(event, data)
        return await super().__call__(handler, event, data)


async def answer_from_state(handler: Handler, event: TelegramObject, data: dict[str, Any]) -> Any:
    """Only answer an update that took effect before its answer got through."""
    if not data.get("again") or not isinstance(event, Message | CallbackQuery):
        return await handler(event, data)
    return await errors.resume(event, data["words"])


def build(toolbox: Toolbox, clock: Clock, storage: BaseStorage) -> Dispatcher:
    """Build the dispatcher. A router has one parent for life, so a process builds it once."""
    dispatcher = Dispatcher(storage=storage, disable_fsm=True, toolbox=toolbox, clock=clock)
    dispatcher.update.outer_middleware(DialogueOfMessages(storage, dispatcher.fsm.events_isolation))
    dispatcher.update.outer_middleware(Identify(toolbox, clock))
    dispatcher.errors.register(errors.on_error)
    dispatcher.message.register(taps.on_command, lambda message: taps.command_of(message) is not None)
    dispatcher.callback_query.register(taps.on_tap)
    dispatcher.callback_query.outer_middleware(answer_each_tap)
    for observer in (dispatcher.message, dispatcher.callback_query):
        observer.outer_middleware(answer_from_state)
    dispatcher.include_routers(*ROUTERS)
    return dispatcher


class Feeder:
    """Feeds raw updates of any account to the dispatcher; what the inbox needs."""

    def __init__(self, dispatcher: Dispatcher, bots: Mapping[int, Bot], toolbox: Toolbox) -> None:
        self._dispatcher = dispatcher
        self._bots = bots
        self._toolbox = toolbox

    async def feed(self, account_id: int, update: dict[str, Any], again: bool) -> None:
        """Handle one update, or only answer it `again`; `update_key` names it in every line that is logged."""
        bot = self._bots[account_id]
        parsed = _parsed(update, bot)
        key = f"{account_id}:{parsed.update_id}"
        with structlog.contextvars.bound_contextvars(update_key=key):
            try:
                await self._dispatcher.feed_update(bot, parsed, account_id=account_id, again=again)
            except TelegramRetryAfter as error:
                raise NotNow(error.retry_after) from error
            except TelegramNetworkError as error:
                if isinstance(error.__cause__, aiohttp.ClientConnectorError):
                    raise NotNow(MESSENGER_AWAY) from error
                raise

    async def apologise(self, account_id: int, update: dict[str, Any], incident: str) -> None:
        bot = self._bots[account_id]
        parsed = _parsed(update, bot)
        event = parsed.message or parsed.callback_query
        if event is None or event.from_user is None:
            return
        words = speak(await self._toolbox.people.language_of(Address(account_id, event.from_user.id)))
        await errors.apologise(event, words, incident)


def _parsed(update: dict[str, Any], bot: Bot) -> Update:
    """Read an update as aiogram's; `Undecodable` for one of a kind or shape that it does not know."""
    try:
        parsed = Update.model_validate(update, context={"bot": bot})
        parsed.event_type  # noqa: B018 - looks the kind up, and raises where there is none
    except (ValidationError, UpdateTypeLookupError) as error:
        raise Undecodable from error
    return parsed

"""What a stranger sees: how one is invited, or that their chat still waits for its secretary."""

from collections.abc import Awaitable, Callable
from typing import Any

from aiogram.dispatcher.event.handler import CallableObject
from aiogram.filters.callback_data import CallbackData
from aiogram.types import InlineKeyboardMarkup, KeyboardButton, ReplyKeyboardMarkup

from domain.accounts import Address
from handlers.keyboards import Event, Go, button, screen, send, show
from locales import Words
from services.invitations import Joining
from services.toolbox import Toolbox


class Withdraw(CallbackData, prefix="bye"):
    """Take this chat apart from the record: first asked, then done."""

    sure: bool = False


class AskSecretary(CallbackData, prefix="ask"):
    """The person would rather be confirmed by the secretary than share a number."""


def members_only(handler: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """Let a handler run for linked members; a stranger is told how one is invited."""
    inner = CallableObject(handler)

    async def guarded(event: Event, **data: Any) -> Any:
        if data["actor"] is None:
            return await welcome_stranger(event, data["toolbox"], data["words"], data["address"])
        return await inner.call(event, **data)

    return guarded


async def welcome_stranger(event: Event, toolbox: Toolbox, words: Words, address: Address) -> None:
    joining = await toolbox.invitations.standing(address)
    if joining is not None:
        await show_waiting(event, words, joining)
        return
    text = screen(
        words("start.stranger.title"),
        words("start.stranger.purpose"),
        words("start.stranger.how"),
        words("start.stranger.offline"),
    )
    rows = [
        [
            button(words("menu.button.privacy"), Go(to="privacy")),
            button(words("menu.button.help"), Go(to="help")),
        ],
        [button(words("menu.button.language"), Go(to="language"))],
    ]
    await show(event, text, InlineKeyboardMarkup(inline_keyboard=rows))


async def show_waiting(event: Event, words: Words, joining: Joining) -> None:
    """Say that the second proof is missing, and which way it may come."""
    if joining.barred:
        withdraw = [button(words("start.waiting.withdraw"), Withdraw(sure=True))]
        text = screen(words("chats.barred.title"), words("chats.barred.what"), words("start.waiting.offline"))
        await show(event, text, InlineKeyboardMarkup(inline_keyboard=[withdraw]))
        return
    text = screen(
        words("start.waiting.title"),
        words("start.waiting.phone") if joining.by_phone else words("start.waiting.secretary"),
        words("start.waiting.offline"),
    )
    rows = [
        [button(words("start.waiting.look_again"), Go(to="menu"))],
        [button(words("start.waiting.ask"), AskSecretary())] if joining.by_phone else [],
        [button(words("start.waiting.withdraw"), Withdraw(sure=True))],
    ]
    await show(event, text, InlineKeyboardMarkup(inline_keyboard=[row for row in rows if row]))
    if joining.by_phone:
        await send(event, words("start.waiting.share"), _contact_keyboard(words))


def _contact_keyboard(words: Words) -> ReplyKeyboardMarkup:
    share = KeyboardButton(text=words("start.waiting.share_button"), request_contact=True)
    return ReplyKeyboardMarkup(keyboard=[[share]], resize_keyboard=True, one_time_keyboard=True)

"""Joining: what is stored and why, whether it is you, and the second proof (DOMAIN.md 4.1)."""

from typing import Literal

from aiogram import F, Router
from aiogram.filters.callback_data import CallbackData
from aiogram.types import (
    CallbackQuery,
    ChatMemberUpdated,
    InlineKeyboardMarkup,
    Message,
    ReplyKeyboardRemove,
)
from aiogram.utils.formatting import Text

from domain.accounts import Address, LinkState
from domain.invitations import read_code
from domain.permissions import Actor
from handlers.keyboards import Event, Go, button, screen, send, show
from handlers.menu import show_menu
from handlers.names import account_name
from handlers.taps import command, tap
from handlers.times import moment
from handlers.welcome import AskSecretary, Withdraw, show_waiting, welcome_stranger
from locales import LANGUAGES, Words, speak
from services.invitations import Invited, Joining
from services.toolbox import Toolbox

router = Router(name="start")


class Join(CallbackData, prefix="join"):
    """A step of joining. The code travels with it, so that each press proves itself again."""

    step: Literal["look", "language", "confirm", "accept", "not_me"]
    code: str


@command("start")
async def on_start(
    event: Event, toolbox: Toolbox, actor: Actor | None, words: Words, address: Address, argument: str
) -> None:
    """Open an invitation; without one, show where this chat stands."""
    if argument:
        invited = await toolbox.invitations.look(address, argument)
        if invited.state is None:
            await _explain(event, words, read_code(argument) or "", invited)
            return
    if actor is not None:
        await show_menu(event, toolbox, actor, words)
    else:
        await welcome_stranger(event, toolbox, words, address)


@tap(Join)
async def on_join(query: CallbackQuery, tap: Join, toolbox: Toolbox, words: Words, address: Address) -> None:
    invited = await toolbox.invitations.look(address, tap.code)
    if tap.step == "accept":
        joining = await toolbox.invitations.accept(address, tap.code)
        await _tell(query, words, joining)
    elif tap.step == "confirm":
        await _confirm(query, words, tap.code, invited)
    elif tap.step == "not_me":
        text = screen(
            words("start.not_me.title"), words("start.not_me.what"), words("start.stranger.offline")
        )
        await show(query, text)
    elif tap.step == "language":
        other = speak(_other(words.language))
        await toolbox.people.set_language(address, other.language)
        await _explain(query, other, tap.code, invited)
    else:
        await _explain(query, words, tap.code, invited)


async def _explain(event: Event, words: Words, code: str, invited: Invited) -> None:
    """Say what is stored, why, for how long and how to withdraw, before anything is."""
    text = screen(
        words("start.explain.title"),
        words("start.explain.why"),
        words("start.explain.stored"),
        words("start.explain.retention"),
        words("start.explain.withdraw"),
        words("start.explain.expires", when=moment(words, invited.expires_at)),
    )
    rows = [
        [button(words("start.explain.continue"), Join(step="confirm", code=code))],
        [button(words("start.explain.no"), Go(to="menu"))],
        [button(words("start.explain.other_language"), Join(step="language", code=code))],
    ]
    await show(event, text, InlineKeyboardMarkup(inline_keyboard=rows))


async def _confirm(event: Event, words: Words, code: str, invited: Invited) -> None:
    text = screen(
        words("start.confirm.title"),
        words("start.confirm.who", name=invited.name, organisation=invited.organisation),
        words("start.confirm.what"),
    )
    rows = [
        [button(words("start.confirm.yes", name=invited.name), Join(step="accept", code=code))],
        [button(words("start.confirm.not_me"), Join(step="not_me", code=code))],
        [button(words("menu.back"), Join(step="look", code=code))],
    ]
    await show(event, text, InlineKeyboardMarkup(inline_keyboard=rows))


async def _tell(event: Event, words: Words, joining: Joining) -> None:
    if joining.state is LinkState.PENDING:
        await show_waiting(event, words, joining)
    else:
        await show(event, *_joined(words, joining))


def _joined(words: Words, joining: Joining | None) -> tuple[Text, InlineKeyboardMarkup]:
    """Welcome a member, and say where messages come if that is another chat of theirs."""
    what, rows = words("start.joined.what"), [[button(words("menu.home"), Go(to="menu"))]]
    if joining is not None and joining.elsewhere is not None:
        what = words("chats.joined", name=account_name(words, joining.elsewhere))
        rows.insert(0, [button(words("chats.button"), Go(to="chats"))])
    text = screen(words("start.joined.title"), what, words("start.joined.stop"))
    return text, InlineKeyboardMarkup(inline_keyboard=rows)


@router.message(F.contact)
async def on_contact(message: Message, toolbox: Toolbox, words: Words, address: Address) -> None:
    """Take one's own shared contact as the second proof."""
    assert message.contact is not None  # noqa: S101 - the filter has seen it
    sender = message.from_user.id if message.from_user else 0
    await toolbox.invitations.prove_by_phone(
        address, sender=sender, owner=message.contact.user_id, phone=message.contact.phone_number
    )
    await send(message, words("start.joined.checked"), ReplyKeyboardRemove())
    await send(message, *_joined(words, await toolbox.invitations.standing(address)))


@tap(AskSecretary)
async def on_ask_secretary(query: CallbackQuery, toolbox: Toolbox, words: Words, address: Address) -> None:
    await toolbox.invitations.ask_secretary(address)
    text = screen(
        words("start.waiting.title"), words("start.waiting.secretary"), words("start.waiting.offline")
    )
    rows = [[button(words("start.waiting.look_again"), Go(to="menu"))]]
    await show(query, text, InlineKeyboardMarkup(inline_keyboard=rows))


@tap(Withdraw)
async def on_withdraw(
    query: CallbackQuery, tap: Withdraw, toolbox: Toolbox, words: Words, address: Address
) -> None:
    """Take this chat apart from the record, once it was asked for twice."""
    if not tap.sure:
        rows = [
            [button(words("start.withdraw.yes"), Withdraw(sure=True))],
            [button(words("menu.back"), Go(to="privacy"))],
        ]
        text = screen(words("start.withdraw.title"), words("start.withdraw.what"))
        await show(query, text, InlineKeyboardMarkup(inline_keyboard=rows))
        return
    await toolbox.invitations.withdraw(address)
    await show(query, screen(words("start.withdrawn.title"), words("start.withdrawn.what")))


@router.my_chat_member(F.chat.type == "private")
async def on_presence(event: ChatMemberUpdated, toolbox: Toolbox, address: Address) -> None:
    """Remember that a person blocked the bot, or let it write again."""
    if event.new_chat_member.status == "kicked":
        await toolbox.people.blocked(address)
    else:
        await toolbox.people.came_back(address)


def _other(language: str) -> str:
    return LANGUAGES[1 - LANGUAGES.index(language)]

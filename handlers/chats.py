"""Where messages come: the chats of a member with more than one, and which of them is written to first."""

from aiogram.filters.callback_data import CallbackData
from aiogram.types import CallbackQuery

from domain.permissions import Actor
from handlers.keyboards import Event, Go, Number, button, keyboard, screen, show
from handlers.names import account_name
from handlers.taps import command, tap
from handlers.welcome import members_only
from locales import Words
from services.toolbox import Toolbox


class SendHere(CallbackData, prefix="here"):
    """A chat was chosen for what is sent from now on, by its account."""

    account: Number


@command("chats")
@members_only
async def on_chats(event: Event, toolbox: Toolbox, actor: Actor, words: Words) -> None:
    await _show(event, toolbox, actor, words)


@tap(SendHere)
@members_only
async def on_send_here(
    query: CallbackQuery, tap: SendHere, toolbox: Toolbox, actor: Actor, words: Words
) -> None:
    await toolbox.members.send_to(actor, tap.account)
    await _show(query, toolbox, actor, words)


async def _show(event: Event, toolbox: Toolbox, actor: Actor, words: Words) -> None:
    chats = await toolbox.members.chats(actor)
    text = [words("chats.title"), words("chats.what" if len(chats) > 1 else "chats.one")]
    rows = []
    for place, chat in enumerate(chats):
        name = account_name(words, chat.account_name)
        label = words("chats.blocked", name=name) if chat.blocked else name
        label = f"✓ {label}" if place == 0 else label
        rows.append([button(label, SendHere(account=chat.address.account_id))])
    await show(event, screen(*text), keyboard(words, *(rows if len(chats) > 1 else []), back=Go(to="me")))

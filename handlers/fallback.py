"""What no feature understood: a bare invitation code is opened, anything else gets a way on."""

from aiogram import F, Router
from aiogram.types import Message

from domain.accounts import Address
from domain.invitations import read_code
from domain.permissions import Actor
from handlers.keyboards import Go, button, keyboard, screen, show
from handlers.start import on_start
from handlers.welcome import welcome_stranger
from locales import Words
from services.toolbox import Toolbox

router = Router(name="fallback")


@router.message(F.chat.type == "private")
async def on_anything(
    message: Message, toolbox: Toolbox, actor: Actor | None, words: Words, address: Address
) -> None:
    """Never leave a person without an answer."""
    code = read_code(message.text or "")
    if code is not None:
        await on_start(message, toolbox, actor, words, address, code)
    elif actor is None:
        await welcome_stranger(message, toolbox, words, address)
    else:
        text = screen(words("fallback.title"), words("fallback.what"))
        await show(message, text, keyboard(words, [button(words("menu.button.help"), Go(to="help"))]))

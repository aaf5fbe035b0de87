"""My own data as a document: what is in it, sent into the chat, and where it is not sent."""

from aiogram import Bot
from aiogram.types import BufferedInputFile

from domain.accounts import Account, Address
from domain.permissions import Actor
from handlers.keyboards import Event, Go, button, keyboard, screen, send, show
from handlers.taps import command
from handlers.welcome import members_only
from locales import Words
from services.own_data import Document
from services.toolbox import Toolbox

_SHOWN = 12
"""So many lines of the index stand in the chat; the document has them all."""


@command("export")
@members_only
async def on_export(
    event: Event,
    bot: Bot,
    toolbox: Toolbox,
    actor: Actor,
    account: Account,
    address: Address,
    words: Words,
) -> None:
    """Send everything that is stored of a person; a messenger abroad does not get to see it."""
    if not toolbox.own_data.may_send(account):
        text = screen(words("export.title"), words("export.abroad"), words("export.instead"))
        await show(event, text, keyboard(words, back=Go(to="privacy")))
        return
    document = await toolbox.own_data.document(actor)
    name = words("export.file", day=f"{document.made_at:%Y-%m-%d}")
    await bot.send_document(
        address.chat_id, BufferedInputFile(document.content, name), caption=words("export.caption")
    )
    text = screen(words("export.title"), _index(words, document), words("export.how"))
    rows = [[button(words("menu.button.privacy"), Go(to="privacy"))]]
    await send(event, text, keyboard(words, *rows))


def _index(words: Words, document: Document) -> str:
    """List what there is, in the order of the document."""
    there = [(name, n) for name, n in document.counts.items() if n]
    lines = [words("export.line", what=words(f"own_data.section.{name}"), n=n) for name, n in there[:_SHOWN]]
    more = len(there) - _SHOWN
    if more > 0:
        lines.append(words("export.more", n=more))
    return "\n".join(lines)

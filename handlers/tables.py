"""Tables for secretaries: totals of a subtree as an Excel file in the chat; never a roster."""

from aiogram import Bot
from aiogram.types import BufferedInputFile, CallbackQuery

from domain.accounts import Address
from domain.exports import Table
from domain.permissions import Action, Actor
from handlers.keyboards import button, keyboard, screen, show
from handlers.names import name_of
from handlers.org import Org, Tables
from handlers.taps import StaleTap, tap
from handlers.welcome import members_only
from locales import Words
from services.exports import Wish
from services.toolbox import Toolbox

OFFERED = (Table.DELIVERY_REPORT, Table.POLLS, Table.ORGANISATIONS)


@tap(Tables)
@members_only
async def on_tables(
    query: CallbackQuery,
    tap: Tables,
    bot: Bot,
    toolbox: Toolbox,
    actor: Actor,
    address: Address,
    words: Words,
) -> None:
    """Offer the tables of an organisation, or send the one that was chosen."""
    place = await toolbox.organisations.for_actor(actor, tap.id, Action.SEE_REPORT)
    if tap.table:
        if tap.table not in set(Table):
            raise StaleTap
        wish = Wish(Table(tap.table), actor, root_id=place.id, language=words.language)
        name, content = await toolbox.exports.document(wish)
        caption = words(
            "exports.caption", table=words(f"exports.table.{wish.table}"), name=name_of(words, place)
        )
        await bot.send_document(address.chat_id, BufferedInputFile(content, name), caption=caption)
        return
    text = screen(
        words("exports.title"),
        words("exports.where", name=name_of(words, place)),
        words("exports.what"),
        words("exports.roster"),
    )
    rows = [[button(words(f"exports.button.{table}"), Tables(id=place.id, table=table))] for table in OFFERED]
    await show(query, text, keyboard(words, *rows, back=Org(id=place.id)))

"""`/serviceday` for members: the next three days, a file for the calendar, reminders."""

from aiogram import Bot
from aiogram.fsm.context import FSMContext
from aiogram.types import BufferedInputFile, CallbackQuery
from aiogram.utils.formatting import Bold, Text

from domain.accounts import Address
from domain.permissions import Actor
from domain.service_steps import LEADS
from handlers import service_day_address, service_day_desk
from handlers.keyboards import Event, Go, Row, button, keyboard, screen, send, show
from handlers.names import name_of
from handlers.service_day_taps import Mine
from handlers.taps import command, tap
from handlers.welcome import members_only
from locales import Words
from services.service_day_book import Entry
from services.service_day_ics import FILE_NAME
from services.service_day_words import headline, reason, service_month
from services.service_days import Outlook, Reminders
from services.toolbox import Toolbox


@command("serviceday")
@members_only
async def on_service_day(
    event: Event, toolbox: Toolbox, actor: Actor, words: Words, state: FSMContext
) -> None:
    """Show the next three days."""
    await state.clear()
    text, rows = _overview(words, await toolbox.service_days.outlook(actor))
    await show(event, text, keyboard(words, *rows))


@tap(Mine)
@members_only
async def on_mine(
    query: CallbackQuery,
    tap: Mine,
    toolbox: Toolbox,
    actor: Actor,
    words: Words,
    address: Address,
    bot: Bot,
) -> None:
    if tap.step == "ics":
        await _send_file(query, toolbox, actor, words, address, bot, tap.id)
    elif tap.step == "look":  # below what was pushed, which stays
        await query.answer()
        text, rows = _overview(words, await toolbox.service_days.outlook(actor))
        await send(query, text, keyboard(words, *rows))
    elif tap.step == "stop":
        await toolbox.service_days.stop_reminders(actor)
        await query.answer()
        rows = [[button(words("service_days.button.mine"), Mine(step="mine"))]]
        text = screen(words("service_days.stopped.title"), words("service_days.stopped"))
        await send(query, text, keyboard(words, *rows))
    elif tap.step in {"mine", "lead"}:
        await _show_reminders(query, tap, toolbox, actor, words)
    else:
        await service_day_address.on_step(query, tap.step, toolbox, actor, words)


def _overview(words: Words, outlook: Outlook) -> tuple[Text, list[Row]]:
    paragraphs: list[str | Text] = [_paragraph(words, entry) for entry in outlook.entries]
    text = screen(
        words("service_days.title"),
        words("service_days.what", organisation=name_of(words, outlook.deciding)),
        *(paragraphs or [words("service_days.empty")]),
        reminder_line(words, outlook.reminders),
    )
    rows: list[Row] = []
    if outlook.entries:
        rows.append([button(words("service_days.button.file"), Mine(step="ics"))])
    if outlook.has_addresses:
        rows.append([button(words("service_days.button.web"), Mine(step="web"))])
    rows.append([button(words("service_days.button.mine"), Mine(step="mine"))])
    if outlook.may_keep:
        rows.append([service_day_desk.entrance(words)])
    return text, rows


def _paragraph(words: Words, entry: Entry) -> Text:
    """Write a day: its date and how it stands, why it moved, and what is done."""
    lines: list[str | Text] = [Bold(headline(words, entry.day))]
    for line in (service_month(words, entry.day), reason(words, entry.day), entry.text):
        if line:
            lines.extend(("\n", line))
    return Text(*lines)


def reminder_line(words: Words, reminders: Reminders) -> str:
    """Say when one is reminded."""
    if not reminders.leads:
        return words("service_days.reminders.off")
    *most, last = (lead_words(words, lead) for lead in reminders.leads)
    leads = words("service_days.and").join(
        [*([words("service_days.comma").join(most)] if most else []), last]
    )
    return words("service_days.reminders.on", leads=leads)


def lead_words(words: Words, lead: int) -> str:
    return words.plural("service_days.lead", lead)


async def _show_reminders(
    query: CallbackQuery, tap: Mine, toolbox: Toolbox, actor: Actor, words: Words
) -> None:
    """Show the lead times, each to be chosen by itself."""
    if tap.step == "lead":
        mine = await toolbox.service_days.remind(actor, tap.id, wanted=bool(tap.at))
    else:
        mine = await toolbox.service_days.reminders(actor)
    rows: list[Row] = []
    for lead in sorted(LEADS, reverse=True):
        on = lead in mine.leads
        label = words("service_days.lead.on" if on else "service_days.lead.off", lead=lead_words(words, lead))
        rows.append([button(label, Mine(step="lead", id=lead, at=int(not on)))])
    text = screen(
        words("service_days.reminders.title"),
        words("service_days.reminders.what"),
        reminder_line(words, mine),
    )
    await show(query, text, keyboard(words, *rows, back=Go(to="serviceday")))


async def _send_file(
    query: CallbackQuery,
    toolbox: Toolbox,
    actor: Actor,
    words: Words,
    address: Address,
    bot: Bot,
    day_id: int,
) -> None:
    """Send a day, or the next three, as a file that a calendar program opens."""
    body = await toolbox.service_days.calendar_file(actor, words.language, day_id)
    file = BufferedInputFile(body, FILE_NAME)
    await bot.send_document(address.chat_id, file, caption=words("service_days.file.caption"))
    await query.answer()

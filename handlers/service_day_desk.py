"""The secretary's side of service days: the next one, the year, confirming, cancelling, activities."""

from aiogram import Router
from aiogram.fsm.context import FSMContext
from aiogram.types import CallbackQuery, InlineKeyboardButton, Message

from domain.permissions import Actor
from domain.service_days import DayState, ServiceDay
from handlers import service_day_dates, service_day_rules
from handlers.keyboards import Event, Go, Row, button, keyboard, screen, show
from handlers.names import name_of
from handlers.service_day_taps import Keep, Keeping, date_of
from handlers.service_day_view import show_day
from handlers.taps import StaleTap, tap
from handlers.welcome import members_only
from locales import Words
from services.service_day_words import (
    month,
    month_button,
    reason,
    short,
    standing,
    with_year,
)
from services.toolbox import Toolbox

router = Router(name="service_day_desk")
MONTHS_IN_A_ROW = 3


def entrance(words: Words) -> InlineKeyboardButton:
    """Return the button that leads here."""
    return button(words("service_days.button.desk"), Keep(step="desk", org=0))


@tap(Keep)
@members_only
async def on_keep(
    query: CallbackQuery, tap: Keep, toolbox: Toolbox, actor: Actor, words: Words, state: FSMContext
) -> None:
    """Take a step; each checks right and state again."""
    await state.clear()
    if tap.step in service_day_dates.STEPS:
        await service_day_dates.on_step(query, tap, toolbox, actor, words, state)
    elif tap.step in service_day_rules.STEPS:
        await service_day_rules.on_step(query, tap, toolbox, actor, words)
    elif tap.step == "desk":
        await _show_desk(query, toolbox, actor, words, tap.org)
    elif tap.step == "year":
        await _show_year(query, toolbox, actor, words, tap)
    elif tap.step == "none":
        await _ask_cancel(query, toolbox, actor, words, tap)
    elif tap.step == "text":
        await _ask_text(query, toolbox, actor, words, state, tap)
    else:
        await _do(query, tap, toolbox, actor, words)


async def _do(query: CallbackQuery, tap: Keep, toolbox: Toolbox, actor: Actor, words: Words) -> None:
    """Do what a button says, and show the day as it is then."""
    desk = toolbox.service_days.desk
    note = ""
    if tap.step == "yes":
        await desk.confirm(actor, tap.org, tap.id, date_of(tap.at))
        note = "service_days.done.confirmed"
    elif tap.step == "cancel":
        await desk.cancel(actor, tap.org, tap.id)
        note = "service_days.done.cancelled"
    elif tap.step == "clear":
        await desk.write(actor, tap.org, tap.id, "")
        note = "service_days.done.cleared"
    elif tap.step != "day":
        raise StaleTap
    await show_day(query, toolbox, actor, words, tap, note)


async def _show_desk(
    event: Event, toolbox: Toolbox, actor: Actor, words: Words, organisation_id: int
) -> None:
    """Show the next day of one's organisation; who keeps several chooses first."""
    places = await toolbox.service_days.desk.places(actor)
    if not organisation_id and len(places) > 1:
        rows = [[button(name_of(words, each), Keep(step="desk", org=each.id))] for each in places]
        text = screen(words("service_days.desk.title"), words("service_days.desk.which"))
        await show(event, text, keyboard(words, *rows, back=Go(to="serviceday")))
        return
    desk = await toolbox.service_days.desk.open(actor, organisation_id or places[0].id)
    if desk.next is None:
        text = screen(words("service_days.desk.title"), words("service_days.empty"))
        await show(event, text, keyboard(words, back=Go(to="serviceday")))
        return
    here = Keep(step="day", org=desk.organisation.id, id=desk.next.day.id)
    await show_day(event, toolbox, actor, words, here)


async def _show_year(event: Event, toolbox: Toolbox, actor: Actor, words: Words, tap: Keep) -> None:
    """Show a year's dates, each with its reason where it moved; those of the coming year can be opened."""
    year = min(max(tap.at, 2004), 2100)
    desk, days = await toolbox.service_days.desk.year(actor, tap.org, year)
    text = screen(
        words("service_days.year.title", year=year, organisation=name_of(words, desk.deciding)),
        "\n".join(_year_line(words, day) for day in days),
    )
    known = [day for day in days if day.id]
    rows: list[Row] = []
    for start in range(0, len(known), MONTHS_IN_A_ROW):
        part = known[start : start + MONTHS_IN_A_ROW]
        rows.append(
            [
                button(month_button(words, each.month), Keep(step="day", org=tap.org, id=each.id))
                for each in part
            ]
        )
    rows.append(
        [
            button(f"‹ {year - 1}", Keep(step="year", org=tap.org, at=year - 1)),
            button(f"{year + 1} ›", Keep(step="year", org=tap.org, at=year + 1)),
        ]
    )
    await show(event, text, keyboard(words, *rows, back=Keep(step="desk", org=tap.org)))


def _year_line(words: Words, day: ServiceDay) -> str:
    state = standing(words, day) if day.id and not day.state.open else ""
    if day.state is DayState.UNCONFIRMED:
        state = standing(words, day)
    parts = [short(words, day.date), state, reason(words, day)]
    return words("service_days.separator").join(part for part in parts if part)


async def _ask_cancel(event: Event, toolbox: Toolbox, actor: Actor, words: Words, tap: Keep) -> None:
    view = await toolbox.service_days.desk.day(actor, tap.org, tap.id)
    known = view.day.told_revision is not None
    text = screen(
        words("service_days.cancel.title", month=month(words, view.day.month)),
        words("service_days.cancel.what", day=with_year(words, view.day.date)),
        words("service_days.cancel.told" if known else "service_days.cancel.untold"),
    )
    rows = [[button(words("service_days.cancel.yes"), Keep(step="cancel", org=tap.org, id=tap.id))]]
    await show(event, text, keyboard(words, *rows, back=Keep(step="day", org=tap.org, id=tap.id)))


async def _ask_text(
    event: Event, toolbox: Toolbox, actor: Actor, words: Words, state: FSMContext, tap: Keep
) -> None:
    view = await toolbox.service_days.desk.day(actor, tap.org, tap.id)
    await state.set_state(Keeping.text)
    await state.update_data(org=tap.org, id=tap.id)
    text = screen(
        words("service_days.text.title", day=short(words, view.day.date)),
        words("service_days.text.ask", organisation=name_of(words, view.desk.organisation)),
        view.desk.own_text,
    )
    rows: list[Row] = []
    if view.desk.own_text:
        rows.append([button(words("service_days.button.clear"), Keep(step="clear", org=tap.org, id=tap.id))])
    await show(event, text, keyboard(words, *rows, back=Keep(step="day", org=tap.org, id=tap.id)))


@router.message(Keeping.text)
@members_only
async def on_text(message: Message, toolbox: Toolbox, actor: Actor, words: Words, state: FSMContext) -> None:
    """Take what is done on the day."""
    data = await state.get_data()
    at = Keep(step="day", org=data["org"], id=data["id"])
    if not (message.text or "").strip():
        rows = [[button(words("menu.back"), at)]]
        await show(message, words("service_days.text.only"), keyboard(words, *rows))
        return
    await toolbox.service_days.desk.write(actor, at.org, at.id, message.text or "")
    await state.clear()
    await show_day(message, toolbox, actor, words, at, "service_days.done.written")

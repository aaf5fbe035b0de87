"""Choosing another date for a service day: free Saturdays on buttons, or a typed date; asked once more before it holds."""

from datetime import date

from aiogram import Router
from aiogram.fsm.context import FSMContext
from aiogram.types import CallbackQuery, Message

from domain.permissions import Actor
from domain.service_days import ONE_DAY, ServiceDay
from handlers.keyboards import Event, Row, button, keyboard, screen, show
from handlers.service_day_taps import Keep, Keeping, date_of
from handlers.service_day_view import show_day
from handlers.welcome import members_only
from locales import Words
from services.service_day_words import month, on_button, with_year
from services.toolbox import Toolbox

router = Router(name="service_day_dates")
STEPS = {"other", "to", "move"}


async def on_step(
    query: CallbackQuery, tap: Keep, toolbox: Toolbox, actor: Actor, words: Words, state: FSMContext
) -> None:
    if tap.step == "other":
        await _ask_date(query, toolbox, actor, words, state, tap)
    elif tap.step == "to":
        await _ask_sure(query, toolbox, actor, words, tap, date_of(tap.at))
    else:
        await toolbox.service_days.desk.move(actor, tap.org, tap.id, date_of(tap.at))
        await show_day(query, toolbox, actor, words, tap, "service_days.done.moved")


async def _ask_date(
    event: Event, toolbox: Toolbox, actor: Actor, words: Words, state: FSMContext, tap: Keep
) -> None:
    desk = toolbox.service_days.desk
    view = await desk.day(actor, tap.org, tap.id)
    saturdays = await desk.offered(actor, tap.org, tap.id)
    await state.set_state(Keeping.date)
    await state.update_data(org=tap.org, id=tap.id)
    buttons = [
        button(on_button(words, each), Keep(step="to", org=tap.org, id=tap.id, at=each.toordinal()))
        for each in saturdays
    ]
    rows: list[Row] = [buttons[start : start + 2] for start in range(0, len(buttons), 2)]
    key = "ask" if saturdays else "no_saturday"
    text = screen(
        words("service_days.other.title", month=month(words, view.day.month)),
        words(f"service_days.other.{key}", example=on_button(words, view.day.date + ONE_DAY)),
    )
    await show(event, text, keyboard(words, *rows, back=Keep(step="day", org=tap.org, id=tap.id)))


async def _ask_sure(event: Event, toolbox: Toolbox, actor: Actor, words: Words, tap: Keep, to: date) -> None:
    """Show what the new date means before it holds."""
    desk = toolbox.service_days.desk
    before: ServiceDay = (await desk.day(actor, tap.org, tap.id)).day
    await desk.look_at(actor, tap.org, tap.id, to)
    kind = await desk.kind_of(to)
    told = before.told_revision is not None
    text = screen(
        words("service_days.sure.title", day=with_year(words, to)),
        words(f"service_days.sure.{kind}") if f"service_days.sure.{kind}" in words else "",
        words("service_days.sure.told" if told else "service_days.sure.untold"),
    )
    move = Keep(step="move", org=tap.org, id=tap.id, at=to.toordinal())
    rows = [[button(words("service_days.sure.yes", day=on_button(words, to)), move)]]
    await show(event, text, keyboard(words, *rows, back=Keep(step="other", org=tap.org, id=tap.id)))


@router.message(Keeping.date)
@members_only
async def on_date(message: Message, toolbox: Toolbox, actor: Actor, words: Words, state: FSMContext) -> None:
    """Read a typed date."""
    data = await state.get_data()
    at = Keep(step="to", org=data["org"], id=data["id"])
    found = await toolbox.service_days.desk.read_date(actor, at.org, message.text or "")
    if found is None:
        back = Keep(step="day", org=at.org, id=at.id)
        await show(message, words("service_days.other.not_read"), keyboard(words, back=back))
        return
    await _ask_sure(message, toolbox, actor, words, at, found)

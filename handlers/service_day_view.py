"""One service day as its keeper sees it: how it stands, what members will get, and all that can be done."""

from zoneinfo import ZoneInfo

from aiogram.utils.formatting import Bold, Text

from domain.permissions import Actor
from domain.service_days import DayState
from handlers.keyboards import Event, Go, Row, button, keyboard, screen, show
from handlers.names import name_of
from handlers.service_day_taps import Keep
from handlers.times import moment
from locales import Words
from services.service_day_desk import DayView
from services.service_day_words import headline, on_button, reason, service_month, short
from services.toolbox import Toolbox


async def show_day(
    event: Event, toolbox: Toolbox, actor: Actor, words: Words, at: Keep, note: str = ""
) -> None:
    """Show one day with all that can be done about it."""
    view = await toolbox.service_days.desk.day(actor, at.org, at.id)
    text = screen(
        words("service_days.desk.of", organisation=name_of(words, view.desk.organisation)),
        words(note) if note else "",
        _day_lines(words, view),
        _activities(words, view),
        _plan_lines(words, view),
    )
    await show(event, text, keyboard(words, *_day_rows(words, view), back=Go(to="serviceday")))


def _day_lines(words: Words, view: DayView) -> Text:
    day, desk = view.day, view.desk
    lines: list[str | Text] = [Bold(headline(words, day))]
    decider = name_of(words, desk.deciding)
    by = words("service_days.desk.by", name=view.decided_by) if view.decided_by else ""
    above = "" if desk.may_decide else words("service_days.desk.above", organisation=decider)
    for line in (service_month(words, day), reason(words, day), by, above):
        if line:
            lines.extend(("\n", line))
    return Text(*lines)


def _activities(words: Words, view: DayView) -> str:
    if view.desk.own_text:
        return words("service_days.desk.own_text", text=view.desk.own_text)
    if view.entry.text:
        return words("service_days.desk.text_from_above", text=view.entry.text)
    return words("service_days.desk.no_text")


def _plan_lines(words: Words, view: DayView) -> str:
    """Say when members are told and reminded, and what did not go in time."""
    if view.missed:
        return words("service_days.desk.missed")
    if view.day.state.open:
        return words("service_days.desk.nothing_yet")
    lines = []
    zone = ZoneInfo(view.desk.deciding.zone)
    if view.tells is not None and not view.over:
        lines.append(words("service_days.desk.tells", when=moment(words, view.tells, zone)))
    if view.reminded and not view.over:
        dates = (on_button(words, at.astimezone(zone).date()) for at in view.reminded)
        lines.append(words("service_days.desk.reminders", days=words("service_days.comma").join(dates)))
    if view.late:
        days = words("service_days.comma").join(short(words, on) for on in view.late)
        lines.append(words("service_days.desk.late", days=days))
    return "\n".join(lines)


def _day_rows(words: Words, view: DayView) -> list[Row]:
    day, org = view.day, view.desk.organisation.id
    where = {"org": org, "id": day.id}
    rows: list[Row] = []
    if view.desk.may_decide and not view.over:
        if day.state.open and not view.missed:
            label = words("service_days.button.confirm", day=on_button(words, day.date))
            rows.append([button(label, Keep(step="yes", **where, at=day.date.toordinal()))])
        last = [button(words("service_days.button.other"), Keep(step="other", **where))]
        if day.state is not DayState.CANCELLED:
            last.append(button(words("service_days.button.none"), Keep(step="none", **where)))
        rows.append(last)
    if not view.over and day.state is not DayState.CANCELLED:
        key = "change_text" if view.desk.own_text else "write_text"
        rows.append([button(words(f"service_days.button.{key}"), Keep(step="text", **where))])
    year = Keep(step="year", org=org, at=day.month.year)
    rows.append([button(words("service_days.button.year"), year)])
    rows.append([button(words("service_days.button.rule"), Keep(step="rule", org=org))])
    return rows

"""Holidays in the chat: a year's table with what it moves, and entering the next one with a look before it counts."""

from contextlib import suppress
from datetime import date, datetime, time
from typing import Literal

from aiogram import Bot, Router
from aiogram.filters.callback_data import CallbackData
from aiogram.fsm.context import FSMContext
from aiogram.fsm.state import State, StatesGroup
from aiogram.types import CallbackQuery, Message

from domain.clock import CITY_ZONE
from domain.holiday_tables import LONGEST_TEXT, Fault, Reading, read
from domain.holidays import Span
from domain.permissions import Actor
from handlers.keyboards import Event, Go, Number, Row, button, keyboard, screen, show
from handlers.taps import StaleTap, command, tap
from handlers.times import day, short_day
from handlers.welcome import members_only
from locales import Words
from services.holidays import YearLook
from services.toolbox import Toolbox

router = Router(name="holidays")
MOST_FAULTS = 8
NOON = time(12)
MOST_SPANS = 40
ENCODINGS = ("utf-8-sig", "gb18030")


class Entering(StatesGroup):
    """The dialogue of entering a year: its table is awaited, then kept until it is confirmed."""

    table = State()


class Year(CallbackData, prefix="hol"):
    """A year looked at, entered, or saved as it was shown."""

    step: Literal["show", "enter", "save"]
    year: Number


@command("holidays")
@members_only
async def on_holidays(event: Event, toolbox: Toolbox, actor: Actor, words: Words, state: FSMContext) -> None:
    """Show the present year; next year's stands beside it."""
    toolbox.holidays.check(actor)
    await state.clear()
    await _show(event, toolbox, words, toolbox.holidays.this_year())


@tap(Year)
@members_only
async def on_year(
    query: CallbackQuery, tap: Year, toolbox: Toolbox, actor: Actor, words: Words, state: FSMContext
) -> None:
    toolbox.holidays.check(actor)
    this = toolbox.holidays.this_year()
    if not this - 1 <= tap.year <= this + 1:
        raise StaleTap
    if tap.step == "save":
        await _save(query, toolbox, actor, words, state, tap.year)
    elif tap.step == "enter":
        await _ask(query, toolbox, words, state, tap.year)
    else:
        await state.clear()
        await _show(query, toolbox, words, tap.year)


@router.message(Entering.table)
@members_only
async def on_table(
    message: Message, toolbox: Toolbox, actor: Actor, words: Words, state: FSMContext, bot: Bot
) -> None:
    """Read what was sent, and show it for confirmation, or say what is wrong by line."""
    toolbox.holidays.check(actor)
    year = int((await state.get_data()).get("year", 0))
    text = await _text_of(message, bot)
    if text is None:
        title = words("holidays.enter.title", year=year)
        await show(message, screen(title, words("holidays.unfit")), keyboard(words, back=Go(to="holidays")))
        return
    reading = read(text, year)
    if reading.table is None:
        await _show_faults(message, words, year, reading.faults)
        return
    await state.update_data(text=text)
    await _show_check(message, toolbox, words, reading)


async def _show(event: Event, toolbox: Toolbox, words: Words, year: int, saved: str = "") -> None:
    this = toolbox.holidays.this_year()
    look = await toolbox.holidays.look(year)
    following = await toolbox.holidays.look(this + 1)
    missing = "" if following.known or year == this + 1 else words("holidays.missing", year=this + 1)
    text = screen(words("holidays.title", year=year), saved, *_describe(words, look), missing)
    rows: list[Row] = []
    if not following.known:
        rows.append(
            [button(words("holidays.button.enter", year=this + 1), Year(step="enter", year=this + 1))]
        )
    if look.known and year >= this:
        rows.append([button(words("holidays.button.again", year=year), Year(step="enter", year=year))])
    years = [each for each in (this - 1, this, this + 1) if each != year]
    rows.append(
        [button(words("holidays.button.year", year=each), Year(step="show", year=each)) for each in years]
    )
    await show(event, text, keyboard(words, *rows))


def _describe(words: Words, look: YearLook) -> list[str]:
    """Word a year: where it is known from, its days with their names, and the service days that move."""
    if not look.known:
        return [words("holidays.none", year=look.year)]
    source = "holidays.source.entered" if look.entered else "holidays.source.library"
    lines = [_span(words, look.year, span) for span in look.spans[:MOST_SPANS]]
    if len(look.spans) > MOST_SPANS:
        lines.append(words("holidays.span.more", n=len(look.spans) - MOST_SPANS))
    return [words(source), "\n".join(lines), _moved(words, look)]


def _span(words: Words, year: int, span: Span) -> str:
    first, last = _day(words, year, span.first), _day(words, year, span.last)
    days = first if span.first == span.last else words("holidays.span.days", first=first, last=last)
    return words(
        f"holidays.span.{span.day.kind}", days=days, name=span.day.name.said(words.language)
    ).rstrip()


def _moved(words: Words, look: YearLook) -> str:
    if not look.moved:
        return words("holidays.moved.none")
    lines = [
        words(
            "holidays.moved",
            planned=_day(words, look.year, each.planned),
            date=_day(words, look.year, each.date),
            reason=each.moved_because.name.said(words.language) if each.moved_because else "",
        )
        for each in look.moved
    ]
    return "\n".join([words("holidays.moved.title"), *lines])


def _day(words: Words, year: int, on: date) -> str:
    """Write a date without its year where that stands in the title."""
    return day(words, on) if on.year != year else short_day(words, datetime.combine(on, NOON, CITY_ZONE))


async def _ask(event: Event, toolbox: Toolbox, words: Words, state: FSMContext, year: int) -> None:
    await state.set_state(Entering.table)
    await state.set_data({"year": year})
    known = (await toolbox.holidays.look(year)).known
    text = screen(
        words("holidays.enter.title", year=year),
        words("holidays.enter.known", year=year) if known else "",
        words("holidays.enter.how"),
        words("holidays.enter.example"),
        words("holidays.enter.next"),
    )
    await show(event, text, keyboard(words, back=Year(step="show", year=year)))


async def _show_check(event: Event, toolbox: Toolbox, words: Words, reading: Reading) -> None:
    table = reading.table
    assert table is not None  # noqa: S101 - a reading without a table was shown as faults
    look = await toolbox.holidays.look(table.year, table)
    names = "、" if words.language.startswith("zh") else ", "
    unmentioned = names.join(name.said(words.language) for name in reading.missing)
    _source, *description = _describe(words, look)
    text = screen(
        words("holidays.check.title", year=table.year),
        *description,
        words("holidays.check.unmentioned", names=unmentioned) if unmentioned else "",
        words("holidays.check.unconfirmed"),
    )
    rows: list[Row] = [
        [button(words("holidays.check.button"), Year(step="save", year=table.year))],
        [button(words("holidays.check.rewrite"), Year(step="enter", year=table.year))],
    ]
    await show(event, text, keyboard(words, *rows, back=Year(step="show", year=table.year)))


async def _save(
    query: CallbackQuery, toolbox: Toolbox, actor: Actor, words: Words, state: FSMContext, year: int
) -> None:
    """Enter what was shown; pressed twice, or long after, it shows how things stand."""
    data = await state.get_data()
    reading = read(str(data.get("text", "")), year)
    if data.get("year") != year or reading.table is None:
        entered = (await toolbox.holidays.look(year)).entered
        await _show(query, toolbox, words, year, "" if entered else words("holidays.gone"))
        return
    await toolbox.holidays.enter(reading.table, actor_id=actor.member_id)
    await state.clear()
    await _show(query, toolbox, words, year, words("holidays.saved", year=year))


async def _show_faults(event: Event, words: Words, year: int, faults: tuple[Fault, ...]) -> None:
    lines = [_fault(words, fault) for fault in faults[:MOST_FAULTS]]
    if len(faults) > MOST_FAULTS:
        lines.append(words("holidays.faults.more", n=len(faults) - MOST_FAULTS))
    text = screen(words("holidays.faults.title"), "\n\n".join(lines), words("holidays.faults.again"))
    await show(event, text, keyboard(words, back=Year(step="show", year=year)))


def _fault(words: Words, fault: Fault) -> str:
    what = words(f"holidays.fault.{fault.what}")
    if not fault.line:
        return words("holidays.faults.whole", what=what)
    return words("holidays.faults.line", line=fault.line, what=what, said=fault.said)


async def _text_of(message: Message, bot: Bot) -> str | None:
    """Return what was typed, or what a text file says; `None` for anything else."""
    if message.text:
        return message.text
    document = message.document
    if document is None or (document.file_size or 0) > LONGEST_TEXT * 4:
        return None
    stream = await bot.download(document)
    if stream is None:
        return None
    content = stream.read(LONGEST_TEXT * 4)
    for encoding in ENCODINGS:
        with suppress(UnicodeDecodeError):
            return content.decode(encoding)
    return None

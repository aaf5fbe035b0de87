"""Choosing when a notice repeats: pattern, time of day, then the next five dates before it is confirmed."""

import calendar
from collections.abc import Sequence
from zoneinfo import ZoneInfo

from aiogram import Router
from aiogram.filters.callback_data import CallbackData
from aiogram.fsm.context import FSMContext
from aiogram.types import CallbackQuery, InlineKeyboardButton, Message

from domain import spoken_times
from domain.notices import NoticeState
from domain.permissions import Action, Actor
from domain.recurrence import Yearly
from domain.repeats import TIMES, WEEK, pattern_of
from handlers.keyboards import Event, Row, button, keyboard, screen, show
from handlers.notice_taps import Draft
from handlers.notice_words import headline
from handlers.repeat_taps import Repeat, Repeating
from handlers.repeat_view import show_repeating
from handlers.repeat_words import LEAP_YEAR, month_name, outlook_lines, pattern_words, short_weekday, weekday
from handlers.welcome import members_only
from locales import Words
from services.toolbox import Toolbox

router = Router(name="repeat_choose")
STEPS = {"ask", "week", "month", "ends", "year", "days", "time", "show", "do"}
DAYS = range(1, 32)
COLUMNS = 5
"""So many numbers of two digits stand side by side on a phone."""


async def on_step(
    query: CallbackQuery, tap: Repeat, toolbox: Toolbox, actor: Actor, words: Words, state: FSMContext
) -> None:
    """Go on with choosing; the right is checked at each step."""
    found = await toolbox.notices.for_actor(actor, tap.id, Action.SEND_NOTICE)
    await state.clear()
    if tap.step in _SCREENS:
        rows = _SCREENS[tap.step](words, tap)
        text = screen(words(f"repeats.choose.{tap.step}.title"), words(f"repeats.choose.{tap.step}.what"))
        await show(
            query, text, keyboard(words, *rows, back=_back(tap, repeats=found.state is NoticeState.REPEATING))
        )
    elif tap.step == "time":
        await _ask_time(query, words, state, tap)
    elif tap.step == "show":
        await _show_dates(query, toolbox, actor, words, tap)
    else:
        await _confirm(query, toolbox, actor, words, state, tap)


def _back(tap: Repeat, *, repeats: bool) -> CallbackData:
    if tap.step == "ask":
        return Repeat(step="look", id=tap.id) if repeats else Draft(step="open", id=tap.id)
    return Repeat(step="year" if tap.step == "days" else "ask", id=tap.id)


def _kinds(words: Words, tap: Repeat) -> list[Row]:
    return [
        [button(words(f"repeats.button.{step}"), Repeat(step=step, id=tap.id))]
        for step in ("week", "month", "ends", "year")
    ]


def _weekdays(words: Words, tap: Repeat) -> list[Row]:
    return _in_rows([_code(tap, weekday(words, number), f"w{number}") for number in range(WEEK)], 3)


def _days_of_month(_words: Words, tap: Repeat) -> list[Row]:
    return _in_rows([_code(tap, str(number), f"d{number}") for number in DAYS], COLUMNS)


def _ends(words: Words, tap: Repeat) -> list[Row]:
    return [
        [
            _code(
                tap,
                words(f"repeats.button.{end}", weekday=short_weekday(words, number)),
                f"{end[0]}{number}",
            )
            for end in ("first", "last")
        ]
        for number in range(WEEK)
    ]


def _months(words: Words, tap: Repeat) -> list[Row]:
    return _in_rows(
        [
            button(month_name(words, number), Repeat(step="days", id=tap.id, code=f"y{number:02}"))
            for number in range(1, 13)
        ],
        4,
    )


def _days_of_year(_words: Words, tap: Repeat) -> list[Row]:
    """Offer the days of the chosen month; a forged month has none, and its rule is refused."""
    month = pattern_of(f"{tap.code}01")
    last = calendar.monthrange(LEAP_YEAR, month.month)[1] if isinstance(month, Yearly) else 0
    return _in_rows([_code(tap, str(day), f"{tap.code}{day:02}") for day in range(1, last + 1)], COLUMNS)


_SCREENS = {
    "ask": _kinds,
    "week": _weekdays,
    "month": _days_of_month,
    "ends": _ends,
    "year": _months,
    "days": _days_of_year,
}


def _code(tap: Repeat, label: str, code: str) -> InlineKeyboardButton:
    return button(label, Repeat(step="time", id=tap.id, code=code))


def _in_rows(buttons: Sequence[InlineKeyboardButton], width: int) -> list[Row]:
    return [list(buttons[start : start + width]) for start in range(0, len(buttons), width)]


async def _ask_time(event: Event, words: Words, state: FSMContext, tap: Repeat, key: str = "what") -> None:
    pattern_of(tap.code)
    await state.set_state(Repeating.time)
    await state.set_data({"id": tap.id, "code": tap.code})
    times = [
        button(f"{at:%H:%M}", Repeat(step="show", id=tap.id, code=tap.code, at=f"{at:%H%M}")) for at in TIMES
    ]
    text = screen(words("repeats.choose.time.title"), words(f"repeats.choose.time.{key}"))
    await show(event, text, keyboard(words, *_in_rows(times, 4), back=Repeat(step="ask", id=tap.id)))


@router.message(Repeating.time)
@members_only
async def on_time(message: Message, toolbox: Toolbox, actor: Actor, words: Words, state: FSMContext) -> None:
    """Read a typed time of day; what is none is asked again."""
    data = await state.get_data()
    tap = Repeat(step="show", id=data.get("id", 0), code=data.get("code", ""))
    found = await toolbox.notices.for_actor(actor, tap.id, Action.SEND_NOTICE)
    zone = ZoneInfo(found.sender.zone)
    at = spoken_times.read(message.text or "", toolbox.repeats.now(), zone)
    if at is None:
        await _ask_time(message, words, state, tap, "unread")
        return
    tap.at = f"{at.astimezone(zone):%H%M}"
    await _show_dates(message, toolbox, actor, words, tap)
    await state.clear()


async def _show_dates(event: Event, toolbox: Toolbox, actor: Actor, words: Words, tap: Repeat) -> None:
    """Show the next five dates, with what each falls on, before anything holds."""
    found, rule, ahead = await toolbox.repeats.preview(actor, tap.id, tap.code, tap.at)
    text = screen(
        words("repeats.show.title", pattern=pattern_words(words, rule)),
        words("report.of", headline=headline(words, found, 100)),
        words("repeats.next", lines=outlook_lines(words, ahead, rule)),
        words("repeats.show.what"),
    )
    rows = [
        [button(words("repeats.button.do"), tap.model_copy(update={"step": "do"}))],
        [
            button(words("repeats.button.other_time"), tap.model_copy(update={"step": "time", "at": ""})),
            button(words("repeats.button.other_dates"), Repeat(step="ask", id=tap.id)),
        ],
    ]
    await show(event, text, keyboard(words, *rows, back=Draft(step="open", id=tap.id)))


async def _confirm(
    event: Event, toolbox: Toolbox, actor: Actor, words: Words, state: FSMContext, tap: Repeat
) -> None:
    """Let it repeat; a large audience is asked for its number first."""
    preview = await toolbox.notices.preview(actor, tap.id)
    if preview.must_type and preview.notice.state is NoticeState.DRAFT:
        number = preview.reach.total if preview.reach else 0
        await state.set_state(Repeating.number)
        await state.set_data({"id": tap.id, "code": tap.code, "at": tap.at})
        text = screen(words("preview.number.title", n=number), words("preview.number.ask", n=number))
        await show(event, text, keyboard(words, back=tap.model_copy(update={"step": "show"})))
        return
    await toolbox.repeats.start(actor, tap.id, tap.code, tap.at)
    await show_repeating(event, toolbox, actor, words, tap.id)


@router.message(Repeating.number)
@members_only
async def on_number(
    message: Message, toolbox: Toolbox, actor: Actor, words: Words, state: FSMContext
) -> None:
    """Take the typed number; a wrong one is refused and may be typed again."""
    data = await state.get_data()
    digits = "".join(each for each in message.text or "" if each.isdecimal())
    notice_id = data.get("id", 0)
    await toolbox.repeats.start(
        actor, notice_id, data.get("code", ""), data.get("at", ""), int(digits[:9] or 0)
    )
    await show_repeating(message, toolbox, actor, words, notice_id)
    await state.clear()

"""How repeating reads: the pattern, and each of the next dates with what it falls on and what holds it."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime

from domain.holidays import DayKind
from domain.recurrence import Every, MonthDay, NthWeekday, Rule, Yearly
from domain.repeats import A_MONDAY, Outlook
from locales import Words
from services.times import moment

_WEEKDAY = {"zh_CN": "EEE", "en": "EEEE"}
_MOMENT = {"zh_CN": "M月d日 EEE HH:mm", "en": "EEE d MMM, HH:mm"}
_WITH_YEAR = {"zh_CN": "y年M月d日 EEE HH:mm", "en": "EEE d MMM y, HH:mm"}
_MONTH_DAY = {"zh_CN": "M月d日", "en": "d MMMM"}
LEAP_YEAR = 2024
LAST_DAY, SHORTEST_MONTH = 31, 28


def weekday(words: Words, number: int) -> str:
    """Write ``周三`` or ``Wednesday``."""
    return _weekday(words, number, _WEEKDAY[words.language])


def short_weekday(words: Words, number: int) -> str:
    """Write ``周三`` or ``Wed``, where there is little room."""
    return _weekday(words, number, "EEE")


def month_name(words: Words, number: int) -> str:
    """Write ``7月`` or ``Jul``."""
    return format_date(date(LEAP_YEAR, number, 1), "LLL", locale=words.language)


def _weekday(words: Words, number: int, pattern: str) -> str:
    return format_date(A_MONDAY + timedelta(days=number), pattern, locale=words.language)


def pattern_words(words: Words, rule: Rule) -> str:
    """Write ``每周三 09:00``."""
    return words("repeats.pattern", dates=_dates(words, rule), at=f"{rule.at:%H:%M}")


def _dates(words: Words, rule: Rule) -> str:
    match rule.pattern:
        case Every(since=since):
            return words("repeats.pattern.week", weekday=weekday(words, since.weekday()))
        case MonthDay(day=day) if day == LAST_DAY:
            return words("repeats.pattern.month_end")
        case MonthDay(day=day):
            return words("repeats.pattern.month", day=day)
        case NthWeekday(n=n, weekday=number):
            key = "repeats.pattern.first" if n == 1 else "repeats.pattern.last"
            return words(key, weekday=weekday(words, number))
        case Yearly(month=month, day=day):
            on = format_date(date(LEAP_YEAR, month, day), _MONTH_DAY[words.language], locale=words.language)
            return words("repeats.pattern.year", day=on)
        case _:
            return rule.pattern.at.isoformat()


def outlook_lines(words: Words, ahead: Iterable[Outlook], rule: Rule) -> str:
    """Write the next dates, one a line, each with what is to know about it."""
    yearly = isinstance(rule.pattern, Yearly)
    zone = ZoneInfo(rule.zone)
    return "\n".join(f"· {outlook_words(words, each, zone, with_year=yearly)}" for each in ahead)


def outlook_words(words: Words, one: Outlook, zone: ZoneInfo, *, with_year: bool = False) -> str:
    """Write ``10月1日 周四 09:00（国庆节，休息日不打扰，10月8日 08:00 送到）``."""
    pattern = _WITH_YEAR if with_year else _MOMENT
    at = format_datetime(one.occurrence.at.astimezone(zone), pattern[words.language], locale=words.language)
    notes = [note for note in (_day_note(words, one), _hold_note(words, one, zone)) if note]
    if not notes:
        return at
    return words("repeats.date.noted", at=at, note=words("repeats.comma").join(notes))


def _day_note(words: Words, one: Outlook) -> str:
    if one.day.kind is DayKind.HOLIDAY:
        return one.day.name.said(words.language) or words("repeats.date.holiday")
    if one.day.kind is DayKind.ADJUSTED_WORKDAY:
        return words("repeats.date.worked")
    return words("repeats.date.unknown") if one.day.kind is DayKind.UNKNOWN else ""


def _hold_note(words: Words, one: Outlook, zone: ZoneInfo) -> str:
    if one.held is None:
        return ""
    return words(f"repeats.held.{one.held.reason}", when=_until(words, one.held.until, zone))


def _until(words: Words, at: datetime, zone: ZoneInfo) -> str:
    return moment(words, at, zone)

"""A service day in words: its date with the weekday, why it was moved, and how things stand."""

from datetime import date

from babel.dates import format_date

from domain.service_days import SERVICE_MONTH, DayState, ServiceDay, Why
from locales import Words

_SHORT = {"zh_CN": "M月d日 EEE", "en": "EEE d MMM"}
_WITH_YEAR = {"zh_CN": "y年M月d日 EEE", "en": "EEE d MMM y"}
_BUTTON = {"zh_CN": "M月d日", "en": "d MMM"}
_MONTH = {"zh_CN": "M月", "en": "MMMM"}
_MONTH_BUTTON = {"zh_CN": "M月", "en": "MMM"}


def short(words: Words, day: date) -> str:
    """Write ``3月7日 周六`` or ``Sat 7 Mar``."""
    return format_date(day, _SHORT[words.language], locale=words.language)


def with_year(words: Words, day: date) -> str:
    """Write ``2026年3月7日 周六`` or ``Sat 7 Mar 2026``."""
    return format_date(day, _WITH_YEAR[words.language], locale=words.language)


def on_button(words: Words, day: date) -> str:
    """Write ``3月7日`` or ``7 Mar``, where there is little room."""
    return format_date(day, _BUTTON[words.language], locale=words.language)


def month(words: Words, day: date) -> str:
    """Write ``3月`` or ``March``."""
    return format_date(day, _MONTH[words.language], locale=words.language)


def month_button(words: Words, day: date) -> str:
    """Write ``3月`` or ``Mar``."""
    return format_date(day, _MONTH_BUTTON[words.language], locale=words.language)


def reason(words: Words, day: ServiceDay) -> str:
    """Say why it does not lie on the first Saturday, or what stands against that; nothing where nothing does."""
    holiday = day.holiday.said(words.language) or words("service_days.why.some_holiday")
    planned = short(words, day.planned)
    if day.moved:
        key = day.why if day.why in {Why.HOLIDAY, Why.ADJUSTED_WORKDAY} else Why.BY_HAND
        return words(f"service_days.why.moved.{key}", planned=planned, holiday=holiday)
    if day.why in {Why.HOLIDAY, Why.ADJUSTED_WORKDAY}:
        return words(f"service_days.why.on.{day.why}", holiday=holiday)
    if day.why is Why.UNKNOWN_YEAR and day.state.open:
        return words("service_days.why.unknown_year", year=day.planned.year)
    return ""


def standing(words: Words, day: ServiceDay) -> str:
    """Say what is decided: confirmed, not yet, or no day this month."""
    return words(f"service_days.state.{day.state}")


def service_month(words: Words, day: ServiceDay) -> str:
    """Say that March is service month; nothing in the other months."""
    return words("service_days.month") if day.month.month == SERVICE_MONTH else ""


def headline(words: Words, day: ServiceDay) -> str:
    """Write the date with what is decided: ``1月10日 周六 · 已确认``."""
    if day.state is DayState.CANCELLED:
        return words("service_days.line.cancelled", month=month(words, day.month))
    return words("service_days.line", day=short(words, day.date), state=standing(words, day))

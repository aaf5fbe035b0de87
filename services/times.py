"""Times and days as people read them: local, in the language of the chat."""

from datetime import date, datetime
from functools import cache
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_datetime

from domain.clock import CITY_ZONE
from locales import Words

_MOMENT = {"zh_CN": "M月d日 HH:mm", "en": "d MMM, HH:mm"}
_DATED = {"zh_CN": "y年M月d日 HH:mm", "en": "d MMM y, HH:mm"}
_SHORT_DAY = {"zh_CN": "M月d日", "en": "d MMM"}
_DAY = {"zh_CN": "y年M月d日", "en": "d MMM y"}


def moment(words: Words, at: datetime, zone: ZoneInfo = CITY_ZONE) -> str:
    """Write ``3月4日 10:00`` or ``4 Mar, 10:00``."""
    return format_datetime(at.astimezone(zone), _MOMENT[words.language], locale=_locale(words.language))


def dated(words: Words, at: datetime, now: datetime, zone: ZoneInfo = CITY_ZONE) -> str:
    """Write a moment, and the year with it if it is not this one: ``2025年3月4日 10:00``."""
    local = at.astimezone(zone)
    if local.year == now.astimezone(zone).year:
        return moment(words, at, zone)
    return format_datetime(local, _DATED[words.language], locale=_locale(words.language))


def day(words: Words, on: date | datetime, zone: ZoneInfo = CITY_ZONE) -> str:
    """Write ``2026年3月4日`` or ``4 Mar 2026``."""
    local = on.astimezone(zone).date() if isinstance(on, datetime) else on
    return format_date(local, _DAY[words.language], locale=_locale(words.language))


def short_day(words: Words, on: datetime, zone: ZoneInfo = CITY_ZONE) -> str:
    """Write ``3月4日`` or ``4 Mar``, where a line is short."""
    return format_date(on.astimezone(zone).date(), _SHORT_DAY[words.language], locale=_locale(words.language))


@cache
def _locale(language: str) -> Locale:
    """Read a locale once: looked up by its name each time it costs more than the writing."""
    return Locale.parse(language)

"""Times as people type them, in Chinese or English, and the few that are offered on a button."""

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

FIRST_THING = time(9)
EVENING = time(18)
STEP = timedelta(minutes=5)
SOON = timedelta(minutes=15)

_DAYS = {
    "今天": 0,
    "今晚": 0,
    "今早": 0,
    "明天": 1,
    "明早": 1,
    "明晚": 1,
    "后天": 2,
    "大后天": 3,
    "today": 0,
    "tonight": 0,
}
_DAYS |= {"tomorrow": 1}
_WEEKDAYS = {name: number for number, name in enumerate("一二三四五六日")} | {"天": 6}
_ENGLISH = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DIGITS = {character: number for number, character in enumerate("零一二三四五六七八九十")} | {"两": 2}

_ISO = re.compile(r"(?P<year>\d{4})\s*[-/.年]\s*(?P<month>\d{1,2})\s*[-/.月]\s*(?P<day>\d{1,2})\s*[日号]?")
_CHINESE = re.compile(r"(?P<month>\d{1,2})\s*月\s*(?P<day>\d{1,2})\s*[日号]?")
_SHORT = re.compile(r"(?<![\d:])(?P<month>\d{1,2})\s*[-/]\s*(?P<day>\d{1,2})(?![\d:])")
_DAY_MONTH = re.compile(rf"(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\s*(?P<name>{'|'.join(_MONTHS)})[a-z]*\.?")
_MONTH_DAY = re.compile(
    rf"(?P<name>{'|'.join(_MONTHS)})[a-z]*\.?\s*(?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?!\s*[:\d])"
)
_WEEK = re.compile(r"(?P<next>下)?(?:个)?(?:周|星期|礼拜)(?P<name>[一二三四五六日天])")
_WEEK_EN = re.compile(rf"(?P<next>next\s+)?\b(?P<name>{'|'.join(_ENGLISH)})[a-z]*\b")
_NEAR = re.compile("|".join(sorted(_DAYS, key=len, reverse=True)))
_HALF = re.compile(r"(?P<half>凌晨|早上|早|上午|中午|下午|晚上|晚)")
_CLOCK = re.compile(r"(?P<hour>\d{1,2})\s*[::]\s*(?P<minute>\d{2})\s*(?P<half>am|pm)?")
_DOT = re.compile(
    r"(?P<hour>\d{1,2}|[一二两三四五六七八九十]{1,3})\s*[点时]\s*(?:(?P<minute>\d{1,2})\s*分?|(?P<thirty>半))?"
)
_PLAIN = re.compile(r"(?<!\d)(?P<hour>\d{1,2})\s*(?P<half>am|pm)")
AFTERNOON = {"下午", "晚上", "晚", "pm"}
NOON = 12


def read(text: str, now: datetime, zone: ZoneInfo) -> datetime | None:
    """Read ``明天9点``, ``3月5日 14:30``, ``下周一上午9点``, ``5 Mar 9:00``, ``tomorrow 9am``; `None` if it is no time.

    A time without a day is the next such moment; a date without a year lies ahead; a date needs a time.
    """
    said = text.strip().lower()
    clock, rest = _clock(said)
    if clock is None:
        return None
    local = now.astimezone(zone)
    day = _day(rest, local.date())
    if day is None:
        if _leftover(rest):
            return None
        day = local.date() + timedelta(days=clock <= local.time())
    return datetime.combine(day, clock, zone).astimezone(UTC)


def offered(now: datetime, zone: ZoneInfo) -> list[datetime]:
    """Return a few good moments: in an hour, this evening, tomorrow and next Monday first thing."""
    local = now.astimezone(zone)
    hour = local + timedelta(hours=1)
    hour -= timedelta(minutes=hour.minute % 5, seconds=hour.second, microseconds=hour.microsecond) - STEP
    tomorrow = local.date() + timedelta(days=1)
    monday = local.date() + timedelta(days=7 - local.weekday())
    days = [(local.date(), EVENING), (tomorrow, FIRST_THING), (monday, FIRST_THING)]
    moments = [hour, *(datetime.combine(day, at, zone) for day, at in days)]
    return _unique(moment.astimezone(UTC) for moment in moments if moment > local + SOON)


def _unique(moments: Iterable[datetime]) -> list[datetime]:
    return sorted(set(moments))


def _clock(said: str) -> tuple[time | None, str]:
    """Find the time of day; returns what is left for the day."""
    half = _HALF.search(said)
    for pattern in (_CLOCK, _DOT, _PLAIN):
        found = pattern.search(said)
        if found is None:
            continue
        rest = said[: found.start()] + " " + said[found.end() :]
        fields = found.groupdict()
        minute = 30 if fields.get("thirty") else int(fields.get("minute") or 0)
        hour = _number(fields["hour"])
        named = fields.get("half") or (half["half"] if half else None)
        return _time(_of_day(hour, named), minute), rest
    return None, said


def _of_day(hour: int, half: str | None) -> int:
    if half in AFTERNOON and hour < NOON:
        return hour + NOON
    if half in {"am", "凌晨"} and hour == NOON:
        return 0
    return hour


def _time(hour: int, minute: int) -> time | None:
    try:
        return time(hour, minute)
    except ValueError:
        return None


def _number(text: str) -> int:
    """Read ``14`` or ``十四``."""
    if text.isdigit():
        return int(text)
    tens, ten, ones = text.rpartition("十")
    return (_DIGITS.get(tens, 1) * 10 if ten else 0) + _DIGITS.get(ones, 0)


def _day(said: str, today: date) -> date | None:
    near = _NEAR.search(said)
    if near:
        return today + timedelta(days=_DAYS[near[0]])
    for pattern in (_ISO, _CHINESE, _DAY_MONTH, _MONTH_DAY, _SHORT):
        found = pattern.search(said)
        if found:
            return _dated(found.groupdict(), today)
    week = _WEEK.search(said)
    if week:
        return _weekday(_WEEKDAYS[week["name"]], today, next_week=bool(week["next"]))
    english = _WEEK_EN.search(said)
    if english:
        return _weekday(_ENGLISH.index(english["name"]), today, next_week=bool(english["next"]))
    return None


def _dated(fields: dict[str, str | None], today: date) -> date | None:
    name = fields.get("name")
    month = _MONTHS.index(name) + 1 if name else int(fields.get("month") or 0)
    year = fields.get("year")
    try:
        found = date(int(year or today.year), month, int(fields["day"] or 0))
        return found if year or found >= today else found.replace(year=today.year + 1)
    except ValueError:
        return None


def _weekday(wanted: int, today: date, *, next_week: bool) -> date:
    """Return the next such day; with "next" the one of the week after this."""
    if next_week:
        return today + timedelta(days=7 - today.weekday() + wanted)
    return today + timedelta(days=(wanted - today.weekday()) % 7)


def _leftover(rest: str) -> str:
    """Return what is neither a part of the day nor a filler: a day that was not understood."""
    return re.sub(r"凌晨|早上|早|上午|中午|下午|晚上|晚|\bat\b|[\s,,。.]", "", rest)

"""A year's holiday table as people hand it in: typed lines, CSV, JSON, or the State Council's own announcement.

What differs from Monday-to-Friday stands in it, a day or a span a line: ``2027-10-01~2027-10-07,holiday,国庆节``,
``10月9日 上班 国庆节``, or pasted as announced: ``一、元旦:1月1日(周五)至3日(周日)放假。``
Each fault names its line; a table with a fault is not used.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from domain import holiday_announcements
from domain.holidays import BRIDGE_STARTS, NAMES, SATURDAY, Day, DayKind, HolidayName, YearTable

LONGEST_TEXT = 20_000
MOST_DAYS = 200
LONGEST_NAME = 40
LONGEST_SPAN = 31
EXCERPT = 40
HEADINGS = {"date", "day", "日期"}
KINDS = {
    **dict.fromkeys(("holiday", "off", "放假", "休", "假", "节假日"), DayKind.HOLIDAY),
    **dict.fromkeys(
        ("adjusted_workday", "workday", "work", "上班", "班", "调休", "调休上班", "补班"),
        DayKind.ADJUSTED_WORKDAY,
    ),
}
STATUTORY: tuple[str, ...] = ("New Year's Day", "Spring Festival", "Tomb-sweeping Day", "Labour Day")
STATUTORY += ("Dragon Boat Festival", "Mid-autumn Festival", "National Day")

_DATE = re.compile(r"(?:(\d{4})\s*[-/.年]\s*)?(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*[日号]?")
_TO = r"\s*(?:~|\uff5e|至|\.\.|—+|–|到|\bto\b)\s*"
_SPAN = re.compile(_TO)
_BETWEEN = re.compile(rf"(?<=[\d日号]){_TO}(?=\d)")
_SEPARATOR = re.compile(r"\s*[,\uff0c;\uff1b\t]\s*")


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong in which line; `what` is a word of the catalogue, `said` the beginning of the line."""

    line: int
    what: str
    said: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """A span of days as one line gives it."""

    line: int
    first: date
    last: date
    kind: DayKind
    name: HolidayName
    said: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What a text came to: a table or faults, and the statutory holidays it does not mention."""

    table: YearTable | None
    faults: tuple[Fault, ...] = ()
    missing: tuple[HolidayName, ...] = ()


class _Wrong(Exception):  # noqa: N818 - a fact about a line
    """A line cannot be used, for a reason."""


def read(text: str, year: int | None = None) -> Reading:
    """Read a table; without a `year` it is the one most dates lie in."""
    if len(text) > LONGEST_TEXT:
        return Reading(None, (Fault(0, "too_long"),))
    text = text.lstrip("\ufeff")
    if text.lstrip()[:1] in {"[", "{"}:
        lines = _lines_of_json(text)
        if lines is None:
            return Reading(None, (Fault(0, "json"),))
    else:
        lines = holiday_announcements.of_interest(list(enumerate(text.splitlines(), start=1)))
    meant = year or holiday_announcements.year_of(text) or _most_common_year(text)
    if meant is None:
        return Reading(None, (Fault(0, "no_year" if _DATE.search(text) else "empty"),))
    return _table(meant, lines)


def template(year: int) -> str:
    """Write a CSV to fill in; nothing in it is guessed, so unchanged it is refused as empty."""
    rows = [
        "date,kind,name,name_en",
        f"# {year}-MM-DD~{year}-MM-DD,holiday,... : a span of free days, weekends within it included",
        f"# {year}-MM-DD,workday,... : a Saturday or Sunday on which people work",
    ]
    for english in STATUTORY:
        name = NAMES[english]
        rows.append(f"# {year}-MM-DD~{year}-MM-DD,holiday,{name.zh},{name.en}")
        rows.append(f"# {year}-MM-DD,workday,{name.zh},{name.en}")
    return "\n".join(rows) + "\n"


def _table(year: int, lines: Iterable[tuple[int, str]]) -> Reading:
    entries: list[Entry] = []
    faults: list[Fault] = []
    for number, line in lines:
        said = line.strip()
        try:
            entries.extend(_entries(number, said, year))
        except _Wrong as wrong:
            faults.append(Fault(number, str(wrong), said[:EXCERPT]))
    days: dict[date, Day] = {}
    for entry in entries:
        faults.extend(_put(days, entry, year))
    if not days and not faults:
        faults.append(Fault(0, "empty"))
    if len(days) > MOST_DAYS:
        faults.append(Fault(0, "too_long"))
    if faults:
        return Reading(None, tuple(sorted(faults, key=lambda fault: fault.line)))
    named = " ".join(day.name.en for day in days.values())
    missing = tuple(NAMES[english] for english in STATUTORY if english not in named)
    return Reading(YearTable(year, dict(sorted(days.items()))), missing=missing)


def _entries(number: int, line: str, year: int) -> Iterator[Entry]:
    if not line or line.startswith("#"):
        return
    if holiday_announcements.is_announced(line):
        try:
            for found in holiday_announcements.read(line, year):
                yield Entry(number, found.first, found.last, found.kind, _name(found.name), line)
        except holiday_announcements.WrongWeekday:
            raise _Wrong("weekday") from None
        except ValueError:
            raise _Wrong("date") from None
        return
    fields = _fields(line)
    if fields[0].lower() in HEADINGS:
        return
    first, last = _span(fields[0], year)
    if len(fields) < 2 or (kind := KINDS.get(fields[1].lower())) is None:  # noqa: PLR2004 - date and kind
        raise _Wrong("kind")
    yield Entry(number, first, last, kind, _name(*fields[2:4]), line)


def _fields(line: str) -> list[str]:
    """Split at commas or tabs, or at blanks; a name with commas around it is unquoted."""
    parts = _SEPARATOR.split(line)
    if len(parts) == 1:
        parts = _BETWEEN.sub("~", line).split(maxsplit=2)
    return [part.strip().strip('"').strip() for part in parts]


def _span(text: str, year: int) -> tuple[date, date]:
    parts = _SPAN.split(text.strip())
    if len(parts) > 2:  # noqa: PLR2004 - from and to
        raise _Wrong("date")
    first = _date(parts[0], year)
    if len(parts) == 1:
        return first, first
    short = re.fullmatch(r"(\d{1,2})\s*[日号]?", parts[1])
    try:
        last = first.replace(day=int(short[1])) if short else _date(parts[1], year)
    except ValueError:
        raise _Wrong("date") from None
    return first, last


def _date(text: str, year: int) -> date:
    found = _DATE.fullmatch(text.strip())
    if found is None:
        raise _Wrong("date")
    try:
        return date(int(found[1] or year), int(found[2]), int(found[3]))
    except ValueError:
        raise _Wrong("date") from None


def _put(days: dict[date, Day], entry: Entry, year: int) -> Iterator[Fault]:
    """Put an entry's days into the table, and tell what is wrong with them."""
    if not 0 <= (entry.last - entry.first).days < LONGEST_SPAN:
        yield Fault(entry.line, "span", entry.said[:EXCERPT])
        return
    wrong: set[str] = set()
    if entry.kind is DayKind.HOLIDAY and not str(entry.name):
        wrong.add("name")
    for number in range((entry.last - entry.first).days + 1):
        day = entry.first + timedelta(days=number)
        if not _belongs(day, year):
            wrong.add("year")
        elif day in days:
            wrong.add("twice")
        elif entry.kind is DayKind.ADJUSTED_WORKDAY and day.weekday() < SATURDAY:
            wrong.add("no_weekend")
        else:
            days[day] = Day(entry.kind, entry.name)
    yield from (Fault(entry.line, what, entry.said[:EXCERPT]) for what in sorted(wrong))


def _belongs(day: date, year: int) -> bool:
    return day.year == year or (day.year == year - 1 and (day.month, day.day) >= BRIDGE_STARTS)


def _name(zh: str = "", en: str = "") -> HolidayName:
    """Recognise the known names, joined ones too, and keep others as they are."""
    if max(len(zh), len(en)) > LONGEST_NAME:
        raise _Wrong("name")
    known = [name for name in NAMES.values() if _mentions(zh, name) or name.en.lower() in zh.lower()]
    if not known or en:
        return HolidayName(zh, en)
    if len(known) == 1:
        return HolidayName(zh if known[0].zh in zh else known[0].zh, known[0].en)
    return HolidayName("、".join(name.zh for name in known), " / ".join(name.en for name in known))


def _mentions(text: str, name: HolidayName) -> bool:
    return (
        name.zh.removesuffix("节") in text or {"元旦": "新年", "春节": "除夕"}.get(name.zh, name.zh) in text
    )


def _most_common_year(text: str) -> int | None:
    years = Counter(int(found) for found in re.findall(r"(?<!\d)(20\d\d)(?=\s*[-/.年])", text))
    return years.most_common(1)[0][0] if years else None


def _lines_of_json(text: str) -> list[tuple[int, str]] | None:
    """Turn a list of objects (or ``{"days": [...]}``) into numbered lines of the same kind."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if isinstance(found, dict):
        found = found.get("days")
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        return None
    names = ("date", "kind", "name", "name_en")
    return [
        (number, "\t".join(str(each.get(name, "")).replace("\t", " ").replace("\n", " ") for name in names))
        for number, each in enumerate(found, start=1)
    ]

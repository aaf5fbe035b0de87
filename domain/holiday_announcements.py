"""The State Council's yearly announcement of holidays, read as it is published.

``七、国庆节:10月1日(周四)至7日(周三)放假调休,共7天。9月20日(周日)、10月10日(周六)上班。``
The weekdays beside the dates are checked: they tell when it is taken for another year's.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from domain.holidays import DayKind

_WEEKDAYS = {name: number for number, name in enumerate("一二三四五六日")} | {"天": 6}
_HEAD = re.compile(r"^\s*(?:[一二三四五六七八九十]+、|\d+[.、])?\s*(?P<name>[^:\uff1a\d]{2,30}?)\s*[:\uff1a]")
_SENTENCE = re.compile(r"[。;\uff1b]")
_ONE = r"(?:(?P<year{0}>\d{{4}})年)?(?:(?P<month{0}>\d{{1,2}})月)?(?P<day{0}>\d{{1,2}})日(?:[(\uff08](?P<note{0}>[^)\uff09]*)[)\uff09])?"
_SPAN = re.compile(_ONE.format(1) + r"(?:\s*(?:至|—+|-|~|到)\s*" + _ONE.format(2) + ")?")
_WEEKDAY = re.compile(r"(?:周|星期)([一二三四五六日天])")
_DATED = re.compile(r"\d月\d{1,2}日")
_TITLE = re.compile(r"(20\d\d)\s*年[^。\n]{0,12}(?:部分)?节假日")


@dataclass(frozen=True, slots=True)
class Announced:
    """A span of days, and whether it is free or worked on."""

    first: date
    last: date
    kind: DayKind
    name: str


class WrongWeekday(Exception):  # noqa: N818 - a fact about a line
    """A date's weekday is not the one beside it."""


def year_of(text: str) -> int | None:
    """Return the year the announcement's title names."""
    found = _TITLE.search(text)
    return int(found[1]) if found else None


def of_interest(lines: list[tuple[int, str]]) -> list[tuple[int, str]]:
    """Leave the prose of an announcement out; any other text stays as it is."""
    if not any(is_announced(line) for _, line in lines):
        return lines
    return [(number, line) for number, line in lines if _DATED.search(line) and _says_how(line)]


def is_announced(line: str) -> bool:
    """Say whether a line is one of an announcement: a name, a colon, dates in words, free or worked."""
    return _HEAD.match(line) is not None and _DATED.search(line) is not None and _says_how(line)


def read(line: str, year: int) -> Iterator[Announced]:
    """Yield the spans of one line; raises `WrongWeekday`, or `ValueError` for a date there is not."""
    head = _HEAD.match(line)
    if head is None:
        raise ValueError
    month = 0
    for sentence in _SENTENCE.split(line[head.end() :]):
        kind = _kind(sentence)
        if kind is None:
            continue
        for span in _SPAN.finditer(sentence):
            first = _date(span, 1, year, month)
            last = _date(span, 2, first.year, first.month) if span["day2"] else first
            month = last.month
            yield Announced(first, last, kind, head["name"].strip())


def _says_how(line: str) -> bool:
    return "放假" in line or "上班" in line


def _kind(sentence: str) -> DayKind | None:
    if "上班" in sentence:
        return DayKind.ADJUSTED_WORKDAY
    return DayKind.HOLIDAY if "放假" in sentence else None


def _date(span: re.Match[str], which: int, year: int, month: int) -> date:
    given = int(span[f"month{which}"] or month)
    found = date(int(span[f"year{which}"] or year), given, int(span[f"day{which}"]))
    if which == 2 and not span["year2"] and found.month < month:  # noqa: PLR2004 - December to January
        found = found.replace(year=found.year + 1)
    weekday = _WEEKDAY.search(span[f"note{which}"] or "")
    if weekday is not None and _WEEKDAYS[weekday[1]] != found.weekday():
        raise WrongWeekday
    return found

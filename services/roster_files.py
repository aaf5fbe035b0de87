"""What a file is, by its first bytes and not by its name; and what its sheet tells at a first look."""

from collections.abc import Iterator
from datetime import date
from itertools import islice
from typing import Protocol

from domain.roster import MOST_ROWS, Bad, Look, Plan, RosterKind
from domain.roster_columns import DEEPEST, TALLEST, find_headings, headings, joined, kind_of
from domain.roster_refusals import (
    NoHeadings,
    NotASheet,
    SheetEmpty,
    SheetIsOldExcel,
    SheetIsPage,
    SheetLocked,
    SheetNotFound,
    SheetTooLarge,
    SheetTooLong,
)
from domain.roster_rows import Line, read
from domain.roster_values import Value, text_of
from services.roster_csv import CsvSheet
from services.roster_xlsx import XlsxSheet

LARGEST = 20 * 1024**2
"""Bytes: what Telegram lets a bot download (https://core.telegram.org/bots/api#getfile)."""
SAMPLE = 30
MOST_SHEETS = 12
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_LOCKED = "EncryptedPackage".encode("utf-16-le")
_FOREIGN = (b"%PDF", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"Rar!", b"7z\xbc\xaf", b"\x1f\x8b", b"{\\rtf")


class Sheet(Protocol):
    """Rows with their lines, blank ones left out."""

    name: str
    about: int

    def rows(self, *, filled: bool = True) -> Iterator[tuple[int, list[Value]]]: ...


def open_sheet(data: bytes, name: str = "") -> Sheet:
    """Return the sheet of a file; each kind we cannot read is refused by its name."""
    if len(data) > LARGEST:
        raise SheetTooLarge(megabytes=LARGEST // 1024**2)
    if not data.strip(b"\0\t\r\n \xef\xbb\xbf\xff\xfe"):
        raise SheetEmpty
    if data.startswith(_OLE):
        raise SheetLocked if _LOCKED in data else SheetIsOldExcel
    if data.startswith(b"PK"):
        return XlsxSheet(data, name)
    if data.startswith(_FOREIGN):
        raise NotASheet
    if data.lstrip(b"\xef\xbb\xbf \r\n\t")[:1] == b"<":
        raise SheetIsPage
    if name:
        raise SheetNotFound(sheet=name)
    return CsvSheet(data)  # type: ignore[return-value]  # a str is a Value


def look(data: bytes, name: str = "", kind: RosterKind | None = None) -> Look:
    """Find the sheet, its headings and what they mean."""
    sheet = open_sheet(data, name)
    if isinstance(sheet, XlsxSheet) and not name:
        sheet = _telling(data, sheet)
    found = _look(sheet, kind)
    if found is None:
        raise NoHeadings
    return found


def lines(data: bytes, seen: Look, plan: Plan, today: date) -> Iterator[Line | Bad]:
    """Read all rows below the headings."""
    for count, (line, cells) in enumerate(_below(data, seen), start=1):
        if count > MOST_ROWS:
            raise SheetTooLong(rows=MOST_ROWS)
        yield read(seen.kind, line, cells, plan, today)


def pick(data: bytes, seen: Look, wanted: set[int]) -> Iterator[tuple[int, list[str]]]:
    """Return lines as they stand in the file, without the columns that are never kept."""
    kept = [each.index for each in seen.headings if not each.never]
    for line, cells in _below(data, seen):
        if line in wanted:
            yield line, [text_of(cells[index]) if index < len(cells) else "" for index in kept]


def _below(data: bytes, seen: Look) -> Iterator[tuple[int, list[Value]]]:
    return (row for row in open_sheet(data, seen.sheet).rows() if row[0] >= seen.first)


def _telling(data: bytes, first: XlsxSheet) -> XlsxSheet:
    """Choose the first sheet that has headings, if any has."""
    for name in first.names()[:MOST_SHEETS]:
        sheet = first if name == first.name else XlsxSheet(data, name)
        if _look(sheet, None) is not None:
            return sheet
    return first


def _look(sheet: Sheet, kind: RosterKind | None) -> Look | None:
    rows = list(islice(sheet.rows(filled=False), DEEPEST + TALLEST + SAMPLE))
    texts = [[text_of(cell) for cell in row] for _, row in rows]
    if not texts:
        raise SheetEmpty
    found = find_headings(texts)
    if found is None:
        return None
    start, end = found
    names = joined(texts[start:end])
    meant = kind or kind_of(names)
    first = rows[end - 1][0] + 1
    about = max(sheet.about - first + 1, 0)
    return Look(sheet.name, meant, headings(names, texts[end:], meant), first, about)

"""Sheets that go out: CSV and XLSX which no spreadsheet program takes for formulas, written row by row."""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import IO, Any, Protocol

Cell = str | int | float | date | datetime | None
"""What a cell may hold; a date or a number stays one, any text is only ever text."""

BOM = "\ufeff"
"""Opens a CSV file, so that Excel reads it as UTF-8."""
_FORMULA = re.compile(r"\s*[=+\-@|%＝＋－＠]")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
_LONGEST = 32_767  # characters: https://support.microsoft.com/office/excel-specifications-and-limits
_LONGEST_TITLE = 31
_NOT_IN_TITLE = re.compile(r"[\[\]:*?/\\]")


class SheetForm(StrEnum):
    """What kind of file; the value is its ending."""

    CSV = "csv"
    XLSX = "xlsx"


class SheetWriter(Protocol):
    """Takes rows, one after the other."""

    def add(self, row: Sequence[Cell]) -> None: ...


def safe_cell(value: Cell) -> Cell:
    """Return what a cell may hold: text that a spreadsheet program would run gets a ``'`` before it.

    https://owasp.org/www-community/attacks/CSV_Injection

    >>> safe_cell("=1+1"), safe_cell("+8613805740001"), safe_cell("张三"), safe_cell(-5)
    ("'=1+1", "'+8613805740001", '张三', -5)
    """
    if not isinstance(value, str):
        return value
    text = _CONTROL.sub("", value)[: _LONGEST - 1]
    return f"'{text}" if text[:1] in {"\t", "\r", "\n"} or _FORMULA.match(text) else text


def unsafe_text(text: str) -> str:
    """Return what `safe_cell` was given: the ``'`` goes that stands before a number or a formula's sign."""
    rest = text[1:]
    return rest if text.startswith("'") and (rest[:1].isdigit() or safe_cell(rest) != rest) else text


@contextmanager
def writing(target: Path | IO[bytes], form: SheetForm, title: str = "") -> Iterator[SheetWriter]:
    """Open a sheet to be written; memory stays flat however many rows are added."""
    if isinstance(target, Path):
        with target.open("wb") as file, writing(file, form, title) as writer:
            yield writer
    elif form is SheetForm.CSV:
        text = io.TextIOWrapper(target, encoding="utf-8", newline="", write_through=True)
        yield _Csv(text)
        text.detach()
    else:
        with _xlsx(target, title) as writer:
            yield writer


def sheet_bytes(rows: Iterable[Sequence[Cell]], form: SheetForm, title: str = "") -> bytes:
    """Write a small sheet in memory."""
    held = io.BytesIO()
    with writing(held, form, title) as writer:
        for row in rows:
            writer.add(row)
    return held.getvalue()


class _Csv:
    def __init__(self, file: IO[str]) -> None:
        file.write(BOM)
        self._rows = csv.writer(file, lineterminator="\r\n")

    def add(self, row: Sequence[Cell]) -> None:
        self._rows.writerow([safe_cell(value) for value in row])


class _Xlsx:
    def __init__(self, sheet: Any) -> None:
        self._sheet = sheet

    def add(self, row: Sequence[Cell]) -> None:
        self._sheet.append([self._cell(value) for value in row])

    def _cell(self, value: Cell) -> Any:
        """Return a cell; text is marked as text, or openpyxl takes ``=…`` for a formula."""
        if not isinstance(value, str):
            return _local(value)
        from openpyxl.cell import WriteOnlyCell

        cell = WriteOnlyCell(self._sheet, safe_cell(value))
        cell.data_type = "s"
        return cell


@contextmanager
def _xlsx(target: IO[bytes], title: str) -> Iterator[SheetWriter]:
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    sheet = book.create_sheet(_NOT_IN_TITLE.sub(" ", title)[:_LONGEST_TITLE].strip("'") or None)
    yield _Xlsx(sheet)
    book.save(target)


def _local(value: Cell) -> Cell:
    """Excel knows no zones: an aware time is written as ISO text."""
    return value.isoformat() if isinstance(value, datetime) and value.tzinfo is not None else value

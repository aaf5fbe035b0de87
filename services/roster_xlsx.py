"""Reading XLSX: what a workbook may unpack to is settled first, then its rows come one by one."""

import io
import re
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from xml.etree.ElementTree import ParseError

from domain.roster import MOST_COLUMNS, MOST_ROWS
from domain.roster_refusals import (
    SheetDamaged,
    SheetIsBinaryExcel,
    SheetIsOpenDocument,
    SheetLocked,
    SheetNotFound,
    SheetSuspicious,
    SheetTooLarge,
)
from domain.roster_values import EMPTY_FORMULA, Value

MOST_PARTS = 2_000
MOST_UNPACKED = 512 * 1024**2
MOST_STRINGS = 96 * 1024**2
"""Shared strings are held in memory whole, so they may be less than rows, which pass by."""
MOST_RATIO = 200
"""Rows that are all alike pack to a hundredth (measured); deflate's own limit is 1,032."""
UNSUSPICIOUS = 4 * 1024**2
_HEAD = 1 << 14
_CHUNK = 1 << 20
_MOST_MARKS = 200_000

_BROKEN = (
    zipfile.BadZipFile, zlib.error, EOFError, KeyError, ValueError, TypeError, AttributeError, IndexError,
    OverflowError, NotImplementedError, ParseError, OSError,
)  # fmt: skip
_ROOT = re.compile(rb"<[A-Za-z_]")
_ENTITY = re.compile(rb"<!(DOCTYPE|ENTITY)", re.IGNORECASE)
_PREFIX = rb"(?:\w+:)?"
_MERGE = re.compile(rb"<" + _PREFIX + rb'mergeCell\s[^>]*?ref="([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})"')
_FORMULA = re.compile(
    rb"<" + _PREFIX + rb"c(\s[^>]*)>\s*<" + _PREFIX + rb"f\b[^>]*?(?:/>|>[^<]*</" + _PREFIX + rb"f>)\s*"
    rb"(<" + _PREFIX + rb"v\s*/>|<" + _PREFIX + rb"v>\s*</" + _PREFIX + rb"v>)?\s*</" + _PREFIX + rb"c>"
)  # fmt: skip
_REFERENCE = re.compile(rb'\br="([A-Z]{1,3})(\d{1,7})"')


class XlsxSheet:
    """One sheet of a workbook: the one named, or the first that is seen."""

    def __init__(self, data: bytes, name: str = "") -> None:
        self._data = data
        with _told():
            check(data)
            self._book = _open(data)
            self._sheet = self._choose(name)
            self.name = str(self._sheet.title)
            self.about = min(int(self._sheet.max_row or 0), MOST_ROWS)
        self._merged: dict[int, list[tuple[int, int]]] = {}
        self._empty: set[tuple[int, int]] = set()
        self._looked = False

    def names(self) -> list[str]:
        """Name the sheets that are seen."""
        return [str(sheet.title) for sheet in self._seen()]

    def rows(self, *, filled: bool = True) -> Iterator[tuple[int, list[Value]]]:
        """Yield the rows that are not blank; `filled` gives each row of a merged cell its value."""
        with _told():
            if filled:
                self._look()
            self._sheet.reset_dimensions()  # what a file says of its size is not to be believed
            held: dict[int, tuple[int, Value]] = {}
            for line, cells in enumerate(self._sheet.iter_rows(max_col=MOST_COLUMNS, values_only=True), 1):
                if not cells or all(cell is None for cell in cells):
                    continue
                row = list(cells)
                if filled:
                    self._fill(line, row, held)
                yield line, row

    def _seen(self) -> list[Any]:
        return [sheet for sheet in self._book.worksheets if sheet.sheet_state == "visible"]

    def _choose(self, name: str) -> Any:
        for sheet in self._seen():
            if not name or sheet.title == name:
                return sheet
        raise SheetNotFound(sheet=name)

    def _fill(self, line: int, row: list[Value], held: dict[int, tuple[int, Value]]) -> None:
        for column, (last, value) in list(held.items()):
            if line > last:
                del held[column]
            elif column < len(row) and row[column] is None:
                row[column] = value
            elif column >= len(row):
                row.extend([None] * (column - len(row)) + [value])
        for column, last in self._merged.get(line, ()):
            if column < len(row):
                held[column] = (last, row[column])
        if self._empty:
            for column in range(len(row)):
                if row[column] is None and (line, column) in self._empty:
                    row[column] = EMPTY_FORMULA

    def _look(self) -> None:
        """Find merged cells and formulas without a result, which openpyxl does not tell while it streams."""
        if self._looked:
            return
        self._looked = True
        part = self._sheet._worksheet_path  # noqa: SLF001 - openpyxl has no public name for it
        with zipfile.ZipFile(io.BytesIO(self._data)) as archive, archive.open(part) as file:
            rest = b""
            while chunk := file.read(_CHUNK):
                rest = self._marks(rest + chunk)

    def _marks(self, piece: bytes) -> bytes:
        """Note the marks in a piece of the sheet; returns its end, which the next piece may complete."""
        for first, top, _, bottom in _MERGE.findall(piece):
            if int(bottom) > int(top) and _column(first) < MOST_COLUMNS:
                self._merged.setdefault(int(top), []).append((_column(first), int(bottom)))
        if b"f>" in piece or b"f/>" in piece or b":f" in piece:
            for found in _FORMULA.finditer(piece):
                where = _REFERENCE.search(found[1])
                if where and not (found[2] and b't="str"' in found[1]):
                    self._empty.add((int(where[2]), _column(where[1])))
        if len(self._merged) + len(self._empty) > _MOST_MARKS:
            raise SheetTooLarge
        cut = piece.rfind(b"<c ", max(len(piece) - _HEAD, 0))
        return piece[cut:] if cut >= 0 else piece[-200:]


def check(data: bytes) -> None:
    """Refuse what is no workbook, or unpacks to more than one would; nothing is unpacked for it."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = archive.infolist()
        names = {part.filename for part in parts}
        _check_kind(archive, names)
        if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > MOST_UNPACKED:
            raise SheetSuspicious
        for part in parts:
            _check_part(archive, part)


def _check_kind(archive: zipfile.ZipFile, names: set[str]) -> None:
    if "mimetype" in names and b"opendocument" in archive.open("mimetype").read(200):
        raise SheetIsOpenDocument
    if "xl/workbook.bin" in names:
        raise SheetIsBinaryExcel
    if "[Content_Types].xml" not in names:
        raise SheetDamaged


def _check_part(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> None:
    if part.flag_bits & 1:
        raise SheetLocked
    if part.file_size > UNSUSPICIOUS and part.file_size > MOST_RATIO * max(part.compress_size, 1):
        raise SheetSuspicious
    if part.filename.lower().endswith("sharedstrings.xml") and part.file_size > MOST_STRINGS:
        raise SheetTooLarge
    if part.filename.endswith((".xml", ".rels")):
        head = archive.open(part).read(_HEAD)
        if _ENTITY.search(head.replace(b"\0", b"")) or (head and not _ROOT.search(head.replace(b"\0", b""))):
            raise SheetSuspicious


@contextmanager
def _told() -> Iterator[None]:
    """Tell whatever a damaged workbook raises as one fact; openpyxl's advice is for programmers."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        except _BROKEN as error:
            raise SheetDamaged from error


def _open(data: bytes) -> Any:
    from openpyxl import load_workbook

    return load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)


def _column(letters: bytes) -> int:
    """Count a column from 0: A is 0, AA is 26."""
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number - 1

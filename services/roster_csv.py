"""Reading CSV: in which encoding and with which separator, found by trying; row by row."""

import codecs
import csv
import io
import re
from collections.abc import Iterator

from domain.roster import MOST_COLUMNS
from domain.roster_columns import DEEPEST, find_headings, guess, joined, kind_of
from domain.roster_refusals import SheetDamaged, SheetEncodingUnknown, SheetUnbalanced

SEPARATORS = ",;\t|，；"
LONGEST_CELL = 20_000
_CHUNK = 1 << 16
_CUT_OFF = 4
"""An encoding that fails within the last bytes was the right one: the file is cut off."""
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_BINARY = re.compile(r"[\x00-\x08\x0e-\x1f\ufffd]")
_SAYS_SEPARATOR = re.compile(r"sep=(.)\s*")


class CsvSheet:
    """A CSV file, decoded and split; `name` is empty, for it has one sheet only."""

    name = ""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._encoding = encoding_of(data)
        self._separator = self._find_separator()
        self.about = data.count(b"\n") or data.count(b"\r")

    def rows(self, *, filled: bool = True) -> Iterator[tuple[int, list[str]]]:
        """Yield the rows that are not blank, with their line as a spreadsheet program counts it."""
        return self._split(self._separator)

    def _split(self, separator: str) -> Iterator[tuple[int, list[str]]]:
        text = io.TextIOWrapper(io.BytesIO(self._data), encoding=self._encoding, newline="")
        previous = csv.field_size_limit(LONGEST_CELL)
        reader = csv.reader(text, delimiter=separator, strict=True)
        try:
            for line, row in enumerate(reader, start=1):
                if any(cell.strip() for cell in row):
                    yield line, row[:MOST_COLUMNS]
        except csv.Error as error:
            raise SheetUnbalanced(line=reader.line_num) from error
        except UnicodeError as error:
            raise SheetDamaged from error
        finally:
            csv.field_size_limit(previous)

    def _find_separator(self) -> str:
        """Choose the separator under which most headings are understood, or else that gives most columns."""
        opening = self._data[:_CHUNK].decode(self._encoding, errors="replace").partition("\n")[0]
        said = _SAYS_SEPARATOR.fullmatch(opening.strip("\ufeff\r\n"))
        return said[1] if said else max(SEPARATORS, key=self._weigh)

    def _weigh(self, separator: str) -> tuple[int, int]:
        first: list[list[str]] = []
        try:
            for _, row in self._split(separator):
                first.append(row)
                if len(first) == DEEPEST:
                    break
        except (SheetUnbalanced, SheetDamaged):
            pass
        found = find_headings(first)
        known = 0
        if found is not None:
            texts = joined(first[found[0] : found[1]])
            known = len(guess(texts, kind_of(texts)))
        return known, max((len(row) for row in first), default=0)


def encoding_of(data: bytes) -> str:
    """Return the encoding in which all of it can be read: UTF-8, UTF-16 or GB18030."""
    for bom, encoding in _BOMS:
        if data.startswith(bom):
            _check(data, encoding)
            return encoding
    zeros = data[:_CHUNK].count(0)
    if zeros:
        return _utf16(data)
    failed = _fails_at(data, "utf-8")
    if failed is None:
        return "utf-8"
    if failed >= len(data) - _CUT_OFF and data[:failed].count(b"\n"):
        raise SheetDamaged
    _check(data, "gb18030")
    return "gb18030"


def _utf16(data: bytes) -> str:
    """Tell the byte order by where the zeros of separators and digits stand."""
    even, odd = data[0:_CHUNK:2].count(0), data[1:_CHUNK:2].count(0)
    encoding = "utf-16-be" if even > odd else "utf-16-le"
    _check(data, encoding)
    if _BINARY.search(data[:_CHUNK].decode(encoding, errors="replace")):
        raise SheetEncodingUnknown
    return encoding


def _check(data: bytes, encoding: str) -> None:
    failed = _fails_at(data, encoding)
    if failed is not None:
        raise SheetDamaged if failed >= len(data) - _CUT_OFF else SheetEncodingUnknown


def _fails_at(data: bytes, encoding: str) -> int | None:
    """Return where decoding fails, or `None`; nothing is held but a piece at a time."""
    decoder = codecs.getincrementaldecoder(encoding)()
    for start in range(0, len(data), _CHUNK):
        try:
            decoder.decode(data[start : start + _CHUNK])
        except UnicodeError as error:
            at = error.start if isinstance(error, UnicodeDecodeError) else 0
            return start + at
    try:
        decoder.decode(b"", final=True)
    except UnicodeError:
        return len(data)
    return None

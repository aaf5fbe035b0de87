"""What an attacker may hold of a bridge, as records: rows as they lie, lines of a log, tables, a dump, bare bytes."""

import csv
import json
import re
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

WORD = re.compile(r"\w+")
RUN = re.compile(rb"(?:[\x20-\x7e]|[\xc2-\xf4][\x80-\xbf]{1,3}){6,}")
XMIN = "(xmin)"


@dataclass(frozen=True)
class Record:
    """Something that was found: where, in which place of its source, and its fields (a path may come again)."""

    source: str
    place: int
    fields: tuple[tuple[str, Any], ...]
    xmin: int | None = None


def flat(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the fields of anything: of JSON inside a text too, and times that are written as texts."""
    if isinstance(value, bytes | bytearray | memoryview):
        raw = bytes(value)
        try:
            yield from flat(raw.decode(), path)
        except UnicodeDecodeError:
            yield path, raw.hex()
    elif isinstance(value, Mapping):
        for name, each in value.items():
            yield from flat(each, f"{path}.{name}" if path else str(name))
    elif isinstance(value, list | tuple):
        for each in value:
            yield from flat(each, f"{path}[]")
    elif isinstance(value, str):
        yield path, _moment(value) or value
        if value[:1] in {"{", "["}:
            try:
                yield from flat(json.loads(value), path)
            except ValueError:
                return
    elif value is not None:
        yield path, value.replace(tzinfo=UTC) if isinstance(value, datetime) and not value.tzinfo else value


def _moment(text: str) -> datetime | None:
    if not re.match(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d", text):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def record(source: str, place: int, value: Any, xmin: int | None = None) -> Record:
    return Record(source, place, tuple(flat(value)), xmin)


def of_sqlite(path: Path, source: str) -> Iterator[Record]:
    """Yield every row of every table of a file, in the order in which they lie."""
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    connection.row_factory = sqlite3.Row
    for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
        for place, row in enumerate(connection.execute(f'SELECT * FROM "{name}"')):
            yield record(f"{source}:{name}", place, dict(row))
    connection.close()


def of_bytes(path: Path, source: str) -> Iterator[Record]:
    """Yield every readable run of bytes of a file, free pages and leftovers included."""
    for place, found in enumerate(RUN.finditer(path.read_bytes())):
        text = found.group().decode(errors="replace")
        start = text.find("{")
        yield record(source, place, {"text": text, "json": text[start:] if start >= 0 else None})


def of_log(text: str, source: str = "log") -> Iterator[Record]:
    """Yield every line, by what it tells of."""
    for place, line in enumerate(text.splitlines()):
        try:
            value = json.loads(line)
        except ValueError:
            value = {"line": line}
        kind = value.get("event", "") if isinstance(value, dict) else ""
        yield record(source, place, value)
        yield record(f"{source}:{WORD.findall(str(kind))[:3]}", place, value)


def of_table(path: Path, source: str) -> Iterator[Record]:
    """Yield the rows of a CSV file."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        for place, row in enumerate(csv.DictReader(file)):
            yield record(source, place, {str(key): value for key, value in row.items()})


def of_dump(path: Path, source: str) -> Iterator[Record]:
    """Yield the rows of a backup's dump."""
    table, columns = "", []
    with path.open(encoding="utf-8") as lines:
        for place, line in enumerate(lines):
            value = json.loads(line)
            if isinstance(value, dict):
                table, columns = value["table"], value["columns"]
            else:
                yield record(f"{source}:{table}", place, dict(zip(columns, value, strict=True)))


async def of_postgres(connection: Any, source: str) -> list[Record]:
    """Return every row of every table, in the order in which they lie, with the transaction that wrote them."""
    found: list[Record] = []
    names = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    for (name,) in names:
        rows = await connection.fetch(f'SELECT xmin::text AS "(xmin)", * FROM "{name}" ORDER BY ctid')
        for place, row in enumerate(rows):
            value = dict(row)
            xmin = int(value.pop(XMIN))
            found.append(record(f"{source}:{name}", place, value, xmin))
    return found

"""docs/performance.md, rendered from the tables that the benchmarks have recorded."""

import ast
import json
import os
import platform
import sqlite3
import sys
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

FOLDER = Path("var/bench")
PAGE = Path("docs/performance.md")
BENCHES = (
    "delivery_cost", "vote_cost", "pace", "held_pace", "materialise", "memory", "figures", "audience_counts", "roster_import",
    "database_cost", "storage_size", "fleet_check", "scaling",
)  # fmt: skip
"""All benchmarks, in the order of the page."""
LIBRARIES = ("aiohttp", "aiogram", "python-telegram-bot", "uvloop", "SQLAlchemy", "asyncpg", "pgqueuer")
OPENING = """# Performance

Written by `make bench`; each table says when it was measured. `make bench` runs them all, `python -m benchmarks pace` those whose names contain a word.
A bar is what was asked for before anything was built. Ratios compare within one run on one machine: they say more than absolute figures.
A fake server of ours, in a process of its own, stands in for a messenger ([benchmarks/fake_server.py](../benchmarks/fake_server.py)); nothing leaves the machine.
"""


@dataclass(frozen=True, slots=True)
class Shown:
    """A table as a benchmark shows it, with the bar it was measured for, if any."""

    title: str
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]]
    bar: str = ""
    reached: str = ""
    met: bool | None = None
    note: str = ""
    at: str = ""
    machine: str = ""


_recorded: list[Shown] = []


def record(shown: Shown) -> None:
    """Keep a table of the benchmark that runs, in place of those of its last run."""
    spec = sys.modules["__main__"].__spec__
    name = (spec.name if spec else "").removeprefix("benchmarks.")
    at = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
    _recorded.append(Shown(**asdict(shown) | {"at": at, "machine": _machine()}))
    path = _kept(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([asdict(each) for each in _recorded], ensure_ascii=False, indent=1))


def missed() -> list[str]:
    """Return the bars that the benchmark that runs has recorded as missed."""
    return [shown.bar for shown in _recorded if shown.met is False]


def write() -> None:
    """Write the page from all that is recorded."""
    known = {name: _read(name) for name in BENCHES if _kept(name).exists()}
    parts = [OPENING, _machines(known), _bars(known), *(_section(*each) for each in known.items())]
    PAGE.write_text("\n".join(parts))


def _kept(name: str) -> Path:
    return FOLDER / "results" / f"{name}.json"


def _read(name: str) -> list[Shown]:
    return [Shown(**each) for each in json.loads(_kept(name).read_text())]


def _machine() -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} cores, {memory:.0f} GB of memory, Python {platform.python_version()}"


def _machines(known: dict[str, list[Shown]]) -> str:
    machines = sorted({shown.machine for tables in known.values() for shown in tables})
    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    return f"Machine: {'; '.join(machines)}.\n{libraries}, SQLite {sqlite3.sqlite_version}.\n"


def _bars(known: dict[str, list[Shown]]) -> str:
    rows = [
        (f"[{shown.bar}](#{_anchor(name)})", shown.reached, "yes" if shown.met else "**no**")
        for name, tables in known.items()
        for shown in tables
        if shown.bar
    ]
    return f"## The bars\n{table(('Bar', 'Reached', 'Met'), rows, aligned='---')}"


def _section(name: str, tables: list[Shown]) -> str:
    said = ast.get_docstring(ast.parse((Path(__file__).parent / f"{name}.py").read_text())) or ""
    parts = [f"## {_title(name)}\n{said}\n", *(_shown(each) for each in tables)]
    return "\n".join(parts)


def _shown(shown: Shown) -> str:
    lines = [f"**{shown.title}** ({shown.at})\n", table(shown.columns, shown.rows)]
    if shown.bar:
        met = "met" if shown.met else "**not met**"
        lines.append(f"Bar: {shown.bar}. Reached: {shown.reached}, {met}.\n")
    return "\n".join([*lines, *([shown.note + "\n"] if shown.note else [])])


def table(columns: tuple[str, ...], rows: list[tuple[str, ...]], *, aligned: str = "---:") -> str:
    lines = [columns, ("---", *(aligned for _ in columns[1:])), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', '/') for cell in line)} |\n" for line in lines)


def _title(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _anchor(name: str) -> str:
    return name.replace("_", "-")

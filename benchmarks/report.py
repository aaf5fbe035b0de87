"""docs/performance.md, rendered from the tables that the benchmarks have recorded."""

import ast
import json
import os
import platform
import re
import sqlite3
import sys
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

FOLDER = Path("var/bench")
PAGE = Path("docs/performance.md")
BENCHES = (
    "delivery_cost", "vote_cost", "pace", "held_pace", "lanes", "materialise", "memory", "figures", "audience_counts", "roster_import",
    "database_cost", "storage_size", "fleet_check",
)  # fmt: skip
"""All benchmarks, in the order of the page; docs/scaling.md is reckoned from it afterwards."""
LIBRARIES = ("aiohttp", "aiogram", "python-telegram-bot", "uvloop", "SQLAlchemy", "asyncpg", "pgqueuer")
NOT_MEASURED = "**Not measured.**"
MET = "met"
BAR = re.compile(r"^Bar: (.*)\. Reached: (.*), (met|\*\*not met\*\*)\.$", re.MULTILINE)
OPENING = """# Performance

Written by `make bench`; each table says when it was measured. `make bench` runs them all, `python -m benchmarks pace` those whose names contain a word, and leaves all others as they stand.
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


def forget(name: str) -> None:
    """Forget the last run of a benchmark, so that what is found afterwards is of the next."""
    _kept(name).unlink(missing_ok=True)


def write(ran: Collection[str]) -> None:
    """Write the page: of the benchmarks that ran what they recorded, of all others what stands on the page."""
    standing = _standing(PAGE.read_text() if PAGE.exists() else "")
    found = {name: _read(name) for name in BENCHES if name in ran and _kept(name).exists()}
    sections = standing.sections | {name: _section(name, tables) for name, tables in found.items()}
    machines = {shown.machine for tables in found.values() for shown in tables}
    machines |= standing.machines if sections.keys() - found.keys() else set()
    parts = [
        OPENING,
        _one_run(found, sections),
        _machines(machines),
        _bars(sections),
        *(sections.get(name) or _missing(name) for name in BENCHES),
    ]
    PAGE.write_text("\n".join(parts))


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands on a page that was written before: its sections by their benchmarks, and on which machines."""

    sections: dict[str, str]
    machines: set[str]


def _standing(page: str) -> Standing:
    found = {part.partition("\n")[0]: part for part in re.split(r"^(?=## )", page, flags=re.MULTILINE)[1:]}
    sections = {name: found[f"## {_title(name)}"] for name in BENCHES if f"## {_title(name)}" in found}
    machines = re.findall(r"^Machine: (.*)\.$", page, flags=re.MULTILINE)
    return Standing(
        {name: text.rstrip("\n") + "\n" for name, text in sections.items() if NOT_MEASURED not in text},
        {each for line in machines for each in line.split("; ")},
    )


def tables(name: str) -> list[tuple[str, list[list[str]]]]:
    """Return the tables of a benchmark as they stand on the page: when, and their rows."""
    section = _standing(PAGE.read_text() if PAGE.exists() else "").sections.get(name, "")
    parts = re.split(r"^\*\*.*\*\* \((.*)\)$", section, flags=re.MULTILINE)[1:]
    return [(at, _cells(text)) for at, text in zip(parts[::2], parts[1::2], strict=True)]


def _cells(text: str) -> list[list[str]]:
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def _kept(name: str) -> Path:
    return FOLDER / "results" / f"{name}.json"


def _read(name: str) -> list[Shown]:
    return [Shown(**each) for each in json.loads(_kept(name).read_text())]


def _machine() -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} cores, {memory:.0f} GB of memory, Python {platform.python_version()}"


def _one_run(found: Mapping[str, list[Shown]], sections: Collection[str]) -> str:
    """Say whether all of the page is one run of one command, and if not, what of it is."""
    missing = ", ".join(f"`{name}`" for name in BENCHES if name not in sections)
    parts = [f"Not measured: {missing}."] if missing else []
    if set(found) == set(BENCHES):
        times = sorted(shown.at for tables in found.values() for shown in tables)
        parts.append(f"All of it is one run of `make bench`, {times[0]} to {times[-1]}.")
    else:
        apart = ", ".join(f"`{name}`" for name in found)
        last = f"; the last of them measured {apart}" if apart else ""
        parts.append(f"It is put together from several runs{last}.")
    return " ".join(parts) + "\n"


def _machines(machines: Collection[str]) -> str:
    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    return f"Machine: {'; '.join(sorted(machines))}.\n{libraries}, SQLite {sqlite3.sqlite_version}.\n"


def _bars(sections: Mapping[str, str]) -> str:
    """Gather the bars from the sections, so that they are those of the same run."""
    rows = [
        (f"[{bar}](#{_anchor(name)})", reached, "yes" if met == MET else "**no**")
        for name in BENCHES
        for bar, reached, met in BAR.findall(sections.get(name, ""))
    ]
    return f"## The bars\n{table(('Bar', 'Reached', 'Met'), rows, aligned='---')}"


def _section(name: str, tables: list[Shown]) -> str:
    return "\n".join([_head(name), *(_shown(each) for each in tables)])


def _missing(name: str) -> str:
    return f"{_head(name)}\n{NOT_MEASURED} `python -m benchmarks {name}` does it.\n"


def _head(name: str) -> str:
    said = ast.get_docstring(ast.parse((Path(__file__).parent / f"{name}.py").read_text())) or ""
    return f"## {_title(name)}\n{said}\n"


def _shown(shown: Shown) -> str:
    lines = [f"**{shown.title}** ({shown.at})\n", table(shown.columns, shown.rows)]
    if shown.bar:
        met = MET if shown.met else f"**not {MET}**"
        lines.append(f"Bar: {shown.bar}. Reached: {shown.reached}, {met}.\n")
    return "\n".join([*lines, *([shown.note + "\n"] if shown.note else [])])


def table(columns: tuple[str, ...], rows: list[tuple[str, ...]], *, aligned: str = "---:") -> str:
    lines = [columns, ("---", *(aligned for _ in columns[1:])), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', '/') for cell in line)} |\n" for line in lines)


def _title(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _anchor(name: str) -> str:
    return name.replace("_", "-")

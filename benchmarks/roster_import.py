"""How fast a roster comes in through a running bridge, how much memory that takes, and what a member notices of it.

10,000 and 100,000 rows of XLSX are imported with `tongdao import` into a demo city on SQLite, while a member goes
back and forth between the menu and their record; the limits are those of the plan.
"""

import asyncio
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

from benchmarks.common import run, show
from services.sheets import Cell, SheetForm, writing
from tests.acceptance.conftest import MEMBER, Demo, running_demo
from tests.webchat_client import Person

SIZES = (10_000, 100_000)
BRANCHES = 1_000
LONGEST, SLOWEST_ANSWER = 60.0, 1.0  # seconds
MOST_MEMORY = 160
"""MB that an import may add: the file, the cache of SQLite, which fills up to 64 MB, and what its transaction holds."""
ROOT = "宁波市委员会"


@dataclass
class Measured:
    """What one import took; memory in MB."""

    rows: int
    seconds: float = 0.0
    answers: list[float] = field(default_factory=list)
    before: int = 0
    peak: int = 0
    reader: int = 0

    @property
    def p95(self) -> float:
        return statistics.quantiles(self.answers, n=20)[-1]


async def main() -> None:
    found = [await _measure(size) for size in SIZES]
    figures = {
        "seconds": [f"{each.seconds:.1f}" for each in found],
        "rows a second": [f"{each.rows / each.seconds:,.0f}" for each in found],
        "bridge before, MB": [f"{each.before}" for each in found],
        "bridge at its peak, MB": [f"{each.peak}" for each in found],
        "reading process at its peak, MB": [f"{each.reader}" for each in found],
        "taps answered meanwhile": [f"{len(each.answers)}" for each in found],
        "median answer, ms": [f"{statistics.median(each.answers) * 1000:.0f}" for each in found],
        "p95 answer, ms": [f"{each.p95 * 1000:.0f}" for each in found],
        "slowest answer, ms": [f"{max(each.answers) * 1000:.0f}" for each in found],
    }
    kept = found[-1].seconds < LONGEST and all(
        each.p95 < SLOWEST_ANSWER and each.peak - each.before < MOST_MEMORY for each in found
    )
    show(
        "A roster through a running bridge on SQLite",
        ("", *(f"{each.rows:,} rows" for each in found)),
        [(what, *each) for what, each in figures.items()],
        bar="100,000 rows within 60 s, with p95 of a member's answers under 1 s and at most 160 MB more",
        reached=f"{found[-1].seconds:.0f} s, {found[-1].p95 * 1000:.0f} ms, {found[-1].peak - found[-1].before} MB",
        met=kept,
    )


async def _measure(size: int) -> Measured:
    with tempfile.TemporaryDirectory(prefix="tongdao-bench-") as name:
        folder = Path(name)
        _write(folder / "organisations.csv", SheetForm.CSV, _organisations())
        _write(folder / "members.xlsx", SheetForm.XLSX, _members(size))
        async with running_demo(folder) as city:
            member = await city.person(MEMBER)
            await _import(city, folder / "organisations.csv")
            measured = Measured(size, before=_memory(city.process.pid, "VmRSS"))
            tapping = asyncio.create_task(_tap(member, measured))
            watching = asyncio.create_task(_watch_readers(city.process.pid, measured))
            begun = time.perf_counter()
            await _import(city, folder / "members.xlsx")
            measured.seconds = time.perf_counter() - begun
            for task in (tapping, watching):
                task.cancel()
            await asyncio.gather(tapping, watching, return_exceptions=True)
            measured.peak = _memory(city.process.pid, "VmHWM")
    return measured


async def _import(city: Demo, path: Path) -> None:
    env = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(Path.cwd()),
        "TONGDAO_DATA_DIR": str(city.folder / "var"),
    }
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "import", str(path), "--yes",
        cwd=city.folder, env=env, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    said, _ = await child.communicate()
    if child.returncode != 0:
        raise RuntimeError(said.decode())


async def _tap(member: Person, measured: Measured) -> None:
    """Go to the record and back to the menu, and time each answer until it is seen."""
    await member.say("/menu")
    screen = await member.wait(lambda message: "reply_markup" in message)
    while True:
        for data in ("go:me", "go:menu"):
            begun = time.perf_counter()
            await member.call("POST", "/press", {"message_id": screen["message_id"], "data": data})
            while True:
                now = next(
                    each for each in await member.messages(3) if each["message_id"] == screen["message_id"]
                )
                if now["text"] != screen["text"]:
                    break
                await asyncio.sleep(0.02)
            measured.answers.append(time.perf_counter() - begun)
            screen = now
            await asyncio.sleep(0.1)


async def _watch_readers(pid: int, measured: Measured) -> None:
    while True:
        measured.reader = max([measured.reader, *_children(pid)])
        await asyncio.sleep(0.2)


def _children(pid: int) -> list[int]:
    found = []
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        with suppress(OSError):
            found.append(_memory(int(child), "VmHWM"))
    return found


def _memory(pid: int, what: str) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next((int(line.split()[1]) // 1024 for line in lines if line.startswith(f"{what}:")), 0)


def _write(path: Path, form: SheetForm, rows: Iterator[list[Cell]]) -> None:
    with writing(path, form) as sheet:
        for row in rows:
            sheet.add(row)


def _organisations() -> Iterator[list[Cell]]:
    yield ["党组织名称", "上级党组织", "类别"]
    for number in range(BRANCHES):
        yield [f"试验{number}支部", ROOT, "党支部"]


def _members(size: int) -> Iterator[list[Cell]]:
    yield ["编号", "姓名", "手机", "所在党组织", "正式/预备", "入党日期", "性别", "备注"]
    for number in range(size):
        yield [
            f"B{number}",
            f"试验{number}",
            f"12{number + 500_000_000:09}",
            f"试验{number % BRANCHES}支部",
            "正式" if number % 9 else "预备",
            date(1980, 1, 1) + timedelta(days=number % 15_000),
            "男" if number % 2 else "女",
            "",
        ]


if __name__ == "__main__":
    run(main)

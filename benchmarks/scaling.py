"""A city ten times the largest: 10,000,000 members, 200 accounts and 50 workers, and what gives first.

Writes docs/scaling.md from `scaling.md.in`: by simulation (`benchmarks.fleet`) and by arithmetic on the figures that
stand in docs/performance.md (`database_cost`, `fleet_check`, `held_pace`, `storage_size`, `materialise`, `vote_cost`),
so that the two pages say the same; `python -m benchmarks` writes it after each run. Nothing is sent, and no database is
asked. A figure that is missing there ends the run with its name.
"""

import math
import re
import statistics
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from benchmarks import report
from benchmarks.common import console
from benchmarks.database_cost import BEHIND, FEW, MANY
from benchmarks.database_cost import MEMBERS as TICKED
from benchmarks.fleet import (
    IN_HAND,
    MACHINES,
    RECORD_EVERY,
    SLICE,
    TAKEN_OVER,
    TICK,
    Costs,
    Line,
    Plan,
    Run,
    Simulation,
)
from benchmarks.report import table
from benchmarks.storage_size import GROUP
from domain.pace import Pace

PAGE, TEMPLATE = Path("docs/scaling.md"), Path(__file__).with_name("scaling.md.in")
MEMBERS, ACCOUNTS, WORKERS, BOTS, CLOCKS, CONSOLES = 10_000_000, 200, 50, 12, 2, 2
NOTICES_A_YEAR, CONFIRMING = 100, 0.5
CORES, DIES_AT, WARM = 16, 30.0, 10
FREE, FEWER, PAID = (
    Plan("50 workers, all accounts free", CORES),
    Plan("10 workers, all accounts free", CORES, workers=10),
    Plan("15 workers, 20 accounts paid", CORES, paid=20, workers=15),
)
PLANS = (
    FREE,
    Plan("the same, a machine with ten of the workers dies", CORES, dies_at=DIES_AT),
    Plan("50 workers, all accounts free, half the cores", CORES // 2),
    FEWER,
    Plan("10 workers, all accounts free, half the cores", CORES // 2, workers=10),
    Plan("10 workers, all accounts free, a quarter", CORES // 4, workers=10),
    Plan("50 workers, 20 accounts paid", CORES, paid=20),
    PAID,
    Plan("50 workers, all accounts paid", 4 * CORES, paid=200),
)
WORKER_POOLS, OTHER_POOLS = (
    "10 of the pool, 1 to enqueue, 3 for each of two lanes",
    "10 of the pool, 1 to enqueue",
)
WORKER_CONNECTIONS, OTHER_CONNECTIONS = 17, 11
INDEX_ENTRY = 31
"""Bytes of a pair of numbers in an index, nine tenths full: 16, 8 of header, 4 of pointer."""
PAGE_SIZE = 8192
VACUUM_READ, VACUUM_WRITTEN = 200 / 0.002 / 2 * PAGE_SIZE, 200 / 0.002 / 22 * PAGE_SIZE
"""Bytes a second that autovacuum reads, and changes, at its defaults (cost limit 200, 2 ms, 2 a page read, 20 changed)."""
BACKED_UP = 44_000
"""Rows a second that `tongdao backup` writes: 983,130 in 22.4 s, measured once on SQLite (docs/sizing.md)."""
GIGA = 1e9
NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")
RUNS = ((30, 2), (30, 8), (1000, 2), (1000, 8))
"""Pace and workers that `fleet_check` tries."""


class NotMeasured(SystemExit):
    """A step of which docs/performance.md has no figure."""

    def __init__(self, bench: str, row: str) -> None:
        super().__init__(
            f"{PAGE} is not written: {row!r} was not measured. Run `python -m benchmarks {bench}` first."
        )


@cache
def tables(bench: str) -> list[tuple[str, list[list[str]]]]:
    """Return the tables of a benchmark as docs/performance.md has them: when, and their rows."""
    return report.tables(bench)


def measured(bench: str, row: str, column: int) -> float:
    """Return a figure of a benchmark by how its row begins; the mean, where a cell has several."""
    for _, rows in tables(bench):
        for cells in rows:
            if cells[0].startswith(row) and column < len(cells):
                return statistics.mean(float(each.replace(",", "")) for each in NUMBER.findall(cells[column]))
    raise NotMeasured(bench, row)


def costs() -> Costs:
    """Return what the simulation needs: the steps, as dear as real workers make them."""
    return _with_workers(steps().times(live()))


def live() -> float:
    """Return by how much real workers cost PostgreSQL more than their steps do, at worst."""
    return max(measured("fleet_check", f"{pace}/s, {workers} workers", 3) for pace, workers in RUNS)


def steps() -> Costs:
    """Return what each step costs PostgreSQL alone."""

    def cpu(step: str) -> float:
        return measured("database_cost", step, 1)

    def line(step: str, column: int = 1) -> Line:
        few, many = (measured("database_cost", f"{step} of {rows}", column) for rows in (FEW, MANY))
        return Line.through((FEW, few), (MANY, many))

    claimed, recorded, record = line("claim", 3), line("record", 3), line("record")
    return Costs(
        reservation=cpu("reservation"),
        claim=line("claim"),
        record=record,
        counted=(cpu("record of 6, each") - record.of(6)) / 5,
        look=cpu("look for a job"),
        crowd=cpu("look who waits"),
        tick=cpu("tick of the clock") / _ticked(),
        log=Line(claimed.fixed + recorded.fixed, claimed.row + recorded.row),
        worker=Line(0, 0),
    )


def _with_workers(given: Costs) -> Costs:
    few, many, idle = _workers()
    return replace(given, worker=Line.through((FEW, FEW * few), (MANY, MANY * many)), idle=idle)


def _workers() -> tuple[float, float, float]:
    """Return the microseconds of a worker for a delivery in groups of six and of two hundred, and its cores when idle.

    At 30/s two workers and eight did the same work, so that what six more cost is what it costs to have nothing to do.
    """
    two, eight = (measured("fleet_check", f"30/s, {workers} workers", 4) for workers in (2, 8))
    idle = max(0.0, (eight - two) * 30 / 6)
    return two - 2 * idle / 30, measured("held_pace", "CPU of each worker a delivery", 1), idle / 1e6


def _ticked() -> int:
    """Return how many slices the clock's tick was measured with."""
    return TICKED // SLICE


@dataclass(frozen=True, slots=True)
class Reckoned:
    """What follows for so many members, in bytes and seconds."""

    kept: float
    loose: float
    log: float
    slices: int
    free: float
    paid: float
    tick: float
    slowed: float

    @classmethod
    def of(cls) -> "Reckoned":
        before, after = (measured("database_cost", step, 1) for step in ("reservation", "reservation, after"))
        return cls(
            kept=measured("storage_size", "PostgreSQL", 3),
            loose=measured("storage_size", "PostgreSQL", 4),
            log=measured("storage_size", "PostgreSQL", 5),
            slices=MEMBERS // SLICE,
            free=MEMBERS / Plan("", CORES).allowed,
            paid=MEMBERS / Plan("", CORES, paid=ACCOUNTS).allowed,
            tick=measured("database_cost", "tick of the clock", 2) / 1e3 / _ticked(),
            slowed=(after - before) / BEHIND,
        )


def inputs(given: Costs, sizes: Reckoned) -> str:
    rows = [
        ("a reservation of the pace", f"{given.reservation:.0f} us", "database_cost"),
        ("a claim: once, and each delivery", _line(given.claim), "database_cost"),
        ("a record of outcomes: once, and each delivery", _line(given.record), "database_cost"),
        ("the same for each further slice in a batch", f"{given.counted:.0f} us", "database_cost"),
        ("a look of a worker's job engine", f"{given.look:.0f} us", "database_cost"),
        ("the clock's tick, each slice that is not done", f"{given.tick:.0f} us", "database_cost"),
        ("real workers, of their steps", f"{live():.2f} times", "fleet_check"),
        (
            f"a worker, each delivery at 30/s, in groups of {FEW}",
            f"{given.worker.of(FEW) / FEW:.0f} us",
            "fleet_check",
        ),
        (
            f"a worker, each delivery at 500/s, in groups of {MANY}",
            f"{given.worker.of(MANY) / MANY:.0f} us",
            "held_pace",
        ),
        ("a worker that has nothing to send", f"{given.idle:.1%} of a core", "fleet_check"),
        ("a delivery in table and indexes, vacuumed", f"{sizes.kept:.0f} bytes", "storage_size"),
        ("the same before its vacuum", f"{sizes.loose:.0f} bytes", "storage_size"),
        ("write-ahead log of its whole life, groups of a hundred", f"{sizes.log:,.0f} bytes", "storage_size"),
        (
            f"write-ahead log of claim and record in groups of {FEW}",
            f"{given.log.of(FEW) / FEW:,.0f} bytes",
            "database_cost",
        ),
        ("deliveries written in a second", f"{_written():,.0f}", "materialise"),
        (
            "a vote that comes alone through a bot, at most what a confirmation takes",
            f"{_tap():,.0f} us",
            "vote_cost",
        ),
    ]
    return table(
        ("Measured", "figure", "by"), [(*row[:2], f"`{row[2]}`, {tables(row[2])[0][0]}") for row in rows]
    )


def _line(given: Line) -> str:
    return f"{given.fixed:.0f} + {given.row:.1f} us"


def _written() -> float:
    """Return how many deliveries are written in a second, when a notice to everybody begins."""
    return 1e6 / measured("materialise", "postgresql", 2)


def _tap() -> float:
    return measured("vote_cost", "alone, ours on SQLite", 1)


def amounts(given: Costs, sizes: Reckoned) -> str:
    """Say what one notice, and a year of them, leave."""
    year = MEMBERS * NOTICES_A_YEAR
    log = MEMBERS * _logged(given, sizes)
    rows = [
        ("deliveries", MEMBERS, year, ",.0f", 1.0),
        ("slices", sizes.slices, sizes.slices * NOTICES_A_YEAR, ",.0f", 1.0),
        ("table and indexes, vacuumed, GB", MEMBERS * sizes.kept, year * sizes.kept, ",.1f", GIGA),
        ("write-ahead log, free accounts, GB", log, log * NOTICES_A_YEAR, ",.0f", GIGA),
        ("dead rows", 2 * MEMBERS, 2 * year, ",.0f", 1.0),
    ]
    return table(
        ("", "a notice to all", f"a year of {NOTICES_A_YEAR}"),
        [(name, f"{one / unit:{how}}", f"{all_ / unit:{how}}") for name, one, all_, how, unit in rows],
    )


def _logged(given: Costs, sizes: Reckoned) -> float:
    """Return the bytes of log of a delivery in groups of six: written, claimed, recorded."""
    return given.log.of(FEW) / FEW + sizes.log - given.log.of(GROUP) / GROUP


@cache
def played(plan: Plan) -> Run:
    return Simulation(plan, costs()).simulate()


def busy(plan: Plan) -> str:
    """Say how many cores of PostgreSQL a plan keeps busy."""
    return f"{played(plan).busy / plan.seconds:.0f}"


def held(plan: Plan) -> str:
    """Say how much of what is allowed a plan sends."""
    return f"{min(1.0, played(plan).rate(WARM, plan.seconds) / plan.allowed):.0%}"


def simulated() -> str:
    """Play all plans; return the table."""
    return table(
        (
            "",
            "cores of PostgreSQL",
            "allowed a second",
            "held",
            "of it",
            "busy cores",
            "of workers",
            "in doubt",
        ),
        list(_simulated()),
    )


def _simulated() -> Iterator[tuple[str, ...]]:
    for plan in PLANS:
        run = played(plan)
        yield (
            plan.words,
            str(plan.cores),
            f"{plan.allowed:,.0f}",
            f"{run.rate(WARM, plan.seconds):,.0f}",
            held(plan),
            f"{run.busy / plan.seconds:.1f}",
            f"{run.worked / plan.seconds:.1f}",
            f"{run.doubtful:,}" if plan.dies_at else "",
        )


def shares(given: Costs) -> str:
    """Say what the cores of PostgreSQL go into when all accounts are free."""
    rate = Plan("", CORES).allowed
    groups = rate / 3
    rows = []
    for workers in (10, WORKERS):
        batch = 1 + rate / workers * RECORD_EVERY
        parts = (
            groups * given.reservation,
            groups * given.claim.of(3),
            groups * given.recorded(3, 30, batch),
            rate * given.looks(workers),
            given.beside(workers, ACCOUNTS, MEMBERS / SLICE) * 1e6,
        )
        rows.append(
            (f"{workers} workers", *(f"{part / 1e6:.2f}" for part in parts), f"{sum(parts) / 1e6:.1f}")
        )
    names = ("reservations", "claims", "records", "looks for jobs", "clock and places", "together")
    return table(("cores of PostgreSQL", *names), rows)


def connections() -> str:
    rows = [
        ("workers", WORKERS, WORKER_CONNECTIONS, WORKER_POOLS),
        ("bots", BOTS, OTHER_CONNECTIONS, OTHER_POOLS),
        ("clocks", CLOCKS, OTHER_CONNECTIONS, OTHER_POOLS),
        ("consoles", CONSOLES, OTHER_CONNECTIONS, OTHER_POOLS),
    ]
    total = sum(count * each for _, count, each, _ in rows)
    cells = [(name, str(count), str(each), f"{count * each:,}", what) for name, count, each, what in rows]
    return table(("", "processes", "each", "together", "which"), [*cells, ("all", "", "", f"{total:,}", "")])


def figures(given: Costs, sizes: Reckoned) -> dict[str, str]:
    """Return what the sentences of the page name."""
    year = MEMBERS * NOTICES_A_YEAR
    top = Pace(ceiling=30).top
    free_rate, taps = Plan("", CORES).allowed, MEMBERS * CONFIRMING / sizes.free
    copied = year / BACKED_UP
    again = copied * top / 3 * sizes.slowed
    asked = free_rate / 3
    return {
        "members": f"{MEMBERS:,}",
        "accounts": str(ACCOUNTS),
        "workers": str(WORKERS),
        "notices": str(NOTICES_A_YEAR),
        "confirming": f"{CONFIRMING:.0%}",
        "free_minutes": f"{sizes.free / 60:.0f}",
        "paid_seconds": f"{sizes.paid:.0f}",
        "free_rate": f"{free_rate:,.0f}",
        "one_hours": f"{MEMBERS / top / 3600:.0f}",
        "stars": f"{MEMBERS * 0.1:,.0f}",
        "write_minutes": f"{MEMBERS / _written() / 60:.0f}",
        "worker_rate": f"{100 * 1e6 / given.worker.of(100):,.0f}",
        "needed": f"{played(FEWER).worked / FEWER.seconds:.1f}",
        "few": f"{given.worker.of(FEW) / FEW:,.0f}",
        "enough": f"{math.ceil(free_rate * given.worker.of(3) / 3e6) + 1}",
        "held_by_ten": held(FEWER),
        "held_by_all": held(FREE),
        "needed_by_all": f"{played(FREE).worked / FREE.seconds:.1f}",
        "looks_each": f"{given.looks(1):.1f}",
        "looks_all": f"{given.looks(WORKERS):.0f}",
        "taps": f"{taps:,.0f}",
        "tap_cores": f"{taps * _tap() / 1e6:.0f}",
        "year_gb": f"{year * sizes.kept / GIGA:,.0f}",
        "year_rows": f"{year:,}",
        "members_index_gb": f"{year * INDEX_ENTRY / GIGA:,.0f}",
        "notice_gb": f"{MEMBERS * sizes.kept / GIGA:.1f}",
        "loose_gb": f"{MEMBERS * sizes.loose / GIGA:.1f}",
        "vacuum_every": f"{0.2 * NOTICES_A_YEAR / 2:.0f}",
        "vacuum_read_hours": f"{year * sizes.kept / VACUUM_READ / 3600:.1f}",
        "vacuum_hours": f"{year * sizes.kept / VACUUM_WRITTEN / 3600:.1f}",
        "vacuum_notice_minutes": f"{MEMBERS * sizes.kept / VACUUM_WRITTEN / 60:.0f}",
        "log_rate": f"{free_rate * _logged(given, sizes) / 1e6:.0f}",
        "backup_hours": f"{copied / 3600:.0f}",
        "slowed": f"{sizes.slowed * 1000:.0f}",
        "hour_cores": f"{3600 * top / 3 * sizes.slowed * asked / 1e6:.1f}",
        "backup_cores": f"{again * asked / 1e6:.0f}",
        "tick": f"{TICK:.0f}",
        "tick_seconds": f"{sizes.tick * sizes.slices:.1f}",
        "tick_slices": f"{TICK / sizes.tick:,.0f}",
        "tick_members": f"{TICK / sizes.tick * SLICE / 1e6:.0f}",
        "taken_over": f"{TAKEN_OVER:.0f}",
        "machines": str(MACHINES),
        "live": f"{live():.1f}",
        "busy_free": busy(FREE),
        "busy_fewer": busy(FEWER),
        "busy_paid": busy(PAID),
        "in_hand": str(IN_HAND),
    }


def page() -> str:
    """Return the page, reckoned anew."""
    given, sizes = costs(), Reckoned.of()
    return TEMPLATE.read_text().format(
        inputs=inputs(_with_workers(steps()), sizes),
        amounts=amounts(given, sizes),
        simulated=simulated(),
        shares=shares(given),
        connections=connections(),
        **figures(given, sizes),
    )


def main() -> None:
    PAGE.write_text(page())
    console.print(f"{PAGE} is written.")


if __name__ == "__main__":
    main()

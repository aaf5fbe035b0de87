"""What `tongdao doctor` learns of the processes: which run and what each finds wrong, their ticks, and the clocks."""

from datetime import UTC, datetime

from bot import fleet
from bot.finding import Finding
from bot.settings import Settings
from domain.delivery import Lane
from domain.pace import LOOK_AHEAD
from domain.processes import Process, missing, roles_of
from storage import processes
from storage.database import Database

NOT_RUNNING = "not running"
LATE_TICKS = 2.0
"""Seconds: what docs/sizing.md calls too many open slices for a clock."""
STUCK_TICKS = 30.0
CLOCK_OFF = 0.1
"""Seconds from which a worker that is behind gets only what the others leave (`domain.pace`)."""


async def bridge(settings: Settings) -> Finding:
    """Tell which roles run, how often, what each process finds wrong, and who has gone without a word."""
    alive, gone = await fleet.seen(settings.database)
    if not alive:
        last = f"; last heard {max(each.beat_at for each in gone):%Y-%m-%d %H:%M:%S} UTC" if gone else ""
        remedy = "Start it with `tongdao run`, or with its units."
        return Finding("bridge", ok=False, found=NOT_RUNNING + last, remedy=remedy)
    said = [", ".join(f"{count} {role}{'s' * (count > 1)}" for role, count in roles_of(alive).items())]
    said += [f"{_who(each)}: {each.problems}" for each in alive if each.problems]
    lacking = missing(alive)
    said += [f"no {role}" for role in lacking]
    said += [f"{_who(each)} silent since {each.beat_at:%Y-%m-%d %H:%M:%S} UTC" for each in gone]
    remedies = ["Start " + ", ".join(f"`tongdao run --role {role}`" for role in lacking) + "."] * bool(
        lacking
    )
    if any(each.problems for each in alive) or gone:
        remedies.append("See the log of each that is named.")
    well = not lacking and not any(each.problems for each in alive)
    return Finding("bridge", ok=well, found="; ".join(said), remedy=" ".join(remedies))


async def ticks(settings: Settings) -> Finding:
    """Tell by how much the clocks of the fleet are overdue."""
    alive, _ = await fleet.seen(settings.database)
    lags = [each.tick_lag for each in alive if each.tick_lag is not None]
    if not lags:
        return Finding("tick lag", ok=True, found="no clock runs")
    worst = max(lags)
    remedy = "Too much is open for one clock, or its database is slow: see docs/sizing.md, and its log."
    late = worst > LATE_TICKS
    return Finding(
        "tick lag", ok=worst <= STUCK_TICKS, found=f"at most {worst:.1f} s", remedy=remedy if late else ""
    )


async def clock(settings: Settings) -> Finding:
    """Compare the clock of this machine with that of PostgreSQL, by which all others are to go."""
    database = Database(settings.database)
    try:
        async with database.read() as session:
            offset = await processes.clock_offset(session, lambda: datetime.now(UTC))
    finally:
        await database.close()
    if offset is None:
        return Finding("clock", ok=True, found="one machine, one clock")
    where = "behind" if offset > 0 else "ahead of"
    found = f"{abs(offset) * 1000:.0f} ms {where} that of PostgreSQL"
    remedy = (
        "Let NTP set the clock of every machine: a worker that is behind gets only what the others leave."
    )
    off = abs(offset) >= CLOCK_OFF
    return Finding(
        "clock", ok=abs(offset) < LOOK_AHEAD[Lane.NORMAL], found=found, remedy=remedy if off else ""
    )


def _who(process: Process) -> str:
    return f"{'+'.join(process.roles)} on {process.host} ({process.address})"

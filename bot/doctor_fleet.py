"""What `tongdao doctor` learns of the processes: which run, what each finds wrong, and their ticks."""

from bot import fleet
from bot.finding import Finding
from bot.settings import Settings
from domain.processes import Process, missing, roles_of

NOT_RUNNING = "not running"
LATE_TICKS = 2.0
"""Seconds: what docs/sizing.md calls too many open slices for a clock."""
STUCK_TICKS = 30.0


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


def _who(process: Process) -> str:
    return f"{'+'.join(process.roles)} on {process.host} ({process.address})"

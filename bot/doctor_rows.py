"""What `tongdao doctor` reads in the rows, whether a bridge runs or not: a line for each figure of the metrics."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from bot import archive
from bot.finding import Finding
from bot.settings import Settings
from domain.pace import PaceKind
from storage import audit, figures, inbox, reopening
from storage.database import Database, Session

LATE = timedelta(minutes=10)
LOOK_TWICE = 3.0
"""Seconds between two looks at what is late: a large notice is on its way for hours, and moves meanwhile."""
LAGGING = timedelta(minutes=2)
BACKUP_OLD = timedelta(days=2)
NONE_YET = "none has been made yet"
EVERY_NIGHT = "Run `tongdao backup` every night."
_sleep = asyncio.sleep
DOUBTFUL = "The secretary decides in the report, or you: `tongdao deliveries list`."


async def updates(settings: Settings) -> Finding:
    """Look at how old the oldest unhandled update is, and at those set aside."""
    now = datetime.now(UTC)
    async with _reading(settings) as session:
        oldest = await inbox.oldest_waiting(session)
        aside = (await inbox.counts(session)).get("quarantined", 0)
    waits = f"{_age(oldest, now)}" if oldest else "nothing waits"
    found = f"{waits}, {aside} set aside" if aside else waits
    if oldest is not None and now - oldest > LAGGING:
        remedy = "The bot does not keep up, or none runs: see its log."
        return Finding("inbox lag", ok=False, found=found, remedy=remedy)
    remedy = "They failed three times: the log has each one's traceback." if aside else ""
    return Finding("inbox lag", ok=not aside, found=found, remedy=remedy)


async def undelivered(settings: Settings) -> Finding:
    """Look at how long the oldest delivery has been due, and once more a little later if that is late."""
    before, oldest = await _look(settings)
    if oldest is None:
        return Finding("oldest undelivered", ok=True, found="nothing is due")
    found = f"due for {_age(oldest, datetime.now(UTC))}"
    if datetime.now(UTC) - oldest > LATE:
        await _sleep(LOOK_TWICE)
        if (await _look(settings))[0] == before:
            remedy = "Nothing leaves: start a worker, and see its log and the accounts below."
            return Finding("oldest undelivered", ok=False, found=found, remedy=remedy)
    return Finding("oldest undelivered", ok=True, found=found)


async def rate(settings: Settings) -> Finding:
    """Tell how many deliveries a second really go out."""
    async with _reading(settings) as session:
        rates = await figures.rates(session, datetime.now(UTC))
    going = [f"{name} {rate:.1f}/s" for name, rate in sorted(rates.items()) if rate]
    return Finding("rate", ok=True, found=", ".join(going) or "nothing goes out")


async def refusals(settings: Settings) -> Finding:
    """Tell how often messengers asked for patience today."""
    async with _reading(settings) as session:
        counts = await figures.refusals(session, datetime.now(UTC))
    found = ", ".join(f"{name} {count:,}" for name, count in sorted(counts.items()))
    return Finding("429s", ok=True, found=f"{found or 'none'} today (UTC)")


async def outcomes(settings: Settings) -> Finding:
    """Tell how deliveries ended, of what is open or ended lately."""
    async with _reading(settings) as session:
        counts = await figures.outcomes(session, datetime.now(UTC))
    ended = ", ".join(f"{counts[name]:,} {name}" for name in figures.OUTCOMES if name != "unknown")
    return Finding(
        "outcomes", ok=True, found=f"in {figures.RECENT.days} days {ended}; {counts['waiting']:,} wait"
    )


async def unknowns(settings: Settings) -> Finding:
    """Tell how many were perhaps received, and about how many of them somebody has to decide."""
    now = datetime.now(UTC)
    async with _reading(settings) as session:
        count = (await figures.outcomes(session, now))["unknown"]
        doubtful = sum(each.parked for each in await reopening.all_parked(session, now))
    found = f"{doubtful:,} to be decided about, {count:,} in {figures.RECENT.days} days"
    return Finding("unknowns", ok=True, found=found, remedy=DOUBTFUL if doubtful else "")


async def slices(settings: Settings) -> Finding:
    """Tell how many parts of dispatches are not done."""
    async with _reading(settings) as session:
        now = await figures.open_slices(session, datetime.now(UTC))
    return Finding("slices", ok=True, found=f"{now.due:,} due, {now.held:,} held, {now.paused:,} paused")


async def pace(settings: Settings) -> Finding:
    """Look at how quickly each account may send, whom a 429 holds, and who has stopped."""
    now = datetime.now(UTC)
    async with _reading(settings) as session:
        paces = await figures.paces(session)
    found = ", ".join(_pace(each, now) for each in paces) or "no account has sent yet"
    stopped = any(each.halted for each in paces)
    remedy = (
        "See `tongdao accounts list`; `tongdao accounts resume NAME` lets it go again." if stopped else ""
    )
    return Finding("pace", ok=not stopped, found=found, remedy=remedy)


async def backup(settings: Settings) -> Finding:
    """Look at when the last backup was made; what began less than two days ago may be without one."""
    last = await asyncio.to_thread(archive.last_made, settings)
    if last is None:
        async with _reading(settings) as session:
            began = await audit.began(session)
    else:
        began = last
    old = began is not None and datetime.now(UTC) - began > BACKUP_OLD
    found = NONE_YET if last is None else f"{_age(last, datetime.now(UTC))} old"
    remedy = EVERY_NIGHT if old or last is None else ""
    return Finding("backup", ok=not old, found=found, remedy=remedy)


async def _look(settings: Settings) -> tuple[dict[str, int], datetime | None]:
    """Return the deliveries by outcome, and since when the oldest is due."""
    now = datetime.now(UTC)
    async with _reading(settings) as session:
        return await figures.outcomes(session, now), (await figures.open_slices(session, now)).oldest_due


def _age(since: datetime, now: datetime) -> str:
    """Say how long that is, in the largest unit of which there are two."""
    seconds = max(0.0, (now - since).total_seconds())
    for unit, name in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * unit:
            return f"{seconds // unit:.0f} {name}"
    return f"{seconds:.0f} s"


def _pace(each: figures.Paced, now: datetime) -> str:
    if each.halted:
        return f"{each.account} has stopped"
    held = each.held_until is not None and each.held_until > now
    paid = " paid" if each.kind is PaceKind.PAID else ""
    return f"{each.account}{paid} {each.rate:.0f}/s" + (
        f", held until {each.held_until:%H:%M:%S} UTC" if held else ""
    )


@asynccontextmanager
async def _reading(settings: Settings) -> AsyncIterator[Session]:
    database = Database(settings.database)
    try:
        async with database.read() as session:
            yield session
    finally:
        await database.close()

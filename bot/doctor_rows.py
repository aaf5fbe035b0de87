"""What `tongdao doctor` reads in the rows, whether a bridge runs or not: the inbox, deliveries, their pace, the backup."""

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
    waits = f"oldest since {oldest:%H:%M:%S} UTC" if oldest else "nothing waits"
    found = f"{waits}, {aside} set aside" if aside else waits
    if oldest is not None and now - oldest > LAGGING:
        remedy = "The bot does not keep up, or none runs: see its log."
        return Finding("inbox", ok=False, found=found, remedy=remedy)
    remedy = "They failed three times: the log has each one's traceback." if aside else ""
    return Finding("inbox", ok=not aside, found=found, remedy=remedy)


async def deliveries(settings: Settings) -> Finding:
    """Look at what is due, and once more a little later if that is late; at those perhaps received, too."""
    first, oldest, doubtful = await _look(settings)
    found = f"{first['waiting']:,} wait; in {figures.RECENT.days} days {first['sent']:,} sent, {first['failed']:,} failed"
    late = oldest is not None and datetime.now(UTC) - oldest > LATE
    if late:
        found += f"; oldest due since {oldest:%Y-%m-%d %H:%M} UTC"
        await _sleep(LOOK_TWICE)
        if (await _look(settings))[0] == first:
            remedy = "Nothing leaves: start a worker, and see its log and the accounts below."
            return Finding("deliveries", ok=False, found=found, remedy=remedy)
    if doubtful:
        return Finding("deliveries", ok=True, found=f"{found}; {doubtful} perhaps received", remedy=DOUBTFUL)
    return Finding("deliveries", ok=True, found=found)


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
    found = NONE_YET if last is None else f"{last:%Y-%m-%d %H:%M} UTC"
    remedy = EVERY_NIGHT if old or last is None else ""
    return Finding("backup", ok=not old, found=found, remedy=remedy)


async def _look(settings: Settings) -> tuple[dict[str, int], datetime | None, int]:
    """Return the deliveries by outcome, since when the oldest is due, and how many wait for a decision."""
    now = datetime.now(UTC)
    async with _reading(settings) as session:
        outcomes = await figures.outcomes(session, now)
        oldest = (await figures.open_slices(session, now)).oldest_due
        doubtful = sum(each.parked for each in await reopening.all_parked(session, now))
    return outcomes, oldest, doubtful


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

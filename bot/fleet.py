"""Who runs on a database: the heartbeats in it, and a look at those of this machine."""

import asyncio
import contextlib
import socket
from datetime import UTC, datetime
from pathlib import Path

from domain.processes import Process
from storage import processes
from storage.database import Database, DatabaseAway

PATIENCE = 2.0
EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared, not bound


async def seen(url: str) -> tuple[list[Process], list[Process]]:
    """Return who runs on this database, and who ended there without a word; `DatabaseAway` if it does not answer.

    One of this machine that was killed a moment ago still has a fresh heartbeat, but its port answers no more.
    """
    found, now = await _read(url), datetime.now(UTC)
    there = await asyncio.gather(*(_is_there(each, now) for each in found))
    alive = [each for each, is_there in zip(found, there, strict=True) if is_there]
    return alive, [each for each in found if each not in alive]


async def runs_on(url: str) -> bool:
    """Say whether a process runs on this database, on whatever machine."""
    with contextlib.suppress(DatabaseAway):
        return bool((await seen(url))[0])
    return False


async def _read(url: str) -> list[Process]:
    database = Database(url)
    try:
        if _is_missing(database):
            return []
        await database.reach()
        return await processes.seen(database)
    finally:
        await database.close()


def _is_missing(database: Database) -> bool:
    """Say so of a file that is not there: to look into it would make an empty one."""
    return database.dialect == "sqlite" and not Path(database.url.database or "").is_file()


async def _is_there(process: Process, now: datetime) -> bool:
    if not process.is_alive(now) or process.host != socket.gethostname():
        return process.is_alive(now)
    host, _, port = process.address.rpartition(":")
    try:
        async with asyncio.timeout(PATIENCE):
            _, writer = await asyncio.open_connection(EVERYWHERE.get(host, host), int(port))
    except TimeoutError:
        return True  # it is there, and busy
    except OSError:
        return False
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return True

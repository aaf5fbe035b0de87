"""What `/readyz` asks beside the rooms' own checks: the schema, room on the disk, and what each role depends on."""

import asyncio
import shutil
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from pathlib import Path

import aiohttp

from bot.http import Check
from storage import halts, inbox, schema
from storage.database import Database

ANSWERS_WITHIN = 1.0
"""Seconds in which the database has to say something."""
LONGEST_LAG = timedelta(minutes=2)
LEAST_FREE = 200 * 1024**2
"""Bytes below which a write may soon fail."""


def checks_of(
    database: Database, clock: Callable[[], datetime], folder: Path, roles: Collection[str]
) -> dict[str, Check]:
    """Return the checks by name; each says what is wrong, or nothing."""
    wanted = schema.head()

    async def answers() -> str:
        try:
            async with asyncio.timeout(ANSWERS_WITHIN):
                await database.ping()
        except TimeoutError:
            return f"no answer within {ANSWERS_WITHIN:.0f} s"
        return ""

    async def newest_schema() -> str:
        at = await schema.current(database)
        return "" if at == wanted else f"the schema is at {at}, this program needs {wanted}"

    async def accounts() -> str:
        async with database.read() as session:
            stopped = await halts.read_all(session)
        return ", ".join(f"{each.name} has stopped: {each.reason}" for each in stopped)

    async def lag() -> str:
        async with database.read() as session:
            oldest = await inbox.oldest_waiting(session)
        late = oldest is not None and clock() - oldest > LONGEST_LAG
        return f"an update waits since {oldest:%H:%M:%S} UTC" if late else ""

    async def room() -> str:
        free = (await asyncio.to_thread(shutil.disk_usage, folder)).free
        return "" if free > LEAST_FREE else f"{free // 1024**2} MiB free in the data folder"

    found: dict[str, Check] = {"database": answers, "schema": newest_schema, "disk": room}
    by_role = {"worker": ("accounts", accounts), "bot": ("inbox", lag)}
    return found | dict(check for role, check in by_role.items() if role in roles)


def webchat_of(http: aiohttp.ClientSession, origin: str) -> Check:
    """Return the check whether the chat server of this machine answers."""

    async def reachable() -> str:
        try:
            async with http.get(f"{origin}/healthz") as response:
                return "" if response.ok else f"it answers with {response.status}"
        except aiohttp.ClientError:
            return "it does not answer"

    return reachable

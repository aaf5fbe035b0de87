"""What `/readyz` asks beside the rooms' own checks: the schema, stopped accounts, the inbox, and room on the disk."""

import shutil
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from bot.http import Check
from storage import halts, inbox, schema
from storage.database import Database

LONGEST_LAG = timedelta(minutes=2)
LEAST_FREE = 200 * 1024**2
"""Bytes below which a write may soon fail."""


def checks_of(database: Database, clock: Callable[[], datetime], folder: Path) -> dict[str, Check]:
    """Return the checks by name; each says what is wrong, or nothing."""

    async def newest_schema() -> str:
        at, wanted = await schema.current(database), schema.head()
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
        free = shutil.disk_usage(folder).free
        return "" if free > LEAST_FREE else f"{free // 1024**2} MiB free in the data folder"

    return {"schema": newest_schema, "accounts": accounts, "inbox": lag, "disk": room}

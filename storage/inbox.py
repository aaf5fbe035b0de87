"""The inbox: raw updates, kept before they are confirmed, wiped when they are done."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import bindparam, delete, false, func, select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlmodel.ext.asyncio.session import AsyncSession

from storage.tables import metadata
from storage.tables.columns import UtcDateTime

inbox = metadata.tables["inbox"]
OPEN = ("waiting", "effective")
"""What is not over: not yet handled, or in effect but perhaps not yet answered."""
COUNTED = (*OPEN, "quarantined")


@dataclass(frozen=True, slots=True)
class Incoming:
    """One update as it came: `raw` is its JSON."""

    account_id: int
    update_id: int
    chat_id: int | None
    raw: bytes


@dataclass(frozen=True, slots=True)
class Waiting:
    """An update that is to be handled; `update_id` orders the updates of a chat."""

    id: int
    account_id: int
    chat_id: int | None
    raw: bytes
    took_effect: bool = False
    update_id: int = 0


async def keep(session: AsyncSession, updates: Sequence[Incoming], now: datetime) -> list[Waiting]:
    """Write what is new, and return it; an update that came before is left as it is."""
    if not updates:
        return []
    values = [
        {
            "account_id": each.account_id,
            "update_id": each.update_id,
            "chat_id": each.chat_id,
            "raw": each.raw,
            "state": "waiting",
            "attempts": 0,
            "error": "",
            "received_at": now,
        }
        for each in updates
    ]
    rows = (await session.execute(_kept(session.get_bind().dialect.name), values)).all()
    return sorted((Waiting(*row) for row in rows), key=lambda waiting: waiting.id)


@cache
def _kept(dialect: str) -> Any:
    """Build it once: each batch of updates runs it."""
    insert: Any = sqlite_insert if dialect == "sqlite" else postgresql_insert
    return (
        insert(inbox)
        .on_conflict_do_nothing(index_elements=["account_id", "update_id"])
        .returning(inbox.c.id, inbox.c.account_id, inbox.c.chat_id, inbox.c.raw, false(), inbox.c.update_id)
    )


async def waiting(session: AsyncSession, account_ids: Sequence[int], *, limit: int) -> list[Waiting]:
    """Return what was kept and not yet handled, in order."""
    found = (
        select(
            inbox.c.id,
            inbox.c.account_id,
            inbox.c.chat_id,
            inbox.c.raw,
            inbox.c.state == "effective",
            inbox.c.update_id,
        )
        .where(inbox.c.state.in_(OPEN), inbox.c.account_id.in_(account_ids))
        .order_by(inbox.c.id)
        .limit(limit)
    )
    return [Waiting(*row) for row in (await session.execute(found)).all()]


async def effective(session: AsyncSession, numbers: Sequence[int]) -> None:
    """Note in the transaction of a change which updates made it, so that it is never made again."""
    await session.execute(_EFFECTIVE, {"numbers": list(numbers)})


async def done(session: AsyncSession, numbers: Sequence[int], now: datetime) -> None:
    """Mark updates handled and wipe their content, which may hold phones and letters."""
    await session.execute(_DONE, {"numbers": list(numbers), "now": now})


_EFFECTIVE = (
    update(inbox)
    .where(inbox.c.id.in_(bindparam("numbers", expanding=True)), inbox.c.state == "waiting")
    .values(state="effective")
)
_DONE = (
    update(inbox)
    .where(inbox.c.id.in_(bindparam("numbers", expanding=True)))
    .values(state="done", raw=None, error="", done_at=bindparam("now", type_=UtcDateTime))
)
"""Built once: each update runs them."""


async def failed(session: AsyncSession, inbox_id: int, error: str) -> int:
    """Count a failed attempt; returns how many there were."""
    counted = (
        update(inbox)
        .where(inbox.c.id == inbox_id)
        .values(attempts=inbox.c.attempts + 1, error=error)
        .returning(inbox.c.attempts)
    )
    return int((await session.execute(counted)).scalar_one())


async def quarantine(session: AsyncSession, inbox_id: int, sealed: bytes, error: str, now: datetime) -> None:
    """Set an update aside, sealed, for an operator to look at."""
    await session.execute(
        update(inbox)
        .where(inbox.c.id == inbox_id)
        .values(state="quarantined", raw=sealed, error=error, done_at=now)
    )


async def reap(session: AsyncSession, *, done_before: datetime, quarantined_before: datetime) -> int:
    """Drop rows that are over: done ones and old quarantined ones; returns how many."""
    gone = await session.execute(
        delete(inbox)
        .where(
            ((inbox.c.state == "done") & (inbox.c.done_at < done_before))
            | ((inbox.c.state == "quarantined") & (inbox.c.done_at < quarantined_before))
        )
        .returning(inbox.c.id)
    )
    return len(gone.all())


async def counts(session: AsyncSession) -> dict[str, int]:
    """Count by state what is not done; what is done is most of the table."""
    wanted = select(inbox.c.state, func.count().label("updates")).where(inbox.c.state.in_(COUNTED))
    rows = await session.execute(wanted.group_by(inbox.c.state))
    return {row.state: row.updates for row in rows.all()}


async def oldest_waiting(session: AsyncSession) -> datetime | None:
    """Return when the oldest unhandled update came."""
    oldest: datetime | None = (
        await session.execute(select(func.min(inbox.c.received_at)).where(inbox.c.state.in_(OPEN)))
    ).scalar()
    return oldest

"""How long the deliveries of a notice to a city of 1,000,000 take to write, against the bare SQL statement.

The bare statement is one plain INSERT ... SELECT of the same rows into the same table, with its indexes and foreign
keys: each member with their active chat, if any, and a number of a slice that stands there already. Ours also cuts
and counts the slices, knows why somebody cannot be reached, and counts them by reason. Each run is rolled back,
in turns, and the table then has the rows of the demo besides. Exits with 1 if a bar is missed.
"""

import asyncio
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime

from sqlalchemy import select, text

from benchmarks.common import ENGINES, city, show
from domain.delivery import Lane, UnknownPolicy
from storage import dispatches, materialise
from storage.database import Database, Session
from storage.tables import metadata

MOST = 1.5
RUNS = 3
NOW = datetime(2026, 3, 4, 2, 0, tzinfo=UTC)
member = metadata.tables["member"]
EVERYBODY = select(member.c.id).where(member.c.status == "active")
BARE = text("""
INSERT INTO delivery (dispatch_id, slice_id, member_id, account_id, chat_id, state, reason, attempt)
SELECT :dispatch, slice.id, numbered.member_id, numbered.account_id, numbered.chat_id,
       CASE WHEN slice.id IS NULL THEN 'skipped' ELSE 'waiting' END, '', 0
FROM (
    SELECT member.id AS member_id, account_link.account_id, account_link.chat_id,
           (row_number() OVER (PARTITION BY account_link.account_id ORDER BY member.id) - 1) / 500 AS number
    FROM member
    LEFT JOIN account_link ON account_link.member_id = member.id AND account_link.state = 'active'
         AND member.stopped_at IS NULL
    WHERE member.status = 'active'
) AS numbered
LEFT JOIN slice ON slice.dispatch_id = :slices AND slice.number = numbered.number
      AND slice.account_id = numbered.account_id
""")


class RolledBack(Exception):  # noqa: N818 - a fact
    """It was only to be timed."""


async def main() -> None:
    rows, ratios = [], []
    for engine in ENGINES:
        async with city(engine) as database:
            written, ours, bare = await _compare(database)
        ratios.append(ours / bare)
        rows.append((engine, f"{written:,}", f"{ours:.2f}", f"{bare:.2f}", f"{ours / bare:.2f}"))
    show(
        "The deliveries of a notice to everybody",
        ("", "deliveries", "ours, s", "bare statement, s", "ratio"),
        rows,
        bar=f"Materialise 1,000,000 deliveries within {MOST}x of the bare SQL statement on each database",
        reached=", ".join(f"{ratio:.2f}x on {engine}" for engine, ratio in zip(ENGINES, ratios, strict=True)),
        met=max(ratios) <= MOST,
        note=f"Medians of {RUNS} runs of each, in turns.",
    )
    sys.exit(max(ratios) > MOST)


async def _compare(database: Database) -> tuple[int, float, float]:
    async with database.begin() as session:
        slices = await _dispatch(session)
        written = await materialise.write(session, slices, EVERYBODY)
        await session.execute(text("DELETE FROM delivery WHERE dispatch_id = :slices"), {"slices": slices})

    async def ours(session: Session, dispatch_id: int) -> None:
        assert await materialise.write(session, dispatch_id, EVERYBODY) == written

    async def bare(session: Session, dispatch_id: int) -> None:
        await session.execute(BARE, {"dispatch": dispatch_id, "slices": slices})

    times: dict[object, list[float]] = {ours: [], bare: []}
    for _ in range(RUNS):
        for work in (bare, ours):
            times[work].append(await _timed(database, work))
    return written, statistics.median(times[ours]), statistics.median(times[bare])


async def _timed(database: Database, work: Callable[[Session, int], Awaitable[None]]) -> float:
    seconds = 0.0
    with suppress(RolledBack):
        async with database.begin() as session:
            dispatch_id = await _dispatch(session)
            began = time.perf_counter()
            await work(session, dispatch_id)
            seconds = time.perf_counter() - began
            raise RolledBack
    return seconds


async def _dispatch(session: Session) -> int:
    return await dispatches.create(
        session,
        source="notice",
        source_id=0,
        author_id=None,
        lane=Lane.NORMAL,
        unknown_policy=UnknownPolicy.PARK,
        useful_until=None,
        topic_id=None,
        now=NOW,
    )


if __name__ == "__main__":
    asyncio.run(main())

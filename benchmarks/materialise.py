"""How long the deliveries of a notice to a city of 1,000,000 take to write, against the bare SQL statement.

The bare statement, which the bar means, is one INSERT ... SELECT of the same rows into the same table, with its
indexes and foreign keys: each member with their active chat, if any, and the slice that they belong to, by a window
function and a join with slices that stand there already. Ours also cuts and counts the slices, knows why somebody
cannot be reached, and counts them by reason. The plain statement leaves the slice out, and so writes rows that nothing
could send: it says what the slices cost. Each run is rolled back, in turns, and the table has the rows of the demo
besides.
"""

import statistics
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime

from sqlalchemy import insert, select, text

from benchmarks.common import ENGINES, city, run, show
from domain.delivery import Lane, UnknownPolicy
from storage import dispatches, materialise
from storage.database import Database, Session
from storage.tables import metadata

MOST = 1.5
RUNS = 3
ACCOUNT = 1
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
LEFT JOIN slice ON slice.dispatch_id = :dispatch AND slice.number = numbered.number
      AND slice.account_id = numbered.account_id
""")
FLAT = text("""
INSERT INTO delivery (dispatch_id, slice_id, member_id, account_id, chat_id, state, reason, attempt)
SELECT :dispatch, NULL, member.id, account_link.account_id, account_link.chat_id, 'waiting', '', 0
FROM member
LEFT JOIN account_link ON account_link.member_id = member.id AND account_link.state = 'active'
     AND member.stopped_at IS NULL
WHERE member.status = 'active'
""")


class RolledBack(Exception):  # noqa: N818 - a fact
    """It was only to be timed."""


Work = Callable[[Session, int], Awaitable[tuple[int, float]]]
"""Writes the deliveries of a dispatch; returns how many, and in how many seconds."""


async def main() -> None:
    rows, ratios, plain = [], [], []
    for engine in ENGINES:
        async with city(engine) as database:
            written, ours, bare, flat = await _compare(database)
        ratios.append(ours / bare)
        plain.append(ours / flat)
        cells = (f"{each:.2f}" for each in (ours, bare, flat, ratios[-1], plain[-1]))
        rows.append((engine, f"{written:,}", *cells))
    show(
        "The deliveries of a notice to everybody",
        (
            "",
            "deliveries",
            "ours, s",
            "bare statement, s",
            "with no slices, s",
            "ours of bare",
            "ours of no slices",
        ),
        rows,
        bar=(f"Materialise 1,000,000 deliveries within {MOST}x of the bare SQL statement on each database"),
        reached=(
            f"{_on_each(ratios)} of the statement that writes the same rows; {_on_each(plain)} of a plain one that "
            "leaves out the slices, so that nothing could send its rows"
        ),
        met=max(ratios) <= MOST,
        note=f"Medians of {RUNS} runs of each, in turns.",
    )


def _on_each(ratios: list[float]) -> str:
    return ", ".join(f"{ratio:.2f}x on {engine}" for engine, ratio in zip(ENGINES, ratios, strict=True))


async def _compare(database: Database) -> tuple[int, float, float, float]:
    """Return how many rows each writes, and the seconds: of ours, of the bare statement, and without slices."""
    works = (_ours, _bare, _flat)
    runs = [[await _rolled_back(database, work) for work in works] for _ in range(RUNS)]
    [count] = {count for run in runs for count, _ in run}
    ours, bare, flat = (statistics.median(run[place][1] for run in runs) for place in range(len(works)))
    return count, ours, bare, flat


async def _rolled_back(database: Database, work: Work) -> tuple[int, float]:
    done = (0, 0.0)
    with suppress(RolledBack):
        async with database.begin() as session:
            done = await work(session, await _dispatch(session))
            raise RolledBack
    return done


async def _ours(session: Session, dispatch_id: int) -> tuple[int, float]:
    began = time.perf_counter()
    count = await materialise.write(session, dispatch_id, EVERYBODY)
    return count, time.perf_counter() - began


async def _bare(session: Session, dispatch_id: int) -> tuple[int, float]:
    counters = dict.fromkeys(("fence", "planned", *dispatches.COUNTERS), 0) | {"done": False}
    slices = [
        {"dispatch_id": dispatch_id, "account_id": ACCOUNT, "number": n, **counters} for n in range(2_000)
    ]
    await session.execute(insert(metadata.tables["slice"]), slices)
    began = time.perf_counter()
    done = await session.execute(BARE, {"dispatch": dispatch_id})
    return done.rowcount, time.perf_counter() - began


async def _flat(session: Session, dispatch_id: int) -> tuple[int, float]:
    began = time.perf_counter()
    done = await session.execute(FLAT, {"dispatch": dispatch_id})
    return done.rowcount, time.perf_counter() - began


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
    run(main)

"""What members were pushed this week, and who is above the cap."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import BigInteger, Select, and_, bindparam, func, or_, select
from sqlalchemy.engine import Row
from sqlmodel.ext.asyncio.session import AsyncSession

from domain.delivery import DeliveryState
from domain.digests import Cadence, due
from domain.push_budget import COUNTED_LANE, COUNTED_SOURCES, is_capped, week_start
from storage import digests, number_lists
from storage.tables import metadata
from storage.tables.columns import UtcDateTime

delivery = metadata.tables["delivery"]
dispatch = metadata.tables["dispatch"]

LONGEST_WEEK = timedelta(days=9)
"""A week, what the zones lie apart, and a day for outcomes that come after their dispatch ended."""
COUNTED = and_(dispatch.c.source.in_(COUNTED_SOURCES), dispatch.c.lane == COUNTED_LANE)
"""The dispatches that `domain.push_budget.counts`."""
PUSHED = (DeliveryState.SENDING, DeliveryState.SENT, DeliveryState.UNKNOWN)


async def above_cap(
    session: AsyncSession, rows: Sequence[Row[Any]], cap: int, above: int, now: datetime
) -> dict[int, datetime]:
    """Return which of these (member_id, zone) rows are above the cap, and when their next digest comes.

    `above` is a number below all deliveries of the week: without it each claim would read a member's years.
    """
    pushes = await _pushes(session, rows, above, now) if cap else {}
    capped = [row for row in rows if is_capped(pushes.get(row.member_id, 0), cap)]
    daily = await digests.daily_among(session, [row.member_id for row in capped])
    cadences = {row.member_id: Cadence.DAILY if row.member_id in daily else Cadence.WEEKLY for row in capped}
    return {row.member_id: due(cadences[row.member_id], now, row.zone) for row in capped}


async def week_above(session: AsyncSession, now: datetime) -> int:
    """Return a number below all deliveries that count for the week, wherever it began."""
    return int((await session.execute(_ABOVE, {"since": now - LONGEST_WEEK})).scalar_one())


async def _pushes(
    session: AsyncSession, rows: Sequence[Row[Any]], above: int, now: datetime
) -> dict[int, int]:
    """Count what each was pushed since Monday, local."""
    counts: dict[int, int] = {}
    dialect = session.get_bind().dialect.name
    for zone in {row.zone for row in rows}:
        members = number_lists.numbers(dialect, (row.member_id for row in rows if row.zone == zone))
        given = {"members": members, "above": above, "since": week_start(now, zone)}
        counted = await session.execute(_counted(dialect), given)
        counts |= {row.member_id: row.pushes for row in counted.all()}
    return counts


@cache
def _counted(dialect: str) -> Select[tuple[int, int]]:
    return (
        select(delivery.c.member_id, func.count().label("pushes"))
        .join(dispatch, dispatch.c.id == delivery.c.dispatch_id)
        .where(
            number_lists.among(dialect, delivery.c.member_id, "members"),
            delivery.c.id > bindparam("above", type_=BigInteger),
            delivery.c.state.in_(PUSHED),
            delivery.c.at >= bindparam("since", type_=UtcDateTime),
            COUNTED,
        )
        .group_by(delivery.c.member_id)
    )


_ABOVE = select(func.coalesce(func.min(func.coalesce(dispatch.c.above_id, 0)), 0)).where(
    COUNTED,
    or_(dispatch.c.finished_at.is_(None), dispatch.c.finished_at >= bindparam("since", type_=UtcDateTime)),
)

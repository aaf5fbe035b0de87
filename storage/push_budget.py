"""What members were pushed this week, and who is above the cap."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, select
from sqlalchemy.engine import Row
from sqlmodel.ext.asyncio.session import AsyncSession

from domain.delivery import DeliveryState
from domain.digests import Cadence, due
from domain.push_budget import COUNTED_SOURCES, is_capped, week_start
from storage import digests
from storage.tables import metadata
from storage.tables.columns import UtcDateTime

delivery = metadata.tables["delivery"]
dispatch = metadata.tables["dispatch"]

PUSHED = (DeliveryState.SENDING, DeliveryState.SENT, DeliveryState.UNKNOWN)


async def above_cap(
    session: AsyncSession, rows: Sequence[Row[Any]], cap: int, now: datetime
) -> dict[int, datetime]:
    """Return which of these (member_id, zone) rows are above the cap, and when their next digest comes."""
    pushes = await _pushes(session, rows, now) if cap else {}
    above = [row for row in rows if is_capped(pushes.get(row.member_id, 0), cap)]
    daily = await digests.daily_among(session, [row.member_id for row in above])
    cadences = {row.member_id: Cadence.DAILY if row.member_id in daily else Cadence.WEEKLY for row in above}
    return {row.member_id: due(cadences[row.member_id], now, row.zone) for row in above}


async def _pushes(session: AsyncSession, rows: Sequence[Row[Any]], now: datetime) -> dict[int, int]:
    """Count what each was pushed since Monday, local."""
    counts: dict[int, int] = {}
    for zone in {row.zone for row in rows}:
        members = [row.member_id for row in rows if row.zone == zone]
        given = {"members": members, "since": week_start(now, zone)}
        counts |= {row.member_id: row.pushes for row in (await session.execute(_COUNTED, given)).all()}
    return counts


_COUNTED = (
    select(delivery.c.member_id, func.count().label("pushes"))
    .join(dispatch, dispatch.c.id == delivery.c.dispatch_id)
    .where(
        delivery.c.member_id.in_(bindparam("members", expanding=True)),
        delivery.c.state.in_(PUSHED),
        delivery.c.at >= bindparam("since", type_=UtcDateTime),
        dispatch.c.source.in_(COUNTED_SOURCES),
    )
    .group_by(delivery.c.member_id)
)

"""Who was granted how much of an account's pace lately, for the whole fleet (`domain.shares` has the rule).

Written in the transaction that reserves. The rows say nothing that is needed later: a minute old they are dropped.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import Float, and_, bindparam, case, delete, func, select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlmodel.ext.asyncio.session import AsyncSession

from domain.delivery import Lane
from domain.pace import PaceKind
from domain.shares import LATELY, Shares
from storage.tables import metadata

share = metadata.tables["pace_share"]
KEPT = 60.0
"""Seconds after which a row is dropped."""


async def read(session: AsyncSession, account_id: int, kind: PaceKind, lane: Lane, now: datetime) -> Shares:
    """Return the shares of the dispatches that go out by this account, in this lane and kind of pace."""
    given = {"account": account_id, "whose": kind, "of": lane, "since": now.timestamp() - LATELY}
    rows = (await session.execute(_LATELY, given)).all()
    return Shares({row.dispatch_id: row.granted for row in rows})


async def grant(
    session: AsyncSession,
    account_id: int,
    kind: PaceKind,
    lane: Lane,
    dispatch_id: int,
    count: int,
    now: datetime,
) -> float:
    """Note that a dispatch was granted `count` sends, and return its virtual time then."""
    written = _PUT_POSTGRESQL if session.get_bind().dialect.name == "postgresql" else _PUT_SQLITE
    epoch = now.timestamp()
    given = {"account": account_id, "whose": kind, "of": lane, "since": epoch - LATELY}
    row = await session.execute(written, given | {"to": dispatch_id, "number": count, "epoch": epoch})
    return float(row.scalar_one())


async def forget(session: AsyncSession, now: datetime) -> None:
    """Drop what says nothing any more."""
    await session.execute(delete(share).where(share.c.at < now.timestamp() - KEPT))


_RECENT = and_(
    share.c.account_id == bindparam("account"),
    share.c.kind == bindparam("whose"),
    share.c.lane == bindparam("of"),
    share.c.at >= bindparam("since", type_=Float),
)
_LATELY = select(share.c.dispatch_id, share.c.granted).where(_RECENT)


def _put(insert: Any) -> Any:
    """Count on, from where the others are if it begins or comes back."""
    number = bindparam("number", type_=Float)
    least = select(func.coalesce(func.min(share.c.granted), 0.0)).where(_RECENT).scalar_subquery()
    row = insert(share).values(
        account_id=bindparam("account"),
        kind=bindparam("whose"),
        lane=bindparam("of"),
        dispatch_id=bindparam("to"),
        granted=least + number,
        at=bindparam("epoch", type_=Float),
    )
    goes_on = share.c.at >= bindparam("since", type_=Float)
    granted = case((goes_on, share.c.granted + number), else_=row.excluded.granted)
    put = row.on_conflict_do_update(
        index_elements=["account_id", "kind", "dispatch_id"], set_={"granted": granted, "at": row.excluded.at}
    )
    return put.returning(share.c.granted)


_PUT_POSTGRESQL, _PUT_SQLITE = _put(postgresql_insert), _put(sqlite_insert)

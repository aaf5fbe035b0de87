"""Who was granted how much of an account's pace lately, for the whole fleet (`domain.shares` has the rule).

Written in the transaction that reserves. The rows say nothing that is needed later: a minute old they are dropped.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import Float, and_, bindparam, case, delete, select
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
    known: Shares,
    dispatch_id: int,
    count: int,
    now: datetime,
) -> Shares:
    """Note that a dispatch was granted `count` sends, and return the shares as they are then.

    `known` are those that were read before; what another process was granted for it meanwhile counts too.
    """
    shares = known.after(dispatch_id, count)
    written = _PUT_POSTGRESQL if session.get_bind().dialect.name == "postgresql" else _PUT_SQLITE
    epoch = now.timestamp()
    values = {"account_id": account_id, "kind": kind, "dispatch_id": dispatch_id, "lane": lane}
    values |= {"granted": shares.at(dispatch_id), "at": epoch, "number": count, "since": epoch - LATELY}
    await session.execute(written, values)
    return shares


async def forget(session: AsyncSession, now: datetime) -> None:
    """Drop what says nothing any more."""
    await session.execute(delete(share).where(share.c.at < now.timestamp() - KEPT))


def _put(insert: Any) -> Any:
    row = insert(share).values({name: bindparam(name) for name in share.c.keys()})  # noqa: SIM118 - not a dict
    more = share.c.granted + bindparam("number", type_=Float)
    recent = share.c.at >= bindparam("since", type_=Float)
    changed = {"granted": case((recent, more), else_=row.excluded.granted), "at": row.excluded.at}
    return row.on_conflict_do_update(index_elements=["account_id", "kind", "dispatch_id"], set_=changed)


_LATELY = select(share.c.dispatch_id, share.c.granted).where(
    and_(
        share.c.account_id == bindparam("account"),
        share.c.kind == bindparam("whose"),
        share.c.lane == bindparam("of"),
        share.c.at >= bindparam("since"),
    )
)
_PUT_POSTGRESQL, _PUT_SQLITE = _put(postgresql_insert), _put(sqlite_insert)

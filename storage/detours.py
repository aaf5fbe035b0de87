"""Detours: a delivery that cannot reach its member on one account goes to their next one.

It stays one delivery: the same row, moved into a slice of the other account, and at most once to each account.
Its slice is numbered after the one it came from, so that none grows beyond what a worker takes in hand.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, Select, String, and_, bindparam, case, cast, literal, or_, select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlmodel.ext.asyncio.session import AsyncSession

from domain.accounts import HOME_COUNTRY
from domain.delivery import DeliveryState
from storage.dispatches import COUNTERS
from storage.tables import metadata

account = metadata.tables["account"]
account_link = metadata.tables["account_link"]
delivery = metadata.tables["delivery"]
dispatch = metadata.tables["dispatch"]
slice_ = metadata.tables["slice"]

DETOURS = 1_000_000
"""Slices of detours are numbered from here."""
Slice = tuple[int, int, int]
"""A slice by dispatch, account and number."""


async def take(session: AsyncSession, deliveries: Sequence[int], state: DeliveryState) -> dict[int, int]:
    """Move those that another account reaches, of these deliveries in `state`, to wait there.

    Returns those moved, each with the slice it left. Of two links the one chosen by the member comes first.
    """
    ways = (await session.execute(_ways(deliveries, state))).all()
    rows = list({row.id: row for row in reversed(ways)}.values())
    if not rows:
        return {}
    left = Counter(row.slice_id for row in rows)
    for slice_id, count in sorted(left.items()):
        fewer = update(slice_).where(slice_.c.id == slice_id).values(planned=slice_.c.planned - count)
        await session.execute(fewer)
    slices = await _open_slices(session, Counter(_slice_of(row) for row in rows))
    moved = [
        {
            "of": row.id,
            "slice": slices[_slice_of(row)],
            "account": row.to_account,
            "chat": row.to_chat,
            "so_far": f"{row.tried or '/'}{row.account_id}/",
        }
        for row in rows
    ]
    connection = await session.connection()
    await connection.execute(_MOVED, moved)
    return {row.id: row.slice_id for row in rows}


_MOVED = (
    update(delivery)
    .where(delivery.c.id == bindparam("of"))
    .values(
        slice_id=bindparam("slice"),
        account_id=bindparam("account"),
        chat_id=bindparam("chat"),
        tried=bindparam("so_far"),
        state=DeliveryState.WAITING.value,
        reason="detour",
        attempt=0,
        attempt_id=None,
        retry_at=None,
    )
)


def _ways(deliveries: Sequence[int], state: DeliveryState) -> Select[Any]:
    """Select the links these deliveries could take next, the first of each first."""
    name = literal("/") + cast(account_link.c.account_id, String) + literal("/")
    untried = and_(
        account_link.c.account_id != delivery.c.account_id,
        or_(delivery.c.tried.is_(None), ~delivery.c.tried.contains(name)),
    )
    number = case((slice_.c.number >= DETOURS, slice_.c.number), else_=slice_.c.number + DETOURS)
    return (
        select(
            delivery.c.id,
            delivery.c.dispatch_id,
            delivery.c.slice_id,
            delivery.c.account_id,
            delivery.c.tried,
            account_link.c.account_id.label("to_account"),
            account_link.c.chat_id.label("to_chat"),
            number.label("number"),
        )
        .join(slice_, slice_.c.id == delivery.c.slice_id)
        .join(account_link, account_link.c.member_id == delivery.c.member_id)
        .join(account, account.c.id == account_link.c.account_id)
        .where(delivery.c.id.in_(deliveries), delivery.c.state == state)
        .join(dispatch, dispatch.c.id == delivery.c.dispatch_id)
        .where(account_link.c.state == "active", account.c.barred.is_(False), untried)
        .where(or_(dispatch.c.home_only.is_(False), account.c.residency == HOME_COUNTRY))
        .order_by(delivery.c.id, account_link.c.place, account_link.c.account_id)
        .with_for_update(of=delivery)
    )


def _slice_of(row: Row[Any]) -> Slice:
    return row.dispatch_id, row.to_account, row.number


async def _open_slices(session: AsyncSession, wanted: Counter[Slice]) -> dict[Slice, int]:
    """Make room in slices of detours, new ones or such as were over; return their ids."""
    insert: Any = sqlite_insert if session.get_bind().dialect.name == "sqlite" else postgresql_insert
    opened = {}
    for place, count in sorted(wanted.items()):
        dispatch_id, account_id, number = place
        fresh = dict.fromkeys(("fence", *COUNTERS), 0) | {"done": False, "planned": count}
        put = insert(slice_).values(dispatch_id=dispatch_id, account_id=account_id, number=number, **fresh)
        more = {"planned": slice_.c.planned + count, "done": False, "held_until": None}
        put = put.on_conflict_do_update(index_elements=["dispatch_id", "account_id", "number"], set_=more)
        opened[place] = int((await session.execute(put.returning(slice_.c.id))).scalar_one())
    return opened

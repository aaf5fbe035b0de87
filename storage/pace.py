"""The pace of an account for the whole fleet: one row, one UPDATE a group (`domain.pace` is its oracle)."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Float,
    Update,
    and_,
    bindparam,
    case,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.engine import Row
from sqlmodel.ext.asyncio.session import AsyncSession

from domain.delivery import Lane
from domain.pace import (
    CAREFUL_STEP,
    CREEP_EVERY,
    CREEP_STEP,
    HEADROOM,
    KNOWN_GOOD,
    KNOWN_PAST,
    RECOVERY,
    SLOWEST,
    Granted,
    Later,
    Pace,
    PaceKind,
    ahead,
)
from storage.tables import metadata
from storage.tables.columns import UtcDateTime

pace = metadata.tables["pace"]
EPOCH = datetime.fromtimestamp(0, UTC)
HALTED_WAIT = 5.0
"""Seconds after which a slice of a stopped account asks again."""


async def ensure(
    session: AsyncSession,
    account_id: int,
    kind: PaceKind = PaceKind.FREE,
    *,
    rate: float,
    ceiling: float,
    now: datetime,
) -> None:
    """Give an account its pace row, or its new ceiling; a learnt rate stays unless it is above."""
    top = max(SLOWEST, ceiling * HEADROOM)
    row = (await session.execute(select(pace.c.rate).where(_is(account_id, kind)))).first()
    if row is None:
        free = pace.alias("free")
        halted = select(free.c.halted_at).where(free.c.account_id == account_id, free.c.kind == PaceKind.FREE)
        fresh = {"account_id": account_id, "kind": kind, "halted_at": halted.scalar_subquery()}
        fresh |= {"rate": min(rate, top), "ceiling": ceiling, "changed_at": now}
        await session.execute(insert(pace).values(arrival=0.0, reply_arrival=0.0, **fresh))
        return
    learnt = update(pace).where(_is(account_id, kind))
    await session.execute(learnt.values(ceiling=ceiling, rate=min(row.rate, top)))


async def pay_no_more(session: AsyncSession, account_id: int) -> None:
    """Take the paid pace from an account: what it would have paid for goes out for nothing."""
    await session.execute(delete(pace).where(_is(account_id, PaceKind.PAID)))


async def lock(session: AsyncSession, account_id: int) -> None:
    """Lock the rows of an account in one order, before a statement that changes both."""
    rows = select(pace.c.kind).where(pace.c.account_id == account_id).order_by(pace.c.kind)
    await session.execute(rows.with_for_update())


async def reserve(
    session: AsyncSession,
    account_id: int,
    lane: Lane,
    count: int,
    now: datetime,
    kind: PaceKind = PaceKind.FREE,
    *,
    stand_back: float = 0.0,
) -> Granted | Later:
    """Reserve `count` sends of the account's pace for this caller, or say when to ask again.

    With `stand_back` it is reserved so many seconds less ahead, and whoever does not stand back is first.
    """
    epoch = now.timestamp()
    foresight = ahead(lane, stand_back)
    given = {
        "account": account_id,
        "whose": kind,
        "now": now,
        "epoch": epoch,
        "number": count,
        "latest": epoch + foresight,
        "crept_before": now - timedelta(seconds=CREEP_EVERY),
    }
    row = (await session.execute(_REPLY if lane is Lane.REPLY else _SEND, given)).first()
    if row is not None:
        return Granted(row.end - count * row.interval, row.interval)
    return await _refused(session, account_id, kind, epoch, foresight)


async def hold(
    session: AsyncSession,
    account_id: int,
    retry_at: datetime,
    now: datetime,
    kind: PaceKind = PaceKind.FREE,
) -> None:
    """After a 429: nobody sends until `retry_at`, and the rate of the kind that met it halves once per hold."""
    await lock(session, account_id)
    held = or_(pace.c.kind != kind, and_(pace.c.held_until.is_not(None), pace.c.held_until > now))
    until = case((pace.c.held_until > retry_at, pace.c.held_until), else_=retry_at)
    met, today = pace.c.kind == kind, pace.c.busy_on == now.date()
    await session.execute(
        update(pace)
        .where(pace.c.account_id == account_id)
        .values(
            rate=case((held, pace.c.rate), (pace.c.rate / 2 < SLOWEST, SLOWEST), else_=pace.c.rate / 2),
            refused=case((held, pace.c.refused), else_=pace.c.rate),
            held_until=until,
            changed_at=until,
            busy=case((and_(met, today), pace.c.busy + 1), (met, 1), else_=pace.c.busy),
            busy_on=case((met, now.date()), else_=pace.c.busy_on),
        )
    )


async def read(session: AsyncSession, account_id: int, kind: PaceKind = PaceKind.FREE) -> Pace | None:
    row = (await session.execute(select(pace).where(_is(account_id, kind)))).first()
    return None if row is None else _pace_of(row)


async def read_all(session: AsyncSession, kind: PaceKind = PaceKind.FREE) -> dict[int, Pace]:
    """Return the pace of every account that has one of this kind."""
    rows = (await session.execute(select(pace).where(pace.c.kind == kind))).all()
    return {row.account_id: _pace_of(row) for row in rows}


def _is(account_id: int, kind: PaceKind) -> ColumnElement[bool]:
    return and_(pace.c.account_id == account_id, pace.c.kind == kind)


async def _refused(
    session: AsyncSession, account_id: int, kind: PaceKind, epoch: float, foresight: float
) -> Later:
    row = (await session.execute(select(pace).where(_is(account_id, kind)))).first()
    if row is None:
        msg = f"account {account_id} has no {kind} pace row"
        raise LookupError(msg)
    if row.halted_at is not None:
        return Later(epoch + HALTED_WAIT, held=True)
    now_at = _pace_of(row)
    if now_at.held_until is not None and now_at.held_until > epoch:
        return Later(now_at.held_until, held=True)
    return Later(now_at.arrival - foresight)


def _pace_of(row: Row[Any]) -> Pace:
    return Pace(
        rate=row.rate,
        ceiling=row.ceiling,
        arrival=row.arrival,
        reply_arrival=row.reply_arrival,
        held_until=None if row.held_until is None else row.held_until.timestamp(),
        changed_at=(row.changed_at or EPOCH).timestamp(),
        refused=row.refused or 0.0,
    )


def _later_of(column: ColumnElement[float]) -> ColumnElement[float]:
    return case((column > _EPOCH, column), else_=_EPOCH)


def _crept() -> ColumnElement[float]:
    top = case((pace.c.ceiling * HEADROOM < SLOWEST, SLOWEST), else_=pace.c.ceiling * HEADROOM)
    risen = pace.c.rate + _rise()
    due = and_(
        or_(pace.c.changed_at.is_(None), pace.c.changed_at <= bindparam("crept_before", type_=UtcDateTime)),
        pace.c.rate < top,
    )
    return case((due, case((risen > top, top), else_=risen)), else_=pace.c.rate)


def _rise() -> ColumnElement[float]:
    refused = func.coalesce(pace.c.refused, 0.0)
    lacking = refused * KNOWN_GOOD - pace.c.rate
    part, least = lacking * RECOVERY, refused * CREEP_STEP
    step = case((part > least, part), else_=least)
    return case(
        (lacking > 0, case((step > lacking, lacking), else_=step)),
        (pace.c.rate < refused * KNOWN_PAST, refused * CAREFUL_STEP),
        else_=pace.c.ceiling * CREEP_STEP,
    )


def _reply() -> Update:
    return (
        update(pace)
        .where(_ITS)
        .values(
            reply_arrival=_later_of(pace.c.reply_arrival) + _COUNT / pace.c.ceiling,
            arrival=_later_of(pace.c.arrival) + _COUNT / pace.c.rate,
        )
        .returning(pace.c.reply_arrival.label("end"), (1.0 / pace.c.ceiling).label("interval"))
    )


def _send() -> Update:
    rate = _crept()
    return (
        update(pace)
        .where(_FREE, pace.c.arrival <= bindparam("latest", type_=Float))
        .values(
            rate=rate,
            changed_at=case((rate != pace.c.rate, _NOW), else_=pace.c.changed_at),
            arrival=_later_of(pace.c.arrival) + _COUNT / rate,
        )
        .returning(pace.c.arrival.label("end"), (1.0 / pace.c.rate).label("interval"))
    )


_NOW: BindParameter[datetime] = bindparam("now", type_=UtcDateTime)
_EPOCH: BindParameter[float] = bindparam("epoch", type_=Float)
_COUNT: BindParameter[float] = bindparam("number", type_=Float)
_ITS = and_(pace.c.account_id == bindparam("account"), pace.c.kind == bindparam("whose"))
_FREE = and_(
    _ITS,
    pace.c.halted_at.is_(None),
    or_(pace.c.held_until.is_(None), pace.c.held_until <= _NOW),
)
_REPLY, _SEND = _reply(), _send()
"""Built once: to build one costs three times what it costs to run it."""

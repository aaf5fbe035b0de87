"""The pace of an account for the whole fleet: one row, one UPDATE a group (`domain.pace` is its oracle)."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, case, insert, literal, or_, select, update
from sqlalchemy.engine import Row
from sqlmodel.ext.asyncio.session import AsyncSession

from domain.delivery import Lane
from domain.pace import CREEP_EVERY, CREEP_STEP, HEADROOM, LOOK_AHEAD, SLOWEST, Granted, Later, Pace
from storage.tables import metadata

pace = metadata.tables["pace"]
EPOCH = datetime.fromtimestamp(0, UTC)


async def ensure(
    session: AsyncSession, account_id: int, *, rate: float, ceiling: float, now: datetime
) -> None:
    """Give an account its pace row, or its new ceiling; a learnt rate stays unless it is above."""
    top = max(SLOWEST, ceiling * HEADROOM)
    row = (await session.execute(select(pace.c.rate).where(pace.c.account_id == account_id))).first()
    if row is None:
        fresh = {"account_id": account_id, "rate": min(rate, top), "ceiling": ceiling, "changed_at": now}
        await session.execute(insert(pace).values(arrival=0.0, reply_arrival=0.0, **fresh))
        return
    learnt = update(pace).where(pace.c.account_id == account_id)
    await session.execute(learnt.values(ceiling=ceiling, rate=min(row.rate, top)))


async def reserve(
    session: AsyncSession, account_id: int, lane: Lane, count: int, now: datetime
) -> Granted | Later:
    """Reserve `count` sends of the account's pace for this caller, or say when to ask again."""
    epoch = now.timestamp()
    free = and_(pace.c.account_id == account_id, or_(pace.c.held_until.is_(None), pace.c.held_until <= now))
    if lane is Lane.REPLY:
        statement = (
            update(pace)
            .where(free)
            .values(
                reply_arrival=_later_of(pace.c.reply_arrival, epoch) + count / pace.c.ceiling,
                arrival=_later_of(pace.c.arrival, epoch) + count / pace.c.rate,
            )
            .returning(pace.c.reply_arrival.label("end"), (1.0 / pace.c.ceiling).label("interval"))
        )
    else:
        rate = _crept(now)
        statement = (
            update(pace)
            .where(free, pace.c.arrival <= epoch + LOOK_AHEAD[lane])
            .values(
                rate=rate,
                changed_at=case((rate != pace.c.rate, now), else_=pace.c.changed_at),
                arrival=_later_of(pace.c.arrival, epoch) + count / rate,
            )
            .returning(pace.c.arrival.label("end"), (1.0 / pace.c.rate).label("interval"))
        )
    row = (await session.execute(statement)).first()
    if row is not None:
        return Granted(row.end - count * row.interval, row.interval)
    return await _refused(session, account_id, lane, epoch)


async def hold(session: AsyncSession, account_id: int, retry_at: datetime, now: datetime) -> None:
    """After a 429: nobody sends until `retry_at`, and the rate halves once per hold."""
    held = pace.c.held_until > now
    await session.execute(
        update(pace)
        .where(pace.c.account_id == account_id)
        .values(
            rate=case((held, pace.c.rate), (pace.c.rate / 2 < SLOWEST, SLOWEST), else_=pace.c.rate / 2),
            held_until=case((pace.c.held_until > retry_at, pace.c.held_until), else_=retry_at),
            changed_at=now,
        )
    )


async def read(session: AsyncSession, account_id: int) -> Pace | None:
    row = (await session.execute(select(pace).where(pace.c.account_id == account_id))).first()
    return None if row is None else _pace_of(row)


async def read_all(session: AsyncSession) -> dict[int, Pace]:
    """Return every account's pace, for figures and metrics."""
    return {row.account_id: _pace_of(row) for row in (await session.execute(select(pace))).all()}


async def _refused(session: AsyncSession, account_id: int, lane: Lane, epoch: float) -> Later:
    now_at = await read(session, account_id)
    if now_at is None:
        msg = f"account {account_id} has no pace row"
        raise LookupError(msg)
    if now_at.held_until is not None and now_at.held_until > epoch:
        return Later(now_at.held_until, held=True)
    return Later(now_at.arrival - LOOK_AHEAD[lane])


def _pace_of(row: Row[Any]) -> Pace:
    return Pace(
        rate=row.rate,
        ceiling=row.ceiling,
        arrival=row.arrival,
        reply_arrival=row.reply_arrival,
        held_until=None if row.held_until is None else row.held_until.timestamp(),
        changed_at=(row.changed_at or EPOCH).timestamp(),
    )


def _later_of(column: ColumnElement[float], epoch: float) -> ColumnElement[float]:
    return case((column > epoch, column), else_=literal(epoch))


def _crept(now: datetime) -> ColumnElement[float]:
    top = case((pace.c.ceiling * HEADROOM < SLOWEST, SLOWEST), else_=pace.c.ceiling * HEADROOM)
    step = pace.c.rate + pace.c.ceiling * CREEP_STEP
    due = and_(
        or_(pace.c.changed_at.is_(None), pace.c.changed_at <= now - timedelta(seconds=CREEP_EVERY)),
        pace.c.rate < top,
    )
    return case((due, case((step > top, top), else_=step)), else_=pace.c.rate)

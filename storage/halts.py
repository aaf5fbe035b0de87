"""Accounts that stopped by themselves: marked in their pace row, which everybody who sends has to ask."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Select, and_, exists, func, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from domain.delivery import DispatchState
from domain.halts import LONGEST_PROBE, next_probe
from domain.pace import PaceKind
from storage.pace import lock as lock_rows
from storage.tables import metadata

account = metadata.tables["account"]
dispatch = metadata.tables["dispatch"]
pace = metadata.tables["pace"]
slice_ = metadata.tables["slice"]
FREE = pace.c.kind == PaceKind.FREE
"""Of the rows of an account, the one that every account has; a stop is marked in all of them."""
COUNTED = ("sent", "unreachable", "rejected", "skipped", "failed", "unknown")


@dataclass(frozen=True, slots=True)
class Halt:
    """An account that stopped by itself, and why."""

    account_id: int
    name: str
    since: datetime
    reason: str
    probe_at: datetime | None


async def read_all(session: AsyncSession) -> list[Halt]:
    """Return the accounts that are stopped now."""
    return await _read(session, _halted().order_by(account.c.name))


@dataclass(frozen=True, slots=True)
class Overview:
    """An account with its pace, what waits for it, and since when and why it has stopped, if it has."""

    account_id: int
    name: str
    rate: float
    ceiling: float
    held_until: datetime | None
    waiting: int
    since: datetime | None
    reason: str


async def overview(session: AsyncSession) -> list[Overview]:
    """Return all accounts that have a pace."""
    found = select(pace, account.c.name).join(account, account.c.id == pace.c.account_id).where(FREE)
    rows = (await session.execute(found.order_by(account.c.name))).all()
    return [
        Overview(
            account_id=row.account_id,
            name=row.name,
            rate=row.rate,
            ceiling=row.ceiling,
            held_until=row.held_until,
            waiting=await waiting(session, row.account_id),
            since=row.halted_at,
            reason=row.halt_reason or "",
        )
        for row in rows
    ]


async def numbers(session: AsyncSession) -> list[int]:
    """Return the ids of the accounts that are stopped now."""
    found = select(pace.c.account_id).where(FREE, pace.c.halted_at.is_not(None))
    return list((await session.execute(found)).scalars())


async def lock(session: AsyncSession, account_id: int) -> Halt | None:
    """Return a stopped account, and let nobody else at it until this transaction ends."""
    mine = _halted().where(pace.c.account_id == account_id).with_for_update(of=pace)
    return next(iter(await _read(session, mine)), None)


async def halt(session: AsyncSession, account_id: int, reason: str, now: datetime) -> bool:
    """Stop an account for the whole fleet; say whether it went until now.

    One that was taken up again a short while ago is looked at less soon than the last time.
    """
    await lock_rows(session, account_id)
    row = (await session.execute(select(pace).where(FREE, pace.c.account_id == account_id))).one_or_none()
    if row is None:
        return False
    recent = row.probe_at is not None and now - row.probe_at < LONGEST_PROBE
    wait = next_probe(timedelta(seconds=row.probe_after) if recent and row.probe_after else None)
    stopped = (
        update(pace)
        .where(pace.c.account_id == account_id, pace.c.halted_at.is_(None))
        .values(halted_at=now, halt_reason=reason, probe_at=now + wait, probe_after=int(wait.total_seconds()))
        .returning(pace.c.account_id)
    )
    return (await session.execute(stopped)).first() is not None


async def take_probe(session: AsyncSession, account_id: int, now: datetime) -> bool:
    """Say whether a stopped account is to be looked at now, by the caller alone; the next look is later."""
    due = and_(FREE, pace.c.account_id == account_id, pace.c.halted_at.is_not(None), pace.c.probe_at <= now)
    row = (await session.execute(select(pace.c.probe_at, pace.c.probe_after).where(due))).one_or_none()
    if row is None:
        return False
    wait = next_probe(timedelta(seconds=row.probe_after or 0))
    taken = (
        update(pace)
        .where(due, pace.c.probe_at == row.probe_at)
        .values(probe_at=now + wait, probe_after=int(wait.total_seconds()))
        .returning(pace.c.account_id)
    )
    return (await session.execute(taken)).first() is not None


async def probe_soon(session: AsyncSession, accounts: list[int], now: datetime) -> None:
    """Let stopped accounts be looked at now: a new token may have come with a new start."""
    mine = and_(FREE, pace.c.account_id.in_(accounts), pace.c.halted_at.is_not(None))
    await session.execute(update(pace).where(mine).values(probe_at=now))


async def resume(session: AsyncSession, account_id: int, now: datetime | None = None) -> bool:
    """Let an account go again: by itself (`now`), or by a person's word; say whether it was stopped."""
    await lock_rows(session, account_id)
    again = (
        update(pace)
        .where(pace.c.account_id == account_id, pace.c.halted_at.is_not(None))
        .values(halted_at=None, halt_reason=None, probe_at=now)
        .returning(pace.c.account_id)
    )
    return (await session.execute(again)).first() is not None


async def told_since(session: AsyncSession, source: str, account_id: int, since: datetime) -> bool:
    """Say whether somebody was told of this account since then."""
    told = exists().where(
        dispatch.c.source == source, dispatch.c.source_id == account_id, dispatch.c.created_at >= since
    )
    return bool((await session.execute(select(told))).scalar_one())


async def waiting(session: AsyncSession, account_id: int) -> int:
    """Count what waits for an account; its cost grows with the open slices."""
    done = sum((slice_.c[name] for name in COUNTED[1:]), start=slice_.c[COUNTED[0]])
    counted = (
        select(func.coalesce(func.sum(slice_.c.planned - done), 0))
        .join(dispatch, dispatch.c.id == slice_.c.dispatch_id)
        .where(
            slice_.c.account_id == account_id,
            slice_.c.done.is_(False),
            dispatch.c.state.in_([DispatchState.RUNNING, DispatchState.PAUSED]),
        )
    )
    return int((await session.execute(counted)).scalar_one())


def _halted() -> Select[tuple[int, str, datetime, str, datetime]]:
    return (
        select(pace.c.account_id, account.c.name, pace.c.halted_at, pace.c.halt_reason, pace.c.probe_at)
        .join(account, account.c.id == pace.c.account_id)
        .where(FREE, pace.c.halted_at.is_not(None))
    )


async def _read(session: AsyncSession, query: Select[tuple[int, str, datetime, str, datetime]]) -> list[Halt]:
    rows = (await session.execute(query)).all()
    return [
        Halt(row.account_id, row.name, row.halted_at, row.halt_reason or "", row.probe_at) for row in rows
    ]

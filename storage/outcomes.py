"""Recording what became of deliveries: one UPDATE for a hundred outcomes, found by attempt id.

Measured: row by row costs 7 times the database CPU of this JSON form (and an outcome recorded alone
2,226 us against 91 us in groups of 25).
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

import orjson
from sqlalchemy import (
    ColumnElement,
    Integer,
    Table,
    and_,
    bindparam,
    exists,
    func,
    literal,
    select,
    text,
    update,
)
from sqlalchemy.engine import Row
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError
from sqlalchemy.sql.dml import ReturningUpdate
from sqlmodel.ext.asyncio.session import AsyncSession

from domain.delivery import ELSEWHERE, DeliveryState, DispatchState, UnknownPolicy, Verdict
from domain.throughput import ANSWERED
from storage import accounts, detours, throughput
from storage.dispatches import COUNTERS
from storage.tables import metadata
from storage.tables.columns import UtcDateTime

account_link = metadata.tables["account_link"]
delivery = metadata.tables["delivery"]
dispatch = metadata.tables["dispatch"]
slice_ = metadata.tables["slice"]

EXPLAINED = (
    DeliveryState.SKIPPED,
    DeliveryState.UNREACHABLE,
    DeliveryState.REJECTED,
    DeliveryState.FAILED,
    DeliveryState.UNKNOWN,
)
VALUES_REFUSED = frozenset({"22", "23"})
"""https://www.postgresql.org/docs/current/errcodes-appendix.html: data exceptions, and violated constraints."""
OPEN = (DeliveryState.WAITING, DeliveryState.SENDING)


class Record(NamedTuple):
    """One verdict on one attempt. `moved_to` is the chat's new id, if it has one."""

    delivery_id: int
    attempt_id: str
    verdict: Verdict
    moved_to: int | None = None


_VALUES = {
    "sqlite": """
        SELECT json_extract(value, '$.id') AS id, json_extract(value, '$.attempt_id') AS attempt_id,
               json_extract(value, '$.state') AS state, json_extract(value, '$.reason') AS reason,
               json_extract(value, '$.message_id') AS message_id
        FROM json_each(:outcomes)""",
    "postgresql": """
        SELECT * FROM json_to_recordset(CAST(:outcomes AS json))
        AS r(id bigint, attempt_id text, state text, reason text, message_id bigint)""",
}
_FINAL = """
    UPDATE delivery SET state = r.state, reason = r.reason, message_id = r.message_id, at = :now
    FROM ({values}) AS r
    WHERE delivery.id = r.id AND delivery.attempt_id = r.attempt_id AND delivery.state {before}
    RETURNING delivery.id, delivery.slice_id, delivery.dispatch_id, delivery.state, delivery.reason"""
_COUNT = text("""
    INSERT INTO outcome_count (dispatch_id, state, reason, count) VALUES (:dispatch_id, :state, :reason, :count)
    ON CONFLICT (dispatch_id, state, reason) DO UPDATE SET count = outcome_count.count + excluded.count""")


def refused(error: Exception) -> bool:
    """Say whether the database, or its driver, answered that it will not store these values, however often it is asked."""
    if not isinstance(error, DBAPIError):
        return isinstance(error, orjson.JSONEncodeError | OverflowError | UnicodeError)
    state = getattr(error.orig, "sqlstate", None)
    if state is not None:
        return str(state)[:2] in VALUES_REFUSED
    by_driver = error.orig is not None and isinstance(error.orig.__cause__, ValueError)
    return not error.connection_invalidated and (isinstance(error, DataError | IntegrityError) or by_driver)


async def record(session: AsyncSession, records: Sequence[Record], now: datetime) -> set[int]:
    """Record verdicts, count them, mark the unreachable and move the moved; return the slices that may be over."""
    final = [each for each in records if each.verdict.state not in OPEN]
    again = [each for each in records if each.verdict.state in OPEN]
    over = await _record_final(session, final, now)
    over |= await _record_again(session, again, now)
    await _move(session, [each for each in again if each.moved_to is not None])
    return over


async def release(session: AsyncSession, slice_id: int, attempt_id: str) -> None:
    """Let the deliveries of an attempt wait again, untried: nothing of it has left us."""
    mine = and_(delivery.c.slice_id == slice_id, delivery.c.attempt_id == attempt_id)
    untried = {"state": DeliveryState.WAITING, "attempt": delivery.c.attempt - 1}
    await session.execute(
        update(delivery).where(mine, delivery.c.state == DeliveryState.SENDING).values(untried)
    )


async def skip(session: AsyncSession, skipped: Sequence[tuple[int, str]], now: datetime) -> None:
    """Skip waiting deliveries, each for its reason, but for those that another account reaches."""
    elsewhere = [number for number, reason in skipped if reason in ELSEWHERE]
    moved = await detours.take(session, elsewhere, DeliveryState.WAITING) if elsewhere else {}
    by_reason: dict[str, list[int]] = {}
    for number, reason in skipped:
        if number in moved:
            continue
        by_reason.setdefault(reason, []).append(number)
    for reason, numbers in sorted(by_reason.items()):
        waiting = and_(delivery.c.id.in_(numbers), delivery.c.state == DeliveryState.WAITING)
        await _end(session, waiting, DeliveryState.SKIPPED, reason, now)


async def skip_cancelled(session: AsyncSession, now: datetime) -> None:
    """Skip all that waits in cancelled dispatches, also what came back from a try after the cancel."""
    cancelled = (
        select(slice_.c.id)
        .join(dispatch, dispatch.c.id == slice_.c.dispatch_id)
        .where(slice_.c.done.is_(False), dispatch.c.state == DispatchState.CANCELLED)
    )
    waiting = and_(delivery.c.slice_id.in_(cancelled), delivery.c.state == DeliveryState.WAITING)
    await _end(session, waiting, DeliveryState.SKIPPED, "cancelled", now)


async def reap(
    session: AsyncSession, before: datetime, now: datetime, *, opened_since: datetime | None = None
) -> set[int]:
    """End the attempts begun before `before` whose worker is gone: park them as unknown, or wait again.

    Only slices that were taken in hand since `opened_since` are read, if it is given: no index knows the state.
    Returns the slices touched. Their attempt ids stay, so that a late outcome is still recorded.
    """
    unfinished = select(slice_.c.id).where(slice_.c.done.is_(False), slice_.c.fence > 0)
    if opened_since is not None:
        unfinished = unfinished.where(slice_.c.opened_at >= opened_since)
    stale = and_(
        delivery.c.slice_id.in_(unfinished), delivery.c.state == DeliveryState.SENDING, delivery.c.at < before
    )
    resend = select(dispatch.c.id).where(
        dispatch.c.unknown_policy == UnknownPolicy.RESEND, dispatch.c.state != DispatchState.CANCELLED
    )
    again = (
        update(delivery)
        .where(stale, delivery.c.dispatch_id.in_(resend))
        .values(state=DeliveryState.WAITING, reason="worker_lost")
        .returning(delivery.c.slice_id)
    )
    touched = set((await session.execute(again)).scalars().all())
    slices = set((await session.execute(select(delivery.c.slice_id).where(stale).distinct())).scalars().all())
    await _end(session, stale, DeliveryState.UNKNOWN, "worker_lost", now)
    return touched | slices


async def finish(session: AsyncSession, now: datetime, slices: Iterable[int] | None = None) -> list[int]:
    """Mark slices with nothing open as done (all of them, or those given), and so their dispatches.

    Returns the dispatches that ended. Two workers that end the last two slices at once do not see each other;
    the next call without `slices` finds their dispatch.
    """
    is_open = exists().where(delivery.c.slice_id == slice_.c.id, delivery.c.state.in_(OPEN))
    idle = and_(slice_.c.done.is_(False), ~is_open)
    if slices is not None:
        idle = and_(slice_.c.id.in_(list(slices)), idle)
    found = await _locked(session, slice_, idle)
    if not found and slices is not None:
        return []
    done = (
        update(slice_).where(slice_.c.id.in_(found), idle).values(done=True).returning(slice_.c.dispatch_id)
    )
    touched = set((await session.execute(done)).scalars().all()) if found else set()
    running = dispatch.c.state == DispatchState.RUNNING
    mine = running if slices is None else and_(running, dispatch.c.id.in_(touched))
    unfinished = exists().where(slice_.c.dispatch_id == dispatch.c.id, slice_.c.done.is_(False))
    over = and_(mine, ~unfinished)
    candidates = await _locked(session, dispatch, over)
    if not candidates:
        return []
    ended = (
        update(dispatch)
        .where(dispatch.c.id.in_(candidates), over)
        .values(state=DispatchState.DONE, finished_at=now)
        .returning(dispatch.c.id)
    )
    return sorted((await session.execute(ended)).scalars())


async def _locked(session: AsyncSession, table: Table, which: ColumnElement[bool]) -> list[int]:
    """Lock rows before looking at them once more: whoever reopens one beside us must not be overlooked.

    PostgreSQL, having waited for a row, looks again at that row alone: what hangs on it is as old as the statement.
    """
    found = select(table.c.id).where(which).order_by(table.c.id).with_for_update()
    return list((await session.execute(found)).scalars())


async def finish_empty(session: AsyncSession, dispatch_id: int, now: datetime) -> None:
    """End a dispatch that reaches nobody."""
    nothing = ~exists().where(slice_.c.dispatch_id == dispatch.c.id)
    await session.execute(
        update(dispatch)
        .where(dispatch.c.id == dispatch_id, nothing)
        .values(state=DispatchState.DONE, finished_at=now)
    )


async def _record_final(session: AsyncSession, records: Sequence[Record], now: datetime) -> set[int]:
    if not records:
        return set()
    rows = await _apply(session, records, "= 'sending'", now)
    moved = await _detour(session, [row.id for row in rows if row.state == DeliveryState.UNREACHABLE])
    over = await _add(session, [row for row in rows if row.id not in moved], now) | set(moved.values())
    if len(rows) < len(records):
        known = {row.id for row in rows}
        over |= await _record_late(session, [each for each in records if each.delivery_id not in known], now)
    return over


async def _detour(session: AsyncSession, unreachable: Sequence[int]) -> dict[int, int]:
    """Mark the links of unreachable people, and send by another account where one reaches them.

    Returns the deliveries moved, each with the slice it left.
    """
    if not unreachable:
        return {}
    await _block(session, unreachable)
    return await detours.take(session, unreachable, DeliveryState.UNREACHABLE)


async def _record_late(session: AsyncSession, records: Sequence[Record], now: datetime) -> set[int]:
    """Record what is known of attempts that were given up: a doubt ends, whatever the outcome was.

    What was sent is sent, also if it waits to be sent again or was skipped instead.
    """
    sent = [each for each in records if each.verdict.state is DeliveryState.SENT]
    other = [each for each in records if each.verdict.state is not DeliveryState.SENT and each.verdict.sure]
    over = await _correct(
        session, sent, (DeliveryState.UNKNOWN, DeliveryState.WAITING, DeliveryState.SKIPPED), now
    )
    return over | await _correct(session, other, (DeliveryState.UNKNOWN,), now)


async def _correct(
    session: AsyncSession, records: Sequence[Record], before: Sequence[DeliveryState], now: datetime
) -> set[int]:
    if not records:
        return set()
    columns = (
        delivery.c.id,
        delivery.c.slice_id,
        delivery.c.dispatch_id,
        delivery.c.state,
        delivery.c.reason,
    )
    counted = (
        select(*columns)
        .where(
            delivery.c.id.in_([each.delivery_id for each in records]),
            delivery.c.state.in_([state for state in before if state in EXPLAINED]),
        )
        .order_by(delivery.c.id)
        .with_for_update()
    )
    former = {row.id: row for row in (await session.execute(counted)).all()}
    listed = ", ".join(f"'{state}'" for state in before)
    rows = await _apply(session, records, f"IN ({listed})", now)
    over = await _add(session, rows, now)
    for row in rows:
        was = former.get(row.id)
        if was is not None:
            await _bump(session, was.slice_id, was.state, -1, now)
            await _explain(session, was.dispatch_id, was.state, was.reason, -1)
    return over


async def _apply(
    session: AsyncSession, records: Sequence[Record], before: str, now: datetime
) -> Sequence[Row[Any]]:
    dialect = session.get_bind().dialect.name
    statement = text(_FINAL.format(values=_VALUES[dialect], before=before)).bindparams(
        bindparam("now", type_=UtcDateTime)
    )
    outcomes = orjson.dumps(
        [
            {
                "id": each.delivery_id,
                "attempt_id": each.attempt_id,
                "state": each.verdict.state,
                "reason": each.verdict.reason,
                "message_id": each.verdict.message_id,
            }
            for each in records
        ]
    )
    return (await session.execute(statement, {"outcomes": outcomes.decode(), "now": now})).all()


async def _record_again(session: AsyncSession, records: Sequence[Record], now: datetime) -> set[int]:
    """Let deliveries wait for another try; a 429 does not count as one.

    An attempt that was given up meanwhile, and of which nothing arrived, has failed: nobody needs to doubt it.
    """
    late = []
    for each in records:
        given = {
            "delivery": each.delivery_id,
            "of_attempt": each.attempt_id,
            "why": each.verdict.reason,
            "again_at": each.verdict.retry_at,
            "uncounted": 1 if each.verdict.reason == "busy" else 0,
        }
        done = await session.execute(_AGAIN, given)
        if not done.rowcount:  # type: ignore[attr-defined]
            late.append(each._replace(verdict=each.verdict._replace(state=DeliveryState.FAILED)))
    return await _record_late(session, late, now)


_AGAIN = (
    update(delivery)
    .where(
        delivery.c.id == bindparam("delivery"),
        delivery.c.attempt_id == bindparam("of_attempt"),
        delivery.c.state == DeliveryState.SENDING,
    )
    .values(
        state=DeliveryState.WAITING.value,
        reason=bindparam("why"),
        retry_at=bindparam("again_at", type_=UtcDateTime),
        attempt=delivery.c.attempt - bindparam("uncounted", type_=Integer),
    )
)


async def _end(session: AsyncSession, which: Any, state: DeliveryState, reason: str, now: datetime) -> None:
    """End a set of deliveries in one state, for one reason, and count them; they may be a million."""
    changed = update(delivery).where(which).values(state=state, reason=reason, at=now)
    columns = (delivery.c.slice_id, delivery.c.dispatch_id)
    if session.get_bind().dialect.name == "postgresql":
        ended = changed.returning(*columns).cte("ended")
        grouped = select(*ended.c, func.count().label("number")).group_by(*ended.c)
        rows = (await session.execute(grouped)).all()
    else:  # SQLite has no UPDATE in a WITH, and one writer, so that counting first is the same
        counted = select(*columns, func.count().label("number")).where(which).group_by(*columns)
        rows = (await session.execute(counted)).all()
        await session.execute(changed)
    for row in sorted(rows):
        await _bump(session, row.slice_id, state, row.number, now)
    totals: Counter[int] = Counter()
    for row in rows:
        totals[row.dispatch_id] += row.number
    for dispatch_id, number in sorted(totals.items()):
        await _explain(session, dispatch_id, state, reason, number)


async def _add(session: AsyncSession, rows: Sequence[Row[Any]], now: datetime) -> set[int]:
    """Count recorded rows: per slice and state, and per dispatch and reason; return the slices with nothing open.

    Sorted, so that none deadlock.
    """
    over = set()
    for (slice_id, state), count in sorted(Counter((row.slice_id, row.state) for row in rows).items()):
        if await _bump(session, slice_id, state, count, now) <= 0:
            over.add(slice_id)
    reasons = Counter((row.dispatch_id, row.state, row.reason) for row in rows if row.state in EXPLAINED)
    for (dispatch_id, state, reason), count in sorted(reasons.items()):
        await _explain(session, dispatch_id, state, reason, count)
    return over


async def _bump(session: AsyncSession, slice_id: int, state: str, change: int, now: datetime) -> int:
    """Count up one counter of a slice; return how many of it are open still."""
    given = {"slice": slice_id, "change": change}
    if state in ANSWERED:
        given |= throughput.given(now.timestamp())
    return int((await session.execute(_bumped(DeliveryState(state)), given)).scalar_one())


@cache
def _bumped(state: DeliveryState) -> ReturningUpdate[tuple[int]]:
    counted = sum((slice_.c[name] for name in COUNTERS), start=literal(0, Integer))
    column = slice_.c[state.value]
    moved = throughput.counted() if state in ANSWERED else {}
    return (
        update(slice_)
        .where(slice_.c.id == bindparam("slice"))
        .values({column: column + bindparam("change", type_=Integer)} | moved)
        .returning(slice_.c.planned - counted)
    )


async def _explain(session: AsyncSession, dispatch_id: int, state: str, reason: str, change: int) -> None:
    fields = {"dispatch_id": dispatch_id, "state": str(state), "reason": reason, "count": change}
    await session.execute(_COUNT, fields)


async def _block(session: AsyncSession, deliveries: Sequence[int]) -> None:
    """Mark the links of unreachable people, so that nobody plans on them; unblocking brings them back."""
    theirs = exists().where(
        delivery.c.id.in_(deliveries),
        delivery.c.member_id == account_link.c.member_id,
        delivery.c.account_id == account_link.c.account_id,
    )
    await session.execute(
        update(account_link).where(account_link.c.state == "active", theirs).values(state="blocked")
    )


async def _move(session: AsyncSession, records: Sequence[Record]) -> None:
    for each in records:
        where = select(delivery.c.member_id, delivery.c.account_id).where(delivery.c.id == each.delivery_id)
        row = (await session.execute(where)).one()
        taken = account_link.alias("taken")
        free = ~exists().where(
            taken.c.account_id == row.account_id,
            taken.c.chat_id == each.moved_to,
            accounts.lasts(taken),
        )
        await session.execute(
            update(account_link)
            .where(
                account_link.c.member_id == row.member_id,
                account_link.c.account_id == row.account_id,
                account_link.c.state == "active",
                free,
            )
            .values(chat_id=each.moved_to)
        )

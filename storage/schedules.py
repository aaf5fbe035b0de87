"""Schedules and occurrences: what is due, whose turn it is, and what became of it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import Row, Select, delete, select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlmodel.ext.asyncio.session import AsyncSession

from domain.holidays import Calendar
from domain.recurrence import Occurrence, Rule, RuleNotUnderstood, occurrences_from
from domain.recurrence_json import from_json, to_json
from domain.schedules import OPEN, Due, OccurrenceState, look_at
from storage.tables import metadata

schedule = metadata.tables["schedule"]
occurrence = metadata.tables["occurrence"]
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Schedule:
    """A schedule, with the planned date the clock waits for; none if there is no more, or it was dropped."""

    id: int
    kind: str
    subject_id: int
    rule: Rule
    useful_for: timedelta
    next_planned: date | None
    next_run_at: datetime | None
    dropped: bool


async def due(session: AsyncSession, now: datetime, limit: int) -> list[tuple[int, date]]:
    """Return schedules whose time has come, with the planned date, the most overdue first."""
    found = (
        select(schedule.c.id, schedule.c.next_planned)
        .where(schedule.c.next_run_at <= now)
        .order_by(schedule.c.next_run_at, schedule.c.id)
        .limit(limit)
    )
    return [(row.id, row.next_planned) for row in await session.execute(found)]


async def due_again(session: AsyncSession, now: datetime, limit: int) -> list[int]:
    """Return open occurrences that want a look: confirmed, failed before, or past their use."""
    found = (
        select(occurrence.c.id)
        .where(occurrence.c.state.in_(OPEN), occurrence.c.look_at <= now)
        .order_by(occurrence.c.look_at, occurrence.c.id)
        .limit(limit)
    )
    return list((await session.execute(found)).scalars())


async def take(session: AsyncSession, schedule_id: int) -> Schedule | None:
    """Hold a schedule until the commit; `None` if another process holds it, or it is gone."""
    found = select(schedule).where(schedule.c.id == schedule_id).with_for_update(skip_locked=True)
    row = (await session.execute(found)).one_or_none()
    return None if row is None else _to_schedule(row)


async def take_of(session: AsyncSession, kind: str, subject_id: int) -> Schedule | None:
    """Hold the schedule of a subject until the commit, waiting for whoever holds it."""
    found = select(schedule).where(schedule.c.kind == kind, schedule.c.subject_id == subject_id)
    row = (await session.execute(found.with_for_update())).one_or_none()
    return None if row is None else _to_schedule(row)


async def take_all(session: AsyncSession) -> list[Schedule]:
    """Hold all that is planned until the commit, in one order."""
    found = select(schedule).where(schedule.c.dropped_at.is_(None)).order_by(schedule.c.id).with_for_update()
    return [each for row in await session.execute(found) if (each := _readable(row)) is not None]


async def read_of(session: AsyncSession, kind: str, subject_id: int) -> Schedule | None:
    found = select(schedule).where(schedule.c.kind == kind, schedule.c.subject_id == subject_id)
    row = (await session.execute(found)).one_or_none()
    return None if row is None else _to_schedule(row)


async def write(session: AsyncSession, kind: str, subject_id: int, rule: Rule, useful_for: timedelta) -> int:
    """Write the schedule of a subject, or write it anew, and return its id."""
    fields = {
        "rule": to_json(rule),
        "useful_seconds": int(useful_for.total_seconds()),
        "dropped_at": None,
    }
    put = _upsert(session)(schedule).values(kind=kind, subject_id=subject_id, **fields)
    put = put.on_conflict_do_update(index_elements=["kind", "subject_id"], set_=fields)
    return int((await session.execute(put.returning(schedule.c.id))).scalar_one())


async def wait_for(
    session: AsyncSession, schedule_id: int, planned: date | None, run_at: datetime | None
) -> None:
    """Set the planned date the clock waits for next."""
    values = {"next_planned": planned, "next_run_at": run_at}
    await session.execute(update(schedule).where(schedule.c.id == schedule_id).values(values))


async def drop(session: AsyncSession, schedule_id: int, now: datetime) -> None:
    """Plan nothing more; what was done stays written."""
    values = {"next_planned": None, "next_run_at": None, "dropped_at": now}
    await session.execute(update(schedule).where(schedule.c.id == schedule_id).values(values))


async def forget_open(session: AsyncSession, schedule_id: int) -> None:
    """Take out the occurrences that still wait."""
    mine = occurrence.c.schedule_id == schedule_id
    await session.execute(delete(occurrence).where(mine, occurrence.c.state.in_(OPEN)))


async def planned_since(session: AsyncSession, schedule_id: int, since: date) -> set[date]:
    """Return the planned dates that have had their occurrence."""
    mine = occurrence.c.schedule_id == schedule_id
    found = select(occurrence.c.planned).where(mine, occurrence.c.planned >= since)
    return set((await session.execute(found)).scalars())


async def add_occurrence(
    session: AsyncSession, of: Schedule, placed: Occurrence, state: OccurrenceState, now: datetime
) -> int | None:
    """Write the occurrence of a planned date; `None` if there is one."""
    put = _upsert(session)(occurrence).values(
        schedule_id=of.id,
        planned=placed.planned,
        date=placed.date,
        at=placed.at,
        useful_until=placed.at + of.useful_for,
        state=state,
        look_at=now,
        attempts=0,
        error="",
    )
    added = await session.execute(put.on_conflict_do_nothing().returning(occurrence.c.id))
    return added.scalar_one_or_none()


async def take_occurrence(session: AsyncSession, occurrence_id: int, *, wait: bool = False) -> Due | None:
    """Hold an open occurrence until the commit; `None` if it is over, or (unless told to wait) held by another."""
    found = _occurrences().where(occurrence.c.id == occurrence_id, occurrence.c.state.in_(OPEN))
    held = found.with_for_update(of=occurrence, skip_locked=not wait)
    row = (await session.execute(held)).one_or_none()
    return None if row is None else _to_due(row)


async def read_occurrence(session: AsyncSession, occurrence_id: int) -> Due | None:
    row = (await session.execute(_occurrences().where(occurrence.c.id == occurrence_id))).one_or_none()
    return None if row is None else _to_due(row)


async def occurrences_of(
    session: AsyncSession, schedule_id: int, states: Iterable[OccurrenceState], limit: int
) -> list[Due]:
    """Return a schedule's occurrences in these states, latest first."""
    found = _occurrences().where(
        occurrence.c.schedule_id == schedule_id, occurrence.c.state.in_(list(states))
    )
    rows = await session.execute(found.order_by(occurrence.c.planned.desc()).limit(limit))
    return [_to_due(row) for row in rows]


async def schedule_of(session: AsyncSession, schedule_id: int) -> Schedule:
    row = (await session.execute(select(schedule).where(schedule.c.id == schedule_id))).one()
    return _to_schedule(row)


async def place(session: AsyncSession, due: Due, day: date, at: datetime, useful_until: datetime) -> None:
    """Let an unconfirmed occurrence wait for its confirmed time."""
    values = {
        "state": OccurrenceState.WAITING,
        "date": day,
        "at": at,
        "useful_until": useful_until,
        "look_at": at,
    }
    await _set(session, due, **values)


async def finish(session: AsyncSession, due: Due, state: OccurrenceState, now: datetime) -> None:
    await _set(session, due, state=state, look_at=None, finished_at=now)


async def asked(session: AsyncSession, due: Due, now: datetime) -> None:
    """Note that a person was asked; the next look is at the end of its use."""
    await _set(session, due, asked_at=now, look_at=due.useful_until)


async def postpone(session: AsyncSession, due: Due, look_at: datetime, error: str) -> None:
    """Note a failed attempt and when the next one is."""
    await _set(session, due, attempts=due.attempts + 1, error=error, look_at=look_at)


async def pass_over_due(session: AsyncSession, calendar: Calendar, now: datetime) -> None:
    """Leave out what was due by now, after a restore: it has perhaps happened since the backup."""
    for found in await take_all(session):
        if found.next_planned is None:
            continue
        for coming in occurrences_from(found.rule, found.next_planned, calendar):
            if coming.at > now:
                await wait_for(session, found.id, coming.planned, look_at(coming))
                break
            await add_occurrence(session, found, coming, OccurrenceState.SKIPPED, now)
        else:
            await wait_for(session, found.id, None, None)
    due_by_now = (occurrence.c.state == OccurrenceState.WAITING, occurrence.c.look_at <= now)
    await session.execute(update(occurrence).where(*due_by_now).values(state=OccurrenceState.SKIPPED))


async def _set(session: AsyncSession, due: Due, **values: Any) -> None:
    await session.execute(update(occurrence).where(occurrence.c.id == due.occurrence_id).values(**values))


def _occurrences() -> Select[Any]:
    joined = occurrence.join(schedule, schedule.c.id == occurrence.c.schedule_id)
    return select(occurrence, schedule.c.kind, schedule.c.subject_id).select_from(joined)


def _to_due(row: Row[Any]) -> Due:
    return Due(
        occurrence_id=row.id,
        schedule_id=row.schedule_id,
        kind=row.kind,
        subject_id=row.subject_id,
        planned=row.planned,
        date=row.date,
        at=row.at,
        useful_until=row.useful_until,
        state=OccurrenceState(row.state),
        attempts=row.attempts,
        asked=row.asked_at is not None,
    )


def _to_schedule(row: Row[Any]) -> Schedule:
    return Schedule(
        id=row.id,
        kind=row.kind,
        subject_id=row.subject_id,
        rule=from_json(row.rule),
        useful_for=timedelta(seconds=row.useful_seconds),
        next_planned=row.next_planned,
        next_run_at=row.next_run_at,
        dropped=row.dropped_at is not None,
    )


def _readable(row: Row[Any]) -> Schedule | None:
    """Leave out a rule that is none any more (a zone that went away), so that it holds up no other."""
    try:
        return _to_schedule(row)
    except RuleNotUnderstood:
        log.exception("schedule not readable", schedule=row.id)
        return None


def _upsert(session: AsyncSession) -> Any:
    return sqlite_insert if session.get_bind().dialect.name == "sqlite" else postgresql_insert

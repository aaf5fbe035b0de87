"""What was done about service days: steps that happen once, where members are told apart, what still goes out."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlmodel.ext.asyncio.session import AsyncSession

from domain.delivery import DispatchState
from domain.organisations import Organisation
from domain.service_days import DayState, ServiceDay
from domain.service_steps import Anchor, Step, StepKind
from storage.organisations import within
from storage.tables import metadata

dispatch = metadata.tables["dispatch"]
organisation = metadata.tables["organisation"]
service_activity = metadata.tables["service_activity"]
service_step = metadata.tables["service_step"]
topic = metadata.tables["topic"]

SOURCES = {
    StepKind.ASK: "service_ask",
    StepKind.NUDGE: "service_ask",
    StepKind.ANNOUNCE: "service_day",
    StepKind.CHANGE: "service_change",
    StepKind.REMIND: "service_reminder",
}
TOPIC = "service"
_above = organisation.alias("above")


@dataclass(frozen=True, slots=True)
class Done:
    """What was done about a day, or came too late, for an organisation."""

    id: int
    service_day_id: int
    kind: StepKind
    key: int
    organisation_id: int
    about: date
    cancelled: bool
    at: datetime
    too_late: bool
    dispatch_id: int | None


async def zones_in(session: AsyncSession, decider: Organisation) -> list[Anchor]:
    """Return where a decider's subtree changes its zone, the decider first: people hear at their own nine o'clock."""
    elsewhere = (
        select(organisation)
        .join(_above, _above.c.id == organisation.c.parent_id)
        .where(within(decider.path), organisation.c.id != decider.id, organisation.c.zone != _above.c.zone)
    )
    rows = await session.execute(elsewhere)
    first = Anchor(decider.id, decider.path, decider.zone)
    return [first, *(Anchor(row.id, row.path, row.zone) for row in rows)]


async def written(session: AsyncSession, day_id: int, decider: Organisation) -> list[Anchor]:
    """Return who has written activities for a day."""
    found = (
        select(organisation)
        .join(service_activity, service_activity.c.organisation_id == organisation.c.id)
        .where(service_activity.c.service_day_id == day_id, service_activity.c.text != "")
        .where(within(decider.path))
    )
    return [Anchor(row.id, row.path, row.zone) for row in await session.execute(found)]


async def done_by(session: AsyncSession, day_id: int, what: Step) -> set[int]:
    """Return the organisations for which a step was taken."""
    found = select(service_step.c.organisation_id).where(
        service_step.c.service_day_id == day_id,
        service_step.c.kind == what.kind,
        service_step.c.key == what.key,
    )
    return set((await session.execute(found)).scalars())


async def done(session: AsyncSession, day_ids: Iterable[int]) -> list[Done]:
    """Return what was done about some days, in order."""
    found = select(service_step).where(service_step.c.service_day_id.in_(list(day_ids)))
    return [_to_done(row) for row in await session.execute(found.order_by(service_step.c.id))]


async def step(session: AsyncSession, step_id: int) -> Done | None:
    row = (await session.execute(select(service_step).where(service_step.c.id == step_id))).one_or_none()
    return None if row is None else _to_done(row)


async def begin_step(
    session: AsyncSession, day: ServiceDay, what: Step, organisation_id: int, now: datetime
) -> int | None:
    """Note that a step is done, and return its id; `None` if it was done before, whoever did it."""
    values = {
        "service_day_id": day.id,
        "kind": what.kind,
        "key": what.key,
        "organisation_id": organisation_id,
        "about": day.date,
        "cancelled": day.state is DayState.CANCELLED,
        "due_at": what.due,
        "at": now,
        "too_late": now > what.until,
    }
    upsert = postgresql_insert if session.get_bind().dialect.name == "postgresql" else sqlite_insert
    put = upsert(service_step).values(values).on_conflict_do_nothing().returning(service_step.c.id)
    row = (await session.execute(put)).first()
    return None if row is None else int(row.id)


async def went_out(session: AsyncSession, step_id: int, dispatch_id: int) -> None:
    await session.execute(
        update(service_step).where(service_step.c.id == step_id).values(dispatch_id=dispatch_id)
    )


async def still_going(session: AsyncSession, day_id: int) -> list[int]:
    """Return the dispatches about a day that are not over."""
    open_ones = [DispatchState.RUNNING, DispatchState.PAUSED]
    found = (
        select(dispatch.c.id)
        .join(service_step, service_step.c.dispatch_id == dispatch.c.id)
        .where(service_step.c.service_day_id == day_id, dispatch.c.state.in_(open_ones))
    )
    return list((await session.execute(found)).scalars())


async def service_topic(session: AsyncSession) -> int | None:
    """Return the topic of volunteering, if there is one."""
    return (await session.execute(select(topic.c.id).where(topic.c.code == TOPIC))).scalar()


def _to_done(row: Any) -> Done:
    return Done(
        id=row.id,
        service_day_id=row.service_day_id,
        kind=StepKind(row.kind),
        key=row.key,
        organisation_id=row.organisation_id,
        about=row.about,
        cancelled=row.cancelled,
        at=row.at,
        too_late=row.too_late,
        dispatch_id=row.dispatch_id,
    )

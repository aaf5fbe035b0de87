"""Service days: the days of who decides, activities, and what was done about each day."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlmodel.ext.asyncio.session import AsyncSession

from domain.delivery import DispatchState
from domain.holidays import HolidayName
from domain.organisations import HolidayPolicy, Organisation, OrganisationStatus
from domain.service_days import Anchor, DayState, Proposal, ServiceDay, Step, StepKind, Why
from storage.organisations import to_organisation, within
from storage.tables import metadata

dispatch = metadata.tables["dispatch"]
organisation = metadata.tables["organisation"]
service_activity = metadata.tables["service_activity"]
service_day = metadata.tables["service_day"]
service_plan = metadata.tables["service_plan"]
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


# Who decides


async def set_up(session: AsyncSession) -> frozenset[int]:
    """Return the organisations that keep service days of their own."""
    return frozenset((await session.execute(select(service_plan.c.organisation_id))).scalars())


async def keep_own(session: AsyncSession, organisation_id: int, now: datetime) -> bool:
    """Let an organisation keep its own; `False` if it does so already."""
    values = {"organisation_id": organisation_id, "since": now}
    put = _upsert(session)(service_plan).values(values).on_conflict_do_nothing()
    return (await session.execute(put.returning(service_plan.c.organisation_id))).first() is not None


async def follow(session: AsyncSession, organisation_id: int) -> bool:
    """Let an organisation follow the one above again; `False` if it does so already."""
    gone = delete(service_plan).where(service_plan.c.organisation_id == organisation_id)
    return (await session.execute(gone.returning(service_plan.c.organisation_id))).first() is not None


async def deciders(session: AsyncSession) -> list[Organisation]:
    """Return every active organisation whose service day holds somewhere: the roots, and who keeps their own."""
    own = organisation.c.id.in_(select(service_plan.c.organisation_id))
    found = select(organisation).where(organisation.c.parent_id.is_(None) | own)
    rows = await session.execute(found.where(organisation.c.status == OrganisationStatus.ACTIVE))
    return [to_organisation(row) for row in rows]


async def set_policy(session: AsyncSession, organisation_id: int, policy: HolidayPolicy) -> None:
    await session.execute(
        update(organisation).where(organisation.c.id == organisation_id).values(holiday_policy=policy)
    )


# The days


async def add_missing(
    session: AsyncSession, organisation_id: int, proposals: Iterable[tuple[date, Proposal]], now: datetime
) -> None:
    """Write the months that have no row yet, as the rule says."""
    rows = [
        {
            "organisation_id": organisation_id,
            "month": month,
            **_of_proposal(says),
            "revision": 0,
            "changed_at": now,
        }
        for month, says in proposals
    ]
    if rows:
        await session.execute(_upsert(session)(service_day).values(rows).on_conflict_do_nothing())


async def of_organisation(
    session: AsyncSession, organisation_id: int, since: date, until: date | None = None
) -> list[ServiceDay]:
    """Return the days of the months from `since` on, in order of the month."""
    mine = (service_day.c.organisation_id == organisation_id) & (service_day.c.month >= since)
    if until is not None:
        mine &= service_day.c.month <= until
    rows = await session.execute(select(service_day).where(mine).order_by(service_day.c.month))
    return [_to_day(row) for row in rows]


async def between(session: AsyncSession, first: date, last: date) -> list[ServiceDay]:
    """Return everybody's days from one date to another, in order; a cancelled one at the date it had."""
    near = (service_day.c.date >= first) & (service_day.c.date <= last)
    rows = await session.execute(
        select(service_day).where(near).order_by(service_day.c.date, service_day.c.id)
    )
    return [_to_day(row) for row in rows]


async def get(session: AsyncSession, day_id: int, *, hold: bool = False) -> ServiceDay | None:
    """Return a day; with `hold` nobody else changes it before this transaction ends."""
    found = select(service_day).where(service_day.c.id == day_id)
    row = (await session.execute(found.with_for_update() if hold else found)).one_or_none()
    return None if row is None else _to_day(row)


async def save(session: AsyncSession, day: ServiceDay) -> None:
    """Write a day that is held."""
    values = {
        "planned": day.planned,
        "date": day.date,
        "state": day.state,
        "why": day.why,
        "holiday": day.holiday.zh,
        "holiday_en": day.holiday.en,
        "revision": day.revision,
        "told_revision": day.told_revision,
        "changed_at": day.changed_at,
        "decided_at": day.decided_at,
        "decided_by": day.decided_by,
    }
    await write(session, day.id, **values)


async def write(session: AsyncSession, day_id: int, **values: Any) -> None:
    """Write some fields of a day."""
    await session.execute(update(service_day).where(service_day.c.id == day_id).values(values))


# Activities


async def texts(
    session: AsyncSession, day_ids: Iterable[int], chain: Iterable[int]
) -> dict[int, dict[int, str]]:
    """Return by day the activities written by the organisations of a chain."""
    rows = await session.execute(
        select(service_activity).where(
            service_activity.c.service_day_id.in_(list(day_ids)),
            service_activity.c.organisation_id.in_(list(chain)),
            service_activity.c.text != "",
        )
    )
    found: dict[int, dict[int, str]] = {}
    for row in rows:
        found.setdefault(row.service_day_id, {})[row.organisation_id] = row.text
    return found


async def put_text(
    session: AsyncSession, day_id: int, organisation_id: int, text: str, now: datetime
) -> None:
    """Write an organisation's activities for a day in the place of those before; an empty text takes them back."""
    where = {"service_day_id": day_id, "organisation_id": organisation_id}
    put = _upsert(session)(service_activity).values(**where, text=text, changed_at=now)
    again = {"text": text, "changed_at": now}
    await session.execute(put.on_conflict_do_update(index_elements=list(where), set_=again))


async def texts_changed(
    session: AsyncSession, day_ids: Iterable[int], chain: Iterable[int]
) -> datetime | None:
    """Return when the activities that a chain sees were last changed."""
    latest = select(func.max(service_activity.c.changed_at)).where(
        service_activity.c.service_day_id.in_(list(day_ids)),
        service_activity.c.organisation_id.in_(list(chain)),
    )
    return (await session.execute(latest)).scalar()


# What was done


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


async def know(session: AsyncSession, day_id: int, revision: int) -> None:
    """Note what members know of a day by now."""
    await write(session, day_id, told_revision=revision)


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
    put = _upsert(session)(service_step).values(values).on_conflict_do_nothing().returning(service_step.c.id)
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


def _upsert(session: AsyncSession) -> Any:
    return postgresql_insert if session.get_bind().dialect.name == "postgresql" else sqlite_insert


def _of_proposal(says: Proposal) -> dict[str, Any]:
    return {
        "planned": says.planned,
        "date": says.date,
        "state": says.state,
        "why": says.why,
        "holiday": says.holiday.zh,
        "holiday_en": says.holiday.en,
    }


def _to_day(row: Any) -> ServiceDay:
    return ServiceDay(
        id=row.id,
        organisation_id=row.organisation_id,
        month=row.month,
        planned=row.planned,
        date=row.date,
        state=DayState(row.state),
        why=Why(row.why),
        holiday=HolidayName(row.holiday, row.holiday_en),
        revision=row.revision,
        told_revision=row.told_revision,
        changed_at=row.changed_at,
        decided_at=row.decided_at,
        decided_by=row.decided_by,
    )


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

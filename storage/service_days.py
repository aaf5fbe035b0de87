"""Service days: the days of who decides, activities, and what was done about each day."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlmodel.ext.asyncio.session import AsyncSession

from domain.holidays import HolidayName
from domain.organisations import HolidayPolicy, Organisation, OrganisationStatus
from domain.service_days import DayState, Proposal, ServiceDay, Why
from storage.organisations import to_organisation
from storage.tables import metadata

dispatch = metadata.tables["dispatch"]
organisation = metadata.tables["organisation"]
service_activity = metadata.tables["service_activity"]
service_day = metadata.tables["service_day"]
service_plan = metadata.tables["service_plan"]
service_step = metadata.tables["service_step"]
topic = metadata.tables["topic"]


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


async def know(session: AsyncSession, day_id: int, revision: int) -> None:
    """Note what members know of a day by now."""
    await write(session, day_id, told_revision=revision)


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

"""Who hears of a service day: lead times that members chose, and the select of those a step is for."""

from collections.abc import Iterable

from sqlalchemy import ColumnElement, Subquery, and_, delete, exists, insert, or_, select, true
from sqlmodel.ext.asyncio.session import AsyncSession

from domain.audiences import Audience
from domain.service_steps import NO_REMINDERS, Step, StepKind
from storage import audiences
from storage.materialise import Members
from storage.tables import metadata

delivery = metadata.tables["delivery"]
member = metadata.tables["member"]
service_lead = metadata.tables["service_lead"]
service_step = metadata.tables["service_step"]
subscription = metadata.tables["subscription"]


async def chosen(session: AsyncSession, member_id: int) -> frozenset[int] | None:
    """Return the lead times a member chose, none included; `None` if they never chose."""
    found = select(service_lead.c.days).where(service_lead.c.member_id == member_id)
    days = frozenset((await session.execute(found)).scalars())
    return days - {NO_REMINDERS} if days else None


async def choose(session: AsyncSession, member_id: int, leads: Iterable[int]) -> None:
    """Remember a choice in the place of the one before."""
    await session.execute(delete(service_lead).where(service_lead.c.member_id == member_id))
    rows = [{"member_id": member_id, "days": days} for days in sorted(set(leads)) or [NO_REMINDERS]]
    await session.execute(insert(service_lead), rows)


def recipients(
    audience: Audience, day_id: int, step: Step, topic_id: int | None, default: frozenset[int]
) -> Members:
    """Select whom a step is for: in the audience, wanting it, and not told by the same step already.

    Who chose nothing is reminded at the default lead times if they subscribe to the topic (if there is none,
    everybody does); who chose any hears of the day too; who chose none is still told of the day by the topic.
    """
    reminded = step.kind is StepKind.REMIND
    asked = _chose(step.leads) if reminded else exists().where(_mine(), service_lead.c.days != NO_REMINDERS)
    by_topic: ColumnElement[bool] = true() if topic_id is None else _subscribed(topic_id)
    if reminded:
        by_topic = and_(by_topic, ~exists().where(_mine()))
    wanting = or_(asked, by_topic) if not reminded or step.leads & default else asked
    told = _told(day_id, step)
    return (
        select(member.c.id)
        .outerjoin(told, told.c.member_id == member.c.id)
        .where(told.c.member_id.is_(None), member.c.id.in_(audiences.members_of(audience)), wanting)
    )


def _told(day_id: int, step: Step) -> Subquery:
    """Select who has a delivery of a step.

    It is joined as a whole: asked for each member, some hundred dispatches took SQLite twenty seconds.
    """
    return (
        select(delivery.c.member_id)
        .join(service_step, service_step.c.dispatch_id == delivery.c.dispatch_id)
        .where(
            service_step.c.service_day_id == day_id,
            service_step.c.kind == step.kind,
            service_step.c.key == step.key,
        )
        .distinct()
        .subquery("told")
    )


def _chose(leads: frozenset[int]) -> ColumnElement[bool]:
    return exists().where(_mine(), service_lead.c.days.in_(sorted(leads)))


def _mine() -> ColumnElement[bool]:
    return service_lead.c.member_id == member.c.id


def _subscribed(topic_id: int) -> ColumnElement[bool]:
    return exists().where(subscription.c.member_id == member.c.id, subscription.c.topic_id == topic_id)

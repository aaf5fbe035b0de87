"""Topics and who subscribes to them."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import delete, insert, literal, select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlmodel.ext.asyncio.session import AsyncSession

from domain.topics import Topic
from storage.tables import metadata

subscription = metadata.tables["subscription"]
topic = metadata.tables["topic"]


async def everything(session: AsyncSession) -> list[Topic]:
    """Return all topics in their order."""
    rows = await session.execute(select(topic).order_by(topic.c.position, topic.c.id))
    return [_to_topic(row) for row in rows]


async def get(session: AsyncSession, topic_id: int) -> Topic | None:
    row = (await session.execute(select(topic).where(topic.c.id == topic_id))).one_or_none()
    return None if row is None else _to_topic(row)


async def of_ids(session: AsyncSession, ids: Iterable[int]) -> dict[int, Topic]:
    rows = await session.execute(select(topic).where(topic.c.id.in_(list(ids))))
    return {row.id: _to_topic(row) for row in rows}


async def subscribed(session: AsyncSession, member_id: int) -> frozenset[int]:
    """Return the ids of a member's topics."""
    found = select(subscription.c.topic_id).where(subscription.c.member_id == member_id)
    return frozenset((await session.execute(found)).scalars())


async def subscribe(session: AsyncSession, member_id: int, topic_id: int) -> bool:
    """Subscribe; `False` if it was so already."""
    dialect = session.get_bind().dialect.name
    upsert: Any = postgresql_insert if dialect == "postgresql" else sqlite_insert
    added = upsert(subscription).values(topic_id=topic_id, member_id=member_id).on_conflict_do_nothing()
    return (await session.execute(added.returning(subscription.c.member_id))).first() is not None


async def unsubscribe(session: AsyncSession, member_id: int, topic_id: int) -> bool:
    """Unsubscribe; `False` if it was so already."""
    mine = (subscription.c.member_id == member_id) & (subscription.c.topic_id == topic_id)
    removed = await session.execute(delete(subscription).where(mine).returning(subscription.c.member_id))
    return removed.first() is not None


async def subscribe_to_defaults(session: AsyncSession, member_id: int) -> None:
    """Give a new member the topics that one starts with."""
    defaults = select(topic.c.id, literal(member_id)).where(topic.c.by_default)
    await session.execute(insert(subscription).from_select(["topic_id", "member_id"], defaults))


def _to_topic(row: Any) -> Topic:
    return Topic(
        id=row.id,
        code=row.code,
        name=row.name,
        name_en=row.name_en,
        by_default=row.by_default,
        position=row.position,
    )

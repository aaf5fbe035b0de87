"""Leases: what one process of the fleet does alone, until its lease runs out or is given back."""

from datetime import datetime
from typing import Any

from sqlalchemy import delete, or_
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlmodel.ext.asyncio.session import AsyncSession

from storage.tables import metadata

lease = metadata.tables["lease"]


async def take(session: AsyncSession, name: str, holder: str, *, now: datetime, until: datetime) -> bool:
    """Take or renew a lease; `False` while another holds it."""
    insert: Any = sqlite_insert if session.get_bind().dialect.name == "sqlite" else postgresql_insert
    wish = insert(lease).values(name=name, holder=holder, until=until)
    taken = wish.on_conflict_do_update(
        index_elements=["name"],
        set_={"holder": holder, "until": until},
        where=or_(lease.c.holder == holder, lease.c.until < now),
    ).returning(lease.c.name)
    return (await session.execute(taken)).first() is not None


async def give_back(session: AsyncSession, name: str, holder: str) -> None:
    await session.execute(delete(lease).where(lease.c.name == name, lease.c.holder == holder))

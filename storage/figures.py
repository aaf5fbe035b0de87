"""Totals for the metrics: sums over slices, never over recipients."""

from sqlalchemy import func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from storage.tables import metadata

slice_ = metadata.tables["slice"]
OUTCOMES = ("sent", "unreachable", "rejected", "skipped", "failed", "unknown")


async def outcomes(session: AsyncSession) -> dict[str, int]:
    """Return how many deliveries ended how, and how many still wait."""
    sums = [func.coalesce(func.sum(slice_.c[name]), 0).label(name) for name in OUTCOMES]
    planned = func.coalesce(func.sum(slice_.c.planned), 0).label("planned")
    row = (await session.execute(select(planned, *sums))).one()
    found = {name: int(getattr(row, name)) for name in OUTCOMES}
    return {**found, "waiting": int(row.planned) - sum(found.values())}

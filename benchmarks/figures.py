"""What the live figures of a dispatch and a scrape of `/metrics` cost, with 10,000 and with 1,000,000 recipients.

Both read counters of slices, not deliveries; beside them, what it would take to count the deliveries each time.
Of each dispatch five hundred were perhaps received, which is what the figures look up one by one.
"""

from datetime import UTC, datetime

from sqlalchemy import func, select, update

from benchmarks.common import ENGINES, median, run, show
from benchmarks.worker import filled
from bot import figures
from domain.delivery import DeliveryState
from scheduler.jobs import Engine
from services.delivery import Delivery
from storage.database import Database
from tests.delivery_world import T

FEW, MANY = 10_000, 1_000_000
DISPATCH = 1
NOW = datetime(2026, 3, 4, 2, 0, tzinfo=UTC)
LEAST_GAIN = 10
delivery, slice_ = T["delivery"], T["slice"]
COUNTED = (
    select(delivery.c.state, func.count())
    .where(delivery.c.dispatch_id == DISPATCH)
    .group_by(delivery.c.state)
)


async def main() -> None:
    rows, gains = [], []
    for engine in ENGINES:
        for size in (FEW, MANY):
            async with filled(engine, f"figures_{size}", size, rate=25) as database:
                slices, times = await _measure(database)
            gains.append(times[-1] / times[0])
            cells = (f"{each * 1000:.2f}" for each in times)
            rows.append((f"{engine}, {size:,}", f"{slices:,}", *cells))
    most = [f"{gain:.0f}x on {engine}" for gain, engine in zip(gains[1::2], ENGINES, strict=True)]
    met = min(gains[1::2]) >= LEAST_GAIN
    show(
        "Live figures",
        ("recipients", "slices", "figures, ms", "a scrape of /metrics, ms", "counting deliveries, ms"),
        rows,
        bar=f"Figures of {MANY:,} recipients at least {LEAST_GAIN}x quicker than counting them",
        reached=", ".join(most),
        met=met,
    )


async def _measure(database: Database) -> tuple[int, list[float]]:
    """Return how many slices there are, and the seconds of figures, scrape and count."""
    slices = await _doubt(database)
    service = Delivery(database=database, clock=lambda: NOW, jobs=Engine.in_memory().jobs, channels={})

    async def count() -> None:
        async with database.read() as session:
            (await session.execute(COUNTED)).all()

    works = (lambda: service.figures(DISPATCH), lambda: figures.read(database, NOW, None), count)
    return slices, [await median(work) for work in works]


async def _doubt(database: Database) -> int:
    """Let the first slice be one whose answers were lost; return how many slices there are."""
    async with database.begin() as session:
        first = select(func.min(slice_.c.id)).scalar_subquery()
        lost = update(delivery).where(delivery.c.slice_id == first)
        await session.execute(lost.values(state=DeliveryState.UNKNOWN, at=NOW))
        await session.execute(update(slice_).where(slice_.c.id == first).values(unknown=slice_.c.planned))
        return int((await session.execute(select(func.count()).select_from(slice_))).scalar_one())


if __name__ == "__main__":
    run(main)

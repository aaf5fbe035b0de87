"""What the live figures of a dispatch and a scrape of `/metrics` cost, with 10,000 and with 1,000,000 recipients.

Both read counters of slices, not deliveries; beside them, what it would take to count the deliveries each time.
Of each dispatch some were perhaps received, which is what the figures look up one by one: one slice of them, as a kill
leaves, and 100,000, as a messenger that is away for an hour may leave. The bar holds for the one slice.
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
from storage.materialise import SLICE_SIZE
from tests.delivery_world import T

FEW, MANY = 10_000, 1_000_000
CASES = ((FEW, SLICE_SIZE), (MANY, SLICE_SIZE), (MANY, 100_000))
"""Recipients, and how many of them are in doubt."""
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
    rows, gains = [], {}
    for engine in ENGINES:
        for size, doubtful in CASES:
            async with filled(engine, f"figures_{size}", size, rate=25) as database:
                slices, times = await _measure(database, doubtful)
            gains[engine, size, doubtful] = times[-1] / times[0]
            cells = (f"{each * 1000:.2f}" for each in times)
            rows.append((f"{engine}, {size:,}", f"{doubtful:,}", f"{slices:,}", *cells))
    most = {engine: gains[engine, MANY, SLICE_SIZE] for engine in ENGINES}
    met = min(most.values()) >= LEAST_GAIN
    show(
        "Live figures",
        (
            "recipients",
            "in doubt",
            "slices",
            "figures, ms",
            "a scrape of /metrics, ms",
            "counting deliveries, ms",
        ),
        rows,
        bar=f"Figures of {MANY:,} recipients at least {LEAST_GAIN}x quicker than counting them",
        reached=", ".join(f"{gain:.0f}x on {engine}" for engine, gain in most.items()),
        met=met,
    )


async def _measure(database: Database, doubtful: int) -> tuple[int, list[float]]:
    """Return how many slices there are, and the seconds of figures, scrape and count."""
    slices = await _doubt(database, doubtful // SLICE_SIZE)
    service = Delivery(database=database, clock=lambda: NOW, jobs=Engine.in_memory().jobs, channels={})

    async def count() -> None:
        async with database.read() as session:
            (await session.execute(COUNTED)).all()

    works = (lambda: service.figures(DISPATCH), lambda: figures.read(database, NOW, None), count)
    return slices, [await median(work) for work in works]


async def _doubt(database: Database, count: int) -> int:
    """Let the first slices be such whose answers were lost; return how many slices there are."""
    async with database.begin() as session:
        first = select(slice_.c.id).order_by(slice_.c.id).limit(count)
        lost = update(delivery).where(delivery.c.slice_id.in_(first))
        await session.execute(lost.values(state=DeliveryState.UNKNOWN, at=NOW))
        await session.execute(update(slice_).where(slice_.c.id.in_(first)).values(unknown=slice_.c.planned))
        return int((await session.execute(select(func.count()).select_from(slice_))).scalar_one())


if __name__ == "__main__":
    run(main)

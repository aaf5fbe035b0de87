"""What the counters of slices and dispatches have to equal: the rows, counted."""

from collections import Counter

from sqlalchemy import func, select

from storage.database import Database
from storage.dispatches import COUNTERS
from storage.outcomes import EXPLAINED
from storage.tables import metadata

T = metadata.tables


async def assert_counters_are_the_rows(database: Database, dispatch_id: int) -> None:
    delivery, slice_, outcome = T["delivery"], T["slice"], T["outcome_count"]
    columns = (delivery.c.dispatch_id, delivery.c.slice_id, delivery.c.state, delivery.c.reason)
    grouped = select(*columns, func.count().label("n")).where(delivery.c.dispatch_id == dispatch_id)
    some = select(outcome).where(outcome.c.dispatch_id == dispatch_id, outcome.c.count != 0)
    async with database.read() as session:
        rows = (await session.execute(grouped.group_by(*columns))).all()
        slices = (await session.execute(select(slice_).where(slice_.c.dispatch_id == dispatch_id))).all()
        counted = (await session.execute(some)).all()
    of_slice: Counter[tuple[int, str]] = Counter()
    planned: Counter[int] = Counter()
    explained: Counter[tuple[int, str, str]] = Counter()
    for row in rows:
        of_slice[row.slice_id, row.state] += row.n
        planned[row.slice_id] += row.n
        if row.state in EXPLAINED:
            explained[row.dispatch_id, row.state, row.reason] += row.n
    for each in slices:
        assert each.planned == planned[each.id], each
        for name in COUNTERS:
            assert getattr(each, name) == of_slice[each.id, name], (name, each)
        if each.done:
            assert not of_slice[each.id, "waiting"] + of_slice[each.id, "sending"], each
    assert {(each.dispatch_id, each.state, each.reason): each.count for each in counted} == dict(explained)


async def open_rows(database: Database, dispatch_id: int) -> int:
    """Count the deliveries that have not ended."""
    delivery = T["delivery"]
    is_open = delivery.c.state.in_(["waiting", "sending"])
    found = select(func.count()).where(delivery.c.dispatch_id == dispatch_id, is_open)
    async with database.read() as session:
        return int((await session.execute(found)).scalar_one())

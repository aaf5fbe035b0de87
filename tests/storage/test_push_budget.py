"""The week's pushes: counted wherever their numbers lie, and found without the years before."""

from datetime import datetime, timedelta

from sqlalchemy import insert, select

from storage import push_budget
from storage.database import Database
from tests.delivery_world import ACCOUNT, T, settle

CAP = 2


async def pushed(
    database: Database, number: int, at: datetime, *, members: list[int], over: datetime | None
) -> None:
    """Write a dispatch that reached these members at `at`, and ended at `over`."""
    async with database.begin() as session:
        await session.execute(
            insert(T["dispatch"]).values(
                id=number,
                source="notice",
                source_id=number,
                lane="normal",
                unknown_policy="park",
                state="done" if over else "running",
                pause_reason="",
                generation=1,
                planned=len(members),
                created_at=at,
                finished_at=over,
                above_id=select(T["delivery"].c.id)
                .order_by(T["delivery"].c.id.desc())
                .limit(1)
                .scalar_subquery(),
            )
        )
        rows = [
            {"dispatch_id": number, "member_id": member, "account_id": ACCOUNT, "state": "sent", "at": at}
            | {"reason": "", "attempt": 1}
            for member in members
        ]
        await session.execute(insert(T["delivery"]), rows)


async def test_last_months_pushes_are_neither_counted_nor_read(database: Database, clock):
    members = await settle(database, clock, 3)
    now, month_ago = clock(), clock() - timedelta(days=30)
    await pushed(database, 1, month_ago, members=members, over=month_ago)
    await pushed(database, 2, now - timedelta(hours=3), members=members[:2], over=now - timedelta(hours=2))
    await pushed(database, 3, now - timedelta(hours=1), members=members[:1], over=None)
    async with database.read() as session:
        above = await push_budget.week_above(session, now)
        query = select(T["member"].c.id.label("member_id"), T["organisation"].c.zone).join(T["organisation"])
        rows = (await session.execute(query)).all()
        capped = await push_budget.above_cap(session, rows, CAP, above, now)
        last_month = select(T["delivery"].c.id).where(T["delivery"].c.dispatch_id == 1)
        assert max((await session.execute(last_month)).scalars()) == above
    assert list(capped) == members[:1]


async def test_a_dispatch_that_still_runs_counts_with_what_it_sends(database: Database, clock):
    members = await settle(database, clock, 1)
    now = clock()
    for number in (1, 2):
        await pushed(database, number, now - timedelta(hours=1), members=members, over=None)
    async with database.read() as session:
        query = select(T["member"].c.id.label("member_id"), T["organisation"].c.zone).join(T["organisation"])
        rows = (await session.execute(query)).all()
        above = await push_budget.week_above(session, now)
        assert list(await push_budget.above_cap(session, rows, CAP, above, now)) == members

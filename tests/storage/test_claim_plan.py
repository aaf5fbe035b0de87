"""How PostgreSQL finds what to claim: by the index of the slice, in its order, and never along all deliveries."""

import pytest
from sqlalchemy import text
from sqlalchemy.dialects import postgresql

from storage import candidates, chat_pace
from storage.database import Database
from tests.delivery_world import FakeChannel, T, build, settle, start

PEOPLE = 20_000


@pytest.mark.slow
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize("most", [3, 200])
async def test_a_claim_walks_neither_the_deliveries_before_its_slice_nor_all_links(
    database: Database, clock, most: int
):
    members = await settle(database, clock, PEOPLE)
    await start(await build(database, clock, FakeChannel()), database, members)
    async with database.begin() as session:
        await session.execute(text("ANALYZE"))
        last = (await session.execute(T["slice"].select().order_by(T["slice"].c.id.desc()))).first()
        given = chat_pace.given(clock()) | {"dispatch": last.dispatch_id, "beyond": 0}
        given |= {
            "slice_id": last.id,
            "fence": 0,
            "generation": 1,
            "account": 1,
            "now": clock(),
            "most": most,
        }
        look = candidates.look("postgresql", topical=False, nudge=False).params(topic=None, notice=7, **given)
        statement = str(
            look.compile(dialect=postgresql.dialect(), compile_kwargs={"literal_binds": True})
        ).replace(":", r"\:")
        plan = "\n".join(row[0] for row in await session.execute(text(f"EXPLAIN {statement}")))
    assert "ix_delivery_slice on delivery" in plan, plan
    assert "pk_delivery" not in plan
    picked = plan[plan.index("ix_delivery_slice") - 200 :]
    assert "Sort Key: delivery.id" not in picked
    assert "Seq Scan on account_link" not in plan

"""How PostgreSQL finds what to claim: by the index of the slice, in its order, and never along all deliveries."""

import pytest
from sqlalchemy import text
from sqlalchemy.dialects import postgresql

from storage import chat_pace, deliveries
from storage.database import Database
from tests.delivery_world import FakeChannel, T, build, settle, start


@pytest.mark.slow
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_a_claim_does_not_walk_the_deliveries_before_its_slice(database: Database, clock):
    members = await settle(database, clock, 2600)
    await start(await build(database, clock, FakeChannel()), database, members)
    async with database.begin() as session:
        await session.execute(text("ANALYZE"))
        last = (await session.execute(T["slice"].select().order_by(T["slice"].c.id.desc()))).first()
        given = chat_pace.given(clock()) | {"dispatch": last.dispatch_id, "beyond": 0}
        given |= {"slice_id": last.id, "fence": 0, "generation": 1, "account": 1, "now": clock(), "most": 3}
        look = deliveries._candidates(topical=False, nudge=False).params(topic=None, notice=7, **given)
        statement = str(
            look.compile(dialect=postgresql.dialect(), compile_kwargs={"literal_binds": True})
        ).replace(":", r"\:")
        plan = "\n".join(row[0] for row in await session.execute(text(f"EXPLAIN {statement}")))
    assert "ix_delivery_slice on delivery" in plan, plan
    assert "pk_delivery" not in plan
    assert "Sort Key: delivery.id" not in plan

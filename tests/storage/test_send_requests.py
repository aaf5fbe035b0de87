"""Requests to send: those for a price came from a table of their own, and keep their numbers."""

from sqlalchemy import text

from domain.send_requests import RequestState, Way
from storage import schema, send_requests
from storage.database import Database
from tests.factories import make_member, make_organisation

BEFORE = "0023"
OLD = """
INSERT INTO paid_request (id, notice_id, digest, messages, stars, state, asked_by, asked_at)
VALUES (7, 1, 'x', 30, 3, 'asked', :member, :at)
"""


async def test_a_paid_request_of_before_is_one_of_that_way_and_new_ones_are_numbered_above(
    database: Database, clock
):
    member = await make_member(database, home=await make_organisation(database))
    await schema.downgrade(database, BEFORE)
    async with database.begin() as session:
        await session.execute(text(OLD), {"member": member, "at": clock()})
    await schema.upgrade(database)
    async with database.begin() as session:
        kept = (await session.execute(text("SELECT id, way, stars, state FROM send_request"))).one()
        added = await send_requests.add(
            session,
            way=Way.URGENT,
            notice_id=2,
            digest="y",
            messages=1,
            stars=0,
            asked_by=member,
            asked_at=clock(),
        )
    assert tuple(kept) == (7, Way.PAID, 3, RequestState.ASKED)
    assert added == 8
    await schema.downgrade(database, BEFORE)
    async with database.read() as session:
        assert list((await session.execute(text("SELECT id FROM paid_request"))).scalars()) == [7]
    await schema.upgrade(database)

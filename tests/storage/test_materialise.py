"""The deliveries of a dispatch are cut into slices, each of one account, and counted."""

from collections import Counter

import pytest
from sqlalchemy import select, update

from storage import materialise
from tests.delivery_world import FakeChannel, T, build, settle, start


@pytest.mark.parametrize("accounts", [1, 3, materialise.FEW_ACCOUNTS + 1])
async def test_a_slice_has_one_account_and_all_but_its_last_are_full(database, clock, monkeypatch, accounts):
    monkeypatch.setattr(materialise, "SLICE_SIZE", 3)
    members = await settle(database, clock, 20, accounts=accounts)
    link = T["account_link"]
    async with database.begin() as session:
        await session.execute(update(link).values(account_id=link.c.member_id * 7 % accounts + 1))
        await session.execute(update(link).where(link.c.member_id == 4).values(state="blocked"))
    delivery = await build(database, clock, FakeChannel())
    dispatch_id = await start(delivery, database, members)
    async with database.read() as session:
        rows = (await session.execute(select(T["delivery"]))).all()
        slices = (await session.execute(select(T["slice"]).order_by(T["slice"].c.number))).all()
    assert sorted(row.member_id for row in rows) == members
    assert [(row.member_id, row.reason) for row in rows if row.slice_id is None] == [(4, "blocked")]
    found = Counter((row.slice_id, row.account_id) for row in rows if row.slice_id is not None)
    assert found == {(each.id, each.account_id): each.planned for each in slices}
    for account in {each.account_id for each in slices}:
        planned = [each.planned for each in slices if each.account_id == account]
        assert all(number == 3 for number in planned[:-1])
        assert 1 <= planned[-1] <= 3
    assert (await delivery.figures(dispatch_id)).planned == 20

"""The shares of a pace in rows say what the rule says, on both databases."""

from random import Random

import pytest
from sqlalchemy import insert

from domain.delivery import Lane
from domain.pace import PaceKind
from domain.shares import Shares
from storage import shares
from storage.tables import metadata

WHOSE = (1, PaceKind.FREE, Lane.NORMAL)


@pytest.fixture
async def account(database) -> None:
    fields = {"residency": "CN", "verifies_phones": False, "deep_link_template": ""}
    async with database.begin() as session:
        await session.execute(insert(metadata.tables["account"]).values(id=1, name="chat", **fields))


async def test_the_rows_agree_with_the_rule_over_a_walk(database, clock, account):
    random, rule = Random(3), Shares()
    for _ in range(40):
        clock.forward(seconds=random.choice([0.0, 0.1, 0.5]))
        dispatch, count = random.randint(1, 4), random.randint(1, 60)
        async with database.begin() as session:
            rule = (await shares.read(session, *WHOSE, clock())).after(dispatch, count)
            assert await shares.grant(session, *WHOSE, dispatch, count, clock()) == rule.at(dispatch)
            assert await shares.read(session, *WHOSE, clock()) == rule


async def test_lanes_kinds_and_what_is_long_ago_do_not_count(database, clock, account):
    async with database.begin() as session:
        await shares.grant(session, *WHOSE, 1, 500, clock())
        await shares.grant(session, 1, PaceKind.PAID, Lane.NORMAL, 2, 20, clock())
        await shares.grant(session, 1, PaceKind.FREE, Lane.URGENT, 3, 30, clock())
        assert await shares.read(session, *WHOSE, clock()) == Shares({1: 500.0})
        clock.forward(seconds=4)
        assert await shares.grant(session, *WHOSE, 1, 7, clock()) == 7.0
        clock.forward(minutes=2)
        await shares.forget(session, clock())
        assert await shares.grant(session, *WHOSE, 1, 5, clock()) == 5.0

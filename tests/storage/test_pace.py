"""The pace row does in one UPDATE what `domain.pace` says, on both databases."""

import asyncio
from datetime import timedelta
from random import Random

import pytest
from sqlalchemy import insert

from domain.delivery import Lane
from domain.pace import STAND_BACK, Granted, Later, PaceKind
from storage import pace
from tests.delivery_world import ACCOUNT, T


@pytest.fixture
async def account(database, clock) -> int:
    async with database.begin() as session:
        fields = {"residency": "CN", "verifies_phones": False, "deep_link_template": ""}
        await session.execute(insert(T["account"]).values(id=ACCOUNT, name="chat", **fields))
        await pace.ensure(session, ACCOUNT, rate=25.0, ceiling=30.0, now=clock())
        await pace.ensure(session, ACCOUNT, PaceKind.PAID, rate=500.0, ceiling=1000.0, now=clock())
    return ACCOUNT


async def read(database, kind=PaceKind.FREE):
    async with database.read() as session:
        return await pace.read(session, ACCOUNT, kind)


def same(ours, theirs) -> bool:
    return type(ours) is type(theirs) and all(
        getattr(ours, name) == pytest.approx(getattr(theirs, name), abs=1e-3) for name in ours.__slots__
    )


async def test_the_rows_agree_with_the_rule_over_a_long_walk(database, clock, account):
    """What is for nothing and what is paid have a pace each; a 429 holds both, and slows the one that met it."""
    random = Random(7)
    rules = {kind: await read(database, kind) for kind in PaceKind}
    for _ in range(250):
        kind = random.choice(list(PaceKind))
        clock.forward(seconds=random.choice([0.0, 0.03, 0.3, 2.0]))
        now = clock().timestamp()
        async with database.begin() as session:
            if random.random() < 0.05:
                wait = random.randint(1, 4)
                await pace.hold(session, account, clock() + timedelta(seconds=wait), clock(), kind)
                rules = {
                    each: rule.slowed(now + wait, now) if each is kind else rule.held(now + wait)
                    for each, rule in rules.items()
                }
                continue
            lane, count, back = (
                random.choice(list(Lane)),
                random.randint(1, 5),
                random.choice([0.0, STAND_BACK]),
            )
            answer = await pace.reserve(session, account, lane, count, clock(), kind, stand_back=back)
        rules[kind], expected = rules[kind].reserve(lane, count, now, back)
        assert same(answer, expected)
        for each, rule in rules.items():
            row = await read(database, each)
            assert (row.rate, row.refused) == (pytest.approx(rule.rate), pytest.approx(rule.refused))
            assert row.arrival == pytest.approx(rule.arrival, abs=1e-3)


async def test_many_at_once_share_one_pace(database, clock, account):
    async def reserve() -> Granted | Later:
        async with database.begin() as session:
            return await pace.reserve(session, account, Lane.URGENT, 1, clock())

    answers = await asyncio.gather(*(reserve() for _ in range(20)))
    starts = sorted(answer.start for answer in answers if isinstance(answer, Granted))
    assert starts == pytest.approx([clock().timestamp() + n / 25 for n in range(20)], abs=1e-3)


async def test_a_learnt_rate_stays_and_a_new_ceiling_lowers_it(database, clock, account):
    async with database.begin() as session:
        await pace.ensure(session, account, rate=5.0, ceiling=100.0, now=clock())
    assert ((await read(database)).rate, (await read(database)).ceiling) == (25.0, 100.0)
    async with database.begin() as session:
        await pace.ensure(session, account, rate=5.0, ceiling=10.0, now=clock())
    assert (await read(database)).rate == pytest.approx(9.75)


async def test_who_pays_no_more_keeps_the_pace_that_costs_nothing(database, clock, account):
    async with database.begin() as session:
        await pace.pay_no_more(session, account)
    assert await read(database, PaceKind.PAID) is None
    assert (await read(database)).rate == 25.0


async def test_an_account_without_a_pace_is_an_error(database, clock):
    async with database.begin() as session:
        with pytest.raises(LookupError):
            await pace.reserve(session, 99, Lane.NORMAL, 1, clock())

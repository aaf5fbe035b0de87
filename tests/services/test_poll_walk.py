"""A long walk of votes, changes and countings through the booth, beside a model that is a dictionary."""

from collections import Counter
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import select, update

from domain.polls import PollClosed, VoteIsFinal
from storage.database import Database
from storage.sealing import Sealer
from tests.conftest import HandClock
from tests.factories import T
from tests.poll_world import Hall, hall
from tests.town import build

OPTIONS = ("七点", "八点", "九点")
HOMES = {"market": 7, "north": 3, "cicheng": 5}
STEPS = 70


@pytest.fixture
async def town(database: Database, clock: HandClock, tmp_path: Path) -> Hall:
    sealer = Sealer({"test": bytes(range(32))}, "test")
    return await hall(await build(database, sealer), sealer, clock, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("anonymous", [False, True])
async def test_each_counts_once_with_their_last_choice_if_by_name_and_their_first_if_not(
    town: Hall, anonymous
):
    chance = Random(26)
    people = [member for home, number in HOMES.items() for member in await town.people(home, number)]
    made = await town.opened(
        "county_secretary", "haishu", options=OPTIONS, multiple=True, anonymous=anonymous
    )
    asked = {member for member in people if await _asked(town, member)}
    assert 5 < len(asked) < len(people)
    kept: dict[int, frozenset[int]] = {}
    for _ in range(STEPS):
        member = chance.choice(sorted(asked))
        chosen = frozenset(chance.sample(range(len(OPTIONS)), chance.randint(1, len(OPTIONS))))
        if anonymous and member in kept:
            with pytest.raises(VoteIsFinal):
                await town.vote(member, made.id, *chosen)
        else:
            await town.vote(member, made.id, *chosen)
            kept[member] = chosen
        if chance.random() < 0.2:
            await town.polls.closing.count()
    await town.over(made.id)
    await town.polls.closing.tick()
    with pytest.raises(PollClosed):
        await town.vote(next(iter(asked)), made.id, 0)

    async with town.database.read() as session:
        cells = (await session.execute(select(T["poll_cell"].c.voted, T["poll_cell"].c.options))).all()
    often = Counter(option for chosen in kept.values() for option in chosen)
    assert sum(row.voted for row in cells) == len(kept)
    assert [sum(row.options[n] for row in cells) for n in range(len(OPTIONS))] == [
        often[n] for n in range(len(OPTIONS))
    ]
    assert min(row.voted for row in cells) >= 5


async def test_a_member_who_moves_between_change_and_closing_is_counted_once(town: Hall):
    people = await town.people("market", 6)
    made = await town.opened("county_secretary", "haishu", options=OPTIONS, anonymous=False)
    for member in people:
        await town.vote(member, made.id, 0)
    async with town.database.begin() as session:
        moved = update(T["member"]).where(T["member"].c.id == people[0])
        await session.execute(moved.values(home_id=town.town.nodes["cicheng"]))
    await town.vote(people[0], made.id, 1)
    await town.over(made.id)
    async with town.database.read() as session:
        cells = (await session.execute(select(T["poll_cell"].c.voted, T["poll_cell"].c.options))).all()
    assert [(row.voted, list(row.options)) for row in cells] == [(6, [5, 1, 0])]


async def _asked(town: Hall, member: int) -> bool:
    delivery = T["delivery"]
    async with town.database.read() as session:
        found = await session.execute(select(delivery.c.id).where(delivery.c.member_id == member))
        return found.first() is not None

"""Votes that come at once: one transaction for all, and none stands or falls with another."""

import asyncio
from collections.abc import Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import event, select

from domain.permissions import Actor
from domain.polls import NoSuchOption, VoteIsFinal
from domain.refusals import NotFound
from services.poll_booth import Sheet
from storage.database import Database, Effect, Session, with_each_change
from storage.sealing import Sealer
from tests.conftest import HandClock
from tests.factories import T
from tests.poll_world import Hall, hall
from tests.town import build


@pytest.fixture
async def town(database: Database, clock: HandClock, tmp_path: Path) -> Hall:
    sealer = Sealer({"test": bytes(range(32))}, "test")
    return await hall(await build(database, sealer), sealer, clock, tmp_path)


@contextmanager
def counted(database: Database):
    """Count the transactions that are committed meanwhile."""
    ends: list[bool] = []
    database.on_end = lambda _, committed: ends.append(committed)
    yield ends
    database.on_end = None


async def vote(town: Hall, actor: Actor, poll_id: int, chosen: int) -> Sheet:
    return await town.booth.vote(actor, poll_id, frozenset({chosen}))


async def voters(town: Hall) -> list[Actor]:
    return [await town.actor(each) for each in await town.people("market", 6)]


async def named_votes(town: Hall) -> dict[int, int]:
    async with town.database.read() as session:
        rows = await session.execute(select(T["named_vote"].c.member_id, T["named_vote"].c.chosen))
    return {row.member_id: row.chosen for row in rows.all()}


async def test_votes_that_come_at_once_are_one_transaction(town: Hall):
    people = await voters(town)
    made = await town.opened("county_secretary", "market", anonymous=False)
    with counted(town.database) as ends:
        sheets = await asyncio.gather(*(vote(town, each, made.id, n % 2) for n, each in enumerate(people)))
    assert ends == [True]
    assert [sheet.chosen for sheet in sheets] == [{0}, {1}] * 3
    assert await named_votes(town) == {each.member_id: 1 << n % 2 for n, each in enumerate(people)}


async def test_who_is_refused_is_told_why_and_the_others_votes_stand(town: Hall):
    people = await voters(town)
    stranger = await town.actor("sun")
    made = await town.opened("county_secretary", "market")
    await vote(town, people[0], made.id, 0)
    outcomes = await asyncio.gather(
        vote(town, people[0], made.id, 1),
        vote(town, people[1], made.id, 7),
        vote(town, stranger, made.id, 0),
        vote(town, people[2], made.id, 1),
        return_exceptions=True,
    )
    assert [type(each) for each in outcomes] == [VoteIsFinal, NoSuchOption, NotFound, Sheet]
    async with town.database.read() as session:
        part = (await session.execute(select(T["participation"].c.member_id))).scalars().all()
    assert set(part) == {people[0].member_id, people[2].member_id}


async def test_votes_in_different_polls_are_kept_apart(town: Hall):
    people = await voters(town)
    open_ = await town.opened("county_secretary", "market", anonymous=False, question="谁去？")
    secret = await town.opened("county_secretary", "market", question="几点去？")
    await asyncio.gather(*(vote(town, each, poll.id, 1) for each in people for poll in (open_, secret)))
    assert set((await named_votes(town)).values()) == {0b10}
    async with town.database.read() as session:
        sealed = (await session.execute(select(T["sealed_vote"].c.poll_id))).scalars().all()
        part = (await session.execute(select(T["participation"].c.poll_id))).scalars().all()
    assert sealed == [secret.id] * 6
    assert sorted(part) == sorted([open_.id, secret.id] * 6)


async def test_one_who_votes_twice_at_once_has_voted_as_they_did_last(town: Hall):
    people = await voters(town)
    made = await town.opened("county_secretary", "market", anonymous=False)
    await asyncio.gather(*(vote(town, people[0], made.id, chosen) for chosen in (0, 1)))
    assert await named_votes(town) == {people[0].member_id: 0b10}


async def test_what_a_vote_writes_besides_is_written_once_for_all_and_not_for_the_refused(town: Hall):
    people = await voters(town)
    made = await town.opened("county_secretary", "market")
    noted: list[list[int]] = []

    async def note(_session: Session, about: Sequence[int]) -> None:
        noted.append(sorted(about))

    async def hand_in(number: int, chosen: int) -> None:
        with_each_change.set(Effect(note, number))
        await vote(town, people[number], made.id, chosen)

    tasks = [asyncio.create_task(hand_in(n, chosen)) for n, chosen in enumerate((0, 7, 1))]
    await asyncio.gather(*tasks, return_exceptions=True)
    assert noted == [[0, 2]]


async def test_a_vote_that_fails_takes_no_other_with_it(town: Hall):
    people = await voters(town)
    made = await town.opened("county_secretary", "market", anonymous=False)

    async def note(_session: Session, about: Sequence[int]) -> None:
        if 0 in about:
            raise ConnectionError

    async def hand_in(number: int) -> None:
        with_each_change.set(Effect(note, number))
        await vote(town, people[number], made.id, 1)

    tasks = [asyncio.create_task(hand_in(number)) for number in range(3)]
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(each) for each in outcomes] == [ConnectionError, type(None), type(None)]
    assert set(await named_votes(town)) == {each.member_id for each in people[1:3]}


async def test_anonymous_votes_lie_in_another_order_than_those_who_took_part(town: Hall, database: Database):
    """What one transaction wrote must not be matched by where it lies: sealed votes are written by their tokens."""
    people = await voters(town)
    made = await town.opened("county_secretary", "market")
    tokens: list[list[int]] = []

    def hear(_connection, _cursor, statement, parameters, *_) -> None:
        if statement.startswith("INSERT INTO sealed_vote"):
            rows = parameters if isinstance(parameters, list) else [parameters]
            tokens.append([next(value for value in row if value > 2**32) for row in rows])

    engine = database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", hear)
    await asyncio.gather(*(vote(town, each, made.id, 0) for each in people))
    event.remove(engine, "before_cursor_execute", hear)
    assert [len(each) for each in tokens] == [6]
    assert tokens == [sorted(tokens[0])]


async def test_a_press_is_a_vote_where_one_votes_by_name_with_one_choice(town: Hall):
    people = await voters(town)
    for anonymous, multiple, one_press in (
        (False, False, True),
        (True, False, False),
        (False, True, False),
    ):
        question = f"{anonymous} {multiple}？"
        made = await town.opened(
            "county_secretary", "market", anonymous=anonymous, multiple=multiple, question=question
        )
        assert not town.booth.takes_one_press(made.id)
        await town.booth.sheet(people[0], made.id)
        assert town.booth.takes_one_press(made.id) is one_press

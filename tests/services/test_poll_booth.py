"""The booth: who may vote, what may be changed, what is kept of a vote, and what a member is shown."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from domain.poll_counting import Count
from domain.polls import (
    NoSuggestions,
    OneOnly,
    PollClosed,
    VoteIsFinal,
)
from domain.refusals import NotFound
from storage.database import Database
from storage.sealing import Sealer
from tests.conftest import HandClock
from tests.factories import T, make_member
from tests.poll_world import Hall, hall
from tests.town import build

pytestmark = pytest.mark.slow_on_postgresql


@pytest.fixture
async def town(database: Database, clock: HandClock, tmp_path: Path) -> Hall:
    sealer = Sealer({"test": bytes(range(32))}, "test")
    return await hall(await build(database, sealer), sealer, clock, tmp_path)


async def rows(town: Hall, table: str) -> list[Any]:
    async with town.database.read() as session:
        return list((await session.execute(select(T[table]))).all())


async def test_who_was_not_asked_does_not_see_a_poll(town: Hall):
    await town.people("market", 6)
    made = await town.opened("county_secretary", "market")
    stranger = await town.actor("sun")
    for call in (
        town.booth.sheet(stranger, made.id),
        town.booth.vote(stranger, made.id, frozenset({0})),
        town.booth.suggest(stranger, made.id, "我也说"),
        town.booth.results(stranger, made.id),
    ):
        with pytest.raises(NotFound):
            await call


async def test_an_anonymous_vote_is_final(town: Hall):
    people = await town.people("market", 6)
    made = await town.opened("county_secretary", "market")
    await town.vote(people[0], made.id, 0)
    with pytest.raises(VoteIsFinal):
        await town.vote(people[0], made.id, 1)
    sheet = await town.booth.sheet(await town.actor(people[0]), made.id)
    assert sheet.voted
    assert sheet.chosen == frozenset()
    assert len(await rows(town, "sealed_vote")) == 1


async def test_an_anonymous_vote_is_kept_under_seal_beside_no_name(town: Hall):
    people = await town.people("market", 6)
    made = await town.opened("county_secretary", "market")
    await town.vote(people[0], made.id, 1)
    (sealed,) = await rows(town, "sealed_vote")
    assert set(sealed._fields) == {"token", "poll_id", "organisation_id", "sealed"}
    assert not await rows(town, "named_vote")
    (part,) = await rows(town, "participation")
    assert set(part._fields) == {"poll_id", "member_id"}


async def test_a_named_vote_takes_the_place_of_the_one_before(town: Hall):
    people = await town.people("market", 6)
    made = await town.opened("county_secretary", "market", anonymous=False)
    await town.vote(people[0], made.id, 0)
    await town.vote(people[0], made.id, 1)
    sheet = await town.booth.sheet(await town.actor(people[0]), made.id)
    assert sheet.chosen == {1}
    assert len(await rows(town, "participation")) == 1


async def test_a_choice_is_checked_on_each_press(town: Hall):
    people = await town.people("market", 6)
    made = await town.opened("county_secretary", "market")
    with pytest.raises(OneOnly):
        await town.vote(people[0], made.id, 0, 1)
    assert not await rows(town, "participation")


async def test_after_the_announced_minute_no_vote_is_taken(town: Hall):
    people = await town.people("market", 6)
    made = await town.opened("county_secretary", "market")
    town.clock.forward(days=3)
    with pytest.raises(PollClosed):
        await town.vote(people[0], made.id, 0)
    with pytest.raises(PollClosed):
        await town.booth.suggest(await town.actor(people[0]), made.id, "晚了")


async def test_two_presses_at_once_are_one_vote(town: Hall):
    people = await town.people("market", 6)
    made = await town.opened("county_secretary", "market")
    votes = [town.vote(people[0], made.id, number) for number in (0, 1, 0)]
    outcomes = await asyncio.gather(*votes, return_exceptions=True)
    assert sum(outcome is None for outcome in outcomes) == 1
    assert len(await rows(town, "sealed_vote")) == 1


async def test_a_suggestion_may_be_replaced_until_the_poll_closes_and_needs_no_vote(town: Hall):
    people = await town.people("market", 6)
    made = await town.opened("county_secretary", "market")
    actor = await town.actor(people[0])
    await town.booth.suggest(actor, made.id, "早一点")
    sheet = await town.booth.suggest(actor, made.id, "再早一点")
    assert (sheet.suggestion, sheet.voted) == ("再早一点", False)
    (sealed,) = await rows(town, "sealed_suggestion")
    assert "早".encode() not in sealed.sealed


async def test_a_poll_without_suggestions_takes_none(town: Hall):
    people = await town.people("market", 6)
    made = await town.opened("county_secretary", "market", suggestions=False)
    with pytest.raises(NoSuggestions):
        await town.booth.suggest(await town.actor(people[0]), made.id, "早一点")


async def test_anonymous_suggestions_are_handed_on_at_closing_without_name_or_hour(town: Hall):
    people = await town.people("market", 6)
    made = await town.opened("county_secretary", "market")
    for who in people[:3]:
        await town.booth.suggest(await town.actor(who), made.id, f"建议{who}")
    await town.over(made.id)
    assert not await rows(town, "sealed_suggestion")
    handed = await rows(town, "suggestion")
    assert {row.text for row in handed} == {f"建议{who}" for who in people[:3]}
    assert {row.member_id for row in handed} == {None}
    assert {row.organisation_id for row in handed} == {made.sender.organisation_id}


async def test_named_suggestions_keep_their_author(town: Hall):
    people = await town.people("market", 6)
    made = await town.opened("county_secretary", "market", anonymous=False)
    await town.booth.suggest(await town.actor(people[0]), made.id, "早一点")
    await town.over(made.id)
    (row,) = await rows(town, "suggestion")
    assert (row.member_id, row.organisation_id) == (people[0], made.sender.organisation_id)


async def test_full_groups_are_counted_before_closing_and_five_stay_behind(town: Hall):
    market, north = await town.people("market", 6), await town.people("north", 5)
    made = await town.opened("county_secretary", "market", "north")
    for who in market:
        await town.vote(who, made.id, 0)
    await town.polls.closing.count()
    assert not await rows(town, "poll_cell")
    for who in north:
        await town.vote(who, made.id, 1)
    await town.polls.closing.count()
    (cell,) = await rows(town, "poll_cell")
    assert (cell.organisation_id, cell.voted) == (town.town.nodes["market"], 6)
    assert len(await rows(town, "sealed_vote")) == 5


async def test_after_closing_no_row_of_a_single_vote_is_left(town: Hall):
    market, north = await town.people("market", 6), await town.people("north", 3)
    made = await town.opened("county_secretary", "market", "north")
    for who in market + north:
        await town.vote(who, made.id, who % 2)
    await town.over(made.id)
    assert not await rows(town, "sealed_vote")
    assert sum(cell.voted for cell in await rows(town, "poll_cell")) == 9
    assert all(cell.voted >= 5 for cell in await rows(town, "poll_cell"))


async def test_counting_twice_counts_nothing_twice(town: Hall):
    people = await town.people("market", 12)
    made = await town.opened("county_secretary", "market")
    for who in people:
        await town.vote(who, made.id, 0)
    await asyncio.gather(town.polls.closing.count(), town.polls.closing.count())
    town.clock.forward(days=3)
    await asyncio.gather(town.polls.closing.tick(), town.polls.closing.tick())
    await town.polls.closing.tick()
    result = await town.polls.result(await town.actor("county_secretary"), made.id)
    assert result.count == Count(12, (12, 0))


async def test_a_member_sees_everybody_and_their_own_chain_of_organisations(town: Hall):
    market, north = await town.people("market", 6), await town.people("north", 7)
    made = await town.opened("county_secretary", "market", "north")
    for who in market:
        await town.vote(who, made.id, 0)
    for who in north:
        await town.vote(who, made.id, 1)
    await town.over(made.id)
    await town.polls.publish(await town.actor("county_secretary"), made.id, "七点。")
    shown = await town.booth.results(await town.actor(market[0]), made.id)
    assert [(each.organisation and each.organisation.name, each.count) for each in shown] == [
        (None, Count(13, (6, 7))),
        ("城隍庙商圈", Count(6, (6, 0))),
    ]


async def test_an_area_with_fewer_than_five_is_hidden(town: Hall):
    market, north = await town.people("market", 6), await town.people("north", 4)
    made = await town.opened("county_secretary", "market", "north")
    for who in market + north:
        await town.vote(who, made.id, 1)
    await town.over(made.id)
    await town.polls.publish(await town.actor("county_secretary"), made.id, "八点。")
    shown = await town.booth.results(await town.actor(north[0]), made.id)
    assert shown[0].count == Count(10, (0, 10))
    assert shown[-1].organisation is not None
    assert (shown[-1].organisation.name, shown[-1].count) == ("北大路支部", None)


async def test_results_are_not_shown_before_they_are_published(town: Hall):
    people = await town.people("market", 6)
    made = await town.opened("county_secretary", "market")
    with pytest.raises(NotFound):
        await town.booth.results(await town.actor(people[0]), made.id)


async def test_a_live_named_poll_shows_its_result_from_five_votes_on(town: Hall):
    people = await town.people("market", 6)
    made = await town.opened("county_secretary", "market", anonymous=False, live=True)
    for who in people[:4]:
        await town.vote(who, made.id, 0)
    assert (await town.booth.results(await town.actor(people[0]), made.id))[0].count is None
    await town.vote(people[4], made.id, 1)
    assert (await town.booth.results(await town.actor(people[0]), made.id))[0].count == Count(5, (4, 1))


async def test_lists_put_what_is_not_answered_first(town: Hall):
    people = await town.people("market", 6)
    first = await town.opened("county_secretary", "market")
    second = await town.opened("county_secretary", "market", question="第二个？")
    actor = await town.actor(people[0])
    await town.vote(people[0], first.id, 0)
    assert [(card.poll.id, card.voted) for card in await town.booth.open_for(actor)] == [
        (second.id, False),
        (first.id, True),
    ]
    assert [card.poll.id for card in (await town.booth.answered(actor))[0]] == [first.id]
    assert (await town.booth.past(actor))[0] == []


async def test_a_newcomer_to_the_branch_was_not_asked(town: Hall):
    await town.people("market", 6)
    made = await town.opened("county_secretary", "market")
    late = await make_member(town.database, home=town.town.nodes["market"])
    with pytest.raises(NotFound):
        await town.booth.sheet(await town.actor(late), made.id)

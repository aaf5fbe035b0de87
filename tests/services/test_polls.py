"""Polls from the secretary's side: written, aimed, opened, closed, answered, and each step once."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from domain.notices import NumberMustBeTyped
from domain.polls import (
    LiveNeedsNames,
    NoClosingTime,
    PollForNobody,
    PollMovedOn,
    PollNotDraft,
    PollState,
    PollTooSmall,
    ResultOwed,
)
from domain.refusals import NotAllowed, NotFound
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


async def count(town: Hall, table: str) -> int:
    async with town.database.read() as session:
        return len((await session.execute(select(T[table]))).all())


async def test_a_poll_asks_the_members_of_its_audience(town: Hall):
    people = await town.people("market", 6)
    made = await town.opened("county_secretary", "market")
    assert made.state is PollState.OPEN
    assert len(town.channel.sent) == len(people)
    content = town.channel.sent[0].content
    assert "食堂几点开门？" in content.text
    assert [row[0].data for row in content.keyboard] == [
        f"pv:{made.id}:1:pick",
        f"pv:{made.id}:2:pick",
        f"pv:{made.id}:0:why",
    ]


async def test_a_poll_goes_out_in_the_name_of_the_innermost_grant_that_covers_it(town: Hall):
    made = await town.drafted("county_secretary", "market")
    assert made.sender.organisation_id == town.town.nodes["haishu"]


async def test_who_may_not_send_opens_no_poll(town: Hall):
    with pytest.raises(NotAllowed):
        await town.polls.draft(await town.actor("wang"), "问什么？")


async def test_a_draft_is_its_authors_alone(town: Hall):
    made = await town.drafted("branch_secretary", "north")
    with pytest.raises(NotFound):
        await town.polls.for_actor(await town.actor("county_secretary"), made.id)


async def test_a_secretary_next_door_does_not_see_a_poll(town: Hall):
    await town.people("north", 6)
    made = await town.opened("branch_secretary", "north")
    for name in ("foreign_secretary", "wang"):
        with pytest.raises((NotFound, NotAllowed)):
            await town.polls.result(await town.actor(name), made.id)


async def test_the_same_question_sent_twice_is_one_draft(town: Hall):
    actor = await town.actor("branch_secretary")
    assert (await town.polls.draft(actor, "几点？")).id == (await town.polls.draft(actor, "几点？")).id


async def test_an_anonymous_poll_shows_nothing_live(town: Hall):
    actor = await town.actor("branch_secretary")
    made = await town.drafted("branch_secretary", "north", anonymous=False, live=True)
    assert (await town.polls.rewrite(actor, made.id, anonymous=True)).live is False
    with pytest.raises(LiveNeedsNames):
        await town.polls.rewrite(actor, made.id, live=True)


async def test_a_poll_without_an_end_or_without_people_does_not_open(town: Hall):
    actor = await town.actor("branch_secretary")
    endless = await town.drafted("branch_secretary", "north", closes_at=None)
    with pytest.raises(NoClosingTime):
        await town.polls.open(actor, endless.id)
    for_nobody = await town.drafted("branch_secretary", question="给谁？")
    with pytest.raises(PollForNobody):
        await town.polls.open(actor, for_nobody.id)


async def test_among_fewer_than_five_nobody_is_anonymous(town: Hall):
    made = await town.drafted("foreign_secretary", "cicheng")
    actor = await town.actor("foreign_secretary")
    with pytest.raises(PollTooSmall):
        await town.polls.open(actor, made.id)
    await town.polls.rewrite(actor, made.id, anonymous=False)
    assert (await town.polls.open(actor, made.id)).state is PollState.OPEN


async def test_a_large_audience_is_typed(town: Hall, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("domain.notices.TYPED_ABOVE", 5)
    await town.people("market", 6)
    made = await town.drafted("county_secretary", "market")
    actor = await town.actor("county_secretary")
    with pytest.raises(NumberMustBeTyped):
        await town.polls.open(actor, made.id)
    preview = await town.polls.preview(actor, made.id)
    assert preview.must_type
    assert preview.reach is not None
    assert (await town.polls.open(actor, made.id, typed=preview.reach.total)).state is PollState.OPEN


async def test_pressed_twice_a_poll_is_opened_once(town: Hall):
    await town.people("market", 5)
    made = await town.opened("county_secretary", "market")
    assert (await town.polls.open(await town.actor("county_secretary"), made.id)).state is PollState.OPEN
    assert await count(town, "dispatch") == 1


async def test_an_open_poll_is_not_rewritten(town: Hall):
    await town.people("market", 5)
    made = await town.opened("county_secretary", "market")
    with pytest.raises(PollNotDraft):
        await town.polls.rewrite(await town.actor("county_secretary"), made.id, question="别的？")


async def test_a_scheduled_poll_opens_at_its_time(town: Hall):
    await town.people("market", 5)
    at = town.clock() + timedelta(days=1)
    made = await town.drafted("county_secretary", "market", opens_at=at)
    made = await town.polls.open(await town.actor("county_secretary"), made.id)
    assert made.state is PollState.SCHEDULED
    await town.polls.closing.tick()
    assert not await count(town, "dispatch")
    town.clock.forward(days=1)
    await town.polls.closing.tick()
    await town.polls.closing.tick()
    assert (await town.polls.for_actor(await town.actor("county_secretary"), made.id)).state is PollState.OPEN
    assert await count(town, "dispatch") == 1


async def test_a_scheduled_poll_whose_time_is_over_never_opens(town: Hall):
    await town.people("market", 5)
    made = await town.drafted("county_secretary", "market", opens_at=town.clock() + timedelta(days=1))
    await town.polls.open(await town.actor("county_secretary"), made.id)
    town.clock.forward(days=4)
    await town.polls.closing.tick()
    found = await town.polls.for_actor(await town.actor("county_secretary"), made.id)
    assert found.state is PollState.CANCELLED


async def test_a_scheduled_poll_can_be_taken_back(town: Hall):
    later = town.clock() + timedelta(days=1)
    made = await town.drafted("county_secretary", "north", anonymous=False, opens_at=later)
    actor = await town.actor("county_secretary")
    await town.polls.open(actor, made.id)
    assert (await town.polls.unschedule(actor, made.id)).state is PollState.DRAFT


async def test_a_closed_poll_tells_its_author_and_waits_for_an_answer(town: Hall):
    await town.town.link("county_secretary", 77)
    await town.people("market", 6)
    made = await town.opened("county_secretary", "market")
    await town.over(made.id)
    actor = await town.actor("county_secretary")
    assert (await town.polls.owed(actor)) is not None
    assert town.channel.sent[-1].to.chat_id == 77
    with pytest.raises(ResultOwed) as refused:
        await town.polls.draft(actor, "下一个？")
    assert refused.value.fields["id"] == made.id


async def test_publishing_tells_everybody_who_was_asked_once_with_a_picture(town: Hall):
    people = await town.people("market", 6)
    made = await town.opened("county_secretary", "market")
    for number, who in enumerate(people):
        await town.vote(who, made.id, number % 2)
    await town.over(made.id)
    newcomer = await make_member(town.database, home=town.town.nodes["market"], chat_id=9999, account=1)
    assert newcomer
    actor = await town.actor("county_secretary")
    before = len(town.channel.sent)
    await town.polls.publish(actor, made.id, "改为七点开门。")
    await town.polls.publish(actor, made.id, "改为七点开门。")
    await town.go()
    told = town.channel.sent[before:]
    assert len(told) == len(people)
    assert 9999 not in [each.to.chat_id for each in told]
    content = told[0].content
    assert content.media is not None
    assert content.media.kind == "photo"
    assert "1. 七点：3 票（50%）" in content.text
    assert "改为七点开门。" in content.text
    assert await town.polls.owed(actor) is None


async def test_a_result_of_fewer_than_five_is_not_told(town: Hall):
    people = await town.people("market", 6)
    made = await town.opened("county_secretary", "market")
    for who in people[:4]:
        await town.vote(who, made.id, 0)
    await town.over(made.id)
    actor = await town.actor("county_secretary")
    assert (await town.polls.result(actor, made.id)).count is None
    await town.polls.publish(actor, made.id, "下次再问。")
    await town.go()
    assert "不足 5 位" in town.channel.sent[-1].content.text
    assert town.channel.sent[-1].content.media is None


async def test_nothing_is_published_before_closing(town: Hall):
    await town.people("market", 6)
    made = await town.opened("county_secretary", "market")
    actor = await town.actor("county_secretary")
    with pytest.raises(PollMovedOn):
        await town.polls.publish(actor, made.id, "急着说。")
    with pytest.raises(PollMovedOn):
        await town.polls.result(actor, made.id)


async def test_a_poll_closed_early_is_counted_at_once(town: Hall):
    people = await town.people("market", 6)
    made = await town.opened("county_secretary", "market")
    for who in people:
        await town.vote(who, made.id, 1)
    actor = await town.actor("county_secretary")
    assert (await town.polls.close(actor, made.id)).state is PollState.CLOSED
    assert (await town.polls.close(actor, made.id)).state is PollState.CLOSED
    result = await town.polls.result(actor, made.id)
    assert result.count is not None
    assert result.count.options == (0, 6)


async def test_a_poll_closed_early_asks_nobody_any_more_and_tells_everybody_its_result(town: Hall):
    people = await town.people("market", 6)
    made = await town.drafted("county_secretary", "market")
    actor = await town.actor("county_secretary")
    await town.polls.open(actor, made.id)
    await town.polls.close(actor, made.id)
    await town.go()
    assert town.channel.sent == []
    await town.polls.publish(actor, made.id, "不问了。")
    await town.go()
    assert len(town.channel.sent) == len(people)


async def test_a_cancelled_poll_drops_what_was_cast(town: Hall):
    people = await town.people("market", 6)
    made = await town.opened("county_secretary", "market")
    await town.vote(people[0], made.id, 0)
    await town.booth.suggest(await town.actor(people[0]), made.id, "早一点")
    actor = await town.actor("county_secretary")
    assert (await town.polls.cancel(actor, made.id)).state is PollState.CANCELLED
    assert (await town.polls.cancel(actor, made.id)).state is PollState.CANCELLED
    assert not await count(town, "sealed_vote")
    assert not await count(town, "sealed_suggestion")


async def test_the_turnout_is_totals_only(town: Hall):
    people = await town.people("market", 6)
    made = await town.opened("county_secretary", "market")
    await town.vote(people[0], made.id, 0)
    await town.booth.suggest(await town.actor(people[0]), made.id, "早一点")
    turnout = await town.polls.turnout(await town.actor("observer"), made.id)
    assert (turnout.voted, turnout.suggestions) == (1, 1)
    assert turnout.asked >= 6


async def test_the_desk_lists_what_owes_a_result_before_what_is_open(town: Hall):
    await town.people("market", 6)
    first = await town.opened("county_secretary", "market")
    second = await town.opened("county_secretary", "market", question="第二个？")
    await town.over(first.id)
    third = await town.opened("worker", "market", question="第三个？")
    found, more = await town.polls.desk(await town.actor("county_secretary"))
    assert [poll.id for poll in found[:2]] == [second.id, first.id]
    assert found[2].id == third.id
    assert not more


async def test_the_test_call_votes_in_nothing(town: Hall):
    made = await town.drafted("county_secretary", "market")
    content = await town.polls.test(await town.actor("county_secretary"), made.id, "en")
    assert all(row[0].data is not None and ":0:" in row[0].data for row in content.keyboard)

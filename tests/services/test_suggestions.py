"""Suggestions as use cases: made by name, grouped once, handled inside one's walls, answered to all who gave their name."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from domain.permissions import Actor
from domain.refusals import NotAllowed, NotFound
from domain.suggestions import (
    Group,
    GroupAnswered,
    GroupState,
    NotInOnePlace,
    SuggestionSaysNothing,
    TooManySuggestions,
)
from services.audit import Audit
from services.delivery import Delivery
from services.suggestion_desk import Wish
from services.suggestions import Suggestions
from storage import suggestions as stored
from storage.database import Database
from storage.sealing import Sealer
from storage.suggestions import NewSuggestion
from tests.conftest import HandClock
from tests.delivery_world import FakeChannel, build, run_all
from tests.factories import T
from tests.town import Town
from tests.town import build as build_town

pytestmark = pytest.mark.slow_on_postgresql


class Desk:
    """A town and its suggestions, with the channel that answers go out by."""

    def __init__(self, town: Town, desk: Suggestions, delivery: Delivery, channel: FakeChannel) -> None:
        self.town = town
        self.desk = desk
        self.delivery = delivery
        self.channel = channel

    async def actor(self, name: str) -> Actor:
        return await self.town.actor(name)

    async def say(self, who: str, place: str, *texts: str) -> None:
        for text in texts:
            await self.desk.suggest(await self.actor(who), self.town.nodes[place], text)
        await self.desk.tick()

    async def anonymous(self, place: str, *texts: str, poll_id: int | None = None) -> None:
        new = [
            NewSuggestion(self.town.nodes[place], poll_id, None, text, day)
            for text in texts
            for day in [self.desk._clock().date()]
        ]
        async with self.town.database.begin() as session:
            await stored.add_many(session, new)
        await self.desk.tick()

    async def groups(self, who: str, **wish: Any) -> list[Group]:
        return (await self.desk.groups(await self.actor(who), Wish(**wish)))[0]

    async def group(self, who: str, start: str) -> Group:
        return next(each for each in await self.groups(who) if each.title.startswith(start))


@pytest.fixture
async def desk(database: Database, clock: HandClock, tmp_path: Path) -> Desk:
    sealer = Sealer({"test": bytes(range(32))}, "test")
    town = await build_town(database, sealer)
    channel = FakeChannel()
    delivery = await build(database, clock, channel)
    audit = Audit(database=database, clock=clock, sealer=sealer)
    return Desk(
        town, Suggestions(database=database, clock=clock, audit=audit, delivery=delivery), delivery, channel
    )


async def test_a_member_suggests_to_their_own_organisation_or_one_above_it(desk: Desk):
    actor = await desk.actor("wang")
    assert [each.name for each in await desk.desk.addressees(actor)] == [
        "北大路支部",
        "鼓楼街道",
        "海曙区",
        "宁波市",
    ]
    with pytest.raises(NotFound):
        await desk.desk.suggest(actor, desk.town.nodes["cicheng"], "修路灯")
    with pytest.raises(SuggestionSaysNothing):
        await desk.desk.suggest(actor, desk.town.nodes["north"], "👍")


async def test_the_same_text_twice_a_day_is_one(desk: Desk):
    await desk.say("wang", "north", "修路灯", " 修路灯 ")
    assert [own.text for own in (await desk.desk.mine(await desk.actor("wang")))[0]] == ["修路灯"]


async def test_five_a_day_are_enough(desk: Desk, clock: HandClock):
    await desk.say("wang", "north", *(f"第{number}件事" for number in range(5)))
    with pytest.raises(TooManySuggestions):
        await desk.say("wang", "north", "第六件事")
    clock.forward(days=1)
    await desk.say("wang", "north", "第六件事")


async def test_what_says_the_same_to_one_organisation_is_one_group(desk: Desk):
    await desk.say("wang", "north", "希望食堂早点开门")
    await desk.say("zhang", "north", "食堂希望早一点开门", "请修路灯")
    await desk.say("zhang", "gulou", "食堂希望早一点开门")
    assert [(group.size, group.title) for group in await desk.groups("branch_secretary")] == [
        (2, "希望食堂早点开门"),
        (1, "请修路灯"),
    ]
    assert len(await desk.groups("county_secretary")) == 3


async def test_what_has_a_group_keeps_it(desk: Desk):
    await desk.say("wang", "north", "希望食堂早点开门")
    before = await desk.groups("branch_secretary")
    await desk.desk.tick()
    await desk.say("zhang", "north", "食堂希望早一点开门")
    after = await desk.groups("branch_secretary")
    assert [group.id for group in after] == [group.id for group in before]


async def test_beyond_the_wall_nothing_exists(desk: Desk):
    await desk.say("wang", "north", "请修路灯")
    found = await desk.group("branch_secretary", "请修")
    stranger = await desk.actor("foreign_secretary")
    assert await desk.groups("foreign_secretary") == []
    for call in (
        desk.desk.for_actor(stranger, found.id),
        desk.desk.texts(stranger, found.id),
        desk.desk.tag(stranger, found.id, "路灯"),
        desk.desk.answer(stranger, found.id, "好"),
        desk.desk.merge(stranger, found.id, found.id),
        desk.desk.part(stranger, found.id),
    ):
        with pytest.raises(NotFound):
            await call
    with pytest.raises(NotAllowed):
        await desk.desk.groups(await desk.actor("wang"), Wish())


async def test_a_suggestion_to_the_county_is_not_the_branchs_to_answer(desk: Desk):
    await desk.say("wang", "haishu", "请修路灯")
    assert await desk.groups("branch_secretary") == []
    assert len(await desk.groups("county_secretary")) == 1


async def test_a_merge_can_be_undone_and_the_machine_leaves_it_alone(desk: Desk):
    await desk.say("wang", "north", "请修路灯", "晚上太暗")
    lamp, dark = await desk.group("branch_secretary", "请修"), await desk.group("branch_secretary", "晚上")
    actor = await desk.actor("branch_secretary")
    await desk.desk.merge(actor, dark.id, lamp.id)
    assert (await desk.desk.merge(actor, dark.id, lamp.id)).size == 2
    await desk.say("zhang", "north", "晚上太暗！")
    assert [group.size for group in await desk.groups("branch_secretary")] == [3]
    assert (await desk.desk.for_actor(actor, dark.id)).id == lamp.id
    parted = await desk.desk.part(actor, lamp.id)
    assert (parted.size, parted.merged) == (2, 0)
    assert (await desk.desk.part(actor, lamp.id)).size == 2


async def test_groups_to_different_organisations_are_not_merged(desk: Desk):
    await desk.say("wang", "north", "请修路灯")
    await desk.say("wang", "gulou", "请修电梯")
    one, other = await desk.groups("county_secretary")
    with pytest.raises(NotInOnePlace):
        await desk.desk.merge(await desk.actor("county_secretary"), one.id, other.id)


async def test_a_text_that_says_something_else_gets_a_group_of_its_own(desk: Desk):
    await desk.say("wang", "north", "希望食堂早点开门")
    await desk.say("zhang", "north", "食堂希望早一点开门")
    actor = await desk.actor("branch_secretary")
    (found,) = await desk.groups("branch_secretary")
    texts, _ = await desk.desk.texts(actor, found.id)
    assert (await desk.desk.take_out(actor, texts[1].id)).size == 1
    assert len(await desk.groups("branch_secretary")) == 2
    with pytest.raises(NotFound):
        await desk.desk.take_out(actor, 5)


async def test_tags_are_found_again_and_taken_away(desk: Desk):
    await desk.say("wang", "north", "请修路灯", "希望食堂早点开门")
    found = await desk.group("branch_secretary", "请修")
    actor = await desk.actor("branch_secretary")
    assert (await desk.desk.tag(actor, found.id, "#路灯")).tag == "路灯"
    assert await desk.desk.tags(actor) == ["路灯"]
    assert [group.id for group in await desk.groups("branch_secretary", tag="路灯")] == [found.id]
    await desk.desk.tag(actor, found.id, "")
    assert await desk.desk.tags(actor) == []


async def test_an_answer_reaches_each_author_of_the_group_once(desk: Desk, database: Database):
    for number, name in enumerate(("wang", "zhang"), start=1):
        await desk.town.link(name, number)
    await desk.say("wang", "north", "希望食堂早点开门", "食堂希望早一点开门")
    await desk.say("zhang", "north", "食堂希望早点开门")
    await desk.anonymous("north", "希望食堂早些开门")
    actor = await desk.actor("branch_secretary")
    (found,) = await desk.groups("branch_secretary")
    answered = await desk.desk.answer(actor, found.id, "下周一起七点开门。")
    assert answered.state is GroupState.ANSWERED
    assert (await desk.desk.answer(actor, found.id, "下周一起七点开门。")).answer == "下周一起七点开门。"
    await run_all(desk.delivery, database)
    assert sorted(desk.channel.chats) == [1, 2]
    assert "下周一起七点开门。" in desk.channel.sent[0].content.text
    mine, _ = await desk.desk.mine(await desk.actor("wang"))
    assert {own.answer for own in mine} == {"下周一起七点开门。"}


async def test_what_was_answered_is_not_changed_and_what_comes_after_is_new(desk: Desk):
    await desk.say("wang", "north", "请修路灯", "请修电梯")
    actor = await desk.actor("branch_secretary")
    lamp, lift = (
        await desk.group("branch_secretary", "请修路"),
        await desk.group("branch_secretary", "请修电"),
    )
    await desk.desk.answer(actor, lamp.id, "已修。")
    for call in (
        desk.desk.answer(actor, lamp.id, "没修。"),
        desk.desk.merge(actor, lift.id, lamp.id),
        desk.desk.part(actor, lamp.id),
    ):
        with pytest.raises(GroupAnswered):
            await call
    await desk.say("zhang", "north", "请修路灯")
    assert [group.title for group in await desk.groups("branch_secretary")] == ["请修路灯", "请修电梯"]
    assert len(await desk.groups("branch_secretary", state=GroupState.ANSWERED)) == 1


async def test_reading_an_authors_name_is_written_down_for_them(desk: Desk, database: Database):
    await desk.say("wang", "north", "请修路灯")
    await desk.anonymous("north", "请修路灯")
    found = await desk.group("branch_secretary", "请修")
    texts, _ = await desk.desk.texts(await desk.actor("branch_secretary"), found.id)
    assert sorted(each.author or "" for each in texts) == ["", "王芳"]
    entry = T["audit_entry"]
    read = select(entry.c.subject_id).where(entry.c.action == "suggestion.author_read")
    async with database.read() as session:
        assert list((await session.execute(read)).scalars()) == [desk.town.members["wang"]]


async def test_a_polls_answers_are_public_and_small_numbers_hidden(desk: Desk, database: Database):
    async with database.begin() as session:
        await session.execute(
            T["poll"].insert().values(
                id=9, organisation_id=desk.town.nodes["north"], author_id=desk.town.members["branch_secretary"],
                state="published", question="几点？", options=["七点", "八点"], multiple=False, suggestions=True,
                anonymous=True, live=False, what_changed="", created_at=desk.desk._clock(),
            )
        )  # fmt: skip
    await desk.anonymous("north", *["希望食堂早点开门"] * 5, "请修路灯", poll_id=9)
    actor = await desk.actor("branch_secretary")
    assert await desk.desk.answers_for_poll(9) == ()
    for found in await desk.groups("branch_secretary", poll_id=9):
        await desk.desk.answer(actor, found.id, f"答：{found.title}")
    assert [(each.title, each.number, each.answer) for each in await desk.desk.answers_for_poll(9)] == [
        ("希望食堂早点开门", 5, "答：希望食堂早点开门"),
        ("请修路灯", None, "答：请修路灯"),
    ]

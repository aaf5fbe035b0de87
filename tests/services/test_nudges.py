"""Nudges: who has not confirmed is reminded once, whoever presses or ticks."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import func, select, update

from domain.notices import Notice, NoticeNotDraft
from domain.nudges import AlreadyNudged, NudgeNotPossible
from domain.refusals import NotFound
from storage import nudges
from storage.database import Database
from storage.deliveries import Rules
from storage.sealing import Sealer
from tests.conftest import HandClock
from tests.delivery_world import states
from tests.factories import T, make_topic
from tests.notice_world import Bridge, bridge
from tests.town import TODAY, build

pytestmark = pytest.mark.slow_on_postgresql


@pytest.fixture
async def town(database: Database, clock: HandClock, tmp_path: Path) -> Bridge:
    sealer = Sealer({"test": bytes(range(32))}, "test")
    town = await build(database, sealer)
    for number, name in enumerate(("wang", "zhang", "branch_secretary", "zhao"), start=1):
        await town.link(name, number)
    return await bridge(town, sealer, clock, tmp_path)


async def told(town: Bridge, **more) -> Notice:
    """Send a notice that is to be confirmed to the whole county, and forget what went out."""
    made = await town.sent("county_secretary", "haishu", confirm=True, **more)
    await town.notices.start_due()
    town.channel.sent.clear()
    return made


async def nudge(town: Bridge, who: str, notice_id: int) -> int:
    count = await town.notices.nudges.nudge(await town.actor(who), notice_id)
    await town.go()
    return count


async def test_the_author_reminds_everybody_who_has_not_confirmed(town: Bridge):
    made = await told(town)
    await town.notices.inbox.confirm(await town.actor("wang"), made.id)
    look = await town.notices.nudges.look(await town.actor("county_secretary"), made.id)
    assert (look.reach.total, look.everybody, look.earlier) == (3, True, None)
    assert await nudge(town, "county_secretary", made.id) == 3
    assert sorted(town.channel.chats) == [2, 3, 4]
    content = town.channel.sent[0].content
    assert "请参加学习" in content.text
    assert content.keyboard[0][0].data == f"ack:{made.id}"


async def test_what_is_sensitive_is_reminded_of_by_accounts_at_home_only(town: Bridge):
    made = await told(town)
    async with town.database.begin() as session:
        await session.execute(update(T["notice"]).values(sensitive=True))
        await session.execute(update(T["account"]).values(residency="AE"))
    await nudge(town, "county_secretary", made.id)
    assert town.channel.sent == []
    found = select(T["dispatch"].c.home_only).where(T["dispatch"].c.source == "nudge")
    async with town.database.read() as session:
        assert (await session.execute(found)).scalars().all() == [True]


async def test_nobody_is_reminded_twice_of_the_same_notice(town: Bridge):
    made = await told(town)
    assert await nudge(town, "branch_secretary", made.id) == 3
    assert sorted(town.channel.chats) == [1, 2, 3]
    assert await nudge(town, "county_secretary", made.id) == 1
    assert sorted(town.channel.chats) == [1, 2, 3, 4]
    for who in ("branch_secretary", "county_secretary"):
        with pytest.raises(AlreadyNudged):
            await nudge(town, who, made.id)
    look = await town.notices.nudges.look(await town.actor("county_secretary"), made.id)
    assert look.reach.total == 0
    assert look.earlier is not None
    assert look.earlier.members == 4


async def test_of_two_who_press_at_once_one_reminds(town: Bridge):
    made = await told(town)
    actors = [await town.actor("county_secretary"), await town.actor("branch_secretary")] * 2
    tries = [town.notices.nudges.nudge(actor, made.id) for actor in actors]
    done = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(each for each in done if isinstance(each, int)) == 4
    assert all(isinstance(each, int | AlreadyNudged) for each in done)
    await town.go()
    assert sorted(town.channel.chats) == [1, 2, 3, 4]


async def test_who_confirms_before_the_reminder_leaves_gets_none(town: Bridge):
    made = await told(town)
    await town.notices.nudges.nudge(await town.actor("county_secretary"), made.id)
    await town.notices.inbox.confirm(await town.actor("wang"), made.id)
    await town.go()
    assert sorted(town.channel.chats) == [2, 3, 4]
    dispatch = (await town.delivery.dispatches_of("nudge", made.id))[0]
    ended = await states(town.database, dispatch)
    assert ended[town.town.members["wang"]] == ("skipped", "confirmed")


async def test_who_stopped_left_or_left_the_topic_is_not_reminded(town: Bridge):
    topic = await make_topic(town.database)
    for name in ("wang", "zhang", "branch_secretary", "zhao"):
        async with town.database.begin() as session:
            row = {"topic_id": topic, "member_id": town.town.members[name]}
            await session.execute(T["subscription"].insert().values(row))
    made = await told(town, topic_id=topic)
    members = T["member"]
    async with town.database.begin() as session:
        wang, zhang = members.c.id == town.town.members["wang"], members.c.id == town.town.members["zhang"]
        await session.execute(update(members).where(wang).values(stopped_at=made.created_at))
        await session.execute(update(members).where(zhang).values(status="left"))
        mine = T["subscription"].c.member_id == town.town.members["zhao"]
        await session.execute(T["subscription"].delete().where(mine))
    assert await nudge(town, "county_secretary", made.id) == 1
    assert town.channel.chats == [3]


async def test_only_a_notice_that_is_out_and_to_be_confirmed_reminds(town: Bridge):
    plain = await town.sent("county_secretary", "north")
    draft = await town.drafted("county_secretary", "north", text="另一件事", confirm=True)
    for number in (plain.id, draft.id):
        with pytest.raises(NudgeNotPossible):
            await nudge(town, "county_secretary", number)


@pytest.mark.parametrize("who", ["wang", "foreign_secretary", "observer", "former"])
async def test_nobody_else_can_remind(town: Bridge, who: str):
    made = await told(town)
    for number in (made.id, 999_999):
        with pytest.raises(NotFound):
            await nudge(town, who, number)


async def test_a_notice_reminds_by_itself_after_its_days_and_only_once(town: Bridge, clock: HandClock):
    draft = await town.drafted("county_secretary", "haishu", confirm=True)
    actor = await town.actor("county_secretary")
    await town.notices.nudges.nudge_after(actor, draft.id, 2)
    made = await town.notices.send(actor, draft.id)
    await town.go()
    town.channel.sent.clear()
    clock.forward(days=1, hours=23)
    assert await town.notices.nudges.tick() == 0
    clock.forward(hours=1)
    assert await town.notices.nudges.tick() == 1
    assert await town.notices.nudges.tick() == 0
    await town.go()
    assert sorted(town.channel.chats) == [1, 2, 3, 4]
    with pytest.raises(AlreadyNudged):
        await nudge(town, "county_secretary", made.id)


async def test_after_a_long_outage_or_without_the_right_nothing_is_reminded_by_itself(
    town: Bridge, clock: HandClock
):
    actor = await town.actor("county_secretary")
    for text in ("第一件", "第二件"):
        draft = await town.drafted("county_secretary", "haishu", text=text, confirm=True)
        await town.notices.nudges.nudge_after(actor, draft.id, 1)
        await town.notices.send(actor, draft.id)
        await town.go()
        town.channel.sent.clear()
        if text == "第一件":
            clock.forward(days=9)
        else:
            clock.forward(days=1)
            grants = T["role_grant"]
            async with town.database.begin() as session:
                mine = grants.c.member_id == town.town.members["county_secretary"]
                await session.execute(update(grants).where(mine).values(until=TODAY))
        assert await town.notices.nudges.tick() == 1
        assert await town.notices.nudges.tick() == 0
        await town.go()
        assert town.channel.sent == []
    async with town.database.read() as session:
        counted = select(func.count()).where(T["dispatch"].c.source == "nudge")
        assert (await session.execute(counted)).scalar_one() == 0


async def test_the_days_are_chosen_for_a_draft_from_what_is_offered(town: Bridge):
    actor = await town.actor("county_secretary")
    draft = await town.drafted("county_secretary", "north", confirm=True)
    for days in (0, -1, 4, 10**9):
        with pytest.raises(NotFound):
            await town.notices.nudges.nudge_after(actor, draft.id, days)
    assert (await town.notices.nudges.nudge_after(actor, draft.id, 3)).nudge_after == 3
    assert (await town.notices.nudges.nudge_after(actor, draft.id, None)).nudge_after is None
    sent = await told(town)
    with pytest.raises(NoticeNotDraft):
        await town.notices.nudges.nudge_after(actor, sent.id, 2)


async def test_after_a_restore_no_nudge_that_was_due_comes_again(town: Bridge, clock: HandClock):
    actor = await town.actor("county_secretary")
    draft = await town.drafted("county_secretary", "haishu", confirm=True)
    await town.notices.nudges.nudge_after(actor, draft.id, 1)
    await town.notices.send(actor, draft.id)
    await town.go()
    town.channel.sent.clear()
    clock.forward(days=2)
    async with town.database.begin() as session:
        await nudges.pass_over_due(session, clock())
    assert await town.notices.nudges.tick() == 0
    await town.go()
    assert town.channel.sent == []


async def test_a_nudge_by_itself_waits_for_somebody_to_remind(town: Bridge, clock: HandClock):
    actor = await town.actor("county_secretary")
    draft = await town.drafted("county_secretary", "north", confirm=True)
    await town.notices.nudges.nudge_after(actor, draft.id, 1)
    await town.notices.send(actor, draft.id)
    delivery = T["delivery"]
    clock.forward(days=1)
    await town.notices.nudges.tick()  # nothing has left yet
    await town.go()
    town.channel.sent.clear()
    await town.notices.nudges.tick()
    await town.go()
    assert sorted(town.channel.chats) == [1, 2, 3]
    async with town.database.read() as session:
        counted = select(func.count()).where(delivery.c.state == "sent")
        assert (await session.execute(counted)).scalar_one() == 6


async def test_a_secretary_sees_who_is_above_the_cap_before_reminding(town: Bridge):
    made = await told(town)
    town.notices.nudges._audiences._rules = Rules(weekly_cap=1)
    look = await town.notices.nudges.look(await town.actor("county_secretary"), made.id)
    assert (look.reach.total, look.reach.capped, look.reach.at_once) == (4, 4, 0)

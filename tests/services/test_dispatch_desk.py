"""The console's desk: what one sees of what goes out, and the steps one may take, on both databases."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from domain.delivery import NotSent, Sent
from domain.dispatch_desk import DispatchMovedOn, Step
from domain.refusals import NotAllowed, NotFound
from domain.send_requests import Way
from services import dispatch_desk
from services.dispatch_desk import PAGE, DispatchDesk
from services.polls import TOLD_IN
from storage import dispatch_desk as storage_desk
from storage.dispatch_desk import Seen
from tests.desk_world import Desk, desk_over_town
from tests.factories import T


@pytest.fixture
async def world(database, clock, tmp_path) -> Desk:
    return await desk_over_town(database, clock, tmp_path)


async def begun(world: Desk, **more) -> int:
    """Let the county's secretary begin to send to the northern branch; returns the dispatch."""
    made = await world.bridge.drafted("county_secretary", "north", **more)
    made = await world.bridge.notices.send(await world.actor("county_secretary"), made.id)
    return await world.dispatch_of(made.id)


async def actions(world: Desk) -> list[str]:
    entry = T["audit_entry"]
    async with world.database.read() as session:
        return list((await session.execute(select(entry.c.action).order_by(entry.c.id))).scalars())


async def numbers(desk: DispatchDesk, actor, **how) -> list[int]:
    return [each.id for each in (await desk.past(actor, **how))[0]]


async def test_a_send_is_seen_where_it_came_from_and_above_and_nowhere_else(world: Desk):
    number = await begun(world, text="冬季安全检查\n周五前完成")
    county, admin = await world.actor("county_secretary"), await world.admin()
    for actor in (county, await world.actor("observer"), admin):
        (going,) = await world.desk.going(actor)
        assert (going.listed.id, going.listed.about) == (number, "冬季安全检查")
        assert going.listed.origin
        assert going.listed.origin.name == "海曙区"
        assert (await world.desk.of(actor, number)).figures.planned == 4
    for name in ("foreign_secretary", "branch_secretary"):  # the branch gets it; its figures are the county's
        actor = await world.actor(name)
        assert await world.desk.going(actor) == []
        assert await numbers(world.desk, actor) == []
        with pytest.raises(NotFound):
            await world.desk.of(actor, number)
    with pytest.raises(NotAllowed):
        await world.desk.going(await world.actor("wang"))


async def test_an_observer_sees_and_steers_nothing(world: Desk):
    number = await begun(world)
    shown = await world.desk.of(await world.actor("observer"), number)
    assert shown.steps == ()
    with pytest.raises(DispatchMovedOn):
        await world.desk.take(await world.actor("observer"), number, Step.PAUSE, 1)


async def test_pause_resume_and_cancel_are_obeyed_once_and_noted(world: Desk):
    number, county = await begun(world), await world.actor("county_secretary")
    for step, state in ((Step.PAUSE, "paused"), (Step.RESUME, "running"), (Step.CANCEL, "cancelled")):
        await world.desk.take(county, number, step, 1)
        assert (await world.desk.of(county, number)).figures.state == state
        with pytest.raises(DispatchMovedOn):
            await world.desk.take(county, number, step, 1)
    assert [each for each in await actions(world) if each in _STEERED] == list(_STEERED)
    assert await world.desk.going(county) == []


_STEERED = ("notice.paused", "notice.resumed", "notice.cancelled")


async def test_doubts_wait_for_a_decision_and_a_second_press_sends_nothing_again(world: Desk):
    world.lose_answers(1, 2)
    number, county = await begun(world), await world.actor("county_secretary")
    await world.bridge.go()
    (doubtful,) = await world.desk.doubtful(county)
    seen = doubtful.figures.generation
    assert (doubtful.listed.id, doubtful.figures.parked) == (number, 2)
    assert await world.desk.doubtful(await world.actor("observer")) == []
    assert await world.desk.take(county, number, Step.AGAIN, seen) == 2
    await world.bridge.go()  # lost again
    for step in (Step.AGAIN, Step.LEAVE):  # as it was looked at before
        with pytest.raises(DispatchMovedOn):
            await world.desk.take(county, number, step, seen)
    (doubtful,) = await world.desk.doubtful(county)
    assert await world.desk.take(county, number, Step.LEAVE, doubtful.figures.generation) == 2
    assert await world.desk.doubtful(county) == []
    assert (await world.desk.of(county, number)).steps == ()


async def test_what_nobody_can_decide_hides_no_doubt(world: Desk, monkeypatch):
    monkeypatch.setattr(dispatch_desk, "PAGE", 1)
    world.lose_answers(1)
    open_one, county = await begun(world), await world.actor("county_secretary")
    ended = await begun(world, text="第二条")
    await world.bridge.go()
    async with world.database.begin() as session:
        mine = T["dispatch"].c.id == ended
        await session.execute(update(T["dispatch"]).where(mine).values(state="cancelled"))
    assert [each.listed.id for each in await world.desk.doubtful(county)] == [open_one]


async def test_the_failed_are_tried_again(world: Desk):
    world.bridge.channel.answer = lambda envelope: NotSent("refused")
    number, county = await begun(world), await world.actor("county_secretary")
    for _ in range(9):
        await world.bridge.go()
        world.clock.forward(minutes=10)
    shown = await world.desk.of(county, number)
    assert (shown.figures.failed, shown.steps) == (3, (Step.RETRY,))
    world.bridge.channel.answer = lambda envelope: Sent(message_id=1)
    assert await world.desk.take(county, number, Step.RETRY, shown.figures.generation) == 3
    await world.bridge.go()
    assert (await world.desk.of(county, number)).figures.sent == 3


async def test_what_the_bridge_tells_by_itself_is_the_administrators(world: Desk):
    world.lose_answers(2)
    number, county = await world.alert(), await world.actor("county_secretary")
    admin = await world.admin()
    assert await numbers(world.desk, admin) == []
    assert await numbers(world.desk, admin, by_people=False) == [number]
    with pytest.raises(NotAllowed):
        await world.desk.past(county, by_people=False)
    with pytest.raises(NotFound):
        await world.desk.of(county, number)
    await world.bridge.go()
    (doubtful,) = await world.desk.doubtful(admin)
    assert await world.desk.take(admin, number, Step.AGAIN, doubtful.figures.generation) == 1
    assert "dispatch.sent_again" in await actions(world)


async def test_what_went_urgently_is_seen_as_such(world: Desk):
    county = await world.actor("county_secretary")
    made = await world.bridge.drafted("branch_secretary", "north")
    asked = await world.bridge.notices.requests.ask(
        await world.actor("branch_secretary"), made.id, Way.URGENT
    )
    await world.bridge.notices.requests.approve(county, asked.id)
    usual = await world.bridge.sent("county_secretary", "north")
    past, _ = await world.desk.past(county)
    assert [(each.source_id, each.urgent) for each in past] == [(usual.id, False), (made.id, True)]


async def test_an_old_reminder_is_left_but_not_sent_again(world: Desk):
    world.lose_answers(2)
    number, admin = await world.alert(), await world.admin()
    await world.bridge.go()
    async with world.database.begin() as session:
        late = world.clock() - timedelta(minutes=1)
        await session.execute(update(T["dispatch"]).values(useful_until=late))
    assert (await world.desk.of(admin, number)).steps == (Step.LEAVE,)


async def test_a_poll_decides_about_its_last_message_only_and_is_called_off_in_the_chat(world: Desk):
    county = await world.actor("county_secretary")
    made = await world.polls.draft(county, "食堂几点开门？")
    closes = world.clock() + timedelta(days=3)
    made = await world.polls.rewrite(
        county, made.id, options=["七点", "八点"], anonymous=False, closes_at=closes
    )
    made = await world.polls.choose(county, made.id, world.bridge.audience("north"))
    await world.polls.open(county, made.id)
    (number,) = await world.bridge.delivery.dispatches_of("poll", made.id)
    assert (await world.desk.of(county, number)).steps == (Step.PAUSE,)
    world.lose_answers(1)
    await world.bridge.go()
    (doubtful,) = await world.desk.doubtful(county)
    assert doubtful.steps == (Step.AGAIN, Step.LEAVE)
    assert await world.desk.take(county, number, Step.AGAIN, doubtful.figures.generation) == 1
    await world.bridge.go()
    await world.polls.close(county, made.id)
    assert await world.desk.doubtful(county) == []
    async with world.database.read() as session:  # nor is it looked for, where it would hide others
        seen = Seen((county.grants[0].path,))
        assert await storage_desk.doubtful(session, seen, world.clock(), TOLD_IN, PAGE) == []


async def test_all_that_was_sent_is_paged_and_searched(world: Desk):
    county = await world.actor("county_secretary")
    for number in range(PAGE + 2):
        await world.bridge.sent("county_secretary", "north", text=f"第{number}号通知 100% 到位")
    first, more = await world.desk.past(county)
    assert (len(first), more) == (PAGE, True)
    rest, more = await world.desk.past(county, before=first[-1].id)
    assert ([each.about for each in rest], more) == (["第1号通知 100% 到位", "第0号通知 100% 到位"], False)
    assert first[0].counts["sent"] == 3
    assert len(await numbers(world.desk, county, search="第7号")) == 1
    assert len(await numbers(world.desk, county, search="100%")) == PAGE
    assert await numbers(world.desk, county, search="1_0%") == []
    for odd in ("\0", "第7\0号", "'; --", "\\", "👩‍👩‍👧", "通" * 10_000):
        assert await numbers(world.desk, county, search=odd) == []

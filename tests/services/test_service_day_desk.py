"""The desk of service days: walls between subtrees, what is noted, and what is stopped when a date changes."""

from datetime import date

import pytest

from domain.organisations import HolidayPolicy
from domain.permissions import Actor
from domain.refusals import NotAllowed, NotFound, Refusal
from domain.service_days import ActivitiesTooLong, DayState, ServiceDayOver
from storage.database import Database
from storage.sealing import Sealer
from tests.conftest import HandClock
from tests.service_day_world import ServiceWorld, at, world
from tests.town import build

MARCH = date(2026, 3, 1)
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
async def bridge(database: Database, clock: HandClock) -> ServiceWorld:
    sealer = Sealer({"test": bytes(32)}, "test")
    clock.now = at(date(2026, 2, 24), 12)
    return await world(await build(database, sealer), sealer, clock)


async def refused(call) -> type[Refusal]:
    with pytest.raises(Refusal) as refusal:
        await call
    return refusal.type


@pytest.mark.parametrize("who", ["wang", "observer", "former"])
async def test_who_keeps_no_service_days_may_nothing(bridge: ServiceWorld, who: str):
    day, actor, desk = await bridge.day(MARCH), await bridge.town.actor(who), bridge.service.desk
    assert not desk.may(actor)
    assert await refused(desk.places(actor)) is NotAllowed
    assert await refused(desk.open(actor, bridge.city)) is NotAllowed
    assert await refused(desk.confirm(actor, bridge.city, day.id, day.date)) is NotAllowed
    assert await refused(desk.write(actor, actor.home_id, day.id, "x")) is NotAllowed


async def every_decision(bridge: ServiceWorld, actor: Actor, organisation_id: int) -> set[type[Refusal]]:
    desk, day = bridge.service.desk, await bridge.day(MARCH)
    calls = [
        desk.confirm(actor, organisation_id, day.id, day.date),
        desk.move(actor, organisation_id, day.id, date(2026, 3, 14)),
        desk.look_at(actor, organisation_id, day.id, date(2026, 3, 14)),
        desk.cancel(actor, organisation_id, day.id),
        desk.set_policy(actor, organisation_id, HolidayPolicy.KEEP),
    ]
    return {await refused(call) for call in calls}


async def test_who_follows_another_decides_nothing_wherever_they_say_they_are(bridge: ServiceWorld):
    before = await bridge.day(MARCH)
    branch = await bridge.town.actor("branch_secretary")
    for node in ("north", "city", "market", "cicheng"):
        assert await every_decision(bridge, branch, bridge.town.nodes[node]) == {NotFound}
    assert await refused(bridge.service.desk.keep_own(branch, bridge.city)) is NotFound
    assert (
        await refused(bridge.service.desk.write(branch, bridge.town.nodes["cicheng"], before.id, "x"))
        is NotFound
    )
    assert await bridge.day(MARCH) == before


async def test_a_day_of_others_is_not_there(bridge: ServiceWorld):
    """Once a branch keeps its own, neither its secretary nor the city's reaches over the other's days."""
    north = bridge.town.nodes["north"]
    branch, secretary = await bridge.town.actor("branch_secretary"), await bridge.secretary()
    await bridge.service.desk.keep_own(branch, north)
    own, theirs = await bridge.day(MARCH, "north"), await bridge.day(MARCH)
    desk = bridge.service.desk
    assert await refused(desk.confirm(branch, north, theirs.id, theirs.date)) is NotFound
    assert await refused(desk.day(branch, north, theirs.id)) is NotFound
    assert await refused(desk.confirm(secretary, bridge.city, own.id, own.date)) is NotFound
    done = await desk.confirm(secretary, north, own.id, own.date)  # the city's secretary may, at the branch
    assert (done.state, (await bridge.day(MARCH)).state) == (DayState.CONFIRMED, DayState.PROPOSED)


async def test_following_again_shows_the_days_of_the_one_above(bridge: ServiceWorld):
    branch, north = await bridge.town.actor("branch_secretary"), bridge.town.nodes["north"]
    desk = bridge.service.desk
    await desk.keep_own(branch, north)
    await desk.keep_own(branch, north)
    assert (await desk.open(branch, north)).decides
    wang = await bridge.town.actor("wang")
    assert (await bridge.service.outlook(wang)).deciding.id == north
    await desk.follow(branch, north)
    await desk.follow(branch, north)
    assert (await bridge.service.outlook(wang)).deciding.id == bridge.city


async def test_every_decision_is_noted_once(bridge: ServiceWorld):
    from sqlalchemy import select

    from tests.service_day_world import T

    await bridge.confirm(MARCH)
    await bridge.confirm(MARCH)
    day, secretary, desk = await bridge.day(MARCH), await bridge.secretary(), bridge.service.desk
    for _ in range(2):
        await desk.move(secretary, bridge.city, day.id, date(2026, 3, 14))
    for _ in range(2):
        await desk.cancel(secretary, bridge.city, day.id)
    entries = T["audit_entry"]
    async with bridge.database.read() as session:
        found = select(entries.c.action).where(entries.c.subject == "service_day").order_by(entries.c.id)
        actions = list((await session.execute(found)).scalars())
    assert actions == ["service_day.confirmed", "service_day.moved", "service_day.cancelled"]


async def test_what_still_goes_out_of_the_old_date_is_stopped(bridge: ServiceWorld):
    await bridge.confirm(MARCH)
    await bridge.service.tick()  # the announcement is written, and has not gone out yet
    day = await bridge.day(MARCH)
    await bridge.service.desk.move(await bridge.secretary(), bridge.city, day.id, date(2026, 3, 14))
    await bridge.tick()
    assert {text for _, text in bridge.told()} == {"服务日改期：2026年3月14日 周六"}


async def test_a_text_is_tidied_and_has_a_limit(bridge: ServiceWorld):
    day, secretary, desk = await bridge.day(MARCH), await bridge.secretary(), bridge.service.desk
    await desk.write(secretary, bridge.city, day.id, "  义诊  \n 9点 \n\n")
    assert (await desk.open(secretary, bridge.city)).own_text == "义诊\n 9点"
    assert await refused(desk.write(secretary, bridge.city, day.id, "长" * 501)) is ActivitiesTooLong


async def test_no_text_is_written_for_a_day_that_is_over(bridge: ServiceWorld):
    day, secretary = await bridge.confirm(MARCH), await bridge.secretary()
    bridge.go_to(date(2026, 3, 8))
    assert await refused(bridge.service.desk.write(secretary, bridge.city, day.id, "x")) is ServiceDayOver


async def test_a_member_who_moves_sees_the_days_of_their_new_home(bridge: ServiceWorld):
    day, own = await bridge.day(MARCH), await bridge.town.actor("branch_secretary")
    await bridge.service.desk.write(own, bridge.town.nodes["north"], day.id, "支部大扫除")
    shown = [
        (await bridge.service.outlook(await bridge.town.actor(who))).entries[0].text
        for who in ("wang", "sun")
    ]
    assert shown == ["支部大扫除", ""]

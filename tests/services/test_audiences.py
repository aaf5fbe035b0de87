"""Audiences: a subtree is a wall, and the reach says what would become of a push."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert

from domain.audiences import Audience, EmptyAudience, Scope
from domain.members import Standing
from domain.permissions import Actor
from domain.quiet_hours import QuietHours
from domain.refusals import NotFound
from services.audiences import Audiences
from storage import pace
from storage.database import Database
from storage.deliveries import Rules
from storage.grants import actor_of_member
from storage.tables import metadata
from tests.conftest import HandClock
from tests.factories import make_account, make_grant, make_link, make_member, make_organisation, make_topic

pytestmark = pytest.mark.slow_on_postgresql

T = metadata.tables


class World:
    """A city with two counties; a secretary of the first, in whose branch all sorts of members live."""

    def __init__(self, database: Database, clock: HandClock) -> None:
        self.database = database
        self.clock = clock
        self.audiences = Audiences(database=database, clock=clock, rules=Rules(QuietHours(), 3))

    async def settle(self) -> None:
        async with self.database.begin() as session:
            self.city = await make_organisation(session, name="市")
            self.county = await make_organisation(session, parent=self.city, name="海曙")
            self.other = await make_organisation(session, parent=self.city, name="江北")
            self.branch = await make_organisation(session, parent=self.county, name="白云支部")
            self.topic = await make_topic(session, "policy")
            self.account = await make_account(session)
            self.secretary = await make_member(session, home=self.county, chat_id=1)
            await make_grant(session, member=self.secretary, organisation=self.county)

    async def actor(self) -> Actor:
        async with self.database.read() as session:
            found = await actor_of_member(session, self.secretary, self.clock().date())
        assert found is not None
        return found

    def scope(self, organisation: int, **filters) -> Scope:
        return Scope(organisation, "/not/trusted/", **filters)

    async def pushed(self, member: int, *, at: datetime, times: int, source: str = "notice") -> None:
        async with self.database.begin() as session:
            for number in range(times):
                dispatch = (
                    await session.execute(
                        insert(T["dispatch"])
                        .values(
                            source=source,
                            source_id=number,
                            lane="normal",
                            unknown_policy="park",
                            state="done",
                            pause_reason="",
                            generation=1,
                            planned=1,
                            created_at=at,
                            finished_at=at,
                        )
                        .returning(T["dispatch"].c.id)
                    )
                ).scalar_one()
                values = {"state": "sent", "reason": "", "attempt": 1, "at": at}
                await session.execute(
                    insert(T["delivery"]).values(dispatch_id=dispatch, member_id=member, **values)
                )


@pytest.fixture
async def world(database: Database, clock: HandClock) -> World:
    world = World(database, clock)
    await world.settle()
    return world


async def test_one_counts_in_ones_own_subtree_wherever_the_handler_says_it_lies(world: World):
    await make_member(world.database, home=world.branch, standing=Standing.PROBATIONARY)
    actor = await world.actor()
    assert await world.audiences.count(actor, Audience((world.scope(world.county),))) == 2
    full = Audience((world.scope(world.county, standings=(Standing.FULL,)),))
    assert await world.audiences.count(actor, full) == 1


async def test_nobody_means_members_of_others(world: World):
    actor = await world.actor()
    mine = world.scope(world.county)
    for theirs in (world.other, world.city, 404):
        for audience in (
            Audience((world.scope(theirs),)),
            Audience((mine, world.scope(theirs))),
            Audience((mine,), (world.scope(theirs),)),
        ):
            with pytest.raises(NotFound):
                await world.audiences.count(actor, audience)
            with pytest.raises(NotFound):
                await world.audiences.reach(actor, audience, world.clock())
            with pytest.raises(NotFound):
                await world.audiences.checked(actor, audience)


async def test_a_topic_that_is_not_there_is_not_found(world: World):
    with pytest.raises(NotFound):
        await world.audiences.count(await world.actor(), Audience((world.scope(world.county, topic_id=404),)))


async def test_an_audience_of_nothing_is_refused(world: World):
    with pytest.raises(EmptyAudience):
        await world.audiences.count(await world.actor(), Audience(()))


async def test_an_audience_is_stored_and_loaded(world: World):
    audience = Audience((world.scope(world.county, topic_id=world.topic),))
    actor = await world.actor()
    async with world.database.begin() as session:
        number = await world.audiences.save(session, actor, audience)
    assert await world.audiences.load(number) == await world.audiences.checked(actor, audience)


async def test_an_audience_reads_the_same_whoever_put_it_together(world: World):
    some = world.scope(world.branch, topic_id=world.topic)
    other = world.scope(world.county, mobile=True)
    out = world.scope(world.branch, mobile=True)
    parts = await world.audiences.parts(Audience((some, other), (out,)))
    assert parts == await world.audiences.parts(Audience((other, some), (out,)))
    read = {
        (each.organisation.name, each.topic.name if each.topic else None, each.excluded) for each in parts
    }
    assert read == {("白云支部", "主题policy", False), ("海曙", None, False), ("白云支部", None, True)}
    assert [each.excluded for each in parts] == [False, False, True]


async def test_the_reach_says_who_gets_it_and_why_others_do_not(world: World):
    async with world.database.begin() as session:
        home = {"home": world.branch}
        await make_member(session, **home)
        blocked = await make_member(session, **home)
        await make_link(session, member=blocked, chat_id=2, state="blocked")
        ended = await make_member(session, **home)
        await make_link(session, member=ended, chat_id=3, state="ended")
        await make_member(session, **home, chat_id=4, stopped_at=world.clock())
        await make_member(session, **home, chat_id=5, status="left")
        twice = await make_member(session, **home, chat_id=6)
        await make_link(session, member=twice, chat_id=7, account=await make_account(session, "other"))
        await make_link(session, member=twice, chat_id=8, state="blocked")
        await make_member(session, home=world.other, chat_id=9)
        await pace.ensure(session, world.account, rate=1.0, ceiling=30.0, now=world.clock())
    found = await world.audiences.reach(
        await world.actor(), Audience((world.scope(world.county),)), world.clock()
    )
    assert (found.total, found.at_once, found.no_account, found.blocked, found.stopped) == (6, 2, 2, 1, 1)
    assert found.expected_finish == world.clock() + timedelta(seconds=2)


async def test_who_had_their_pushes_this_week_waits(world: World):
    monday = datetime(2026, 3, 1, 16, 0, tzinfo=UTC)  # Monday 2 March, 00:00 in Shanghai
    async with world.database.begin() as session:
        members = [await make_member(session, home=world.branch, chat_id=number) for number in (2, 3, 4, 5)]
    full, early, asked, fewer = members
    await world.pushed(full, at=monday, times=3)
    await world.pushed(early, at=monday - timedelta(seconds=1), times=3)
    await world.pushed(asked, at=monday, times=3, source="alert")
    await world.pushed(fewer, at=monday, times=2)
    audience = Audience((world.scope(world.branch),))
    found = await world.audiences.reach(await world.actor(), audience, world.clock())
    assert (found.at_once, found.capped) == (3, 1)
    assert found.capped_until == datetime(2026, 3, 9, 0, 0, tzinfo=UTC)


async def test_quiet_hours_hold_where_the_members_live(world: World):
    berlin = await make_organisation(world.database, parent=world.county, zone="Europe/Berlin")
    await make_member(world.database, home=berlin, chat_id=2)
    late = datetime(2026, 3, 4, 14, 0, tzinfo=UTC)
    found = await world.audiences.reach(await world.actor(), Audience((world.scope(world.county),)), late)
    assert (found.at_once, found.quiet) == (1, 1)
    assert found.quiet_until == datetime(2026, 3, 5, 0, 0, tzinfo=UTC)


async def test_without_rules_nothing_waits(world: World):
    audiences = Audiences(database=world.database, clock=world.clock)
    late = datetime(2026, 3, 4, 14, 0, tzinfo=UTC)
    found = await audiences.reach(await world.actor(), Audience((world.scope(world.county),)), late)
    assert (found.at_once, found.quiet, found.capped) == (1, 0, 0)

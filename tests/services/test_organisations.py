"""Organisations: public cards for every member, changes for those who manage them."""

import pytest
from sqlmodel import select

from domain.organisations import Level
from domain.permissions import Action, Actor, Role
from domain.refusals import NotFound
from services.audit import Audit
from services.organisations import InsideItself, NameMissing, Organisations, RootStays
from storage.audit import detail_of
from storage.database import Database
from storage.grants import actor_of_member
from storage.organisations import Counts
from storage.sealing import Sealer
from storage.tables import AuditEntryRow
from tests.conftest import HandClock
from tests.factories import make_grant, make_member, make_organisation

pytestmark = pytest.mark.slow_on_postgresql


class World:
    """A city with two counties; the first has a branch with a member; secretaries at city and first county."""

    def __init__(self, database: Database, clock: HandClock) -> None:
        self.database = database
        self.clock = clock
        self.sealer = Sealer({"test": bytes(32)}, "test")
        audit = Audit(database=database, clock=clock, sealer=self.sealer)
        self.organisations = Organisations(database=database, clock=clock, audit=audit)

    async def settle(self) -> None:
        async with self.database.begin() as session:
            self.city = await make_organisation(session, name="市")
            self.county = await make_organisation(session, parent=self.city, name="海曙", level=Level.COUNTY)
            self.other = await make_organisation(session, parent=self.city, name="江北", level=Level.COUNTY)
            self.branch = await make_organisation(session, parent=self.county, name="白云支部")
            self.gone = await make_organisation(session, parent=self.county, status="dissolved")
            self.member = await make_member(session, home=self.branch)
            self.city_secretary = await make_member(session, home=self.city)
            self.county_secretary = await make_member(session, home=self.county)
            await make_grant(session, member=self.city_secretary, organisation=self.city)
            await make_grant(session, member=self.county_secretary, organisation=self.county)

    async def actor(self, member: int) -> Actor:
        async with self.database.read() as session:
            found = await actor_of_member(session, member, self.clock().date())
        assert found is not None
        return found

    async def audited(self) -> list[tuple[str, int, dict[str, str] | None]]:
        async with self.database.read() as session:
            rows = (await session.exec(select(AuditEntryRow).order_by(AuditEntryRow.id))).all()
            return [
                (row.action, row.subject_id, await detail_of(session, self.sealer, row.detail_sealed))
                for row in rows
            ]


@pytest.fixture
async def world(database: Database, clock: HandClock) -> World:
    world = World(database, clock)
    await world.settle()
    return world


async def test_every_member_sees_any_card_with_what_is_above_and_below(world: World):
    card = await world.organisations.card(await world.actor(world.member), world.county)
    assert [each.name for each in card.chain] == ["市", "海曙"]
    assert [each.name for each in card.children.items] == ["白云支部"]
    assert card.counts is None


async def test_who_may_see_reports_there_sees_counts_too(world: World):
    actor = await world.actor(world.county_secretary)
    assert (await world.organisations.card(actor, world.county)).counts == Counts(2, 2)
    assert (await world.organisations.card(actor, world.other)).counts is None


async def test_the_absent_the_dissolved_and_the_forbidden_are_told_alike(world: World):
    actor = await world.actor(world.county_secretary)
    for number, action in ((404, None), (world.gone, None), (world.other, Action.SEND_NOTICE)):
        with pytest.raises(NotFound):
            await world.organisations.for_actor(actor, number, action)


async def test_one_begins_to_choose_at_the_outermost_nodes(world: World):
    await make_grant(world.database, member=world.county_secretary, organisation=world.branch)
    await make_grant(
        world.database, member=world.county_secretary, organisation=world.other, role=Role.OBSERVER
    )
    actor = await world.actor(world.county_secretary)
    senders = await world.organisations.roots(actor, Action.SEND_NOTICE)
    readers = await world.organisations.roots(actor, Action.SEE_REPORT)
    assert [each.name for each in senders] == ["海曙"]
    assert [each.name for each in readers] == ["海曙", "江北"]


async def test_children_are_listed_where_the_action_is_allowed(world: World):
    actor = await world.actor(world.county_secretary)
    page = await world.organisations.children(actor, world.county, Action.SEND_NOTICE)
    assert [each.name for each in page.items] == ["白云支部"]
    with pytest.raises(NotFound):
        await world.organisations.children(actor, world.city, Action.SEND_NOTICE)


async def test_a_search_stays_where_the_action_is_allowed(world: World):
    await make_organisation(world.database, parent=world.other, name="白云山支部")
    for member, found in ((world.county_secretary, 1), (world.city_secretary, 2), (world.member, 0)):
        page = await world.organisations.search(await world.actor(member), Action.SEND_NOTICE, "白云")
        assert page.total == found


async def test_a_renamed_organisation_keeps_its_old_name_in_the_history(world: World):
    actor = await world.actor(world.city_secretary)
    await world.organisations.rename(actor, world.branch, name=" 蓝天支部 ", name_en="Lantian Branch")
    found = await world.organisations.for_actor(actor, world.branch)
    assert (found.name, found.name_en) == ("蓝天支部", "Lantian Branch")
    (change,) = await world.organisations.history(actor, world.branch)
    assert (change.what, change.before, change.after) == ("renamed", "白云支部", "蓝天支部")
    names = {"before": "白云支部", "after": "蓝天支部"}
    assert await world.audited() == [("organisation.renamed", world.branch, names)]


async def test_a_blank_name_is_refused(world: World):
    with pytest.raises(NameMissing):
        await world.organisations.rename(await world.actor(world.city_secretary), world.branch, name="  ")


async def test_a_member_changes_nothing(world: World):
    actor = await world.actor(world.member)
    with pytest.raises(NotFound):
        await world.organisations.rename(actor, world.branch, name="别的")
    with pytest.raises(NotFound):
        await world.organisations.history(actor, world.branch)


async def test_a_moved_subtree_hangs_below_its_new_parent(world: World):
    actor = await world.actor(world.city_secretary)
    assert await world.organisations.move(actor, world.branch, world.other) == 1
    card = await world.organisations.card(actor, world.branch)
    assert [each.name for each in card.chain] == ["市", "江北", "白云支部"]
    (change,) = await world.organisations.history(actor, world.branch)
    assert (change.what, change.before, change.after) == ("moved", str(world.county), str(world.other))
    assert [entry[:2] for entry in await world.audited()] == [("organisation.moved", world.branch)]


async def test_a_move_to_the_same_parent_is_no_move(world: World):
    actor = await world.actor(world.city_secretary)
    assert await world.organisations.move(actor, world.branch, world.county) == 0
    assert await world.organisations.history(actor, world.branch) == []


async def test_nothing_moves_below_itself(world: World):
    actor = await world.actor(world.city_secretary)
    for below in (world.county, world.branch):
        with pytest.raises(InsideItself):
            await world.organisations.move(actor, world.county, below)


async def test_the_root_stays(world: World):
    with pytest.raises(RootStays):
        await world.organisations.move(await world.actor(world.city_secretary), world.city, world.county)


async def test_a_secretary_moves_nothing_over_their_wall(world: World):
    actor = await world.actor(world.county_secretary)
    for moved, parent in (
        (world.branch, world.other),
        (world.county, world.other),
        (world.other, world.county),
    ):
        with pytest.raises(NotFound):
            await world.organisations.move(actor, moved, parent)

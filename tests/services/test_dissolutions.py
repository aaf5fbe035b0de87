"""Dissolving: seen, asked for, approved by somebody else, and everybody is moved and told once."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import func, insert, select, update

from domain.dissolutions import (
    ApproverIsAnother,
    ApproverStandsTooLow,
    Dissolution,
    DissolutionIsDecided,
    DissolutionIsWaiting,
    DissolutionState,
    NobodyToApprove,
    NoReservoir,
    NotAReservoir,
    OrganisationsBelow,
    RootIsNotDissolved,
)
from domain.permissions import Action
from domain.refusals import NotAllowed, NotFound
from services.audit import Audit
from services.delivery import Delivery
from services.dissolutions import Dissolutions
from storage.database import Database
from storage.sealing import Sealer
from tests.conftest import HandClock
from tests.delivery_world import FakeChannel, build, run_all
from tests.factories import T, make_grant, make_member, make_organisation
from tests.town import TODAY, Town
from tests.town import build as build_town

pytestmark = pytest.mark.slow_on_postgresql

NUMBER, REASON = "甬组〔2026〕12号", "企业搬走"


class Office:
    """A town, and the desk at which its organisations are dissolved."""

    def __init__(self, town: Town, desk: Dissolutions, delivery: Delivery, channel: FakeChannel) -> None:
        self.town = town
        self.desk = desk
        self.delivery = delivery
        self.channel = channel

    async def ask(self, who: str = "branch_secretary", place: str = "north") -> Dissolution:
        nodes = self.town.nodes
        return await self.desk.ask(await self.town.actor(who), nodes[place], nodes["market"], NUMBER, REASON)

    async def approve(self, who: str, asked: Dissolution) -> Dissolution:
        return await self.desk.approve(await self.town.actor(who), asked.id)

    async def rows(self, query: Any) -> list[Any]:
        async with self.town.database.read() as session:
            return list((await session.execute(query)).all())

    async def homes(self) -> dict[int, int]:
        return {row.id: row.home_id for row in await self.rows(select(T["member"]))}

    async def told(self, source: str) -> list[int]:
        delivery, dispatch = T["delivery"], T["dispatch"]
        found = (
            select(delivery.c.member_id)
            .join(dispatch, dispatch.c.id == delivery.c.dispatch_id)
            .where(dispatch.c.source == source)
        )
        return sorted(row.member_id for row in await self.rows(found))


@pytest.fixture
async def office(database: Database, clock: HandClock) -> Office:
    sealer = Sealer({"test": bytes(range(32))}, "test")
    town = await build_town(database, sealer)
    channel = FakeChannel()
    delivery = await build(database, clock, channel)
    audit = Audit(database=database, clock=clock, sealer=sealer)
    desk = Dissolutions(database=database, clock=clock, audit=audit, delivery=delivery)
    return Office(town, desk, delivery, channel)


NORTH = ("wang", "zhang", "branch_secretary", "former")


async def test_the_preview_counts_and_chooses_the_nearest_reservoir(office: Office):
    nodes = office.town.nodes
    await make_member(office.town.database, home=nodes["cicheng"], hosts=[nodes["north"]])
    await make_member(office.town.database, home=nodes["north"], status="left")
    seen = await office.desk.preview(await office.town.actor("branch_secretary"), nodes["north"])
    assert seen.target.id == nodes["market"]
    figures = seen.figures
    assert (figures.members, figures.guests, figures.roles, figures.seats) == (4, 1, 1, 0)
    assert (figures.polls, figures.notices) == (0, 0)


async def test_nothing_changes_before_a_second_person_approves(office: Office):
    before = await office.homes()
    asked = await office.ask()
    assert asked.state is DissolutionState.ASKED
    assert await office.homes() == before
    assert await office.told("dissolution_asked") == [office.town.members["county_secretary"]]
    assert await office.told("dissolution") == []


async def test_everybody_moves_with_their_history_and_is_told_once(office: Office):
    town = office.town
    guest = await make_member(town.database, home=town.nodes["cicheng"], hosts=[town.nodes["north"]])
    left = await make_member(town.database, home=town.nodes["north"], status="left")
    await town.link("wang", 7)
    done = await office.approve("county_secretary", await office.ask())
    assert (done.state, done.moved) == (DissolutionState.CARRIED_OUT, len(NORTH))
    moved = sorted(town.members[name] for name in NORTH)
    homes = await office.homes()
    assert {homes[each] for each in moved} == {town.nodes["market"]}
    assert homes[left] == town.nodes["north"]
    assert homes[guest] == town.nodes["cicheng"]
    assert await office.told("dissolution") == moved
    assert await office.told("dissolution_guest") == [guest]
    assert await office.told("dissolution_decided") == [town.members["branch_secretary"]]
    await run_all(office.delivery, town.database)
    (message,) = office.channel.sent
    assert message.content.text == "北大路支部已经撤销，您现在属于城隍庙商圈，不用您办任何手续。"


async def test_stays_are_closed_and_opened(office: Office):
    town = office.town
    guest = await make_member(town.database, home=town.nodes["cicheng"], hosts=[town.nodes["north"]])
    await office.approve("county_secretary", await office.ask())
    stay = T["membership"]
    for person, kind in ((town.members["wang"], "home"), (guest, "host")):
        found = select(stay).where(stay.c.member_id == person, stay.c.kind == kind).order_by(stay.c.id)
        old, new = await office.rows(found)
        assert (old.organisation_id, old.until) == (town.nodes["north"], TODAY)
        assert (new.organisation_id, new.since, new.until) == (town.nodes["market"], TODAY, None)
    left = select(stay).where(stay.c.organisation_id == town.nodes["north"], stay.c.until.is_(None))
    assert await office.rows(left) == []


async def test_who_is_at_the_reservoir_already_is_there_once(office: Office):
    nodes = office.town.nodes
    guest = await make_member(
        office.town.database, home=nodes["cicheng"], hosts=[nodes["north"], nodes["market"]]
    )
    at_home = await make_member(office.town.database, home=nodes["market"], hosts=[nodes["north"]])
    moved = await make_member(office.town.database, home=nodes["north"], hosts=[nodes["market"]])
    await office.approve("county_secretary", await office.ask())
    stay = T["membership"]
    for person in (guest, at_home, moved):
        there = select(stay).where(
            stay.c.member_id == person,
            stay.c.organisation_id == nodes["market"],
            stay.c.until.is_(None),
        )
        assert len(await office.rows(there)) == 1


async def test_roles_and_seats_end_at_once_and_the_organisation_is_closed(office: Office):
    town = office.town
    seat = {"organisation_id": town.nodes["north"], "member_id": town.members["wang"], "part_time": False}
    async with town.database.begin() as session:
        await session.execute(
            insert(T["seat"]).values(**seat, post="委员", sending_unit="", since=TODAY.replace(year=2025))
        )
    await office.approve("county_secretary", await office.ask())
    secretary = await town.actor("branch_secretary")
    assert not secretary.may_somewhere(Action.READ_MEMBER, TODAY)
    (row,) = await office.rows(select(T["seat"]))
    assert row.until == TODAY
    (place,) = await office.rows(
        select(T["organisation"]).where(T["organisation"].c.id == town.nodes["north"])
    )
    assert place.status == "dissolved"
    history = await office.rows(select(T["organisation_history"]).order_by(T["organisation_history"].c.id))
    market = str(town.nodes["market"])
    assert [(each.what, each.before, each.after) for each in history] == [
        ("dissolved", NUMBER, market),
        ("took_in", str(town.nodes["north"]), str(len(NORTH))),
    ]
    entries = await office.rows(select(T["audit_entry"].c.action).order_by(T["audit_entry"].c.id))
    assert [each.action for each in entries] == ["organisation.dissolution_asked", "organisation.dissolved"]


async def test_what_comes_twice_is_done_once(office: Office):
    asked = await office.ask()
    assert (await office.ask()).id == asked.id
    first = await office.approve("county_secretary", asked)
    assert await office.approve("county_secretary", asked) == first
    assert len(await office.told("dissolution")) == len(NORTH)
    assert len(await office.told("dissolution_asked")) == 1


async def test_of_two_who_approve_at_once_one_does(office: Office):
    asked = await office.ask()
    await _second(office)
    both = (office.approve(name, asked) for name in ("county_secretary", "observer"))
    done = await asyncio.gather(*both, return_exceptions=True)
    assert sorted(type(each).__name__ for each in done) == ["Dissolution", "DissolutionIsDecided"]
    assert len(await office.told("dissolution")) == len(NORTH)


async def test_who_asked_never_decides(office: Office):
    await _second(office)
    asked = await office.ask("county_secretary")
    for decide in (office.desk.approve, office.desk.refuse):
        with pytest.raises(ApproverIsAnother):
            await decide(await office.town.actor("county_secretary"), asked.id)
    with pytest.raises(ApproverStandsTooLow):
        await office.approve("branch_secretary", asked)


async def test_without_a_second_person_nothing_can_be_asked(office: Office):
    with pytest.raises(NobodyToApprove):
        await office.ask("county_secretary")


async def test_beyond_the_wall_nothing_exists(office: Office):
    asked = await office.ask()
    foreign = await office.town.actor("foreign_secretary")
    for refused in (office.desk.for_actor, office.desk.approve, office.desk.refuse, office.desk.withdraw):
        with pytest.raises(NotFound):
            await refused(foreign, asked.id)
    with pytest.raises(NotFound):
        await office.ask("foreign_secretary")
    assert await office.desk.waiting(foreign) == ([], False)
    with pytest.raises(NotAllowed):
        await office.ask("worker")
    with pytest.raises(NotAllowed):
        await office.desk.waiting(await office.town.actor("wang"))


async def test_who_has_organisations_below_is_told_which(office: Office):
    nodes = office.town.nodes
    below = await make_organisation(office.town.database, parent=nodes["north"], name="第一小组")
    with pytest.raises(OrganisationsBelow) as refused:
        await office.ask()
    assert refused.value.fields == {"names": "第一小组"}
    async with office.town.database.begin() as session:
        await session.execute(
            update(T["organisation"]).where(T["organisation"].c.id == below).values(status="dissolved")
        )
    assert (await office.ask()).state is DissolutionState.ASKED


async def test_what_changed_since_it_was_asked_is_looked_at_again(office: Office):
    asked = await office.ask()
    await make_organisation(office.town.database, parent=office.town.nodes["north"])
    with pytest.raises(OrganisationsBelow):
        await office.approve("county_secretary", asked)
    again = await office.desk.for_actor(await office.town.actor("county_secretary"), asked.id)
    assert again.state is DissolutionState.ASKED
    assert await office.told("dissolution") == []


async def test_the_root_and_the_lonely_stay(office: Office):
    town = office.town
    mayor = await make_member(town.database, home=town.nodes["city"])
    await make_grant(town.database, member=mayor, organisation=town.nodes["city"])
    actor = await town.people.actor_of_member(mayor, TODAY)
    assert actor is not None
    with pytest.raises(RootIsNotDissolved):
        await office.desk.preview(actor, town.nodes["city"])
    with pytest.raises(NoReservoir):
        await office.desk.preview(actor, town.nodes["cicheng"])
    with pytest.raises(NotAReservoir):
        await office.desk.preview(actor, town.nodes["cicheng"], town.nodes["market"])


async def test_it_can_be_refused_and_withdrawn_and_then_asked_again(office: Office):
    town = office.town
    asked = await office.ask()
    with pytest.raises(DissolutionIsWaiting):
        await office.desk.ask(
            await town.actor("branch_secretary"), town.nodes["north"], town.nodes["market"], "别号", REASON
        )
    refused = await office.desk.refuse(await town.actor("county_secretary"), asked.id)
    assert refused.state is DissolutionState.REFUSED
    assert await office.told("dissolution_decided") == [town.members["branch_secretary"]]
    with pytest.raises(DissolutionIsDecided):
        await office.approve("county_secretary", asked)
    again = await office.ask()
    assert again.id != asked.id
    gone = await office.desk.withdraw(await town.actor("branch_secretary"), again.id)
    assert gone.state is DissolutionState.WITHDRAWN
    with pytest.raises(DissolutionIsDecided):
        await office.approve("county_secretary", again)


async def _second(office: Office) -> None:
    """Give the county a second secretary, so that the first may ask."""
    town = office.town
    await make_grant(town.database, member=town.members["observer"], organisation=town.nodes["haishu"])


@pytest.mark.slow
async def test_ten_thousand_members_move_in_one_go(office: Office):
    north = office.town.nodes["north"]
    async with office.town.database.begin() as session:
        people = [
            {"name": f"成员{n}", "home_id": north, "standing": "full", "status": "active", "mobile": False}
            | {"language": "zh_CN", "phone_hint": "", "roster_number": "many"}
            for n in range(10_000)
        ]
        await session.execute(insert(T["member"]), people)
        ids = (
            await session.execute(select(T["member"].c.id).where(T["member"].c.roster_number == "many"))
        ).scalars()
        stays = [
            {"member_id": each, "organisation_id": north, "kind": "home", "since": TODAY} for each in ids
        ]
        await session.execute(insert(T["membership"]), stays)
    done = await office.approve("county_secretary", await office.ask())
    assert done.moved == 10_000 + len(NORTH)
    homes = select(func.count()).where(T["membership"].c.kind == "home", T["membership"].c.until.is_(None))
    assert (await office.rows(homes))[0][0] == (await office.rows(select(func.count(T["member"].c.id))))[0][0]
    assert len(await office.told("dissolution")) == done.moved

"""Audiences in the database say the same as the plain Python of the domain."""

import random
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, literal, select, update

from domain.audiences import Audience, Scope
from domain.members import Member, MemberStatus, Standing
from domain.organisations import Level, Organisation, OrganisationKind, OrganisationStatus, RegionalMode
from storage import audiences
from storage.database import Database
from storage.tables import metadata
from tests.factories import make_member, make_organisation, make_topic

T = metadata.tables
ORGANISATIONS, MEMBERS = 40, 250


@dataclass(frozen=True)
class World:
    organisations: dict[int, Organisation]
    members: list[tuple[Member, frozenset[int]]]
    topics: list[int]

    def matching(self, audience: Audience) -> set[int]:
        return {
            member.id
            for member, topics in self.members
            if audience.matches(member, self.organisations[member.home_id], topics)
        }


@pytest.fixture
async def world(database: Database) -> World:
    """Yield a crooked tree of every kind, level and mode with all sorts of members."""
    chance = random.Random(7)
    organisations: dict[int, Organisation] = {}
    members = []
    async with database.begin() as session:
        topics = [await make_topic(session, code) for code in ("policy", "study", "service")]
        for _ in range(ORGANISATIONS):
            parent = chance.choice([*organisations]) if organisations else None
            fields = {
                "kind": chance.choice([*OrganisationKind]),
                "level": chance.choice([*Level]),
                "regional_mode": chance.choice([*RegionalMode, None, None, None]),
            }
            number = await make_organisation(session, parent=parent, **fields)
            above = organisations[parent].path if parent else "/"
            organisations[number] = Organisation(
                id=number,
                parent_id=parent,
                path=f"{above}{number}/",
                name="",
                name_en="",
                status=OrganisationStatus.ACTIVE,
                **fields,
            )
        for _ in range(MEMBERS):
            fields = {
                "standing": chance.choice([*Standing]),
                "status": chance.choice([*MemberStatus, MemberStatus.ACTIVE, MemberStatus.ACTIVE]),
                "mobile": chance.random() < 0.3,
            }
            home = chance.choice([*organisations])
            wanted = frozenset(chance.sample(topics, chance.randrange(4)))
            number = await make_member(session, home=home, topics=wanted, **fields)
            members.append((Member(id=number, name="", home_id=home, **fields), wanted))
    return World(organisations, members, topics)


def scopes(world: World) -> st.SearchStrategy[Scope]:
    def some(of):
        return st.sets(st.sampled_from([*of]), max_size=4).map(tuple)

    return st.builds(
        lambda organisation, **filters: Scope(organisation.id, organisation.path, **filters),
        st.sampled_from([*world.organisations.values()]),
        levels=some(Level),
        kinds=some(OrganisationKind),
        modes=some(RegionalMode),
        standings=some(Standing),
        mobile=st.sampled_from([None, None, True, False]),
        topic_id=st.sampled_from([None, *world.topics]),
    )


def wholes(world: World) -> st.SearchStrategy[Scope]:
    return st.sampled_from([Scope(each.id, each.path) for each in world.organisations.values()])


def audiences_of(world: World) -> st.SearchStrategy[Audience]:
    any_scope = st.one_of(scopes(world), wholes(world))
    return st.builds(
        Audience,
        st.lists(any_scope, min_size=1, max_size=4).map(tuple),
        st.lists(any_scope, max_size=3).map(tuple),
    )


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
async def test_the_select_finds_whom_the_domain_means(database: Database, world: World, data):
    audience = data.draw(audiences_of(world))
    async with database.read() as session:
        found = (await session.execute(audiences.members_of(audience))).scalars().all()
        number = await audiences.count(session, audience)
    assert sorted(found) == sorted(world.matching(audience))
    assert number == len(found)


async def test_the_select_stands_inside_another_statement(database: Database, world: World):
    everyone = Audience((Scope(1, "/1/"),))
    member = T["member"]
    async with database.begin() as session:
        more = await make_topic(session, "more")
        await session.execute(
            insert(T["subscription"]).from_select(
                ["topic_id", "member_id"],
                select(literal(more), member.c.id).where(member.c.id.in_(audiences.members_of(everyone))),
            )
        )
        count = await audiences.count(session, Audience((Scope(1, "/1/", topic_id=more),)))
    assert count == len(world.matching(everyone))


async def test_an_audience_is_stored_once_whatever_order_it_was_put_together_in(database: Database):
    city = await make_organisation(database)
    county = await make_organisation(database, parent=city)
    one, other = Scope(city, f"/{city}/"), Scope(county, f"/{city}/{county}/", mobile=True)
    async with database.begin() as session:
        first = await audiences.save(session, Audience((one, other)))
        second = await audiences.save(session, Audience((other, one, one)))
        assert await audiences.load(session, first) == Audience((one, other))
    assert first == second


async def test_a_stored_audience_follows_an_organisation_that_moves(database: Database):
    city = await make_organisation(database)
    county = await make_organisation(database, parent=city)
    table = T["organisation"]
    async with database.begin() as session:
        number = await audiences.save(session, Audience((Scope(county, f"/{city}/{county}/"),)))
        await session.execute(update(table).where(table.c.id == county).values(path="/elsewhere/"))
        assert (await audiences.load(session, number)).include[0].path == "/elsewhere/"


async def test_an_unknown_audience_is_a_look_up_error(database: Database):
    async with database.read() as session:
        with pytest.raises(LookupError):
            await audiences.load(session, 404)

"""Demo data: shaped like the essay, the same each time, and whole."""

import asyncio
import shutil
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import func, select

from domain.audiences import Audience, Scope
from domain.clock import day_of
from domain.delivery import Lane, UnknownPolicy
from domain.organisations import Level, OrganisationKind, RegionalMode
from domain.permissions import Action, Actor
from services import demo_data
from services.audiences import Audiences
from services.demo_people import MEMBERS, head_counts, homes
from services.demo_tree import plant
from services.poll_booth import Booth
from storage import dispatches, expiry, materialise, schedules
from storage.audiences import groups, members_of
from storage.database import Database
from storage.deliveries import Rules
from storage.dispatches import tally
from storage.grants import actor_of_member
from storage.sealing import Sealer
from storage.tables import metadata
from tests.conftest import HandClock
from tests.factories import make_member, make_organisation, make_topic

pytestmark = pytest.mark.slow_on_postgresql

T = metadata.tables
SMALL = 2000
ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
SEALER = Sealer({"test": bytes(32)}, "test")


@pytest.fixture(scope="module")
def loaded(
    sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, demo_data.DemoPeople]:
    """Load a small city into one SQLite file, which each test copies."""
    path = tmp_path_factory.mktemp("demo") / "demo.db"
    shutil.copy(sqlite_template, path)
    return path, asyncio.run(_load(Database(f"sqlite+aiosqlite:///{path}"), HandClock()))


@pytest.fixture
async def people(
    database: Database, clock: HandClock, loaded: tuple[Path, demo_data.DemoPeople]
) -> demo_data.DemoPeople:
    if database.dialect == "sqlite":
        shutil.copy(loaded[0], database.url.database or "")
        return loaded[1]
    return await demo_data.load(database, scale=SMALL, clock=clock, sealer=SEALER)


async def _load(database: Database, clock: HandClock) -> demo_data.DemoPeople:
    found = await demo_data.load(database, scale=SMALL, clock=clock, sealer=SEALER)
    await database.close()
    return found


async def every(database: Database, *columns):
    async with database.read() as session:
        return (await session.execute(select(*columns).order_by(*columns))).all()


async def actor(database: Database, member: int, clock: HandClock) -> Actor:
    async with database.read() as session:
        found = await actor_of_member(session, member, day_of(clock()))
    assert found is not None
    return found


@pytest.mark.parametrize("scale", [1, 100, SMALL])
def test_every_sort_of_organisation_is_there_at_any_scale(scale):
    tree = plant(scale)
    assert [node.id for node in tree.nodes] == list(range(1, len(tree.nodes) + 1))
    assert {node.kind for node in tree.nodes} == set(OrganisationKind)
    assert {node.level for node in tree.nodes} == set(Level)
    assert {node.regional_mode for node in tree.nodes} == {None, *RegionalMode}
    assert len(tree.counties) == 10
    assert {tree[firm].parent_id for firm in tree.firms} == set(tree.regional)
    assert {tree[township].parent_id for township in tree.townships} == set(tree.counties)
    assert all(node.name and node.name_en for node in tree.nodes)


def test_the_figures_are_those_of_the_essay():
    tree = plant(1)
    assert len(tree.regional) == 916
    assert (len(tree.villages), len(tree.communities), len(tree.firms)) == (2573, 324, 15_120)
    assert 19_000 < len(tree.nodes) < 21_000


@pytest.mark.parametrize("scale", [1, 100])
def test_the_members_are_as_many_as_the_scale_says(scale):
    tree = plant(scale)
    assert sum(head_counts(tree, scale).values()) == MEMBERS // scale
    assert Counter(homes(tree, scale)) == head_counts(tree, scale)
    assert max(head_counts(tree, scale).values()) < 150


@ON_SQLITE
async def test_the_three_people_stand_where_the_demo_needs_them(database: Database, clock: HandClock, people):
    member = await actor(database, people.member.member_id, clock)
    secretary = await actor(database, people.branch_secretary.member_id, clock)
    city = await actor(database, people.city_secretary.member_id, clock)
    assert member.grants == ()
    assert [grant.path for grant in secretary.nodes(Action.SEND_NOTICE, day_of(clock()))] == [
        member.home_path
    ]
    assert [grant.path for grant in city.nodes(Action.SEND_NOTICE, day_of(clock()))] == ["/1/"]
    names = [row.name for row in await every(database, T["organisation"].c.id, T["organisation"].c.name)]
    assert [names[int(part) - 1] for part in member.home_path.strip("/").split("/")] == [
        "宁波市委员会",
        "海曙区委员会",
        "白云街道委员会",
        "望湖社区支部",
    ]
    assert people.member.chat_id == demo_data.FIRST_CHAT + people.member.member_id


async def test_a_preview_shows_every_reason(database: Database, clock: HandClock, people):
    audiences = Audiences(database=database, clock=clock, rules=Rules(None, 3))
    secretary = await actor(database, people.city_secretary.member_id, clock)
    reach = await audiences.reach(secretary, Audience((Scope(1, "/1/"),)), clock())
    assert 0 not in (reach.at_once, reach.capped, reach.no_account, reach.blocked, reach.stopped)


async def test_a_preview_says_what_a_dispatch_then_does(database: Database, clock: HandClock, people):
    most = Audience((Scope(1, "/1/", levels=(Level.GRASSROOTS,), topic_id=1),), (Scope(2, "/1/2/"),))
    async with database.begin() as session:
        expected = Counter()
        for group in await groups(session, most, weekly_cap=0, now=clock()):
            expected[group.reason, group.account_id] += group.members
        dispatch = await dispatches.create(
            session,
            source="notice",
            source_id=99,
            author_id=None,
            lane=Lane.NORMAL,
            unknown_policy=UnknownPolicy.PARK,
            useful_until=None,
            topic_id=None,
            now=clock(),
        )
        await materialise.write(session, dispatch, members_of(most))
        columns = (T["delivery"].c.reason, T["delivery"].c.account_id)
        written = select(*columns, func.count()).where(T["delivery"].c.dispatch_id == dispatch)
        rows = (await session.execute(written.group_by(*columns))).all()
    assert {(reason, account): count for reason, account, count in rows} == expected
    assert len(rows) == 4


@ON_SQLITE
async def test_every_organisation_has_a_secretary(database: Database, people):
    organisations = T["organisation"].c.id
    granted = {row[0] for row in await every(database, T["role_grant"].c.organisation_id)}
    assert granted == {row[0] for row in await every(database, organisations)}


async def test_every_member_has_one_home(database: Database, people):
    memberships = T["membership"].c
    stays = await every(database, memberships.member_id, memberships.organisation_id, memberships.kind)
    members = await every(database, T["member"].c.id, T["member"].c.home_id)
    assert [row[:2] for row in stays if row.kind == "home"] == [tuple(row) for row in members]
    assert any(row.kind == "host" for row in stays)


async def test_past_notices_add_up(database: Database, clock: HandClock, people):
    async with database.read() as session:
        dispatches = (await session.execute(select(T["dispatch"]))).all()
        for dispatch in dispatches:
            found = await tally(session, dispatch.id, clock())
            delivered = T["delivery"].c.dispatch_id == dispatch.id
            rows = (await session.execute(select(func.count()).where(delivered))).scalar_one()
            assert sum(found.counts.values()) == dispatch.planned == rows
            assert dispatch.state == "done"
        confirmed = (
            await session.execute(select(func.count()).select_from(T["acknowledgement"]))
        ).scalar_one()
        latest = (await session.execute(select(func.max(T["delivery"].c.at)))).scalar_one()
    assert len(dispatches) == 9
    assert confirmed > 0
    assert latest <= clock()


async def test_the_same_city_comes_out_each_time(
    database: Database, people, clock: HandClock, tmp_path, sqlite_template
):
    copy = tmp_path / "again.db"
    shutil.copy(sqlite_template, copy)
    other = Database(f"sqlite+aiosqlite:///{copy}")
    await demo_data.load(other, scale=SMALL, clock=clock, sealer=SEALER)
    member, link = T["member"].c, T["account_link"].c
    for columns in (
        (member.id, member.name, member.home_id, member.mobile, member.stopped_at, member.phone_index),
        (link.member_id, link.chat_id, link.state),
        (T["subscription"].c.topic_id, T["subscription"].c.member_id),
        (
            T["delivery"].c.member_id,
            T["delivery"].c.dispatch_id,
            T["delivery"].c.state,
            T["delivery"].c.reason,
        ),
    ):
        assert await every(database, *columns) == await every(other, *columns)
    await other.close()


@ON_SQLITE
async def test_demo_data_never_mixes_with_others(database: Database, clock: HandClock):
    assert await demo_data.is_empty(database)
    assert not await demo_data.is_demo(database)
    await make_organisation(database)
    with pytest.raises(demo_data.NotEmpty):
        await demo_data.load(database, scale=SMALL, clock=clock, sealer=SEALER)


@ON_SQLITE
async def test_a_demo_database_says_so(database: Database, people):
    assert await demo_data.is_demo(database)
    assert not await demo_data.is_empty(database)
    assert await demo_data.people(database) == people


@ON_SQLITE
async def test_the_chat_server_is_told_of_the_first_members(database: Database, people):
    chats = await demo_data.chats(database, limit=20)
    assert chats[:3] == [people.member, people.branch_secretary, people.city_secretary]
    assert len({each.chat_id for each in chats}) == 20


async def test_ids_count_on_behind_the_demo(database: Database, people):
    organisation = await make_organisation(database, parent=1)
    await make_member(database, home=organisation, topics=[await make_topic(database, "new")])


@ON_SQLITE
async def test_progress_is_told(database: Database, clock: HandClock):
    told = []
    await demo_data.load(
        database,
        scale=SMALL,
        clock=clock,
        sealer=SEALER,
        progress=lambda what, done, total: told.append((what, done, total)),
    )
    assert list(dict.fromkeys(each[0] for each in told)) == [
        "organisations",
        "members",
        "links",
        "topics",
        "notices",
    ]
    assert all(done <= total for _, done, total in told)


@ON_SQLITE
async def test_phones_can_be_proved(database: Database, people):
    rows = await every(database, T["member"].c.id, T["member"].c.phone_index, T["member"].c.phone_hint)
    assert rows[0].phone_index == SEALER.blind_index("+8612000000001")
    assert rows[0].phone_hint == "0001"


@ON_SQLITE
async def test_one_poll_waits_for_the_three_people_and_one_shows_its_result(
    database: Database, clock: HandClock, people
):
    booth = Booth(database=database, clock=clock, sealer=SEALER)
    for person in (people.member, people.branch_secretary, people.city_secretary):
        someone = await actor(database, person.member_id, clock)
        [waiting] = await booth.open_for(someone)
        assert not waiting.voted
        assert waiting.poll.anonymous
        [past], _ = await booth.past(someone)
        [everybody, *_] = await booth.results(someone, past.poll.id)
        assert everybody.count is not None
        assert everybody.count.voted == sum(everybody.count.options)


async def test_a_branch_has_a_repeating_notice_and_invitations_that_ran_out(
    database: Database, clock: HandClock, people
):
    async with database.read() as session:
        found = await expiry.ran_out(session, people.branch_secretary.member_id, offset=0, limit=9)
        [template] = (
            await session.execute(select(T["notice"].c.id).where(T["notice"].c.state == "repeating"))
        ).scalars()
        planned = await schedules.read_of(session, "notice", template)
        makers = await expiry.makers(session, clock())
    assert found
    assert planned is not None
    assert planned.next_run_at is not None
    assert planned.next_run_at > clock()
    assert makers == []

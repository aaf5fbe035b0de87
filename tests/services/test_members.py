"""Members: their record, who has looked at it, stopping and resuming."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlmodel import select

from domain.refusals import NotFound
from services.audit import Audit
from services.members import Members
from storage.database import Database
from storage.sealing import Sealer
from storage.tables import AuditEntryRow, MemberRow, MembershipRow
from tests.conftest import HandClock
from tests.town import Town, build

pytestmark = pytest.mark.slow_on_postgresql


@pytest.fixture
async def town(database: Database) -> Town:
    return await build(database, Sealer({"test": bytes(32)}, "test"))


@pytest.fixture
def members(database: Database, clock: HandClock) -> Members:
    audit = Audit(database=database, clock=clock, sealer=Sealer({"test": bytes(32)}, "test"))
    return Members(database=database, clock=clock, audit=audit)


async def test_a_record_shows_home_chain_and_hosts(town: Town, members: Members):
    async with town.database.begin() as session:
        session.add(
            MembershipRow(
                member_id=town.members["wang"],
                organisation_id=town.nodes["market"],
                kind="host",
                since=date(2026, 1, 1),
            )
        )
    record = await members.own_record(await town.actor("wang"))
    assert [one.name for one in record.chain] == ["宁波市", "海曙区", "鼓楼街道", "北大路支部"]
    assert [one.name for one in record.hosts] == ["城隍庙商圈"]
    assert record.accounts == ()


async def test_reading_ones_own_record_leaves_no_trace(town: Town, members: Members):
    wang = await town.actor("wang")
    await members.for_actor(wang, wang.member_id)
    assert (await members.own_record(wang)).readings == ()


async def test_a_secretarys_reading_is_seen_by_the_member_once_a_day(
    town: Town, members: Members, clock: HandClock
):
    secretary = await town.actor("branch_secretary")
    for _ in range(3):
        await members.for_actor(secretary, town.members["wang"])
    clock.forward(days=1)
    await members.for_actor(secretary, town.members["wang"])
    readings = (await members.own_record(await town.actor("wang"))).readings
    assert [(one.actor_name, one.at.day) for one in readings] == [("李书记", 5), ("李书记", 4)]


async def test_what_is_refused_is_no_reading(town: Town, members: Members):
    with pytest.raises(NotFound):
        await members.for_actor(await town.actor("foreign_secretary"), town.members["wang"])
    with pytest.raises(NotFound):
        await members.for_actor(await town.actor("foreign_secretary"), 999_999)
    async with town.database.read() as session:
        assert (await session.exec(select(AuditEntryRow))).all() == []


async def test_stopping_is_noted_once_and_keeps_its_first_time(
    town: Town, members: Members, clock: HandClock
):
    wang = await town.actor("wang")
    await members.stop(wang)
    clock.forward(hours=1)
    await members.stop(wang)
    async with town.database.read() as session:
        row = (await session.exec(select(MemberRow).where(MemberRow.id == wang.member_id))).one()
        notes = (await session.exec(select(AuditEntryRow.action))).all()
    assert row.stopped_at == datetime(2026, 3, 4, 2, 0, tzinfo=UTC)
    assert notes == ["member.stopped"]
    await members.resume(wang)
    assert not (await members.overview(wang)).stopped


async def test_the_overview_counts_what_waits_in_the_own_subtree(town: Town, members: Members):
    from domain.accounts import LinkState

    await town.link("wang", 7, LinkState.PENDING)
    await town.link("sun", 8, LinkState.PENDING)
    overview = await members.overview(await town.actor("county_secretary"))
    assert (overview.may_send, overview.may_invite, overview.may_approve) == (True, True, True)
    assert overview.waiting_links == 1
    plain = await members.overview(await town.actor("wang"))
    assert (plain.may_send, plain.may_invite, plain.may_approve, plain.waiting_links) == (
        False,
        False,
        False,
        0,
    )


async def test_a_night_in_shanghai_belongs_to_the_new_day(town: Town, members: Members, clock: HandClock):
    clock.now = datetime(2026, 3, 3, 15, 59, tzinfo=UTC)
    former = await town.people.actor_of_member(town.members["former"], date(2026, 3, 3))
    assert former is not None
    assert (await members.overview(former)).may_send
    clock.now += timedelta(minutes=1)
    assert not (await members.overview(former)).may_send

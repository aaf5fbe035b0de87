"""Invitations that run out: closed once, told of seldom and by day, and listed until a new one is made."""

from typing import Any

import pytest
from sqlalchemy import select

from domain.accounts import Address
from domain.invitations import InvitationExpired, InvitationForm
from services.alerts import Alerts
from services.approvals import Approvals
from services.audit import Audit
from services.expiry import SOURCE, Expiry
from services.invitations import Invitations
from storage.database import Database
from storage.sealing import Sealer
from tests.conftest import HandClock
from tests.factories import T
from tests.fakes import RecordingDelivery
from tests.town import Town, build

SEALER = Sealer({"test": bytes(32)}, "test")


@pytest.fixture
async def town(database: Database) -> Town:
    return await build(database, SEALER)


@pytest.fixture
def delivery() -> Any:
    return RecordingDelivery()


@pytest.fixture
def expiry(town: Town, clock: HandClock, delivery: Any) -> Expiry:
    audit = Audit(database=town.database, clock=clock, sealer=SEALER)
    return Expiry(database=town.database, clock=clock, audit=audit, delivery=delivery)


@pytest.fixture
def invitations(town: Town, clock: HandClock, delivery: Any) -> Invitations:
    audit = Audit(database=town.database, clock=clock, sealer=SEALER)
    alerts: Any = Alerts(clock=clock, delivery=delivery)
    approvals = Approvals(database=town.database, clock=clock, audit=audit, alerts=alerts)
    return Invitations(database=town.database, clock=clock, audit=audit, sealer=SEALER, approvals=approvals)


async def invite(town: Town, invitations: Invitations, *names: str, who: str = "branch_secretary") -> str:
    for name in names:
        made = await invitations.create(await town.actor(who), town.members[name], InvitationForm.LINK)
    return made.code


async def expired_entries(town: Town) -> list[int]:
    entry = T["audit_entry"]
    found = select(entry.c.subject_id).where(entry.c.action == "invitation.expired").order_by(entry.c.id)
    async with town.database.read() as session:
        return list((await session.execute(found)).scalars())


async def listed(town: Town, expiry: Expiry, who: str = "branch_secretary") -> list[str]:
    return [one.name for one in (await expiry.ran_out(await town.actor(who))).lines]


async def test_what_ran_out_is_closed_once_and_its_maker_told_once(
    town: Town, invitations: Invitations, expiry: Expiry, delivery: Any, clock: HandClock
):
    await invite(town, invitations, "wang", "zhang")
    clock.forward(hours=71)
    await expiry.tick()
    assert await expired_entries(town) == []
    clock.forward(days=2)  # Monday, 09:00
    for _ in range(2):
        await expiry.tick()
    assert await expired_entries(town) == [town.members["wang"], town.members["zhang"]]
    maker = town.members["branch_secretary"]
    assert delivery.told == [(SOURCE, [maker])]
    content = await expiry.content(maker, "en")
    assert "2 members" in content.text
    assert set(await listed(town, expiry)) == {"王芳", "张伟"}


async def test_the_word_is_said_by_day_and_at_most_weekly(
    town: Town, invitations: Invitations, expiry: Expiry, delivery: Any, clock: HandClock
):
    await invite(town, invitations, "wang")
    clock.forward(days=3, hours=1)  # a Saturday
    await expiry.tick()
    assert delivery.told == []
    clock.forward(days=2)  # Monday, 11:00
    await expiry.tick()
    assert len(delivery.told) == 1
    await invite(town, invitations, "zhang")
    clock.forward(days=4)
    await expiry.tick()
    assert len(delivery.told) == 1
    clock.forward(days=3, hours=12)  # a week later, 23:00
    await expiry.tick()
    assert len(delivery.told) == 1
    clock.forward(hours=12)
    await expiry.tick()
    assert len(delivery.told) == 2
    assert await expiry.content(town.members["branch_secretary"], "zh_CN")


async def test_a_new_invitation_and_a_joined_member_need_no_word(
    town: Town, invitations: Invitations, expiry: Expiry, delivery: Any, clock: HandClock
):
    await invite(town, invitations, "wang", "zhang")
    clock.forward(hours=1)
    await invite(town, invitations, "wang")
    await town.link("zhang", 5)
    clock.forward(hours=71, minutes=30)
    await expiry.tick()
    assert await listed(town, expiry) == []
    assert delivery.told == []


async def test_a_new_one_takes_a_member_off_the_list(
    town: Town, invitations: Invitations, expiry: Expiry, clock: HandClock
):
    code = await invite(town, invitations, "wang")
    clock.forward(days=4)
    await expiry.tick()
    assert await listed(town, expiry) == ["王芳"]
    with pytest.raises(InvitationExpired):
        await invitations.accept(Address(town.account_id, 9), code)
    await invite(town, invitations, "wang")
    assert await listed(town, expiry) == []


async def test_the_list_is_its_makers_and_ends_with_the_right(
    town: Town, invitations: Invitations, expiry: Expiry, delivery: Any, clock: HandClock
):
    await invite(town, invitations, "wang", who="worker")
    clock.forward(days=5)
    grants = T["role_grant"]
    async with town.database.begin() as session:
        mine = grants.c.member_id == town.members["worker"]
        await session.execute(grants.delete().where(mine))
    await expiry.tick()
    assert await listed(town, expiry, "worker") == []
    assert await listed(town, expiry, "branch_secretary") == []
    assert delivery.told == []

"""Joining a chat to a member on both databases: codes, proofs, approvals, and what stays idempotent."""

from typing import Any, NamedTuple

import pytest
from sqlalchemy import update
from sqlmodel import select

from domain.accounts import LinkState
from domain.invitations import (
    ContactNotOwn,
    InvitationExpired,
    InvitationForm,
    InvitationUsed,
    LinkNotWaiting,
    NameTooShort,
    PhoneNotProof,
)
from domain.refusals import NotAllowed, NotFound
from services.alerts import Alerts
from services.approvals import Approvals
from services.audit import Audit
from services.invitations import Invitations
from storage import sign_ins
from storage.database import Database
from storage.sealing import Sealer
from storage.tables import AccountLinkRow, AuditEntryRow, MemberRow
from tests.conftest import HandClock
from tests.fakes import RecordingDelivery
from tests.town import TODAY, Town, build

pytestmark = pytest.mark.slow_on_postgresql


class Desk(NamedTuple):
    invitations: Invitations
    approvals: Approvals


@pytest.fixture
def sealer() -> Sealer:
    return Sealer({"test": bytes(32)}, "test")


@pytest.fixture
async def town(database: Database, sealer: Sealer) -> Town:
    return await build(database, sealer)


@pytest.fixture
def desk(database: Database, clock: HandClock, sealer: Sealer) -> Desk:
    audit = Audit(database=database, clock=clock, sealer=sealer)
    delivery: Any = RecordingDelivery()
    alerts = Alerts(clock=clock, delivery=delivery)
    approvals = Approvals(database=database, clock=clock, audit=audit, alerts=alerts)
    return Desk(
        Invitations(database=database, clock=clock, audit=audit, sealer=sealer, approvals=approvals),
        approvals,
    )


@pytest.fixture
async def code(town: Town, desk: Desk) -> str:
    secretary = await town.actor("branch_secretary")
    issued = await desk.invitations.create(secretary, town.members["wang"], InvitationForm.LINK)
    return issued.code


async def links(town: Town) -> list[tuple[int, str]]:
    async with town.database.read() as session:
        rows = (await session.exec(select(AccountLinkRow).order_by(AccountLinkRow.id))).all()
    return [(row.chat_id, row.state) for row in rows]


async def the_link(town: Town) -> int:
    async with town.database.read() as session:
        return (await session.exec(select(AccountLinkRow.id))).one() or 0


async def test_accepting_again_in_the_same_chat_changes_nothing(town: Town, desk: Desk, code: str):
    for _ in range(2):
        joining = await desk.invitations.accept(town.address(7), code)
        assert joining.state is LinkState.PENDING
        assert not joining.by_phone
    assert await links(town) == [(7, "pending")]
    with pytest.raises(InvitationUsed):
        await desk.invitations.accept(town.address(8), code)


async def test_looking_opens_nothing(town: Town, desk: Desk, code: str):
    invited = await desk.invitations.look(town.address(7), code)
    assert (invited.name, invited.organisation, invited.state) == ("王芳", "北大路支部", None)
    assert await desk.invitations.standing(town.address(7)) is None
    assert await links(town) == []


async def test_the_own_number_joins_where_numbers_are_verified(town: Town, desk: Desk, code: str):
    joining = await desk.invitations.accept(town.telegram(7), code)
    assert joining.by_phone
    await desk.invitations.prove_by_phone(town.telegram(7), sender=7, owner=7, phone="138-0574-0001")
    assert await links(town) == [(7, "active")]
    standing = await desk.invitations.standing(town.telegram(7))
    assert standing is not None
    assert standing.state is LinkState.ACTIVE
    with pytest.raises(LinkNotWaiting):
        await desk.invitations.prove_by_phone(town.telegram(7), sender=7, owner=7, phone="138-0574-0001")


@pytest.mark.parametrize(
    ("owner", "phone", "refusal"),
    [
        (8, "13805740001", ContactNotOwn),
        (None, "13805740001", ContactNotOwn),
        (7, "13805740009", PhoneNotProof),
    ],
)
async def test_what_proves_nothing_leaves_the_link_waiting(
    town: Town, desk: Desk, code: str, owner: int | None, phone: str, refusal: type[Exception]
):
    await desk.invitations.accept(town.telegram(7), code)
    with pytest.raises(refusal):
        await desk.invitations.prove_by_phone(town.telegram(7), sender=7, owner=owner, phone=phone)
    assert await links(town) == [(7, "pending")]


async def test_a_number_proves_nothing_where_numbers_are_not_verified(town: Town, desk: Desk, code: str):
    await desk.invitations.accept(town.address(7), code)
    with pytest.raises(PhoneNotProof):
        await desk.invitations.prove_by_phone(town.address(7), sender=7, owner=7, phone="13805740001")


async def test_who_left_meanwhile_is_invited_no_more(town: Town, desk: Desk, code: str):
    async with town.database.begin() as session:
        await session.execute(
            update(MemberRow).where(MemberRow.id == town.members["wang"]).values(status="left")
        )
    with pytest.raises(InvitationExpired):
        await desk.invitations.look(town.address(7), code)
    with pytest.raises(NotFound):
        await desk.invitations.create(
            await town.actor("branch_secretary"), town.members["wang"], InvitationForm.LINK
        )


async def test_withdrawing_twice_changes_nothing(town: Town, desk: Desk, code: str):
    await desk.invitations.accept(town.address(7), code)
    for _ in range(2):
        await desk.invitations.withdraw(town.address(7))
    assert await links(town) == [(7, "ended")]
    with pytest.raises(InvitationUsed):
        await desk.invitations.accept(town.address(7), code)


async def test_a_withdrawn_or_refused_link_cannot_be_approved(town: Town, desk: Desk, code: str):
    secretary = await town.actor("branch_secretary")
    await desk.invitations.accept(town.address(7), code)
    link = await the_link(town)
    for _ in range(2):
        assert (await desk.approvals.refuse(secretary, link)).member_name == "王芳"
    with pytest.raises(LinkNotWaiting):
        await desk.approvals.approve(secretary, link)
    with pytest.raises(LinkNotWaiting):
        await desk.invitations.ask_secretary(town.address(7))
    assert await links(town) == [(7, "ended")]


async def test_approving_twice_joins_once_and_refusing_after_it_is_too_late(
    town: Town, desk: Desk, code: str
):
    await town.link("wang", 6)
    secretary = await town.actor("county_secretary")
    await desk.invitations.accept(town.address(7), code)
    waiting, more = await desk.approvals.waiting(secretary, 0)
    assert not more
    link = waiting[0].link_id
    for _ in range(2):
        await desk.approvals.approve(secretary, link)
    with pytest.raises(LinkNotWaiting):
        await desk.approvals.refuse(secretary, link)
    assert await links(town) == [(6, "ended"), (7, "active")]
    async with town.database.read() as session:
        actions = (await session.exec(select(AuditEntryRow.action).order_by(AuditEntryRow.id))).all()
    assert actions == ["invitation.created", "link.asked", "link.approved"]


async def test_another_chat_signs_out_of_the_console_and_so_does_leaving_one(
    town: Town, desk: Desk, code: str, clock: HandClock
):
    async def browsers() -> int:
        async with town.database.read() as session:
            return len(await sign_ins.of_member(session, town.members["wang"]))

    async def sign_in(secret: str) -> None:
        async with town.database.begin() as session:
            at = {"language": "en", "at_home": True, "now": clock()}
            await sign_ins.add(session, town.members["wang"], secret, **at)
            assert await sign_ins.open_link(session, secret, f"own {secret}", clock())

    await sign_in("lost")
    await desk.invitations.accept(town.address(7), code)
    await desk.invitations.withdraw(town.address(7))  # a chat that only waits takes nothing away
    assert await browsers() == 1
    secretary = await town.actor("branch_secretary")
    again = await desk.invitations.create(secretary, town.members["wang"], InvitationForm.LINK)
    await desk.invitations.accept(town.address(8), again.code)
    waiting, _ = await desk.approvals.waiting(secretary, 0)
    await desk.approvals.approve(secretary, waiting[0].link_id)
    assert await browsers() == 0
    await sign_in("left")
    await desk.invitations.withdraw(town.address(8))
    assert await browsers() == 0


async def test_a_language_chosen_before_joining_becomes_the_members(town: Town, desk: Desk, code: str):
    await town.people.set_language(town.address(7), "en")
    await desk.invitations.accept(town.address(7), code)
    await desk.approvals.approve(await town.actor("branch_secretary"), await the_link(town))
    actor = await town.people.actor_of_member(town.members["wang"], TODAY)
    assert actor is not None
    assert actor.language == "en"


async def test_a_search_is_paged_and_stays_in_the_own_subtrees(town: Town, desk: Desk):
    async with town.database.begin() as session:
        session.add_all(MemberRow(name=f"林小{n:02}", home_id=town.nodes["north"]) for n in range(9))
        session.add_all(MemberRow(name=f"林小{n:02}", home_id=town.nodes["cicheng"]) for n in range(9))
    secretary = await town.actor("branch_secretary")
    first, more = await desk.invitations.search(secretary, " 林小 ", 0)
    second, done = await desk.invitations.search(secretary, "林小", 1)
    assert [one.name for one in (*first, *second)] == [f"林小{n:02}" for n in range(9)]
    assert (more, done) == (True, False)
    assert {one.organisation for one in first} == {"北大路支部"}
    assert await desk.invitations.search(secretary, "林小", -5) == (first, True)
    with pytest.raises(NameTooShort):
        await desk.invitations.search(secretary, "林 ", 0)


async def test_without_the_right_nothing_is_searched_listed_or_made(town: Town, desk: Desk):
    for name in ("wang", "observer", "former"):
        actor = await town.actor(name)
        with pytest.raises(NotAllowed):
            desk.invitations.require_inviter(actor)
        with pytest.raises(NotAllowed):
            await desk.invitations.search(actor, "王芳", 0)
        with pytest.raises(NotAllowed):
            await desk.approvals.waiting(actor, 0)
        with pytest.raises(NotAllowed):
            await desk.invitations.create(actor, town.members["wang"], InvitationForm.LINK)


async def test_asking_for_a_page_before_the_first_shows_the_first(town: Town, desk: Desk, code: str):
    await desk.invitations.accept(town.address(7), code)
    waiting, _ = await desk.approvals.waiting(await town.actor("branch_secretary"), -1)
    assert [one.member_name for one in waiting] == ["王芳"]
    seen = await desk.approvals.for_actor(await town.actor("worker"), waiting[0].link_id)
    assert seen == await desk.approvals.decidable(await town.actor("worker"), waiting[0].link_id)
    with pytest.raises(NotFound):
        await desk.approvals.for_actor(await town.actor("foreign_secretary"), waiting[0].link_id)


async def test_nobody_is_their_own_second_proof(town: Town, desk: Desk):
    secretary, above = await town.actor("branch_secretary"), await town.actor("county_secretary")
    issued = await desk.invitations.create(secretary, secretary.member_id, InvitationForm.LINK)
    await desk.invitations.accept(town.address(7), issued.code)
    link = await the_link(town)
    assert (await desk.approvals.waiting(secretary, 0))[0] == []
    for decide in (desk.approvals.approve, desk.approvals.refuse, desk.approvals.for_actor):
        with pytest.raises(NotFound):
            await decide(secretary, link)
    assert await links(town) == [(7, "pending")]
    delivery: Any = desk.approvals._alerts._delivery
    assert delivery.told == [("link_waiting", [town.members["worker"]])]
    await desk.approvals.approve(above, link)
    assert await links(town) == [(7, "active")]

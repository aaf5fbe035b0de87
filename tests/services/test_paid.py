"""Sending quickly for a price: off unless an account may, asked by one, approved by another, and looked at again."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from domain.delivery import Busy
from domain.notices import NoticeState
from domain.pace import PaceKind
from domain.paid import PaidNotOffered
from domain.refusals import NotFound
from domain.richtext import RichText
from domain.send_requests import (
    NobodyApproves,
    PriceRose,
    RequestIsDecided,
    RequestIsOutdated,
    RequestState,
    SendRequest,
    Way,
)
from services.delivery import PaceLimits
from storage import pace
from storage.database import Database
from tests.conftest import HandClock
from tests.delivery_world import ACCOUNT, T, start
from tests.factories import make_grant
from tests.notice_world import entries, linked
from tests.request_desk import AUTHOR, SECOND, RequestDesk


class Desk(RequestDesk):
    """A town whose account sends hardly anything for nothing, and may pay."""

    way, text, seen = Way.PAID, "请参加学习", 1

    async def sent(self) -> list[tuple[str, bool]]:
        """Return what went out, and whether it was paid for; alerts never are."""
        self.town.channel.sent.clear()
        await self.town.go()
        return sorted((each.content.text.partition("\n")[0], each.paid) for each in self.town.channel.sent)

    async def told(self, source: str) -> list[int]:
        dispatch, delivery = T["dispatch"], T["delivery"]
        found = select(delivery.c.member_id).join(dispatch, dispatch.c.id == delivery.c.dispatch_id)
        async with self.town.database.read() as session:
            rows = await session.execute(found.where(dispatch.c.source == source))
            return list(rows.scalars())


@pytest.fixture
async def desk(database: Database, clock: HandClock, tmp_path: Path) -> Desk:
    town = await linked(database, clock, tmp_path)
    await town.town.link(SECOND, 200)
    table = T["pace"]
    async with database.begin() as session:
        await pace.ensure(session, ACCOUNT, PaceKind.PAID, rate=500.0, ceiling=1000.0, now=clock())
        slow = update(table).where(table.c.account_id == ACCOUNT, table.c.kind == PaceKind.FREE)
        await session.execute(slow.values(rate=0.04, changed_at=clock.now.replace(year=2030)))
    return Desk(town)


async def test_one_asks_another_approves_and_only_the_notice_is_paid_for(desk: Desk, clock: HandClock):
    town = desk.town
    author, second = await town.actor(AUTHOR), await town.actor(SECOND)
    made = await town.drafted(AUTHOR, "north")
    offer = await town.notices.paid.look(author, made.id)
    assert offer is not None
    assert (offer.messages, offer.stars, offer.free.total_seconds()) == (3, 1, 75)
    asked = await desk.requests.ask(author, made.id, Way.PAID, seen=1)
    assert await desk.requests.ask(author, made.id, Way.PAID, seen=1) == asked
    assert await desk.requests.waiting_for(author, made.id) == asked
    assert (await desk.requests.waiting(second))[0] == [asked]
    assert (await desk.requests.waiting(author))[0] == []
    assert await desk.told("send_asked") == [town.town.members[SECOND]]
    [(words, paid)] = await desk.sent()
    assert (asked.asker in words, "1 星" in words, paid) == (True, True, False)
    assert (await town.notices.for_actor(author, made.id)).state is NoticeState.DRAFT
    approved = await desk.approve(asked)
    assert await desk.approve(asked) == approved
    assert approved.state is RequestState.APPROVED
    dispatch = await town.delivery.dispatches_of("notice", made.id)
    figures = await town.delivery.figures(dispatch[-1])
    quick = timedelta(seconds=figures.waiting / 500)
    assert (figures.rate, figures.expected_finish) == (0.0, clock() + quick)
    assert await desk.sent() == [("请参加学习", True)] * 3
    clock.forward(minutes=1)
    assert await desk.sent() == [("您的付费快速发送已批准，通知正在发出（约 1 星）。", False)]
    assert await desk.told("send_decided") == [town.town.members[AUTHOR]]
    assert await entries(town) == ["paid_asked", "sent", "paid_approved"]


@pytest.mark.slow_on_postgresql
async def test_without_an_account_that_may_pay_or_without_need_nothing_is_offered(
    desk: Desk, clock: HandClock
):
    town = desk.town
    author = await town.actor(AUTHOR)
    empty = await town.drafted(AUTHOR)
    assert await town.notices.paid.look(author, empty.id) is None
    made = await town.drafted(AUTHOR, "north")
    async with town.database.begin() as session:
        await session.execute(update(T["pace"]).where(T["pace"].c.kind == "free").values(rate=25.0))
    with pytest.raises(PaidNotOffered):
        await desk.requests.ask(author, made.id, Way.PAID, seen=100)
    town.delivery._limits = {ACCOUNT: PaceLimits()}
    await town.delivery.boot()
    async with town.database.begin() as session:
        await session.execute(update(T["pace"]).values(rate=0.01))
    assert await town.notices.paid.look(author, made.id) is None
    town.delivery._limits = {ACCOUNT: PaceLimits(paid=800.0)}
    await town.delivery.boot()
    assert await town.notices.paid.look(author, made.id) is not None
    async with town.database.read() as session:
        found = await pace.read(session, ACCOUNT, PaceKind.PAID)
    assert found is not None
    assert (found.rate, found.ceiling) == (400.0, 800.0)


@pytest.mark.slow_on_postgresql
async def test_nobody_but_a_second_person_with_the_right_there_decides(desk: Desk):
    asked = await desk.asked()
    await desk.is_decided_by_a_second_person_only(asked)
    assert [paid for _, paid in await desk.sent()] == [False]


@pytest.mark.slow_on_postgresql
async def test_where_nobody_else_may_it_is_not_asked_for(desk: Desk):
    with pytest.raises(NobodyApproves):
        await desk.asked(who=SECOND)


@pytest.mark.slow_on_postgresql
@pytest.mark.parametrize("change", ["text", "audience", "price", "right", "sent", "unpaid"])
async def test_what_changed_since_it_was_asked_for_is_not_sent(desk: Desk, change: str):
    town = desk.town
    asked = await desk.asked()
    author, number = await town.actor(AUTHOR), asked.notice.id
    async with town.database.begin() as session:
        if change == "price":
            await session.execute(update(T["send_request"]).values(stars=0))
        elif change == "unpaid":
            await pace.pay_no_more(session, ACCOUNT)
        elif change == "right":
            mine = T["role_grant"].c.member_id == author.member_id
            await session.execute(
                update(T["role_grant"]).where(mine).values(until=town.delivery._clock().date().replace(day=3))
            )
    if change == "text":
        await town.notices.rewrite(author, number, RichText("别的话"), None)
    elif change == "audience":
        await town.notices.choose(author, number, town.audience("north", standings=frozenset({"full"})))
    elif change == "sent":
        await town.notices.send(author, number)
    with pytest.raises(RequestIsOutdated):
        await desk.approve(asked)
    with pytest.raises(RequestIsDecided):
        await desk.approve(asked)
    assert not any(paid for _, paid in await desk.sent())
    assert await desk.told("send_decided") == [author.member_id]
    if change == "text":
        again = await desk.requests.ask(author, number, Way.PAID, seen=1)
        assert (await desk.approve(again)).state is RequestState.APPROVED


@pytest.mark.slow_on_postgresql
async def test_a_changed_draft_is_asked_for_anew_in_place_of_the_first_request(desk: Desk):
    asked = await desk.asked()
    author = await desk.town.actor(AUTHOR)
    await desk.town.notices.rewrite(author, asked.notice.id, RichText("别的话"), None)
    again = await desk.requests.ask(author, asked.notice.id, Way.PAID, seen=1)
    assert again.id != asked.id
    assert await desk.state(asked) is RequestState.OUTDATED
    with pytest.raises(PriceRose):
        await desk.requests.ask(author, (await desk.town.drafted(AUTHOR, "north")).id, Way.PAID, seen=0)


@pytest.mark.slow_on_postgresql
async def test_what_is_refused_or_taken_back_can_still_go_for_nothing(desk: Desk):
    author, second = await desk.town.actor(AUTHOR), await desk.town.actor(SECOND)
    asked = await desk.asked()
    for _ in range(2):
        assert (await desk.requests.refuse(second, asked.id)).state is RequestState.REFUSED
    with pytest.raises(RequestIsDecided):
        await desk.approve(asked)
    assert await desk.told("send_decided") == [author.member_id]
    again = await desk.requests.ask(author, asked.notice.id, Way.PAID, seen=1)
    for _ in range(2):
        assert (await desk.requests.withdraw(author, again.id)).state is RequestState.WITHDRAWN
    with pytest.raises(RequestIsDecided):
        await desk.approve(again)
    await desk.town.notices.send(author, asked.notice.id)
    assert not any(paid for _, paid in await desk.sent())


async def test_a_request_ends_after_a_day_or_when_its_notice_goes_another_way(desk: Desk, clock: HandClock):
    old, moved, gone = [await desk.asked(text) for text in ("一", "二", "三")]
    author = await desk.town.actor(AUTHOR)
    clock.forward(hours=23, minutes=59)
    await desk.town.notices.send(author, moved.notice.id)
    await desk.town.notices.discard(author, gone.notice.id)
    await desk.requests.tick()
    assert [await desk.state(each) for each in (old, moved)] == [RequestState.ASKED, RequestState.WITHDRAWN]
    with pytest.raises(NotFound):
        await desk.approve(gone)
    clock.forward(minutes=1)
    with pytest.raises(RequestIsDecided):
        await desk.approve(old)
    for _ in range(2):
        await desk.requests.tick()
    assert await desk.state(old) is RequestState.EXPIRED
    assert await desk.told("send_decided") == [author.member_id]


async def test_of_two_who_approve_at_once_one_sends(desk: Desk):
    town = desk.town
    async with town.database.begin() as session:
        await make_grant(session, member=town.town.members["zhao"], organisation=town.town.nodes["haishu"])
    asked = await desk.asked()
    answers = await asyncio.gather(
        desk.approve(asked), desk.approve(asked, "zhao"), desk.approve(asked), return_exceptions=True
    )
    assert {type(each) for each in answers} <= {SendRequest, RequestIsDecided}
    assert len(await town.delivery.dispatches_of("notice", asked.notice.id)) == 1


async def test_a_429_for_what_is_paid_holds_what_is_not(desk: Desk, clock: HandClock):
    town = desk.town
    await desk.approve(await desk.asked())
    later = clock.now.replace(hour=3)
    town.channel.answer = lambda envelope: Busy(later)
    assert (await desk.sent())[0] is not None
    async with town.database.read() as session:
        paces = [await pace.read(session, ACCOUNT, kind) for kind in PaceKind]
    assert [each is not None and each.held_until for each in paces] == [later.timestamp()] * 2
    await start(town.delivery, town.database, [town.town.members["wang"]])
    assert await desk.sent() == []

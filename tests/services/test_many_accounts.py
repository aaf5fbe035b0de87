"""One dispatch over several accounts: each member by the one they prefer, then by the next, never by a barred one."""

import pytest
from sqlalchemy import insert, select, update

from domain.accounts import Address
from domain.delivery import Busy, DispatchState, Sent, Unreachable
from services.delivery import PaceLimits
from storage import accounts, audiences, materialise, pace
from tests.delivery_world import FakeChannel, T, build, run_all, settle, start, states

WEB, PHONE, PAPER = 1, 2, 3


async def world(database, clock, members: int = 4, **more):
    """Settle members on account 1, all but the last also on account 2; chats are 1000 + id and 2000 + id."""
    await settle(database, clock, members, accounts=3)
    async with database.begin() as session:
        links = [
            {"member_id": n, "account_id": PHONE, "chat_id": 2000 + n, "state": "active", "since": clock()}
            for n in range(1, members)
        ]
        await session.execute(insert(T["account_link"]), links)
        await pace.ensure(session, PHONE, rate=1000.0, ceiling=2000.0, now=clock())
    web, phone = FakeChannel(), FakeChannel()
    channels = {WEB: web, PHONE: phone}
    limits = {number: PaceLimits(1000.0, 2000.0) for number in channels}
    delivery = await build(database, clock, web)
    delivery.pipeline._channels = channels
    delivery._limits = limits
    return delivery, web, phone


async def prefer(database, member: int, account: int) -> bool:
    async with database.begin() as session:
        return await accounts.prefer(session, member, account)


async def slices(database) -> list[tuple[int, int, int, bool]]:
    table = T["slice"]
    async with database.read() as session:
        found = select(table.c.account_id, table.c.number, table.c.planned, table.c.done)
        return [tuple(row) for row in await session.execute(found.order_by(table.c.id))]


async def test_each_member_gets_it_once_on_the_account_they_prefer(database, clock):
    delivery, web, phone = await world(database, clock)
    assert await prefer(database, 2, PHONE)
    assert not await prefer(database, 4, PHONE)  # has no chat there
    dispatch = await start(delivery, database, [1, 2, 3, 4])
    await run_all(delivery, database)
    assert sorted(web.chats) == [1001, 1003, 1004]
    assert phone.chats == [2002]
    figures = await delivery.figures(dispatch)
    assert (figures.planned, figures.sent, figures.state) == (4, 4, DispatchState.DONE)


async def test_who_blocked_the_account_they_prefer_gets_it_on_the_next_one(database, clock):
    delivery, web, phone = await world(database, clock)
    web.answer = lambda _: Unreachable("blocked")
    phone.answer = lambda envelope: (
        Unreachable("blocked") if envelope.to.chat_id == 2002 else Sent(envelope.to.chat_id)
    )
    dispatch = await start(delivery, database, [1, 2, 3, 4])
    await run_all(delivery, database)
    figures = await delivery.figures(dispatch)
    assert (figures.planned, figures.waiting, figures.unreachable) == (4, 3, 1)
    await delivery.tick()
    await run_all(delivery, database)
    await run_all(delivery, database)
    assert sorted(web.chats) == [1001, 1002, 1003, 1004]
    assert sorted(phone.chats) == [2001, 2002, 2003]
    figures = await delivery.figures(dispatch)
    assert (figures.sent, figures.unreachable, figures.state) == (2, 2, DispatchState.DONE)
    assert figures.reasons == {("unreachable", "blocked"): 2}
    assert await slices(database) == [(WEB, 0, 1, True), (PHONE, 1_000_000, 3, True)]


async def test_a_detour_never_comes_back_to_an_account_that_was_tried(database, clock):
    delivery, web, phone = await world(database, clock)
    web.answer = phone.answer = lambda _: Unreachable("blocked")
    await start(delivery, database, [1])
    await run_all(delivery, database)
    async with database.begin() as session:  # the person unblocks the first account meanwhile
        await accounts.set_blocked(session, Address(WEB, 1001), blocked=False)
    await run_all(delivery, database)
    await run_all(delivery, database)
    assert (web.chats, phone.chats) == ([1001], [2001])


async def test_a_chat_that_is_lost_or_barred_before_the_claim_gives_way_to_the_next(database, clock):
    delivery, web, phone = await world(database, clock)
    dispatch = await start(delivery, database, [1, 2, 4])
    async with database.begin() as session:
        await accounts.set_blocked(session, Address(WEB, 1001), blocked=True)
    await run_all(delivery, database)
    async with database.begin() as session:
        await session.execute(update(T["account"]).where(T["account"].c.id == PHONE).values(barred=True))
    await run_all(delivery, database)
    assert sorted(web.chats) == [1002, 1004]
    assert phone.chats == []
    assert (await states(database, dispatch))[1] == ("skipped", "residency")
    figures = await delivery.figures(dispatch)
    assert (figures.sent, figures.skipped, figures.state) == (2, 1, DispatchState.DONE)


async def test_nothing_goes_through_a_barred_account_and_the_preview_says_so(database, clock):
    delivery, web, phone = await world(database, clock)
    await prefer(database, 1, PHONE)
    async with database.begin() as session:
        await session.execute(update(T["account"]).where(T["account"].c.id == WEB).values(barred=True))
        found = await audiences.groups_of(session, materialise.named([1, 2, 3, 4]), weekly_cap=0, now=clock())
    assert {(group.reason, group.account_id, group.members) for group in found} == {
        ("", PHONE, 3),
        ("residency", None, 1),
    }
    dispatch = await start(delivery, database, [1, 2, 3, 4])
    await run_all(delivery, database)
    assert (web.chats, sorted(phone.chats)) == ([], [2001, 2002, 2003])
    assert (await states(database, dispatch))[4] == ("skipped", "residency")
    async with database.read() as session:
        assert [chat.address for chat in await accounts.chats_of(session, 1)] == [Address(PHONE, 2001)]


async def keeps_data_in(database, account: int, country: str) -> None:
    async with database.begin() as session:
        await session.execute(
            update(T["account"]).where(T["account"].c.id == account).values(residency=country)
        )


async def test_what_is_sensitive_goes_by_no_account_abroad_not_even_as_a_detour(database, clock):
    delivery, web, phone = await world(database, clock)
    await keeps_data_in(database, PHONE, "AE")
    await prefer(database, 1, PHONE)
    async with database.begin() as session:
        await session.execute(
            update(T["account_link"]).where(T["account_link"].c.chat_id == 1003).values(state="ended")
        )
        found = await audiences.groups_of(
            session, materialise.named([1, 2, 3, 4]), weekly_cap=0, now=clock(), home_only=True
        )
    assert sum(group.members for group in found if group.account_id == WEB) == 3
    assert [group.members for group in found if group.reason == "residency"] == [1]
    web.answer = lambda envelope: (
        Unreachable("blocked") if envelope.to.chat_id == 1002 else Sent(envelope.to.chat_id)
    )
    dispatch = await start(delivery, database, [1, 2, 3, 4], home_only=True)
    usual = await start(delivery, database, [3])
    for _ in range(3):
        await run_all(delivery, database)
        await delivery.tick()
    assert (sorted(web.chats), phone.chats) == ([1001, 1002, 1004], [2003])
    ended = await states(database, dispatch)
    assert (ended[2], ended[3]) == (("unreachable", "blocked"), ("skipped", "residency"))
    assert (await delivery.figures(usual)).sent == 1


async def test_what_is_sensitive_stops_where_the_data_moves_abroad_before_the_claim(database, clock):
    delivery, web, phone = await world(database, clock)
    dispatch = await start(delivery, database, [1, 4], home_only=True)
    await keeps_data_in(database, WEB, "AE")
    for _ in range(3):
        await run_all(delivery, database)
        await delivery.tick()
    assert (web.chats, phone.chats) == ([], [2001])
    assert (await states(database, dispatch))[4] == ("skipped", "residency")


async def test_an_account_that_nobody_serves_comes_last(database, clock):
    delivery, _, phone = await world(database, clock)
    delivery.pipeline._channels = {PHONE: phone}  # the settings name no other any more
    dispatch = await start(delivery, database, [1, 2, 3, 4])
    async with database.read() as session:
        table = T["delivery"]
        found = await session.execute(select(table.c.member_id, table.c.account_id, table.c.state))
        planned = {row.member_id: (row.account_id, row.state) for row in found}
    assert planned == {**dict.fromkeys((1, 2, 3), (PHONE, "waiting")), 4: (WEB, "waiting")}
    assert (await delivery.figures(dispatch)).waiting == 4


async def test_one_account_that_must_wait_does_not_stop_the_other(database, clock):
    delivery, web, phone = await world(database, clock)
    web.answer = lambda _: Busy(clock().replace(year=clock().year + 1))
    for member in (2, 3):
        await prefer(database, member, PHONE)
    dispatch = await start(delivery, database, [1, 2, 3, 4])
    await run_all(delivery, database)
    assert sorted(phone.chats) == [2002, 2003]
    figures = await delivery.figures(dispatch)
    assert (figures.sent, figures.waiting + figures.held) == (2, 2)


@pytest.mark.slow_on_postgresql
async def test_a_new_chat_leaves_the_notices_where_they_went_and_a_new_one_in_its_place_takes_them(
    database, clock
):
    await world(database, clock)
    await prefer(database, 1, PHONE)
    async with database.begin() as session:
        for account, chat in ((PAPER, 31), (PHONE, 32)):
            values = {"member_id": 1, "account_id": account, "chat_id": chat, "state": "pending"}
            await session.execute(insert(T["account_link"]).values(since=clock(), **values))
            link = await accounts.link_at(session, Address(account, chat))
            assert link is not None
            assert await accounts.activate(session, link, since=clock(), decided_by=None)
        chats = await accounts.chats_of(session, 1)
    assert [chat.address for chat in chats] == [Address(PHONE, 32), Address(WEB, 1001), Address(PAPER, 31)]

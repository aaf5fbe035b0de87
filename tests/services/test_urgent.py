"""Sending urgently: one asks, another approves, and then neither night nor rest day nor cap holds it."""

import asyncio
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select, update

from domain.accounts import LinkState
from domain.delivery import Unknown
from domain.notices import NoticeNotDraft, NoticeState
from domain.quiet_hours import QuietHours
from domain.rest_days import RestDays
from domain.richtext import RichText
from domain.send_requests import (
    NobodyApproves,
    RequestIsDecided,
    RequestIsOutdated,
    RequestState,
    SendRequest,
    UrgentNotOffered,
    Way,
)
from storage.database import Database
from storage.deliveries import Rules
from tests.conftest import HandClock
from tests.delivery_world import T
from tests.factories import make_grant
from tests.notice_world import entries, linked
from tests.request_desk import AUTHOR, SECOND, RequestDesk

SATURDAY_NIGHT = datetime(2026, 3, 7, 15, 0, tzinfo=UTC)  # 23:00 in Shanghai
RULES = Rules(quiet=QuietHours(), weekly_cap=1, rest=RestDays())
STORM = "台风红色预警，请马上转移"


class Desk(RequestDesk):
    """A town that holds pushes back, and one who asks there."""

    way, text = Way.URGENT, STORM

    async def went(self) -> Counter[str]:
        """Let go out what may, and return how often each first line went."""
        self.town.channel.sent.clear()
        await self.town.go()
        return Counter(each.content.text.partition("\n")[0] for each in self.town.channel.sent)

    async def notices_sent(self) -> list[str]:
        self.town.channel.sent.clear()
        await self.town.go()
        return [
            each.content.text for each in self.town.channel.sent if each.content.text.startswith("【紧急】")
        ]


@pytest.fixture
async def desk(database: Database, clock: HandClock, tmp_path: Path) -> Desk:
    town = await linked(database, clock, tmp_path, RULES)
    await town.town.link(SECOND, 200)
    return Desk(town)


async def test_an_approved_urgent_notice_goes_at_night_on_a_rest_day_above_the_cap_and_is_not_counted(
    desk: Desk, clock: HandClock
):
    town = desk.town
    await town.sent(AUTHOR, "north", text="本周已有一条")
    clock.now = SATURDAY_NIGHT
    asked = await desk.asked()
    assert await desk.went() == {
        f"{asked.asker}申请紧急发送一个通知，马上送到 3 人。请尽快看一下并决定，2 小时内有效，没有您的批准就不发出。": 1
    }
    approved = await desk.approve(asked)
    assert await desk.approve(asked) == approved
    assert approved.state is RequestState.APPROVED
    assert approved.notice.urgent
    assert await desk.went() == {"【紧急】": 3, "您的紧急通知已批准，正在发出。": 1}
    assert len(await town.delivery.dispatches_of("notice", asked.notice.id)) == 1
    assert (await entries(town))[-3:] == ["urgent_asked", "sent", "urgent_approved"]
    clock.now = datetime(2026, 3, 9, 16, 30, tzinfo=UTC)  # the night of Monday, another week
    await desk.approve(await desk.asked("水管爆裂，马上停水"))
    assert (await desk.went())["【紧急】"] == 3
    clock.now = datetime(2026, 3, 10, 2, 0, tzinfo=UTC)
    await town.notices.send(await town.actor(AUTHOR), (await town.drafted(AUTHOR, "north", text="照常")).id)
    assert await desk.went() == {"照常": 3}


async def test_it_says_at_its_head_that_it_is_urgent_in_each_language_and_its_draft_does_not(desk: Desk):
    asked = await desk.asked()
    town = desk.town
    _, sample = await desk.requests.sample(await town.actor(SECOND), asked.id, "zh_CN")
    assert sample.text.startswith(f"【试发，只有您能看到】\n【紧急】\n{STORM}")
    assert (await town.notices.content(asked.notice.id, "zh_CN")).text.startswith(STORM)
    await desk.approve(asked)
    for language, mark in (("zh_CN", "【紧急】"), ("en", "URGENT")):
        content = await town.notices.content(asked.notice.id, language)
        assert content.text.startswith(f"{mark}\n{STORM}")
        assert content.entities[0]["type"] == "bold"
    assert all(text.startswith(f"【紧急】\n{STORM}") for text in await desk.notices_sent())


async def test_what_was_perhaps_received_is_sent_again(desk: Desk, clock: HandClock):
    asked = await desk.asked()
    await desk.approve(asked)
    town = desk.town
    answer = town.channel.answer
    town.channel.answer = lambda envelope: Unknown("timeout")
    assert len(await desk.notices_sent()) == 3
    town.channel.answer = answer
    clock.forward(seconds=5)
    await town.delivery.tick()
    assert len(await desk.notices_sent()) == 3
    dispatch = (await town.delivery.dispatches_of("notice", asked.notice.id))[-1]
    figures = await town.delivery.figures(dispatch)
    assert (figures.sent, figures.unknown) == (3, 0)


async def test_who_decides_sees_for_whom_it_is_and_whom_it_reaches_whatever_the_hour(
    desk: Desk, clock: HandClock
):
    clock.now = SATURDAY_NIGHT
    asked = await desk.asked()
    shown = await desk.requests.shown(asked)
    assert [part.organisation.name for part in shown.parts] == ["北大路支部"]
    assert (shown.reach.total, shown.reach.at_once, shown.reach.no_account) == (4, 3, 1)
    assert [(each.name, each.reached) for each in shown.told] == [("陈书记", True)]


@pytest.mark.slow_on_postgresql
async def test_who_asks_sees_that_the_second_person_has_no_chat(desk: Desk):
    second = T["account_link"].c.member_id == desk.town.town.members[SECOND]
    async with desk.town.database.begin() as session:
        await session.execute(update(T["account_link"]).where(second).values(state=LinkState.ENDED))
    shown = await desk.requests.shown(await desk.asked())
    assert [(each.name, each.reached) for each in shown.told] == [("陈书记", False)]


@pytest.mark.slow_on_postgresql
async def test_nobody_but_a_second_person_with_the_right_there_decides(desk: Desk):
    asked = await desk.asked()
    await desk.is_decided_by_a_second_person_only(asked)
    assert (await desk.requests.waiting(await desk.town.actor("foreign_secretary")))[0] == []
    assert await desk.notices_sent() == []


async def test_the_nearest_who_may_is_asked_and_who_stands_above_may_decide_as_well(desk: Desk):
    town = desk.town
    async with town.database.begin() as session:
        await make_grant(session, member=town.town.members["zhao"], organisation=town.town.nodes["gulou"])
    asked = await desk.asked()
    assert [each.name for each in (await desk.requests.shown(asked)).told] == ["赵敏"]
    assert (await desk.requests.waiting(await town.actor(SECOND)))[0] == [asked]
    assert (await desk.approve(asked)).state is RequestState.APPROVED


@pytest.mark.slow_on_postgresql
async def test_where_nobody_else_may_it_is_not_asked_for(desk: Desk):
    with pytest.raises(NobodyApproves):
        await desk.asked(who=SECOND)


@pytest.mark.slow_on_postgresql
async def test_what_reaches_nobody_and_what_is_no_draft_is_not_asked_for(desk: Desk):
    town = desk.town
    author = await town.actor(AUTHOR)
    for places in ((), ("north",)):
        made = await town.drafted(AUTHOR, *places)
        async with town.database.begin() as session:
            await session.execute(update(T["account_link"]).values(state=LinkState.BLOCKED))
        with pytest.raises(UrgentNotOffered):
            await desk.requests.ask(author, made.id, Way.URGENT)
    await town.notices.send(author, made.id)
    for step in (town.notices.urgent.look(author, made.id), desk.requests.ask(author, made.id, Way.URGENT)):
        with pytest.raises(NoticeNotDraft):
            await step


@pytest.mark.slow_on_postgresql
@pytest.mark.parametrize("change", ["text", "audience", "sensitive", "right", "sent"])
async def test_what_changed_since_it_was_asked_for_is_not_sent_urgently(desk: Desk, change: str):
    town = desk.town
    asked = await desk.asked()
    author, number = await town.actor(AUTHOR), asked.notice.id
    if change == "text":
        await town.notices.rewrite(author, number, RichText("别的话"), None)
    elif change == "audience":
        await town.notices.choose(author, number, town.audience("north", standings=frozenset({"full"})))
    elif change == "sensitive":
        await town.notices.mark_sensitive(author, number, sensitive=True)
    elif change == "sent":
        await town.notices.send(author, number)
    else:
        mine = T["role_grant"].c.member_id == author.member_id
        async with town.database.begin() as session:
            await session.execute(
                update(T["role_grant"]).where(mine).values(until=town.delivery._clock().date().replace(day=3))
            )
    with pytest.raises(RequestIsOutdated):
        await desk.approve(asked)
    with pytest.raises(RequestIsDecided):
        await desk.approve(asked)
    assert await desk.notices_sent() == []


async def test_it_ends_after_two_hours_and_may_be_asked_for_again(desk: Desk, clock: HandClock):
    asked = await desk.asked()
    clock.forward(hours=1, minutes=59)
    await desk.requests.tick()
    assert await desk.state(asked) is RequestState.ASKED
    clock.forward(minutes=1)
    with pytest.raises(RequestIsDecided):
        await desk.approve(asked)
    for _ in range(2):
        await desk.requests.tick()
    assert await desk.state(asked) is RequestState.EXPIRED
    told = [line for line in await desk.went() if "2 小时没有答复" in line]
    assert len(told) == 1
    again = await desk.requests.ask(await desk.town.actor(AUTHOR), asked.notice.id, Way.URGENT)
    assert (await desk.approve(again)).state is RequestState.APPROVED


async def test_what_is_refused_or_taken_back_can_still_go_as_usual(desk: Desk):
    author, second = await desk.town.actor(AUTHOR), await desk.town.actor(SECOND)
    asked = await desk.asked()
    for _ in range(2):
        assert (await desk.requests.refuse(second, asked.id)).state is RequestState.REFUSED
    with pytest.raises(RequestIsDecided):
        await desk.approve(asked)
    assert (await desk.went())["您的紧急通知没有批准。通知仍可照常发送。"] == 1
    again = await desk.requests.ask(author, asked.notice.id, Way.URGENT)
    for _ in range(2):
        assert (await desk.requests.withdraw(author, again.id)).state is RequestState.WITHDRAWN
    with pytest.raises(RequestIsDecided):
        await desk.approve(again)
    await desk.town.notices.send(author, asked.notice.id)
    assert (await desk.went())[STORM] == 3
    found = await desk.town.notices.for_actor(author, asked.notice.id)
    assert (found.state, found.urgent) == (NoticeState.SENDING, False)


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
    assert len(await desk.notices_sent()) == 3


async def test_a_sensitive_one_goes_by_accounts_at_home_only_and_its_words_are_told_to_nobody_beforehand(
    desk: Desk,
):
    town = desk.town
    async with town.database.begin() as session:
        zhang = T["account_link"].c.member_id == town.town.members["zhang"]
        await session.execute(update(T["account_link"]).where(zhang).values(account_id=town.town.telegram_id))
    made = await town.drafted(AUTHOR, "north", text=STORM)
    author = await town.actor(AUTHOR)
    await town.notices.mark_sensitive(author, made.id, sensitive=True)
    asked = await desk.requests.ask(author, made.id, Way.URGENT)
    shown = await desk.requests.shown(asked)
    assert (shown.reach.at_once, shown.reach.residency) == (2, 1)
    town.channel.sent.clear()
    await town.go()
    assert [STORM in each.content.text for each in town.channel.sent] == [False]
    await desk.approve(asked)
    assert len(await desk.notices_sent()) == 2


async def test_one_request_waits_for_a_notice_whichever_way_it_is_asked_for(desk: Desk):
    asked = await desk.asked()
    author = await desk.town.actor(AUTHOR)
    assert await desk.requests.ask(author, asked.notice.id, Way.URGENT) == asked
    async with desk.town.database.begin() as session:
        await session.execute(update(T["send_request"]).values(way="paid"))
    again = await desk.requests.ask(author, asked.notice.id, Way.URGENT)
    assert again.way is Way.URGENT
    assert await desk.state(asked) is RequestState.WITHDRAWN
    async with desk.town.database.read() as session:
        states = select(T["send_request"].c.state).order_by(T["send_request"].c.id)
        assert list((await session.execute(states)).scalars()) == ["withdrawn", "asked"]

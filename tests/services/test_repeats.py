"""Repeating notices: each time a copy, once, with its own report, as long as the author may send it."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select, update

from domain.notices import Notice, NoticeForNobody, NoticeNotDraft, NoticeState, NumberMustBeTyped
from domain.refusals import NotAllowed, NotFound
from domain.repeats import NoticeNotRepeating
from domain.rest_days import RestDays
from storage.database import Database
from storage.deliveries import Rules
from storage.sealing import Sealer
from tests.conftest import HandClock
from tests.delivery_world import hello
from tests.factories import T
from tests.notice_world import Bridge, bridge
from tests.town import TODAY, build

pytestmark = pytest.mark.slow_on_postgresql

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
async def town(database: Database, clock: HandClock, tmp_path: Path) -> Bridge:
    sealer = Sealer({"test": bytes(range(32))}, "test")
    town = await build(database, sealer)
    for number, name in enumerate(("wang", "zhang", "branch_secretary"), start=1):
        await town.link(name, number)
    await town.link("county_secretary", 9)
    return await bridge(town, sealer, clock, tmp_path)


async def repeated(town: Bridge, code: str = "w3", at: str = "0900", **more) -> Notice:
    """Let a notice of the county repeat; on Thursdays unless told otherwise (today is a Wednesday)."""
    made = await town.drafted("county_secretary", "north", **more)
    return await town.repeats.start(await town.actor("county_secretary"), made.id, code, at)


async def tick(town: Bridge) -> None:
    await town.schedules.tick()
    await town.go()
    await town.notices.start_due()


async def end_grants(town: Bridge) -> None:
    grants = T["role_grant"]
    async with town.database.begin() as session:
        mine = grants.c.member_id == town.town.members["county_secretary"]
        await session.execute(update(grants).where(mine).values(until=TODAY))


async def test_each_time_a_copy_goes_out_with_a_report_of_its_own(town: Bridge, clock: HandClock):
    made = await repeated(town, confirm=True)
    actor = await town.actor("county_secretary")
    assert made.state is NoticeState.REPEATING
    await tick(town)
    assert town.channel.sent == []
    for week in (1, 2):
        clock.now = datetime(2026, 3, 5 + 7 * (week - 1), 1, 0, tzinfo=UTC)
        for _ in range(2):
            await tick(town)
        assert len(town.channel.sent) == 3 * week
    found = await town.repeats.look(actor, made.id)
    assert [one.state for one in found.copies] == [NoticeState.SENT, NoticeState.SENT]
    copy = found.copies[0]
    assert copy.needs_confirmation
    assert copy.content == made.content
    report = await town.notices.reports.of(actor, copy.id)
    assert report.figures is not None
    assert report.figures.sent == 3
    assert [each.occurrence.date.day for each in found.next] == [19, 26, 2, 9, 16]


async def test_a_member_finds_each_copy_and_never_the_one_that_repeats(town: Bridge, clock: HandClock):
    made = await repeated(town)
    clock.now = datetime(2026, 3, 5, 1, 0, tzinfo=UTC)
    await tick(town)
    wang = await town.actor("wang")
    found, _ = await town.notices.inbox.latest(wang)
    assert len(found) == 1
    with pytest.raises(NotFound):
        await town.notices.inbox.open(wang, made.id)


async def test_starting_twice_plans_once_and_another_rule_takes_its_place(town: Bridge):
    made = await repeated(town)
    actor = await town.actor("county_secretary")
    assert (await town.repeats.start(actor, made.id, "w3", "0900")).state is NoticeState.REPEATING
    await town.repeats.start(actor, made.id, "d15", "1000")
    found = await town.repeats.look(actor, made.id)
    assert [each.occurrence.at for each in found.next[:2]] == [
        datetime(2026, 3, 15, 2, 0, tzinfo=UTC),
        datetime(2026, 4, 15, 2, 0, tzinfo=UTC),
    ]
    entry = T["audit_entry"]
    async with town.database.read() as session:
        noted = select(entry.c.action).where(entry.c.action == "notice.repeats")
        assert len((await session.execute(noted)).all()) == 2


async def test_a_pause_makes_up_for_nothing(town: Bridge, clock: HandClock):
    made = await repeated(town)
    actor = await town.actor("county_secretary")
    for _ in range(2):
        await town.repeats.pause(actor, made.id)
    found = await town.repeats.look(actor, made.id)
    assert (found.paused, found.next) == (True, ())
    clock.now = datetime(2026, 3, 6, 1, 0, tzinfo=UTC)
    await tick(town)
    for _ in range(2):
        await town.repeats.resume(actor, made.id)
    await tick(town)
    assert town.channel.sent == []
    clock.now = datetime(2026, 3, 12, 1, 0, tzinfo=UTC)
    await tick(town)
    assert len(town.channel.sent) == 3


async def test_an_end_is_an_end_and_a_recall_makes_a_draft(town: Bridge, clock: HandClock):
    actor = await town.actor("county_secretary")
    ended = await repeated(town)
    recalled = await repeated(town, text="另一件事")
    for _ in range(2):
        await town.repeats.end(actor, ended.id)
        await town.repeats.recall(actor, recalled.id)
    clock.now = datetime(2026, 3, 5, 1, 0, tzinfo=UTC)
    await tick(town)
    assert town.channel.sent == []
    assert (await town.notices.for_actor(actor, recalled.id)).state is NoticeState.DRAFT
    for number in (ended.id, recalled.id):
        for act in (town.repeats.look, town.repeats.pause, town.repeats.resume, town.repeats.end):
            if act == town.repeats.end and number == ended.id:
                continue
            with pytest.raises(NoticeNotRepeating):
                await act(actor, number)


async def test_with_the_authors_right_it_ends_and_they_are_told(town: Bridge, clock: HandClock):
    made = await repeated(town)
    await end_grants(town)
    clock.now = datetime(2026, 3, 5, 1, 0, tzinfo=UTC)
    await tick(town)
    assert town.channel.chats == [9]
    assert "请参加学习" in town.channel.sent[0].content.text
    async with town.database.read() as session:
        found = select(T["notice"].c.state).where(T["notice"].c.id == made.id)
        assert (await session.execute(found)).scalar_one() == "cancelled"
    clock.forward(days=7)
    await tick(town)
    assert len(town.channel.sent) == 1


@on_sqlite
async def test_what_could_not_go_out_for_a_day_is_left_out(town: Bridge, clock: HandClock):
    await repeated(town)
    clock.now = datetime(2026, 3, 8, 1, 0, tzinfo=UTC)
    await tick(town)
    assert town.channel.sent == []
    clock.now = datetime(2026, 3, 12, 1, 0, tzinfo=UTC)
    await tick(town)
    assert len(town.channel.sent) == 3


@on_sqlite
async def test_the_next_dates_say_what_they_fall_on_and_what_holds_them(town: Bridge, clock: HandClock):
    town.repeats._rules = Rules(rest=RestDays())
    clock.now = datetime(2026, 9, 20, 1, 0, tzinfo=UTC)
    made = await town.drafted("county_secretary", "north")
    actor = await town.actor("county_secretary")
    _, _, ahead = await town.repeats.preview(actor, made.id, "d1", "0900")
    assert len(ahead) == 5
    held = ahead[0].held
    assert (ahead[0].is_special, ahead[1].is_special, ahead[3].is_special) == (True, False, True)
    assert held is not None
    assert held.until == datetime(2026, 10, 8, 0, 0, tzinfo=UTC)


@on_sqlite
async def test_only_who_may_send_from_there_can_touch_it(town: Bridge):
    made = await repeated(town)
    acts = [town.repeats.look, town.repeats.pause, town.repeats.resume, town.repeats.end, town.repeats.recall]
    for who in ("wang", "branch_secretary", "foreign_secretary", "observer"):
        actor = await town.actor(who)
        for act in acts:
            for number in (made.id, 999_999):
                with pytest.raises(NotFound):
                    await act(actor, number)
        for start in (town.repeats.start, town.repeats.preview):
            with pytest.raises(NotFound):
                await start(actor, made.id, "w1", "0900")
    assert [one.id for one in (await town.repeats.listed(await town.actor("observer")))[0]] == [made.id]
    assert (await town.repeats.listed(await town.actor("foreign_secretary")))[0] == []
    with pytest.raises(NotAllowed):
        await town.repeats.listed(await town.actor("wang"))


@on_sqlite
async def test_only_a_draft_for_somebody_begins_to_repeat(town: Bridge, monkeypatch: pytest.MonkeyPatch):
    actor = await town.actor("county_secretary")
    for_nobody = await town.drafted("county_secretary")
    with pytest.raises(NoticeForNobody):
        await town.repeats.start(actor, for_nobody.id, "w3", "0900")
    sent = await town.sent("county_secretary", "north", text="已经发出")
    with pytest.raises(NoticeNotDraft):
        await town.repeats.start(actor, sent.id, "w3", "0900")
    monkeypatch.setattr("domain.notices.TYPED_ABOVE", 3)
    large = await town.drafted("county_secretary", "north", text="很多人")
    with pytest.raises(NumberMustBeTyped):
        await town.repeats.start(actor, large.id, "w3", "0900", 3)
    assert (await town.repeats.start(actor, large.id, "w3", "0900", 4)).state is NoticeState.REPEATING


@on_sqlite
async def test_the_word_of_an_end_is_said_in_both_languages(town: Bridge):
    made = await repeated(town)
    town.delivery.sources["other"] = hello
    assert "已经结束" in (await town.repeats.ended_content(made.id, "zh_CN")).text
    assert "has ended" in (await town.repeats.ended_content(made.id, "en")).text
    with pytest.raises(NotFound):
        await town.repeats.ended_content(999_999, "en")

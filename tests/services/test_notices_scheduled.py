"""Notices that go out at a time: once, with the rights of that time, to whom was counted."""

from pathlib import Path

import pytest
from sqlalchemy import update

from domain.notices import (
    NoticeMovedOn,
    NoticeState,
)
from domain.refusals import NotFound
from storage import organisations
from storage.database import Database
from tests.conftest import HandClock
from tests.factories import T
from tests.notice_world import Bridge, entries, linked
from tests.town import TODAY

pytestmark = pytest.mark.slow_on_postgresql


@pytest.fixture
async def town(database: Database, clock: HandClock, tmp_path: Path) -> Bridge:
    return await linked(database, clock, tmp_path)


async def end_grants(town: Bridge, name: str) -> None:
    grants = T["role_grant"]
    async with town.database.begin() as session:
        mine = grants.c.member_id == town.town.members[name]
        await session.execute(update(grants).where(mine).values(until=TODAY.replace(day=3)))


async def test_a_scheduled_notice_goes_once_at_its_time(town: Bridge, clock: HandClock):
    actor = await town.actor("county_secretary")
    made = await town.drafted("county_secretary", "north")
    at = await town.notices.read_time(actor, made.id, "11点")
    assert at is not None
    for _ in range(2):
        scheduled = await town.notices.schedule(actor, made.id, at)
        assert scheduled.state is NoticeState.SCHEDULED
    with pytest.raises(NoticeMovedOn):
        await town.notices.pause(actor, made.id)
    assert await town.notices.start_due() == 0
    clock.forward(hours=1)
    assert await town.notices.start_due() == 1
    assert await town.notices.start_due() == 0
    await town.go()
    assert len(town.channel.sent) == 3
    assert await entries(town) == ["scheduled", "sent"]


async def test_a_scheduled_notice_becomes_a_draft_again(town: Bridge, clock: HandClock):
    actor = await town.actor("county_secretary")
    made = await town.drafted("county_secretary", "north")
    _, moments = await town.notices.moments(actor, made.id)
    await town.notices.schedule(actor, made.id, moments[0])
    for _ in range(2):
        back = await town.notices.unschedule(actor, made.id)
        assert (back.state, back.scheduled_at) == (NoticeState.DRAFT, None)
    clock.forward(days=1)
    assert await town.notices.start_due() == 0


async def test_a_scheduled_notice_is_sent_at_once_if_one_presses_now(town: Bridge):
    actor = await town.actor("county_secretary")
    made = await town.drafted("county_secretary", "north")
    _, moments = await town.notices.moments(actor, made.id)
    await town.notices.schedule(actor, made.id, moments[-1])
    preview = await town.notices.preview(actor, made.id)
    assert preview.reach is not None
    assert preview.reach.expected_finish is not None
    assert preview.reach.expected_finish >= moments[-1]
    await town.notices.send(actor, made.id)
    await town.go()
    assert len(town.channel.sent) == 3


async def test_who_lost_the_right_meanwhile_sends_nothing(town: Bridge, clock: HandClock):
    actor = await town.actor("county_secretary")
    made = await town.drafted("county_secretary", "north")
    _, moments = await town.notices.moments(actor, made.id)
    await town.notices.schedule(actor, made.id, moments[0])
    await end_grants(town, "county_secretary")
    clock.now = moments[0]
    assert await town.notices.start_due() == 1
    await town.go()
    assert town.channel.sent == []
    assert await entries(town) == ["scheduled", "right_ended"]
    observer = await town.actor("observer")
    report = await town.notices.reports.of(observer, made.id)
    assert (report.notice.state, report.figures) == (NoticeState.CANCELLED, None)
    with pytest.raises(NotFound):
        await town.notices.send(await town.actor("county_secretary"), made.id)


async def test_a_branch_that_moved_beyond_the_wall_meanwhile_is_not_told(town: Bridge, clock: HandClock):
    actor = await town.actor("county_secretary")
    made = await town.drafted("county_secretary", "market", "north")
    _, moments = await town.notices.moments(actor, made.id)
    await town.notices.schedule(actor, made.id, moments[0])
    async with town.database.begin() as session:
        moved = (await organisations.of_ids(session, [town.town.nodes["north"]]))[town.town.nodes["north"]]
        other = (await organisations.of_ids(session, [town.town.nodes["jiangbei"]]))[
            town.town.nodes["jiangbei"]
        ]
        await organisations.move(session, moved, other)
    clock.now = moments[0]
    await town.notices.start_due()
    await town.go()
    assert town.channel.sent == []
    assert await entries(town) == ["scheduled", "right_ended"]


async def test_a_notice_that_cannot_start_keeps_no_other_waiting(
    town: Bridge, clock: HandClock, monkeypatch: pytest.MonkeyPatch
):
    actor = await town.actor("county_secretary")
    made = [await town.drafted("county_secretary", "north", text=text) for text in ("一", "二")]
    _, moments = await town.notices.moments(actor, made[0].id)
    for each in made:
        await town.notices.schedule(actor, each.id, moments[0])
    start = town.notices.start

    async def broken(session, found, actor_id):
        if found.id == made[0].id:
            raise LookupError
        return await start(session, found, actor_id)

    monkeypatch.setattr(town.notices, "start", broken)
    clock.now = moments[0]
    await town.notices.start_due()
    await town.go()
    assert len(town.channel.sent) == 3


async def test_a_colleague_takes_a_scheduled_notice_back_to_its_authors_drafts(town: Bridge):
    made = await town.drafted("branch_secretary", "north")
    author, colleague = await town.actor("branch_secretary"), await town.actor("county_secretary")
    _, moments = await town.notices.moments(author, made.id)
    await town.notices.schedule(author, made.id, moments[0])
    assert (await town.notices.unschedule(colleague, made.id)).state is NoticeState.DRAFT
    assert (await town.notices.for_actor(author, made.id)).state is NoticeState.DRAFT
    with pytest.raises(NotFound):
        await town.notices.for_actor(colleague, made.id)


@pytest.mark.parametrize("act", ["send", "schedule"])
async def test_an_audience_that_was_changed_meanwhile_is_not_told(
    town: Bridge, monkeypatch: pytest.MonkeyPatch, act: str
):
    actor = await town.actor("county_secretary")
    made = await town.drafted("county_secretary", "north")
    _, moments = await town.notices.moments(actor, made.id)
    count = town.notices._count

    async def interrupted(*arguments):
        counted = await count(*arguments)
        await town.notices.choose(actor, made.id, town.audience("haishu"))
        return counted

    monkeypatch.setattr(town.notices, "_count", interrupted)
    started = (
        town.notices.send(actor, made.id)
        if act == "send"
        else town.notices.schedule(actor, made.id, moments[0])
    )
    with pytest.raises(NoticeMovedOn):
        await started
    assert (await town.notices.for_actor(actor, made.id)).state is NoticeState.DRAFT
    await town.go()
    assert town.channel.sent == []


async def test_two_clocks_start_a_notice_once(
    town: Bridge, clock: HandClock, monkeypatch: pytest.MonkeyPatch
):
    actor = await town.actor("county_secretary")
    made = await town.drafted("county_secretary", "north")
    _, moments = await town.notices.moments(actor, made.id)
    await town.notices.schedule(actor, made.id, moments[0])
    clock.now = moments[0]

    async def seen_by_both(session, now):
        return [made.id, made.id, 999_999]

    monkeypatch.setattr("storage.notices.due", seen_by_both)
    await town.notices.start_due()
    await town.go()
    assert len(town.channel.sent) == 3
    assert await entries(town) == ["scheduled", "sent"]

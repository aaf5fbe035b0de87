"""Notices as use cases: who may write, send, see and control them, and that each step happens once."""

from pathlib import Path

import pytest

from domain.accounts import Address
from domain.audiences import Audience, EmptyAudience
from domain.delivery import DispatchState, NotSent, Sent
from domain.messages import Media
from domain.notices import (
    NoticeForNobody,
    NoticeFromTwoPlaces,
    NoticeMovedOn,
    NoticeNotDraft,
    NoticeState,
    NoticeTextTooLong,
    NumberMustBeTyped,
    ScheduledTooSoon,
)
from domain.refusals import NotAllowed, NotFound
from domain.richtext import RichText
from storage.database import Database
from tests.conftest import HandClock
from tests.factories import make_grant, make_organisation
from tests.notice_world import Bridge, entries, linked

pytestmark = pytest.mark.slow_on_postgresql


@pytest.fixture
async def town(database: Database, clock: HandClock, tmp_path: Path) -> Bridge:
    return await linked(database, clock, tmp_path)


async def test_a_notice_reaches_the_members_of_its_subtree_and_says_who_sent_it(town: Bridge):
    made = await town.sent("county_secretary", "north")
    assert sorted(town.channel.chats) == [1, 2, 3]
    assert town.channel.sent[0].content.text == "请参加学习\n\n—— 海曙区 · 陈书记"
    report = await town.notices.reports.of(await town.actor("county_secretary"), made.id)
    assert report.figures is not None
    assert (report.figures.planned, report.figures.sent) == (4, 3)
    assert report.figures.skipped_by_reason == {"no_account": 1}
    assert await entries(town) == ["sent"]


async def test_sending_twice_sends_once(town: Bridge):
    made = await town.sent("county_secretary", "north")
    again = await town.notices.send(await town.actor("county_secretary"), made.id)
    await town.go()
    assert again.state is NoticeState.SENDING
    assert len(town.channel.sent) == 3


async def test_a_notice_is_closed_when_its_dispatch_is_over(town: Bridge):
    made = await town.sent("county_secretary", "north")
    assert await town.notices.start_due() == 0
    actor = await town.actor("county_secretary")
    assert (await town.notices.for_actor(actor, made.id)).state is NoticeState.SENT
    with pytest.raises(NoticeNotDraft):
        await town.notices.rewrite(actor, made.id, RichText("anders"), None)
    with pytest.raises(NoticeMovedOn):
        await town.notices.unschedule(actor, made.id)


@pytest.mark.parametrize("who", ["branch_secretary", "worker", "foreign_secretary", "wang", "former"])
async def test_a_countys_notice_is_beyond_the_wall(town: Bridge, who: str):
    made = await town.sent("county_secretary", "north")
    actor = await town.actor(who)
    notices = town.notices
    acts = (
        notices.for_actor,
        notices.preview,
        notices.send,
        notices.unschedule,
        notices.pause,
        notices.resume,
        notices.cancel,
        notices.retry_failed,
        notices.discard,
        notices.moments,
        notices.reports.of,
    )
    for act in acts:
        for number in (made.id, 999_999):
            with pytest.raises(NotFound):
                await act(actor, number)
    assert not await notices.reports.may_see(actor, made.id)
    with pytest.raises(NotFound):
        await notices.reports.watch(actor, made.id, Address(1, 1), 1)


async def test_an_observer_sees_the_report_and_controls_nothing(town: Bridge):
    made = await town.sent("county_secretary", "north")
    observer = await town.actor("observer")
    report = await town.notices.reports.of(observer, made.id)
    assert not report.may_control
    assert not town.notices.may_write(observer)
    for act in (town.notices.pause, town.notices.cancel, town.notices.preview):
        with pytest.raises(NotFound):
            await act(observer, made.id)


async def test_a_draft_is_its_authors_alone(town: Bridge):
    made = await town.drafted("branch_secretary", "north")
    county = await town.actor("county_secretary")
    with pytest.raises(NotFound):
        await town.notices.for_actor(county, made.id)
    assert await town.notices.desk(county) == ([], False)
    mine, more = await town.notices.desk(await town.actor("branch_secretary"))
    assert ([one.id for one in mine], more) == ([made.id], False)


async def test_a_desk_holds_what_was_sent_from_the_subtree(town: Bridge):
    made = await town.sent("branch_secretary", "north")
    county, _ = await town.notices.desk(await town.actor("county_secretary"))
    assert [one.id for one in county] == [made.id]
    assert (await town.notices.desk(await town.actor("foreign_secretary")))[0] == []
    with pytest.raises(NotAllowed):
        await town.notices.desk(await town.actor("wang"))


async def test_who_may_send_nowhere_cannot_begin(town: Bridge):
    for who in ("wang", "observer", "former"):
        with pytest.raises(NotAllowed):
            await town.notices.draft(await town.actor(who), RichText("请参加学习"))


async def test_the_same_content_a_moment_later_is_the_same_draft(town: Bridge, clock: HandClock):
    first = await town.drafted("county_secretary")
    assert (await town.drafted("county_secretary")).id == first.id
    assert (await town.drafted("county_secretary", text="另一条")).id != first.id
    clock.forward(minutes=11)
    assert (await town.drafted("county_secretary")).id != first.id


async def test_an_audience_beyond_the_wall_is_not_found(town: Bridge):
    made = await town.drafted("branch_secretary", "north")
    actor = await town.actor("branch_secretary")
    for places in (("gulou",), ("north", "cicheng"), ("city",)):
        with pytest.raises(NotFound):
            await town.notices.choose(actor, made.id, town.audience(*places))
    with pytest.raises(NotFound):
        await town.notices.choose(actor, made.id, town.audience("north", without=("cicheng",)))
    with pytest.raises(EmptyAudience):
        await town.notices.choose(actor, made.id, Audience(()))


async def test_a_notice_goes_out_in_the_name_of_the_place_that_covers_it(town: Bridge):
    await make_grant(
        town.database, member=town.town.members["county_secretary"], organisation=town.town.nodes["cicheng"]
    )
    made = await town.drafted("county_secretary", "cicheng")
    assert made.sender.name == "慈城支部"
    actor = await town.actor("county_secretary")
    back = await town.notices.choose(actor, made.id, town.audience("north"))
    assert back.sender.name == "海曙区"
    with pytest.raises(NoticeFromTwoPlaces):
        await town.notices.choose(actor, made.id, town.audience("north", "cicheng"))


async def test_a_longer_name_of_the_sender_may_make_the_text_too_long(town: Bridge):
    actor = await town.actor("branch_secretary")
    made = await town.notices.draft(actor, RichText("字" * 3990))
    long = await make_organisation(town.database, parent=town.town.nodes["haishu"], name="很长的名字" * 20)
    await make_grant(town.database, member=actor.member_id, organisation=long)
    town.town.nodes["long"], town.town.paths["long"] = long, f"{town.town.paths['haishu']}{long}/"
    with pytest.raises(NoticeTextTooLong):
        await town.notices.choose(await town.actor("branch_secretary"), made.id, town.audience("long"))


async def test_nobody_is_told_without_an_audience_or_with_an_empty_one(town: Bridge):
    actor = await town.actor("county_secretary")
    made = await town.drafted("county_secretary")
    with pytest.raises(NoticeForNobody):
        await town.notices.send(actor, made.id)
    await town.notices.choose(actor, made.id, town.audience("north", mobile=True))
    with pytest.raises(NoticeForNobody):
        await town.notices.send(actor, made.id)
    await town.notices.choose(actor, made.id, None)
    preview = await town.notices.preview(actor, made.id)
    assert (preview.audience, preview.reach, preview.must_type) == (None, None, False)
    assert await town.notices.audience(actor, made.id) is None


async def test_a_large_audience_needs_its_number(
    town: Bridge, monkeypatch: pytest.MonkeyPatch, clock: HandClock
):
    monkeypatch.setattr("domain.notices.TYPED_ABOVE", 3)
    actor = await town.actor("county_secretary")
    made = await town.drafted("county_secretary", "north")
    assert (await town.notices.preview(actor, made.id)).must_type
    clock.forward(hours=-1)
    at = clock()
    clock.forward(hours=2)
    with pytest.raises(NumberMustBeTyped):
        await town.notices.send(actor, made.id)
    with pytest.raises(NumberMustBeTyped):
        await town.notices.send(actor, made.id, 3)
    with pytest.raises(ScheduledTooSoon):
        await town.notices.schedule(actor, made.id, at, 4)
    await town.notices.send(actor, made.id, 4)
    assert (await town.notices.for_actor(actor, made.id)).state is NoticeState.SENDING


async def test_pause_resume_and_cancel_are_written_down_once_each(town: Bridge):
    actor = await town.actor("county_secretary")
    made = await town.drafted("county_secretary", "north")
    await town.notices.send(actor, made.id)
    for act in (town.notices.pause, town.notices.resume, town.notices.cancel):
        await act(actor, made.id)
        await act(actor, made.id)
    await town.go()
    assert town.channel.sent == []
    report = await town.notices.reports.of(actor, made.id)
    assert report.figures is not None
    assert report.figures.state is DispatchState.CANCELLED
    assert report.notice.state is NoticeState.CANCELLED
    assert await entries(town) == ["sent", "paused", "resumed", "cancelled"]
    with pytest.raises(NoticeMovedOn):
        await town.notices.retry_failed(actor, made.id)
    with pytest.raises(NoticeMovedOn):
        await town.notices.send(actor, made.id)


async def test_the_failed_are_tried_again_and_nobody_gets_it_twice(town: Bridge, clock: HandClock):
    def answer(envelope):
        return NotSent("refused") if envelope.to.chat_id == 2 else Sent(message_id=1)

    town.channel.answer = answer
    actor = await town.actor("county_secretary")
    made = await town.sent("county_secretary", "north")
    for _ in range(10):
        clock.forward(minutes=3)
        await town.go()
    await town.notices.start_due()
    town.channel.answer = lambda envelope: Sent(message_id=1)
    town.channel.sent.clear()
    assert await town.notices.retry_failed(actor, made.id) == 1
    assert await town.notices.retry_failed(actor, made.id) == 0
    await town.go()
    await town.notices.start_due()
    assert town.channel.chats == [2]
    report = await town.notices.reports.of(actor, made.id)
    assert report.figures is not None
    assert (report.notice.state, report.figures.sent) == (NoticeState.SENT, 3)
    assert await entries(town) == ["sent", "retried"]


async def test_content_that_is_no_more_is_not_found(town: Bridge):
    with pytest.raises(NotFound):
        await town.notices.content(999_999, "en")
    made = await town.drafted("county_secretary", "north")
    await town.notices.discard(await town.actor("county_secretary"), made.id)
    with pytest.raises(NotFound):
        await town.notices.content(made.id, "en")


async def test_a_test_is_marked_and_its_buttons_do_nothing(town: Bridge):
    made = await town.drafted("county_secretary", confirm=True)
    content = await town.notices.test(await town.actor("county_secretary"), made.id, "en")
    assert content.text == "[Test, only you see this]\n请参加学习\n\n— Haishu · 陈书记"
    assert [button.data for row in content.keyboard for button in row] == ["ack:0", "why:0"]


async def test_a_picture_without_words_is_a_notice(town: Bridge):
    actor = await town.actor("county_secretary")
    digest = await town.notices.media.save(b"picture")
    assert await town.notices.media.save(b"picture") == digest
    made = await town.notices.draft(actor, RichText(), Media("photo", "photo.jpg", digest))
    content = await town.notices.content(made.id, "zh_CN")
    assert content.text == "—— 海曙区 · 陈书记"
    assert content.media == Media("photo", "photo.jpg", digest)
    assert (await town.notices.test(actor, made.id, "zh_CN")).text.startswith("【试发")
    assert await town.notices.media.read(digest) == b"picture"


async def test_an_account_remembers_a_file(town: Bridge):
    photo = Media("photo", "photo.jpg", "0" * 64)
    account = town.town.account_id
    assert await town.notices.known_file(account, photo) is None
    assert await town.notices.known_file(account, photo, "f1") == "f1"
    assert await town.notices.known_file(account, photo) == "f1"
    assert await town.notices.known_file(town.town.telegram_id, photo) is None


async def test_nothing_is_watched_before_it_goes_out(town: Bridge):
    actor = await town.actor("county_secretary")
    made = await town.drafted("county_secretary", "north")
    await town.notices.reports.watch(actor, made.id, Address(1, 200), 5)
    assert await town.notices.reports.watched() == []
    await town.notices.send(actor, made.id)
    await town.notices.reports.watch(actor, made.id, Address(1, 200), 5)
    watched = await town.notices.reports.watched()
    assert [(each.source_id, each.to, each.message_id) for each in watched] == [(made.id, Address(1, 200), 5)]

"""A member's notices and confirmations, and what their own secretary may know of them."""

from pathlib import Path

import pytest
from sqlalchemy import select, update

from domain.refusals import NotFound
from domain.richtext import RichText
from storage.database import Database
from storage.sealing import Sealer
from tests.conftest import HandClock
from tests.factories import T, make_topic
from tests.notice_world import Bridge, bridge
from tests.town import build

pytestmark = pytest.mark.slow_on_postgresql


@pytest.fixture
async def town(database: Database, clock: HandClock, tmp_path: Path) -> Bridge:
    sealer = Sealer({"test": bytes(range(32))}, "test")
    town = await build(database, sealer)
    for number, name in enumerate(("wang", "zhang", "branch_secretary"), start=1):
        await town.link(name, number)
    return await bridge(town, sealer, clock, tmp_path)


async def test_a_confirmation_keeps_its_first_time(town: Bridge, clock: HandClock):
    made = await town.sent("county_secretary", "north", confirm=True)
    member = await town.actor("wang")
    first = await town.notices.inbox.confirm(member, made.id)
    clock.forward(hours=1)
    again = await town.notices.inbox.confirm(member, made.id)
    assert first.confirmed_at == again.confirmed_at
    report = await town.notices.reports.of(await town.actor("county_secretary"), made.id)
    assert report.confirmed == 1


async def test_only_a_recipient_confirms_and_only_where_it_is_asked(town: Bridge):
    asked = await town.sent("county_secretary", "north", confirm=True)
    plain = await town.sent("county_secretary", "north")
    for who, number in (("sun", asked.id), ("wang", plain.id), ("wang", 999_999)):
        with pytest.raises(NotFound):
            await town.notices.inbox.confirm(await town.actor(who), number)


async def test_a_member_finds_what_was_sent_and_nothing_that_was_not(town: Bridge):
    sent = await town.sent("county_secretary", "north", text="交党费")
    await town.drafted("county_secretary", "north", text="交党费草稿")
    actor = await town.actor("county_secretary")
    waiting = await town.drafted("county_secretary", "north", text="交党费等待")
    await town.notices.send(actor, waiting.id)
    await town.notices.cancel(actor, waiting.id)
    member = await town.actor("wang")
    found, more = await town.notices.inbox.latest(member, 0, " 党费 ")
    assert ([one.id for one in found], more) == ([sent.id], False)
    assert (await town.notices.inbox.latest(await town.actor("sun")))[0] == []
    with pytest.raises(NotFound):
        await town.notices.inbox.open(member, waiting.id)


async def test_who_had_no_chat_yet_reads_it_later(town: Bridge):
    made = await town.sent("county_secretary", "market")
    found, _ = await town.notices.inbox.latest(await town.actor("zhao"))
    assert [one.id for one in found] == [made.id]


async def test_an_answer_may_come_before_its_outcome_is_written(town: Bridge):
    made = await town.drafted("county_secretary", "north", confirm=True)
    await town.notices.send(await town.actor("county_secretary"), made.id)
    member = await town.actor("wang")
    with pytest.raises(NotFound):
        await town.notices.inbox.confirm(member, made.id)
    delivery = T["delivery"]
    async with town.database.begin() as session:
        mine = delivery.c.member_id == member.member_id
        await session.execute(update(delivery).where(mine).values(state="sending"))
    assert (await town.notices.inbox.confirm(member, made.id)).confirmed_at is not None


async def test_why_names_the_nearest_part_that_one_belongs_to(town: Bridge):
    made = await town.sent("county_secretary", "haishu", "north")
    why = await town.notices.inbox.why(await town.actor("wang"), made.id)
    assert why.part is not None
    assert why.part.organisation.name == "北大路支部"
    assert why.topic is None


async def test_why_names_the_topic(town: Bridge):
    from tests.factories import make_subscription

    topic = await make_topic(town.database, "policy", name="政策")
    await make_subscription(town.database, member=town.town.members["wang"], topic=topic)
    made = await town.sent("county_secretary", "haishu", topic_id=topic)
    why = await town.notices.inbox.why(await town.actor("wang"), made.id)
    assert why.topic is not None
    assert why.topic.name == "政策"
    assert town.channel.chats == [1]


async def test_a_member_who_moved_since_is_still_told_why(town: Bridge):
    made = await town.sent("county_secretary", "north")
    member = T["member"]
    async with town.database.begin() as session:
        moved = update(member).where(member.c.name == "王芳").values(home_id=town.town.nodes["cicheng"])
        await session.execute(moved)
    why = await town.notices.inbox.why(await town.actor("wang"), made.id)
    assert why.part is not None
    assert why.part.organisation.name == "北大路支部"


async def test_a_notice_of_old_without_an_audience_still_says_who_sent_it(town: Bridge):
    made = await town.sent("county_secretary", "north")
    notice = T["notice"]
    async with town.database.begin() as session:
        await session.execute(update(notice).values(audience_id=None))
    why = await town.notices.inbox.why(await town.actor("wang"), made.id)
    assert (why.part, why.topic, why.notice.sender.name) == (None, None, "海曙区")


async def test_the_own_secretary_alone_sees_names(town: Bridge):
    made = await town.sent("county_secretary", "haishu", confirm=True)
    await town.notices.inbox.confirm(await town.actor("wang"), made.id)
    secretary = await town.actor("branch_secretary")
    _, pending, more = await town.notices.reports.calls(secretary, made.id)
    assert {one.name for one in pending} == {"张伟", "李书记", "郑前任"}
    assert not more
    _, county, _ = await town.notices.reports.calls(await town.actor("county_secretary"), made.id)
    assert {one.name for one in county} == {"陈书记", "吴观察"}
    for who in ("observer", "zhang", "foreign_secretary"):
        with pytest.raises(NotFound):
            await town.notices.reports.calls(await town.actor(who), made.id)


async def test_looking_at_names_is_written_down(town: Bridge):
    made = await town.sent("branch_secretary", "north", confirm=True)
    await town.notices.reports.calls(await town.actor("branch_secretary"), made.id)
    entry = T["audit_entry"]
    async with town.database.read() as session:
        row = (await session.execute(select(entry).where(entry.c.action == "notice.calls_read"))).one()
    assert (row.actor_id, row.subject_id) == (town.town.members["branch_secretary"], made.id)


async def test_without_a_confirmation_there_is_nobody_to_call(town: Bridge):
    made = await town.sent("branch_secretary", "north")
    actor = await town.actor("branch_secretary")
    assert (await town.notices.reports.of(actor, made.id)).to_call is None
    with pytest.raises(NotFound):
        await town.notices.reports.calls(actor, made.id)


async def test_text_is_found_whatever_signs_it_holds(town: Bridge):
    actor = await town.actor("county_secretary")
    for text in ("100% 完成", "a_b", "AbC"):
        made = await town.notices.draft(actor, RichText(text))
        await town.notices.choose(actor, made.id, town.audience("north"))
        await town.notices.send(actor, made.id)
        await town.go()
    member = await town.actor("wang")
    for search, expected in (("%", ["100% 完成"]), ("_", ["a_b"]), ("abc", ["AbC"])):
        found, _ = await town.notices.inbox.latest(member, 0, search)
        assert [one.content.text for one in found] == expected


async def test_who_left_is_not_to_be_called(town: Bridge):
    secretary = await town.actor("branch_secretary")
    made = await town.sent("county_secretary", "north", confirm=True)
    before = [one.name for one in (await town.notices.reports.calls(secretary, made.id))[1]]
    member = T["member"]
    async with town.database.begin() as session:
        await session.execute(
            update(member).where(member.c.id == town.town.members["wang"]).values(status="left")
        )
    after = [one.name for one in (await town.notices.reports.calls(secretary, made.id))[1]]
    assert sorted(set(before) - set(after)) == ["王芳"]

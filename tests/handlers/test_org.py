"""Organisations and topics, as a member walks through them."""

import pytest

from storage.tables import OrganisationRow, TopicRow
from tests.fakes import Chat, World
from tests.town import Town


@pytest.fixture
async def member(world: World, town: Town) -> Chat:
    await town.link("zhao", 7)
    return world.chat(7)


async def test_my_organisation_shows_contact_mode_and_what_is_above(member: Chat):
    await member.say("/org")
    for word in ("城隍庙商圈", "商圈统筹", "0574-87000000", "宁波市 › 海曙区 › 鼓楼街道", "基层"):
        assert word in member.screen
    assert "位成员" not in member.screen


async def test_one_walks_up_and_down_in_the_same_message(member: Chat):
    await member.say("/org")
    await member.press("鼓楼街道")
    assert "下面有 2 个组织" in member.screen
    await member.press("北大路支部")
    assert "北大路支部" in member.screen
    await member.press("回到我的组织")
    assert "城隍庙商圈" in member.screen
    assert len(member.messages) == 1


async def test_many_children_come_in_pages(member: Chat, town: Town):
    async with town.database.begin() as session:
        for number in range(10):
            path = f"{town.paths['cicheng']}{900 + number}/"
            session.add(
                OrganisationRow(
                    id=900 + number,
                    parent_id=town.nodes["cicheng"],
                    path=path,
                    name=f"小组{number}",
                    kind="group",
                    level="grassroots",
                )
            )
    await member.tap(f"org:{town.nodes['cicheng']}:0")
    await member.press("下一页")
    assert "小组9 ›" in member.buttons
    assert "小组0 ›" not in member.buttons
    await member.press("上一页")
    assert "小组0 ›" in member.buttons


async def test_an_organisation_that_does_not_exist_is_refused_kindly(member: Chat):
    await member.tap("org:999999:0")
    assert "没有找到" in member.alerts[-1]


async def test_who_sees_reports_sees_counts(world: World, town: Town):
    await town.link("observer", 8)
    chat = world.chat(8)
    await chat.say("/org")
    assert "4 个组织" in chat.screen


async def test_a_tap_subscribes_and_the_next_unsubscribes(member: Chat, town: Town):
    async with town.database.begin() as session:
        session.add(TopicRow(code="policy", name="政策", name_en="Policy"))
    await member.say("/topics")
    assert member.buttons[0] == "⬜ 政策"
    tapped = member.data[0]
    for _ in range(2):
        await member.tap(tapped)
        assert member.buttons[0] == "✅ 政策"
    await member.press("政策")
    assert member.buttons[0] == "⬜ 政策"
    await member.tap("topic:999:1")
    assert "没有找到" in member.alerts[-1]


async def test_without_topics_the_screen_says_so(member: Chat):
    await member.say("/topics")
    assert "没有可以订阅" in member.screen


async def test_names_are_english_where_there_are_english_ones(member: Chat, town: Town):
    async with town.database.begin() as session:
        session.add(TopicRow(code="policy", name="政策", name_en="Policy"))
    await member.say("/language")
    await member.press("English")
    await member.say("/topics")
    assert member.buttons[0] == "⬜ Policy"
    await member.say("/org")
    assert "Ningbo › Haishu › Gulou" in member.screen
    await member.press("Gulou")
    assert "2 organisations below" in member.screen

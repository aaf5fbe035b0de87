"""Dissolving an organisation in the chat: asked for by one, approved by another, nothing by a forged press."""

import pytest

from tests.factories import make_organisation
from tests.fakes import Chat, World
from tests.town import Town


@pytest.fixture
async def branch(world: World, town: Town) -> Chat:
    await town.link("branch_secretary", 1)
    return world.chat(1)


@pytest.fixture
async def approver(world: World, town: Town) -> Chat:
    await town.link("county_secretary", 2)
    return world.chat(2)


async def asked(branch: Chat) -> None:
    await branch.say("/org")
    await branch.press("撤销这个组织")
    await branch.press("继续")
    await branch.say("甬组〔2026〕12号")
    await branch.say("企业搬走")
    await branch.press("提交批准")


async def test_one_asks_and_another_approves(branch: Chat, approver: Chat, town: Town):
    await branch.say("/org")
    await branch.press("撤销这个组织")
    for word in ("北大路支部", "成员转到：城隍庙商圈", "4 位成员转出"):
        assert word in branch.screen
    await asked(branch)
    assert "等另一位书记批准" in branch.screen
    await approver.say("/dissolve")
    await approver.press("北大路支部")
    for word in ("甬组〔2026〕12号", "企业搬走", "李书记", "4 位成员转出"):
        assert word in approver.screen
    await approver.press("批准")
    assert "不能撤销：4 位成员转到城隍庙商圈" in approver.screen
    sure = approver.data[0]
    await approver.press("批准并执行")
    assert "4 位成员已转出" in approver.screen
    await approver.tap(sure)
    assert "4 位成员已转出" in approver.screen
    await branch.say("/org")
    assert "城隍庙商圈" in branch.screen
    assert "撤销这个组织" not in branch.buttons


async def test_who_asked_can_only_take_it_back(branch: Chat, approver: Chat):
    await asked(branch)
    assert "撤回" in branch.buttons
    assert "批准" not in branch.buttons
    number = next(data for data in branch.data if data.startswith("dsr:back:")).split(":")[2]
    await branch.tap(f"dsr:yes:{number}:0")
    assert "另一位书记" in branch.alerts[-1]
    await branch.press("撤回")
    assert "已撤回" in branch.screen
    await approver.tap(f"dsr:yes:{number}:0")
    assert "已经有了结果" in approver.alerts[-1]
    await approver.tap(f"dsr:ask:{number}:0")
    assert "已撤回" in approver.screen


async def test_saying_no_is_asked_for_as_well(branch: Chat, approver: Chat):
    await asked(branch)
    await approver.say("/dissolve")
    await approver.press("北大路支部")
    await approver.press("不批准")
    await approver.press("不批准")
    assert "没有批准" in approver.screen
    await approver.press("返回")
    assert "没有等待决定" in approver.screen


async def test_another_reservoir_can_be_chosen(branch: Chat, town: Town):
    await make_organisation(
        town.database, parent=town.nodes["haishu"], name="海曙楼宇", kind="regional", level="township"
    )
    await branch.say("/org")
    await branch.press("撤销这个组织")
    await branch.press("换一个接收组织")
    assert branch.buttons[:2] == ["城隍庙商圈", "海曙楼宇"]
    await branch.press("海曙楼宇")
    assert "成员转到：海曙楼宇" in branch.screen


async def test_what_stands_in_the_way_is_said(branch: Chat, approver: Chat, town: Town):
    await asked(branch)
    await make_organisation(town.database, parent=town.nodes["north"], name="第一小组")
    await approver.say("/dissolve")
    await approver.press("北大路支部")
    assert "现在不能批准：下面还有组织：第一小组" in approver.screen
    assert "批准" not in approver.buttons


async def test_without_number_or_reason_nothing_is_asked(branch: Chat, town: Town):
    nodes = town.nodes
    await branch.tap(f"dss:ask:{nodes['north']}:{nodes['market']}:0")
    assert "等另一位书记" not in branch.screen
    await branch.say("/dissolve")
    assert "没有等待决定" in branch.screen


async def test_no_one_else_sees_or_presses_it(world: World, branch: Chat, town: Town):
    await asked(branch)
    number = next(data for data in branch.data if data.startswith("dsr:back:")).split(":")[2]
    for person, chat_id in (("zhao", 7), ("worker", 8), ("foreign_secretary", 9)):
        await town.link(person, chat_id)
        chat = world.chat(chat_id)
        for data in (f"dsr:see:{number}:0", f"dsr:yes:{number}:0", f"dss:see:{town.nodes['north']}:0:0"):
            seen = len(chat.alerts)
            await chat.tap(data)
            assert len(chat.alerts) == seen + 1
    await world.chat(7).say("/org")
    assert "撤销这个组织" not in world.chat(7).buttons


async def test_in_english(branch: Chat):
    await branch.say("/language")
    await branch.press("English")
    await branch.say("/org")
    await branch.press("Dissolve this organisation")
    assert "Members go to: Temple Market" in branch.screen

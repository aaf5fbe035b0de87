"""Inviting and approving, as a secretary sees it; and what a forged tap gets."""

import re
from typing import Any

import pytest

from domain.accounts import LinkState
from domain.invitations import InvitationForm
from tests.fakes import Chat, World
from tests.town import TODAY, Town


@pytest.fixture
async def secretary(world: World, town: Town) -> Chat:
    await town.link("branch_secretary", 100)
    return world.chat(100)


async def test_a_secretary_finds_a_member_by_name_and_gets_a_link_with_its_qr_picture(
    secretary: Chat, world: World
):
    await secretary.say("/invite")
    await secretary.say("王芳")
    await secretary.press("王芳 · 北大路支部")
    assert "72 小时" in secretary.screen
    await secretary.press("二维码")
    picture = secretary.messages[-1]
    assert picture.photo
    assert secretary.file_of(picture).data.startswith(b"\x89PNG")
    assert "http://chat.test/tongdao_bot?start=" in secretary.screen
    code = secretary.screen.partition("?start=")[2].split()[0]
    member = world.chat(7)
    await member.say(f"/start {code}")
    assert "欢迎" in member.screen


async def test_the_code_stands_nowhere_in_the_database(secretary: Chat, town: Town):
    from sqlmodel import select

    from storage.tables import InvitationRow

    await secretary.say("/invite 王芳")
    await secretary.press("王芳")
    await secretary.press("二维码")
    code = secretary.screen.partition("?start=")[2].split()[0]
    async with town.database.read() as session:
        row = (await session.exec(select(InvitationRow))).one()
    assert len(code) * 5 >= 128
    assert code.encode() not in row.code_digest
    assert code not in repr(row)


async def test_a_paper_is_a_sheet_to_print_with_the_code_to_type(secretary: Chat, world: World):
    await secretary.say("/invite 王芳")
    await secretary.press("王芳")
    await secretary.press("纸质")
    sheet = secretary.file_of(secretary.messages[-1]).data.decode()
    assert "<svg" in sheet
    code = re.search(r"<code>(.*)</code>", sheet)[1]
    member = world.chat(7)
    await member.say(code.lower())
    assert "欢迎" in member.screen
    assert "4月3日" in sheet


async def test_a_search_needs_two_characters(secretary: Chat):
    await secretary.say("/invite 王")
    assert "至少" in secretary.screen


async def test_a_search_sees_only_the_own_subtree(secretary: Chat):
    await secretary.say("/invite 孙丽")
    assert "没有找到" in secretary.screen


async def test_a_wildcard_in_a_search_is_a_plain_character(secretary: Chat):
    await secretary.say("/invite %%")
    assert "没有找到" in secretary.screen


async def test_many_found_are_shown_in_pages(secretary: Chat, town: Town):
    from storage.tables import MemberRow

    async with town.database.begin() as session:
        session.add_all(MemberRow(name=f"林小{n:02}", home_id=town.nodes["north"]) for n in range(10))
    await secretary.say("/invite 林小")
    assert len([label for label in secretary.buttons if label.startswith("林小")]) == 8
    await secretary.press("下一页")
    assert len([label for label in secretary.buttons if label.startswith("林小")]) == 2
    await secretary.press("上一页")
    assert "林小00 · 北大路支部" in secretary.buttons
    assert len(secretary.messages) == 1


async def test_an_old_page_of_a_forgotten_search_asks_again(secretary: Chat):
    await secretary.say("/invite 王芳")
    page = secretary.messages[-1]
    await secretary.press("首页")
    await secretary.tap("inv:page:1", page)
    assert "请输入成员的姓名" in secretary.screen
    await secretary.say("王芳")
    assert "王芳 · 北大路支部" in secretary.buttons


async def test_reading_a_member_for_an_invitation_is_seen_by_that_member(
    secretary: Chat, world: World, town: Town
):
    await secretary.say("/invite 王芳")
    await secretary.press("王芳")
    await town.link("wang", 7)
    member = world.chat(7)
    await member.say("/me")
    assert "李书记" in member.screen


async def test_an_ordinary_member_neither_sees_nor_reaches_the_invitation(world: World, town: Town):
    await town.link("wang", 7)
    chat = world.chat(7)
    await chat.say("/start")
    assert not [label for label in chat.buttons if "邀请" in label or "待确认" in label]
    for act in ("/invite", "/approvals"):
        await chat.say(act)
        assert "职务不包含" in chat.screen
    for data in (f"inv:link:{town.members['zhang']}", f"inv:choose:{town.members['zhang']}", "go:invite"):
        await chat.tap(data)
    assert chat.alerts == [
        "您的职务不包含这项操作。",
        "没有找到，或不在您的权限范围内。",
        "您的职务不包含这项操作。",
    ]


@pytest.mark.parametrize("step", ["choose", "link", "paper"])
async def test_a_forged_tap_reaches_no_member_beyond_the_wall(secretary: Chat, town: Town, step: str):
    await secretary.say("/invite")
    await secretary.tap(f"inv:{step}:{town.members['sun']}")
    assert "没有找到" in secretary.alerts[-1]
    await secretary.tap(f"inv:{step}:999999")
    assert "没有找到" in secretary.alerts[-1]
    assert secretary.alerts[-1] == secretary.alerts[-2]


async def _waiting(world: World, town: Town, toolbox: Any, name: str = "wang", chat_id: int = 7) -> Chat:
    inviter = "branch_secretary" if name == "wang" else "foreign_secretary"
    issued = await toolbox.invitations.create(
        await town.actor(inviter), town.members[name], InvitationForm.LINK
    )
    chat = world.chat(chat_id)
    await chat.say(f"/start {issued.code}")
    await chat.press("继续")
    await chat.press("是我")
    return chat


async def test_a_secretary_approves_and_the_member_is_in(
    secretary: Chat, world: World, town: Town, toolbox: Any
):
    member = await _waiting(world, town, toolbox)
    await secretary.say("/start")
    await secretary.press("待确认的加入申请（1）")
    await secretary.press("王芳")
    assert "打个电话" in secretary.screen
    await secretary.press("是本人")
    assert "确认加入？" in secretary.screen
    await secretary.press("确认加入")
    assert "已经加入" in secretary.screen
    await member.press("看看好了没有")
    assert "王芳，您好" in member.screen
    assert len(secretary.messages) == 1


async def test_the_nearest_secretary_is_told_who_waits_and_the_member_who_is_in(
    secretary: Chat, world: World, town: Town, toolbox: Any
):
    await _waiting(world, town, toolbox)
    nearest = town.members["branch_secretary"]
    assert toolbox.delivery.told == [("link_waiting", [nearest])]
    content = await toolbox.delivery.sources["link_waiting"](1, "zh_CN")
    await secretary.say("/start")
    await secretary.tap(content.keyboard[0][0].data)
    for label in ("王芳", "是本人", "确认加入"):
        await secretary.press(label)
    assert toolbox.delivery.told[1:] == [("link_joined", [town.members["wang"]])]
    joined = await toolbox.delivery.sources["link_joined"](1, "en")
    assert "welcome" in joined.text


async def test_a_refused_person_stays_a_stranger(secretary: Chat, world: World, town: Town, toolbox: Any):
    member = await _waiting(world, town, toolbox)
    await secretary.say("/approvals")
    for label in ("王芳", "不是", "确认拒绝"):
        await secretary.press(label)
    assert "已拒绝" in secretary.screen
    await secretary.press("继续处理")
    assert "没有人在等" in secretary.screen
    await member.press("看看好了没有")
    assert "这里是通道" in member.screen


async def test_a_decision_holds_once_whoever_presses_again(
    secretary: Chat, world: World, town: Town, toolbox: Any
):
    await _waiting(world, town, toolbox)
    await secretary.say("/approvals")
    await secretary.press("王芳")
    link = secretary.data[0].rpartition(":")[2]
    for _ in range(2):
        await secretary.tap(f"wait:yes:{link}")
        assert "已确认" in secretary.screen
    await secretary.tap(f"wait:no:{link}")
    assert "已经处理过" in secretary.alerts[-1]
    await secretary.tap(f"wait:open:{link}")
    assert "已经有了结果" in secretary.screen
    assert (await town.people.looking(town.address(7), TODAY)).actor is not None


@pytest.mark.parametrize("step", ["open", "ask_yes", "ask_no", "yes", "no"])
async def test_a_waiting_link_beyond_the_wall_does_not_exist(
    secretary: Chat, world: World, town: Town, toolbox: Any, step: str
):
    stranger = await _waiting(world, town, toolbox, "sun", 8)
    await secretary.say("/approvals")
    assert "没有人在等" in secretary.screen
    link = await town.link("zhao", 55, LinkState.PENDING)
    async with town.database.read() as session:
        from storage import accounts

        foreign = await accounts.link_at(session, stranger.address)
    assert foreign is not None
    for number in (foreign.id, link, 999999):
        await secretary.tap(f"wait:{step}:{number}")
        assert "没有找到" in secretary.alerts[-1]
    assert (await town.people.looking(stranger.address, TODAY)).actor is None


async def test_a_right_that_ended_yesterday_opens_nothing_today(world: World, town: Town):
    await town.link("former", 101)
    chat = world.chat(101)
    await chat.say("/start")
    assert not [label for label in chat.buttons if "邀请" in label]
    await chat.tap(f"inv:link:{town.members['wang']}")
    assert "职务不包含" in chat.alerts[-1]


async def test_a_new_chat_takes_the_place_of_the_old_one(
    secretary: Chat, world: World, town: Town, toolbox: Any
):
    await town.link("wang", 6)
    await _waiting(world, town, toolbox)
    assert (await town.people.looking(town.address(6), TODAY)).actor is not None
    await secretary.say("/approvals")
    for label in ("王芳", "是本人", "确认加入"):
        await secretary.press(label)
    assert (await town.people.looking(town.address(6), TODAY)).actor is None
    assert (await town.people.looking(town.address(7), TODAY)).actor is not None


async def test_an_invitation_that_ran_out_is_listed_until_a_new_one_is_made(
    secretary: Chat, toolbox: Any, clock: Any
):
    await secretary.say("/invite 王芳")
    assert not any("过期" in label for label in secretary.buttons)
    await secretary.press("王芳")
    await secretary.press("二维码")
    clock.forward(days=4)
    await toolbox.expiry.tick()
    await secretary.say("/invite")
    await secretary.press("过期未用的邀请")
    assert "没有人用" in secretary.screen
    await secretary.press("王芳 · 3月7日 过期")
    await secretary.press("二维码")
    await secretary.tap("iexp:0")
    assert "没有过期未用的邀请" in secretary.screen


async def test_the_list_of_what_ran_out_is_for_those_who_invite(world: World, town: Town):
    await town.link("wang", 7)
    member = world.chat(7)
    await member.tap("iexp:0")
    assert "职务" in member.alerts[-1]

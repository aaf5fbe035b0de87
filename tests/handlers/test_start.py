"""Joining a chat to a member, as the person with the code sees it."""

from typing import Any

import pytest

from domain.accounts import LinkState
from domain.invitations import InvitationForm
from tests.conftest import HandClock
from tests.fakes import Chat, World
from tests.town import TODAY, Town


@pytest.fixture
async def code(town: Town, toolbox: Any) -> str:
    """Yield a link code for 王芳."""
    return await invite(town, toolbox)


async def invite(town: Town, toolbox: Any, form: InvitationForm = InvitationForm.LINK) -> str:
    secretary = await town.actor("branch_secretary")
    issued = await toolbox.invitations.create(secretary, town.members["wang"], form)
    code: str = issued.code
    return code


async def join(chat: Chat, code: str) -> None:
    await chat.say(f"/start {code}")
    await chat.press("继续")
    await chat.press("是我")


async def test_a_stranger_is_told_how_one_is_invited_and_what_works_without_a_phone(world: World):
    chat = world.chat(7)
    for text in ("/start", "/me", "/org", "/topics", "/stop", "/invite"):
        await chat.say(text)
        assert "邀请" in chat.screen
        assert "当面" in chat.screen


async def test_what_is_stored_and_why_comes_before_the_confirm_screen(world: World, code: str):
    chat = world.chat(7)
    await chat.say(f"/start {code}")
    for word in ("用途", "保存", "不保存", "保存多久", "退出", "有效至 3月7日 10:00"):
        assert word in chat.screen
    assert "王芳" not in chat.screen
    await chat.press("继续")
    assert "王芳" in chat.screen
    assert "北大路支部" in chat.screen
    assert len(chat.messages) == 1


async def test_where_phones_are_not_verified_the_secretary_decides(world: World, town: Town, code: str):
    chat = world.chat(7)
    await join(chat, code)
    assert "支部书记" in chat.screen
    assert chat.reply_keyboard is None
    await chat.share_contact("13805740001")
    assert "等支部书记确认" in chat.screen
    assert (await town.people.looking(town.address(7), TODAY)).actor is None


async def test_the_own_shared_contact_is_the_second_proof_where_phones_are_verified(
    telegram: World, town: Town, code: str
):
    chat = telegram.chat(7)
    await join(chat, code)
    assert chat.reply_keyboard.keyboard[0][0].request_contact
    await chat.share_contact("+86 138 0574 0001")
    assert "已经关联好了" in chat.screen
    assert chat.reply_keyboard.remove_keyboard
    await chat.press("首页")
    assert "王芳" in chat.screen


@pytest.mark.parametrize(("phone", "owner"), [("13805740002", None), ("13805740001", 8)])
async def test_another_number_or_anothers_contact_proves_nothing(
    telegram: World, town: Town, code: str, phone: str, owner: int | None
):
    chat = telegram.chat(7)
    await join(chat, code)
    await chat.share_contact(phone, owner)
    assert (await town.people.looking(town.telegram(7), TODAY)).actor is None


async def test_a_paper_needs_approval_even_where_phones_are_verified(
    telegram: World, town: Town, toolbox: Any
):
    chat = telegram.chat(7)
    await join(chat, await invite(town, toolbox, InvitationForm.PAPER))
    assert chat.reply_keyboard is None
    await chat.share_contact("13805740001")
    assert (await town.people.looking(town.telegram(7), TODAY)).actor is None


async def test_a_used_code_opens_no_second_chat(world: World, code: str):
    await join(world.chat(7), code)
    other = world.chat(8)
    await other.say(f"/start {code}")
    assert "已经用过" in other.screen


async def test_the_same_chat_may_open_its_code_again(world: World, code: str):
    chat = world.chat(7)
    await join(chat, code)
    await chat.say(f"/start {code}")
    assert "还差一步" in chat.screen
    await chat.tap(f"join:accept:{code}")
    assert "还差一步" in chat.screen


@pytest.mark.parametrize(("form", "hours"), [(InvitationForm.LINK, 72), (InvitationForm.PAPER, 24 * 30)])
async def test_a_code_expires(
    world: World, town: Town, toolbox: Any, clock: HandClock, form: InvitationForm, hours: int
):
    code = await invite(town, toolbox, form)
    clock.forward(hours=hours, seconds=-1)
    chat = world.chat(7)
    await chat.say(f"/start {code}")
    assert "欢迎" in chat.screen
    clock.forward(seconds=1)
    await chat.press("继续")
    assert "过期" in chat.alerts[-1]
    await chat.say(f"/start {code}")
    assert "过期" in chat.screen


async def test_a_newer_code_takes_the_place_of_the_older(world: World, town: Town, toolbox: Any):
    old, new = await invite(town, toolbox), await invite(town, toolbox)
    chat = world.chat(7)
    await chat.say(f"/start {old}")
    assert "新的" in chat.screen
    await chat.say(f"/start {new}")
    assert "欢迎" in chat.screen


async def test_anothers_code_opens_nothing_in_a_linked_chat(world: World, town: Town, code: str):
    await town.link("zhang", 7)
    chat = world.chat(7)
    await chat.say(f"/start {code}")
    assert "另一位成员" in chat.screen


@pytest.mark.parametrize("forged", ["A" * 26, "short", "王芳", "' OR 1=1 --"])
async def test_a_forged_code_is_answered_kindly(world: World, forged: str):
    chat = world.chat(7)
    await chat.say(f"/start {forged}")
    assert "邀请码不对" in chat.screen


async def test_many_wrong_codes_make_a_chat_wait_and_no_other(world: World, code: str, clock: HandClock):
    chat = world.chat(7)
    for _ in range(5):
        await chat.say("/start " + "B" * 26)
    await chat.say(f"/start {code}")
    assert "15 分钟" in chat.screen
    other = world.chat(8)
    await other.say(f"/start {code}")
    assert "欢迎" in other.screen
    clock.forward(minutes=15)
    await chat.say(f"/start {code}")
    assert "欢迎" in chat.screen


async def test_who_is_not_meant_says_so_and_nothing_is_stored(world: World, town: Town, code: str):
    chat = world.chat(7)
    await chat.say(f"/start {code}")
    await chat.press("继续")
    await chat.press("不是我")
    assert "没有关联" in chat.screen
    await chat.say(f"/start {code}")
    assert "欢迎" in chat.screen


async def test_the_language_is_chosen_before_anything_else(world: World, code: str):
    chat = world.chat(7)
    await chat.say(f"/start {code}")
    await chat.press("English")
    assert "What for" in chat.screen
    await chat.press("continue")
    await chat.press("Yes, I am 王芳")
    assert "One step left" in chat.screen


async def test_a_waiting_person_can_withdraw(world: World, code: str):
    chat = world.chat(7)
    await join(chat, code)
    await chat.press("撤回")
    assert "已解除" in chat.screen
    await chat.say("/start")
    assert "您好，这里是通道" in chat.screen


async def test_a_linked_person_unlinks_after_a_question(world: World, town: Town):
    await town.link("wang", 7)
    chat = world.chat(7)
    await chat.say("/privacy")
    await chat.press("解除关联")
    assert "解除关联？" in chat.screen
    assert (await town.people.looking(town.address(7), TODAY)).actor is not None
    await chat.press("是的")
    assert (await town.people.looking(town.address(7), TODAY)).actor is None


async def test_a_person_who_blocks_the_bot_and_comes_back_is_known_again(world: World, town: Town):
    from storage import accounts

    await town.link("wang", 7)
    chat = world.chat(7)
    for act, state in ((chat.block, LinkState.BLOCKED), (chat.unblock, LinkState.ACTIVE)):
        await act()
        async with town.database.read() as session:
            link = await accounts.link_at(session, town.address(7))
        assert link is not None
        assert link.state is state


async def test_who_would_rather_not_share_a_number_asks_the_secretary_once(
    telegram: World, town: Town, toolbox: Any, code: str
):
    chat = telegram.chat(7)
    await join(chat, code)
    assert toolbox.delivery.told == []
    await chat.press("请书记确认")
    assert "送到支部书记那里" in chat.messages[0].text
    assert toolbox.delivery.told == [("link_waiting", [town.members["branch_secretary"]])]


async def test_a_number_that_does_not_match_is_left_to_the_secretary(
    telegram: World, town: Town, toolbox: Any, code: str
):
    chat = telegram.chat(7)
    await join(chat, code)
    await chat.share_contact("13805740002")
    assert "等支部书记确认" in chat.screen
    assert toolbox.delivery.told == [("link_waiting", [town.members["branch_secretary"]])]

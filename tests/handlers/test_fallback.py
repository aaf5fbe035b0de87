"""What no feature understood."""

from typing import Any

from domain.invitations import InvitationForm
from tests.fakes import World
from tests.town import Town


async def test_a_bare_code_is_opened(world: World, town: Town, toolbox: Any):
    secretary = await town.actor("branch_secretary")
    issued = await toolbox.invitations.create(secretary, town.members["wang"], InvitationForm.PAPER)
    chat = world.chat(7)
    await chat.say(f" {issued.code} ")
    assert "欢迎来到通道" in chat.screen


async def test_a_member_is_shown_a_way_on(world: World, town: Town):
    await town.link("wang", 7)
    chat = world.chat(7)
    for text in ("今天有通知吗", "/unknown"):
        await chat.say(text)
        assert "没看明白" in chat.screen
    await chat.press("首页")
    assert "王芳，您好" in chat.screen


async def test_a_stranger_who_sends_a_picture_is_told_how_one_is_invited(world: World):
    chat = world.chat(7)
    await chat.send_photo("x")
    assert "邀请" in chat.screen

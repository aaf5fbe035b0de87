"""Joining a chat to a member, as both sides see it."""

from tests.fakes import World


async def test_a_stranger_is_told_how_one_is_invited_and_what_works_without_a_phone(world: World):
    chat = world.chat(7)
    await chat.say("/start")
    assert "邀请" in chat.screen
    assert "当面" in chat.screen

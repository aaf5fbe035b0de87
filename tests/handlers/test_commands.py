"""The commands a messenger offers are those the bot knows, named in both languages."""

from aiogram.methods import SetMyCommands

from handlers import commands
from tests.fakes import World


async def test_the_offered_commands_are_announced_in_both_languages(world: World):
    await commands.announce(world.bot)
    chinese, english = [call for call in world.session.calls if isinstance(call, SetMyCommands)]
    assert chinese.language_code is None
    assert english.language_code == "en"
    assert [one.command for one in chinese.commands] == [one.command for one in english.commands]
    assert chinese.commands[0].description == "首页"
    assert english.commands[0].description == "Home"

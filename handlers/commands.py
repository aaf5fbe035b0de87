"""The list of commands that a messenger offers beside the text field, in each language."""

from aiogram import Bot
from aiogram.types import BotCommand, BotCommandScopeAllPrivateChats, MenuButtonCommands

from locales import DEFAULT, LANGUAGES, Words, speak

OFFERED = (
    "start",
    "notices",
    "polls",
    "serviceday",
    "suggest",
    "me",
    "org",
    "topics",
    "digest",
    "language",
    "stop",
    "resume",
    "privacy",
    "export",
    "forget",
    "help",
    "cancel",
)


async def announce(bot: Bot) -> None:
    """Tell the messenger our commands: Chinese for everybody, each other language for those who use it."""
    scope = BotCommandScopeAllPrivateChats()  # in a group we answer nobody
    await bot.set_my_commands(_offered(speak(DEFAULT)), scope=scope)
    for language in LANGUAGES[1:]:
        await bot.set_my_commands(_offered(speak(language)), scope=scope, language_code=language)
    await bot.set_chat_menu_button(menu_button=MenuButtonCommands())


def _offered(words: Words) -> list[BotCommand]:
    return [BotCommand(command=name, description=words(f"commands.{name}")) for name in OFFERED]

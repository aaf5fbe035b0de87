"""The list of commands that a messenger offers beside the text field, in each language."""

from aiogram import Bot
from aiogram.types import BotCommand

from locales import DEFAULT, LANGUAGES, Words, speak

OFFERED = (
    "start",
    "notices",
    "me",
    "org",
    "topics",
    "language",
    "stop",
    "resume",
    "privacy",
    "help",
    "cancel",
)


async def announce(bot: Bot) -> None:
    """Tell the messenger our commands: Chinese for everybody, each other language for those who use it."""
    await bot.set_my_commands(_offered(speak(DEFAULT)))
    for language in LANGUAGES[1:]:
        await bot.set_my_commands(_offered(speak(language)), language_code=language)


def _offered(words: Words) -> list[BotCommand]:
    return [BotCommand(command=name, description=words(f"commands.{name}")) for name in OFFERED]

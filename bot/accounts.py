"""The bot accounts of the settings: their rows, aiogram's `Bot` for answers, and the channel for deliveries."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from aiogram import Bot
from aiogram.exceptions import TelegramAPIError

from bot.answer_session import AnswerSession
from bot.channels.aiogram_sender import AiogramChannel
from bot.channels.telegram import TelegramChannel
from bot.settings import AccountSettings
from domain.clock import Clock
from storage import accounts
from storage.database import Database

ANSWER_TIMEOUT = 20.0  # seconds
PROBE_TIMEOUT = 10  # seconds
CLIENTS: dict[str, type[TelegramChannel | AiogramChannel]] = {
    "ptb": TelegramChannel,
    "aiogram": AiogramChannel,
}


@dataclass(frozen=True, slots=True)
class BotAccount:
    """One account with its row's id and its two clients."""

    id: int
    settings: AccountSettings
    bot: Bot
    channel: TelegramChannel | AiogramChannel

    async def close(self) -> None:
        await self.bot.session.close()
        await self.channel.close()


async def open_all(
    wanted: Sequence[AccountSettings],
    *,
    database: Database,
    clock: Clock,
    media_path: Callable[[str], Path],
    allowed: Sequence[str] = (),
) -> dict[int, BotAccount]:
    """Bring the rows in line with the settings and open both clients of each account.

    An account whose residency is none of the `allowed` (empty: all are) carries nothing.
    """
    opened = {}
    for settings in wanted:
        async with database.begin() as session:
            number = await accounts.put_account(
                session,
                name=settings.name,
                residency=settings.residency,
                barred=bool(allowed) and settings.residency not in allowed,
                verifies_phones=settings.verifies_phones,
                deep_link_template=settings.deep_link_template,
            )
        opened[number] = _open(number, settings, clock, media_path)
    return opened


def _open(
    number: int, settings: AccountSettings, clock: Clock, media_path: Callable[[str], Path]
) -> BotAccount:
    token = settings.token.get_secret_value()
    session = AnswerSession(
        base_url=settings.base_url,
        timeout=ANSWER_TIMEOUT,
        proxy=settings.proxy,
    )
    channel = CLIENTS[settings.client](
        token=token, base_url=settings.base_url, clock=clock, media_path=media_path, proxy=settings.proxy
    )
    return BotAccount(number, settings, Bot(token, session=session), channel)


async def answers(account: BotAccount) -> bool:
    """Say whether the messenger knows our account: it answers, and takes our token."""
    try:
        await account.bot.get_me(request_timeout=PROBE_TIMEOUT)
    except (TelegramAPIError, OSError, TimeoutError, ValueError):
        return False
    return True

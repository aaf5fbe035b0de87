"""A minimal bot process for the kill test: the real tenure, poller and inbox, and one handler that must not run twice.

    python -m tests.acceptance.inbox_worker DATABASE_URL SERVER_URL TOKEN ACCOUNT_ID [HOLDER]

With HOLDER it is one of several: it claims chats, few at a time, and others wait 2 s for one that died.

Each update adds a topic named by it, in one transaction, and is answered. Ends with 0 once `END` was handled.
"""

import asyncio
import secrets
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer

from bot import claims as bot_claims
from bot import inbox
from bot import tenure as bot_tenure
from bot.claims import Claims
from bot.inbox import Inbox
from bot.polling import Poller, Source
from bot.tenure import Tenure
from storage.database import Database
from storage.sealing import Sealer
from tests.factories import make_topic

END = "就这些"


def clock() -> datetime:
    return datetime.now(UTC)


async def work(url: str, server: str, token: str, account: int, holder: str = "") -> None:
    database = Database(url)
    bot = Bot(token, session=AiohttpSession(api=TelegramAPIServer.from_base(server)))
    ended = asyncio.Event()

    async def feed(account_id: int, update: dict[str, Any], again: bool) -> None:
        message = update["message"]
        if not again:
            async with database.begin() as session:
                await make_topic(session, secrets.token_hex(8), name=message["text"])
        await bot.send_message(message["chat"]["id"], f"办好了：{message['text']}")
        if message["text"] == END:
            ended.set()

    async def apologise(account_id: int, update: dict[str, Any], incident: str) -> None:
        raise AssertionError(incident)

    sealer = Sealer({"test": bytes(range(32))}, "test")
    claims = Claims(database=database, clock=clock, holder=holder, forget=lambda _: None) if holder else None
    box = Inbox(database=database, clock=clock, sealer=sealer, feed=feed, apologise=apologise, claims=claims)
    tenure = Tenure(
        account,
        database=database,
        clock=clock,
        holder=holder or "the one process",
        take=box.take,
        let_go=(lambda _: None) if holder else box.let_go,
        look=box.look,
    )
    if claims is not None:
        await claims.renew()
        await box.take(account)
    await tenure.renew()
    source = Source(account, "webchat", server, token)
    poller = Poller(source, held=tenure.taken, receive=box.receive)
    tasks = [asyncio.create_task(poller.run()), asyncio.create_task(tenure.run())]
    if claims is not None:
        tasks.append(asyncio.create_task(claims.run(box.look, box.tidy)))
    await ended.wait()
    await box.idle()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await bot.session.close()
    await database.close()


def hurry() -> None:
    """Let a fleet share a little work, and go on soon without one that died."""
    inbox.MOST_CHATS = 8
    bot_claims.LEASE = bot_tenure.LEASE = timedelta(seconds=2)
    bot_claims.RENEW_EVERY = bot_tenure.RENEW_EVERY = 0.5


if __name__ == "__main__":
    if sys.argv[5:]:
        hurry()
    asyncio.run(work(*sys.argv[1:4], int(sys.argv[4]), *sys.argv[5:]))

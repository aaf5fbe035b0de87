"""A minimal bot process for the kill test: the real tenure, poller and inbox, and one handler that must not run twice.

    python -m tests.acceptance.inbox_worker DATABASE_URL SERVER_URL TOKEN ACCOUNT_ID

Each update adds a topic named by it, in one transaction, and is answered. Ends with 0 once `END` was handled.
"""

import asyncio
import secrets
import sys
from datetime import UTC, datetime
from typing import Any

from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer

from bot.inbox import Inbox
from bot.polling import Poller, Source
from bot.tenure import Tenure
from storage.database import Database
from storage.sealing import Sealer
from tests.factories import make_topic

END = "就这些"


def clock() -> datetime:
    return datetime.now(UTC)


async def work(url: str, server: str, token: str, account: int) -> None:
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
    box = Inbox(database=database, clock=clock, sealer=sealer, feed=feed, apologise=apologise)
    tenure = Tenure(
        account,
        database=database,
        clock=clock,
        holder="the one process",
        take=box.take,
        let_go=box.let_go,
        look=box.look,
    )
    await tenure.renew()
    source = Source(account, "webchat", server, token)
    poller = Poller(source, held=tenure.taken, receive=box.receive)
    tasks = [asyncio.create_task(poller.run()), asyncio.create_task(tenure.run())]
    await ended.wait()
    await box.idle()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await bot.session.close()
    await database.close()


if __name__ == "__main__":
    asyncio.run(work(*sys.argv[1:4], int(sys.argv[4])))

"""Peers of the benchmark of the pace, each in a process of its own: `python -m benchmarks.pace_peers NAME ...`."""

import asyncio
import logging
import sys
import time
from functools import partial

import uvloop
from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.exceptions import TelegramRetryAfter
from telegram.error import RetryAfter
from telegram.ext import AIORateLimiter, ExtBot

LIMIT = 30
WORKERS = 16


async def aiogram_pool(rate: float, origin: str, token: str, seconds: float) -> None:
    """Send with a pool of workers that one pacer feeds; who meets a 429 waits, and tries again."""
    session = AiohttpSession(api=TelegramAPIServer.from_base(origin))
    bot = Bot(token, session=session)
    queue: asyncio.Queue[int] = asyncio.Queue(maxsize=1)

    async def work() -> None:
        while True:
            await send(await queue.get())

    async def send(chat: int) -> None:
        while True:
            try:
                await bot.send_message(chat, "hello")
            except TelegramRetryAfter as error:
                await asyncio.sleep(error.retry_after)
            else:
                return

    workers = [asyncio.create_task(work()) for _ in range(WORKERS)]
    due = begun = time.monotonic()
    chat = 0
    while due < begun + seconds:
        await asyncio.sleep(due - time.monotonic())
        chat += 1
        await queue.put(chat)
        due = max(due + 1 / rate, time.monotonic())
    for worker in workers:
        worker.cancel()
    await session.close()


async def ptb_stock(origin: str, token: str, seconds: float) -> None:
    """Give a bot with the stock limiter everything at once, as its manual says one may."""
    limiter = AIORateLimiter(overall_max_rate=LIMIT, overall_time_period=1, max_retries=5)
    bot = ExtBot(token, base_url=f"{origin}/bot", rate_limiter=limiter)
    await bot.initialize()

    async def send(chat: int) -> None:
        try:
            await bot.send_message(chat, "hello")
        except RetryAfter:
            return

    sends = [asyncio.create_task(send(chat)) for chat in range(1, round(LIMIT * seconds) + 1)]
    await asyncio.wait(sends, timeout=seconds)
    for each in sends:
        each.cancel()
    await asyncio.gather(*sends, return_exceptions=True)
    await bot.shutdown()


PEERS = {
    "aiogram, 16 workers at 30/s": partial(aiogram_pool, 30.0),
    "aiogram, 16 workers at 28/s": partial(aiogram_pool, 28.0),
    "PTB, AIORateLimiter as it comes": ptb_stock,
}


if __name__ == "__main__":
    logging.disable()
    uvloop.run(PEERS[sys.argv[1]](*sys.argv[2:4], float(sys.argv[4])))

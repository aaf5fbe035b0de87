"""Those whom a delivery's cost is compared with, each in a process of its own and on uvloop, sending one notice.

`channel` is our own channel without the engine: it sends and parses, and nothing is claimed or recorded.

    python -m benchmarks.cost_peers NAME ORIGIN MESSAGES [RATE]

prints the CPU of a message in microseconds; with a rate, of one of so many a second, each at its instant.
"""

import asyncio
import contextlib
import gc
import sqlite3
import sys
import tempfile
import time
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from urllib.parse import urlencode

import aiohttp
import orjson
import uvloop

from benchmarks.fake_server import TOKEN
from domain.accounts import Address
from domain.messages import Button, Content, Envelope

TEXT = "【会议通知】定于本周五下午两点半在市委三楼会议室召开支部大会，请各位同志准时参加，收到请点按钮回复。"
BUTTONS = (("收到", "notice-ack:1234567"), ("为什么收到？", "notice-why:1234567"))
CONTENT = Content(TEXT, keyboard=(tuple(Button(text, data) for text, data in BUTTONS),))
AT_ONCE = 50
BATCH = 500
Send = Callable[[int], Awaitable[object]]


def markup() -> dict[str, object]:
    return {"inline_keyboard": [[{"text": text, "callback_data": data} for text, data in BUTTONS]]}


@asynccontextmanager
async def aiogram(origin: str) -> AsyncIterator[Send]:
    """`Bot.send_message` as its users call it."""
    from aiogram import Bot
    from aiogram.client.session.aiohttp import AiohttpSession
    from aiogram.client.telegram import TelegramAPIServer
    from aiogram.types import InlineKeyboardMarkup

    keyboard = InlineKeyboardMarkup.model_validate(markup())
    async with Bot(TOKEN, session=AiohttpSession(api=TelegramAPIServer.from_base(origin))) as bot:
        yield lambda chat: bot.send_message(chat, TEXT, reply_markup=keyboard)


@asynccontextmanager
async def ptb(origin: str) -> AsyncIterator[Send]:
    """python-telegram-bot as shipped: on httpx, with models."""
    from telegram import InlineKeyboardMarkup
    from telegram.ext import ExtBot
    from telegram.request import HTTPXRequest

    keyboard = InlineKeyboardMarkup.de_json(markup(), None)
    request = HTTPXRequest(connection_pool_size=AT_ONCE * 2, pool_timeout=60)
    async with ExtBot(TOKEN, base_url=f"{origin}/bot", request=request) as bot:
        yield lambda chat: bot.send_message(chat, TEXT, reply_markup=keyboard)


@asynccontextmanager
async def telebot(origin: str) -> AsyncIterator[Send]:
    """Drive pyTelegramBotAPI's asynchronous client."""
    from telebot import asyncio_helper
    from telebot.async_telebot import AsyncTeleBot
    from telebot.types import InlineKeyboardMarkup

    asyncio_helper.API_URL = origin + "/bot{0}/{1}"
    keyboard = InlineKeyboardMarkup.de_json(orjson.dumps(markup()).decode())
    bot = AsyncTeleBot(TOKEN)
    yield lambda chat: bot.send_message(chat, TEXT, reply_markup=keyboard)
    await bot.close_session()


@asynccontextmanager
async def channel(origin: str) -> AsyncIterator[Send]:
    """Drive our own channel, as the engine does."""
    from bot.channels.telegram import TelegramChannel

    made = TelegramChannel(token=TOKEN, base_url=origin, clock=lambda: datetime.now(UTC), media_path=Path)
    yield lambda chat: made.send(Envelope(Address(1, chat), CONTENT), None)
    await made.close()


@asynccontextmanager
async def raw(origin: str, *, records: bool = True) -> AsyncIterator[Send]:
    """aiohttp with a prepared body, its outcomes recorded in batches: the least that records anything."""
    body = urlencode({"text": TEXT, "reply_markup": orjson.dumps(markup()).decode()}).encode()
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    recorded: list[tuple[int, int]] = []
    with tempfile.TemporaryDirectory() as folder, contextlib.closing(_table(Path(folder))) as table:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=AT_ONCE)) as http:

            async def send(chat: int) -> None:
                data = b"chat_id=%d&%b" % (chat, body)
                async with http.post(f"{origin}/bot{TOKEN}/sendMessage", data=data, headers=headers) as reply:
                    message = orjson.loads(await reply.read())["result"]
                if not records:
                    return
                recorded.append((message["message_id"], chat))
                if len(recorded) == BATCH:
                    table.executemany("UPDATE sent SET message = ?, state = 'sent' WHERE chat = ?", recorded)
                    table.commit()
                    recorded.clear()

            yield send


def _table(folder: Path) -> sqlite3.Connection:
    table = sqlite3.connect(folder / "sent.db")
    table.execute("PRAGMA journal_mode = WAL")
    table.execute("PRAGMA synchronous = NORMAL")
    table.execute("CREATE TABLE sent (chat INTEGER PRIMARY KEY, message INTEGER, state TEXT)")
    table.executemany("INSERT INTO sent VALUES (?, NULL, 'waiting')", ((n,) for n in range(100_000)))
    table.commit()
    return table


async def pool(send: Send, messages: int, rate: float = 0) -> None:
    """Send to so many chats with a pool of workers; at a rate, the next free one waits for the instant of the next."""
    chats, began = iter(range(messages)), time.monotonic()

    async def work() -> None:
        for chat in chats:
            if rate and (wait := began + chat / rate - time.monotonic()) > 0:
                await asyncio.sleep(wait)
            await send(chat)

    await asyncio.gather(*(work() for _ in range(AT_ONCE)))


async def broadcaster(origin: str, messages: int) -> float:
    """Run aiogram_broadcaster's mailer: one after the other, with its events and states."""
    from aiogram import Bot
    from aiogram.client.session.aiohttp import AiohttpSession
    from aiogram.client.telegram import TelegramAPIServer
    from aiogram.types import InlineKeyboardMarkup
    from aiogram_broadcaster import Broadcaster
    from aiogram_broadcaster.contents import TextContent

    keyboard = InlineKeyboardMarkup.model_validate(markup())
    async with Bot(TOKEN, session=AiohttpSession(api=TelegramAPIServer.from_base(origin))) as bot:
        content = TextContent(text=TEXT, reply_markup=keyboard)
        first = await Broadcaster(bot).create_mailer(chats=range(10), content=content)
        await first.start()
        mailer = await Broadcaster(bot).create_mailer(chats=range(messages), content=content)
        began = _ready()
        await mailer.start()
        return (time.process_time() - began) / messages


PEERS = {
    "aiogram": aiogram,
    "ptb": ptb,
    "telebot": telebot,
    "channel": channel,
    "raw": raw,
    "bare": partial(raw, records=False),
}


async def measure(name: str, origin: str, messages: int, rate: float) -> float:
    """Return seconds of CPU a message."""
    if name == "broadcaster":
        return await broadcaster(origin, messages)
    async with PEERS[name](origin) as send:
        await pool(send, AT_ONCE * 2)
        began = _ready()
        await pool(send, messages, rate)
        return (time.process_time() - began) / messages


def _ready() -> float:
    """Leave to the garbage collector only what is made from now on, as the bridge does; then read the clock."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000)
    return time.process_time()


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    given = sys.argv
    rate = float(given[4]) if len(given) > 4 else 0
    print(uvloop.run(measure(given[1], given[2], int(given[3]), rate)) * 1e6)

"""A minimal worker process for the kill tests: the real Delivery, engine and channel, nothing else.

    python -m tests.acceptance.delivery_worker DATABASE_URL SERVER_URL TOKEN

Ends with 0 once no dispatch is running.
"""

import asyncio
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import func, select

from bot.channels.telegram import TelegramChannel
from domain.delivery import DispatchState
from scheduler.jobs import Engine
from services.delivery import Delivery, PaceLimits
from storage.database import Database
from tests.delivery_world import ACCOUNT, T, hello

RATE = 150.0
STALE = timedelta(seconds=3)
HEARTBEAT = timedelta(seconds=2)


def clock() -> datetime:
    return datetime.now(UTC)


async def running(database: Database) -> int:
    dispatch = T["dispatch"]
    open_ones = select(func.count()).where(dispatch.c.state == DispatchState.RUNNING)
    async with database.read() as session:
        return (await session.execute(open_ones)).scalar_one()


async def work(url: str, server: str, token: str) -> None:
    database = Database(url)
    engine = await Engine.for_database(database, heartbeat=HEARTBEAT)
    channel = TelegramChannel(token=token, base_url=server, clock=clock, media_path=Path)
    delivery = Delivery(
        database=database,
        clock=clock,
        jobs=engine.jobs,
        channels={ACCOUNT: channel},
        limits={ACCOUNT: PaceLimits(RATE, RATE * 2)},
        stale_after=STALE,
    )
    delivery.sources["notice"] = hello
    delivery.serve(engine)
    await delivery.boot()
    await engine.start()
    while await running(database):
        await asyncio.sleep(0.3)
        await delivery.tick()
    await delivery.stop()
    await engine.stop()
    await channel.close()
    await database.close()


if __name__ == "__main__":
    asyncio.run(work(*sys.argv[1:]))

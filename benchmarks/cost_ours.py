"""Our own side of the comparison of costs: a dispatch from its rows to its last outcome, in a process of its own.

    python -m benchmarks.cost_ours DATABASE_URL ORIGIN MESSAGES RATE

Without an origin (an empty word) nothing is sent: a channel answers at once, and what is left is the engine.
The database holds the people already. Prints the CPU of a delivery in microseconds, and how many went out a second.
The rules are those of the product (quiet hours, rest days, weekly cap), and its clock says Wednesday morning.
"""

import asyncio
import gc
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import structlog
import uvloop
from sqlalchemy import func, select

from benchmarks.cost_peers import CONTENT
from benchmarks.fake_server import TOKEN
from bot.channels.telegram import TelegramChannel
from domain import quiet_hours
from domain.delivery import Outcome, Sent
from domain.messages import Content, Envelope
from domain.rest_days import RestDays
from scheduler.jobs import Engine
from services.delivery import Delivery, PaceLimits
from storage.database import Database
from storage.deliveries import Rules
from tests.delivery_world import ACCOUNT, T

WORKING_HOUR = datetime(2026, 3, 4, 2, 0, tzinfo=UTC) - datetime.now(UTC)
RULES = Rules(quiet=quiet_hours.parse("21:00-08:00"), weekly_cap=100, rest=RestDays())
WARM_UP = 500
LOOK = 0.05


def clock() -> datetime:
    return datetime.now(UTC) + WORKING_HOUR


async def content(_source_id: int, _language: str) -> Content:
    return CONTENT


class AtOnce:
    """A channel without a server behind it."""

    async def send(self, envelope: Envelope, _file_id: str | None) -> Outcome:
        return Sent(envelope.to.chat_id)

    async def close(self) -> None:
        """Have nothing to close."""


async def measure(url: str, origin: str, messages: int, rate: float) -> tuple[float, float]:
    """Return seconds of CPU a delivery, and deliveries a second."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    database = Database(url)
    engine = await Engine.for_database(database)
    real = TelegramChannel(token=TOKEN, base_url=origin, clock=clock, media_path=Path) if origin else None
    channel = real or AtOnce()
    limits = PaceLimits(rate, rate / 0.98)
    delivery = Delivery(
        database=database,
        clock=clock,
        jobs=engine.jobs,
        channels={ACCOUNT: channel},
        limits={ACCOUNT: limits},
        rules=RULES,
    )
    delivery.sources["notice"] = content
    delivery.serve(engine)
    await delivery.boot()
    await engine.start()
    await _deliver(database, delivery, WARM_UP)
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000)
    cpu, began = time.process_time(), time.perf_counter()
    await _deliver(database, delivery, messages)
    used, seconds = time.process_time() - cpu, time.perf_counter() - began
    await delivery.stop()
    await engine.stop()
    await channel.close()
    await database.close()
    return used / messages, messages / seconds


async def _deliver(database: Database, delivery: Delivery, messages: int) -> None:
    """Dispatch to so many, and wait until each has its outcome on record."""
    async with database.begin() as session:
        people = select(T["member"].c.id).order_by(T["member"].c.id).limit(messages)
        number = await delivery.dispatch(session, source="notice", source_id=7, members=people)
    sent = select(func.coalesce(func.sum(T["slice"].c.sent), 0)).where(T["slice"].c.dispatch_id == number)
    while True:
        async with database.read() as session:
            if (await session.execute(sent)).scalar_one() == messages:
                return
        await asyncio.sleep(LOOK)


if __name__ == "__main__":
    given = sys.argv
    print(*uvloop.run(measure(given[1], given[2], int(given[3]), float(given[4]))))

"""Our own side of the comparison of costs: a dispatch from its rows to its last outcome, in a process of its own.

    python -m benchmarks.cost_ours DATABASE_URL ORIGIN MESSAGES RATE

Without an origin (an empty word) nothing is sent: a channel answers at once, and what is left is the engine.
The database holds the people already. Prints what a delivery costs, from when its row is there to when its outcome is
recorded: seconds of CPU in this process, and in PostgreSQL's; and how many went out a second.
A worker runs for weeks, so a few thousand go before, until its connections have their plans. The rules are those of the product (quiet hours, rest days, weekly cap), and its clock says Wednesday morning.
"""

import asyncio
import gc
import os
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog
import uvloop
from sqlalchemy import func, select

from benchmarks.cost_peers import CONTENT
from benchmarks.database_cost import Measure
from benchmarks.fake_server import TOKEN
from bot.channels.telegram import TelegramChannel
from domain import quiet_hours
from domain.chat_pace import PRIVATE_GAP
from domain.delivery import Outcome, Sent
from domain.messages import Content, Envelope
from domain.rest_days import RestDays
from scheduler.jobs import Engine
from services.delivery import Delivery, PaceLimits
from storage.database import Database
from storage.deliveries import Rules
from tests.delivery_world import ACCOUNT, T

WEDNESDAY = datetime(2026, 3, 4, 2, 0, tzinfo=UTC)
UNTIL_THEN = os.environ.setdefault(
    "BENCH_UNTIL_WEDNESDAY", str((WEDNESDAY - datetime.now(UTC)).total_seconds())
)
WORKING_HOUR = timedelta(seconds=float(UNTIL_THEN))
"""All processes of a benchmark have one clock: else what one did lies in the future of the next."""
RULES = Rules(quiet=quiet_hours.parse("21:00-08:00"), weekly_cap=100, rest=RestDays())
WARM_UP = 5000
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


@dataclass(frozen=True, slots=True)
class Used:
    """What was used until now: seconds of CPU of this process and of PostgreSQL's, and seconds that passed."""

    own: float
    server: float
    passed: float

    @classmethod
    def now(cls, server: Measure | None) -> "Used":
        return cls(time.process_time(), server.cpu() if server else 0.0, time.perf_counter())


async def measure(url: str, origin: str, messages: int, rate: float) -> tuple[float, float, float]:
    """Return seconds of CPU a delivery, here and in PostgreSQL, and deliveries a second."""
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
    server = Measure(database) if database.dialect == "postgresql" else None
    await _deliver(database, delivery, WARM_UP, server)
    await asyncio.sleep(PRIVATE_GAP.total_seconds())  # nobody of those is left aside
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000)
    before, after = await _deliver(database, delivery, messages, server)
    await delivery.stop()
    await engine.stop()
    await channel.close()
    await database.close()
    used = (after.own - before.own, after.server - before.server)
    return used[0] / messages, used[1] / messages, messages / (after.passed - before.passed)


async def _deliver(
    database: Database, delivery: Delivery, messages: int, server: Measure | None
) -> tuple[Used, Used]:
    """Dispatch to so many, and wait until each has its outcome on record; what was used when the rows were there, and then."""
    async with database.begin() as session:
        people = select(T["member"].c.id).order_by(T["member"].c.id).limit(messages)
        number = await delivery.dispatch(session, source="notice", source_id=7, members=people)
        before = Used.now(server)
    sent = select(func.coalesce(func.sum(T["slice"].c.sent), 0)).where(T["slice"].c.dispatch_id == number)
    while True:
        async with database.read() as session:
            if (await session.execute(sent)).scalar_one() == messages:
                return before, Used.now(server)
        await asyncio.sleep(LOOK)


if __name__ == "__main__":
    given = sys.argv
    print(*uvloop.run(measure(given[1], given[2], int(given[3]), float(given[4]))))

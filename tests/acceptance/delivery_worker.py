"""A minimal worker process for the kill tests: the real Delivery, engine and channel, nothing else.

    python -m tests.acceptance.delivery_worker DATABASE_URL SERVER_URL TOKEN RATE [POLICY]

With a policy it first dispatches to all members, if nobody did. Ends with 0 once no dispatch is running.
The ids of its attempts begin with the number of its process, so that what was its own when it died can be told.
"""

import asyncio
import os
import sys
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import uvloop
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from bot import logs
from bot.channels.telegram import TelegramChannel
from domain.delivery import DispatchState, UnknownPolicy
from scheduler.jobs import Engine
from services import killpoints, pipeline
from services.delivery import Delivery, PaceLimits
from storage.database import Database, after_commit
from tests.delivery_world import ACCOUNT, T, hello

STALE = timedelta(seconds=5)
HEARTBEAT = timedelta(seconds=2)
TICK = 1.0


def clock() -> datetime:
    return datetime.now(UTC)


def attempts_of(process: int) -> str:
    """Return how the ids of a process's attempts begin."""
    return f"{process:08x}"


class Numbered:
    """Stands in for the module `uuid` where attempts are named."""

    @staticmethod
    def uuid4() -> uuid.UUID:
        return uuid.UUID(attempts_of(os.getpid()) + uuid.uuid4().hex[8:])


async def count(database: Database, *states: DispatchState) -> int:
    dispatch = T["dispatch"]
    found = select(func.count()).select_from(dispatch)
    async with database.read() as session:
        return (await session.execute(found.where(dispatch.c.state.in_(states)))).scalar_one()


async def dispatch_once(database: Database, delivery: Delivery, policy: UnknownPolicy) -> None:
    async def committed() -> None:
        killpoints.reach("after_dispatch_commit")

    if await count(database, *DispatchState):
        return
    async with database.begin() as session:
        after_commit(session, committed)  # before the engine's own: the jobs in memory are not there yet
        everybody = select(T["member"].c.id)
        await delivery.dispatch(
            session, source="notice", source_id=7, members=everybody, unknown_policy=policy
        )


async def over(database: Database, delivery: Delivery) -> bool:
    """Look after everything, and say whether no dispatch runs; the database may be away, or its disk full."""
    try:
        await delivery.tick()
        return not await count(database, DispatchState.RUNNING)
    except (OSError, SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError):
        return False


async def work(url: str, server: str, token: str, rate: float, policy: UnknownPolicy | None) -> None:
    database = Database(url)
    engine = await Engine.for_database(database, heartbeat=HEARTBEAT)
    channel = TelegramChannel(token=token, base_url=server, clock=clock, media_path=Path)
    delivery = Delivery(
        database=database,
        clock=clock,
        jobs=engine.jobs,
        channels={ACCOUNT: channel},
        limits={ACCOUNT: PaceLimits(rate, rate * 2)},
        stale_after=STALE,
    )
    delivery.sources["notice"] = hello
    pipeline.uuid = Numbered
    delivery.serve(engine)
    await delivery.boot()
    if policy is not None:
        await dispatch_once(database, delivery, policy)
    await engine.start()
    while not await over(database, delivery):
        await asyncio.sleep(TICK)
    await delivery.stop()
    await engine.stop()
    await channel.close()
    await database.close()


if __name__ == "__main__":
    logs.configure(style="json")
    policies = [UnknownPolicy(each) for each in sys.argv[5:]]
    uvloop.run(work(*sys.argv[1:4], float(sys.argv[4]), policies[0] if policies else None))

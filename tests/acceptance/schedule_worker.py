"""A process that ticks schedules, for the kill test: each occurrence leaves one topic, named by it.

    python -m tests.acceptance.schedule_worker DATABASE_URL NOW [POINT NTH]

Ticks at the moment `NOW` until nothing is due, or ends itself with SIGKILL at a point of the nth handler:
``before`` it wrote, ``written`` (before the commit), ``committed`` (before the next one).
"""

import asyncio
import os
import signal
import sys
from datetime import datetime

from domain.schedules import Due
from services.audit import Audit
from services.holidays import Holidays
from services.schedules import Schedules
from storage.database import Database, Session, after_commit
from storage.sealing import Sealer
from tests.factories import make_topic


async def work(url: str, now: str, point: str = "", nth: str = "0") -> None:
    database = Database(url)
    handled = 0

    def clock() -> datetime:
        return datetime.fromisoformat(now)

    def reach(where: str) -> None:
        if where == point and handled == int(nth):
            os.kill(os.getpid(), signal.SIGKILL)

    async def committed() -> None:
        reach("committed")

    async def handle(session: Session, due: Due) -> None:
        nonlocal handled
        handled += 1
        reach("before")
        await make_topic(session, f"{due.subject_id}:{due.planned}:{os.getpid()}")
        reach("written")
        after_commit(session, committed)

    audit = Audit(database=database, clock=clock, sealer=Sealer({"test": bytes(range(32))}, "test"))
    holidays = Holidays(database=database, clock=clock, audit=audit)
    schedules = Schedules(database=database, clock=clock, holidays=holidays)
    schedules.handlers["bell"] = handle
    await schedules.tick()
    await database.close()


if __name__ == "__main__":
    asyncio.run(work(*sys.argv[1:]))

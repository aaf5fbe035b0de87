"""What the steps of a delivery at a high pace cost our process, each done alone by the engine's own statements.

    python -m benchmarks.cost_steps DATABASE_URL MESSAGES

The database holds a notice to so many. Prints the microseconds of CPU of a delivery for reservation, claim and record.
"""

import gc
import sys
import time
import uuid
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

import uvloop

from benchmarks import life
from benchmarks.cost_ours import RULES, clock
from domain.delivery import Lane
from domain.pace import LARGEST_GROUP, PaceKind
from services.recorder import GATHER_MOST
from storage import deliveries, pace, shares
from storage.database import Database
from storage.deliveries import Claim, OpenSlice
from storage.materialise import SLICE_SIZE
from tests.delivery_world import ACCOUNT

Step = Callable[[], Awaitable[object]]


async def measure(url: str, messages: int) -> list[float]:
    """Return seconds of CPU a delivery, of each step."""
    database, claims = Database(url), list[Claim]()
    opened = [await life.open_slice(database, number) for number in await life.slices(database, 1)]
    groups = [taken for taken in opened for _ in range(SLICE_SIZE // LARGEST_GROUP)]
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000)
    used = [
        await _cpu([partial(_reserve, database)] * (messages // LARGEST_GROUP)),
        await _cpu([partial(_claim, database, taken, claims) for taken in groups]),
    ]
    batches = [claims[start : start + GATHER_MOST] for start in range(0, messages, GATHER_MOST)]
    used.append(await _cpu([partial(life.record, database, batch) for batch in batches]))
    if len(claims) != messages:
        raise RuntimeError(f"{len(claims)} claimed, not {messages}")
    await database.close()
    return [each / messages for each in used]


async def _cpu(steps: Sequence[Step]) -> float:
    began = time.process_time()
    for step in steps:
        await step()
    return time.process_time() - began


async def _reserve(database: Database) -> None:
    async with database.begin() as session:
        now, whose = life.clock(), (ACCOUNT, PaceKind.FREE, Lane.NORMAL)
        await pace.reserve(session, ACCOUNT, Lane.NORMAL, LARGEST_GROUP, now)
        await shares.grant(session, *whose, 1, LARGEST_GROUP, now)
        await shares.read(session, *whose, now)


async def _claim(database: Database, taken: OpenSlice, claims: list[Claim]) -> None:
    async with database.begin() as session:
        claimed = await deliveries.claim(
            session, taken, limit=LARGEST_GROUP, attempt_id=uuid.uuid4().hex, rules=RULES, now=clock()
        )
    claims += claimed.claims


if __name__ == "__main__":
    print(*(each * 1e6 for each in uvloop.run(measure(sys.argv[1], int(sys.argv[2])))))

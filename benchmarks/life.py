"""The life of a dispatch by the engine's own statements, without a server: written, claimed in groups, recorded in batches."""

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import select

from domain.delivery import DeliveryState, Lane, UnknownPolicy, Verdict
from storage import deliveries, dispatches, materialise, outcomes
from storage.database import Database
from storage.deliveries import Claim, OpenSlice, Rules
from storage.outcomes import Record
from tests.delivery_world import T


def clock() -> datetime:
    return datetime.now(UTC)


async def write(database: Database) -> int:
    """Write a notice to everybody; return its dispatch."""
    async with database.begin() as session:
        dispatch_id = await dispatches.create(
            session,
            source="notice",
            source_id=7,
            author_id=None,
            lane=Lane.NORMAL,
            unknown_policy=UnknownPolicy.PARK,
            useful_until=None,
            topic_id=None,
            now=clock(),
        )
        await materialise.write(session, dispatch_id, select(T["member"].c.id))
    return dispatch_id


async def slices(database: Database, dispatch_id: int) -> Sequence[int]:
    found = select(T["slice"].c.id).where(T["slice"].c.dispatch_id == dispatch_id).order_by(T["slice"].c.id)
    async with database.read() as session:
        return list((await session.execute(found)).scalars())


async def open_slice(database: Database, slice_id: int) -> OpenSlice:
    async with database.begin() as session:
        taken = await deliveries.open_slice(session, slice_id, 1, clock())
    assert taken is not None
    return taken


async def claim(database: Database, taken: OpenSlice, group: int, beyond: int = 0) -> Sequence[Claim]:
    """Claim one group, those beyond a number first, in a transaction of its own."""
    async with database.begin() as session:
        attempt = uuid.uuid4().hex
        claimed = await deliveries.claim(
            session, taken, limit=group, attempt_id=attempt, rules=Rules(), now=clock(), beyond=beyond
        )
    return claimed.claims


async def record(database: Database, claims: Sequence[Claim]) -> None:
    """Record a batch as sent, as the recorder does."""
    now = clock()
    sent = [
        Record(each.id, each.attempt_id, Verdict(DeliveryState.SENT, message_id=each.id + 10**6))
        for each in claims
    ]
    async with database.begin() as session:
        over = await outcomes.record(session, sent, now)
        if over:
            await outcomes.finish(session, now, over)


async def live(database: Database, dispatch_id: int, *, group: int, batch: int) -> None:
    """Bring every delivery of a dispatch to its end."""
    for number in await slices(database, dispatch_id):
        taken, claims = await open_slice(database, number), list[Claim]()
        while claimed := await claim(database, taken, group, claims[-1].id if claims else 0):
            claims += claimed
        for start in range(0, len(claims), batch):
            await record(database, claims[start : start + batch])

"""The one bridge to the job engine: it enqueues inside the caller's transaction.

Learnt the hard way about pgqueuer on PostgreSQL:
- It must run on the session's own asyncpg connection, and that connection must already be in a transaction.
  SQLAlchemy begins one lazily with its first statement; a job enqueued before that survived a rollback.
- The default for a taken dedupe key is an error, which aborts the caller's transaction; `skip` does not.
In memory there is no transaction to share, so the job is enqueued after the commit. Jobs in memory vanish
with the process: rows stay the truth, and the next kick finds what is due.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver
from pgqueuer.adapters.persistence.queries import Queries
from pgqueuer.domain.types import QueueEntrypoint
from pgqueuer.ports import RepositoryPort
from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from storage.database import after_commit


@dataclass(frozen=True, slots=True)
class Job:
    """A thing to do: `name` is its handler, `key` keeps it from waiting twice."""

    name: str
    payload: bytes
    key: str
    priority: int = 0


class Jobs:
    """Enqueues in the caller's transaction. `memory` is the in-process engine's queue, `None` on PostgreSQL."""

    def __init__(self, memory: RepositoryPort | None = None) -> None:
        self.memory = memory

    async def enqueue(self, session: AsyncSession, jobs: Sequence[Job]) -> None:
        """Enqueue `jobs`; one whose key already waits or runs is left out."""
        if not jobs:
            return
        if self.memory is None:
            await _put(await _queries_of(session), jobs)
            return
        memory, kept = self.memory, tuple(jobs)

        async def put() -> None:
            await _put(memory, kept)

        after_commit(session, put)

    async def waiting(self, session: AsyncSession, names: Sequence[str]) -> int:
        """Count the jobs of these names that wait, if any of them wants a place now."""
        queries = self.memory
        if queries is None:
            raw = (await (await session.connection()).get_raw_connection()).driver_connection
            queries = Queries(AsyncpgDriver(raw))
        if not await queries.eligible_queued_work([QueueEntrypoint(name) for name in names]):
            return 0
        sizes = await queries.queue_size()
        return sum(each.count for each in sizes if each.status == "queued" and each.entrypoint in names)


async def _put(queries: RepositoryPort, jobs: Sequence[Job]) -> None:
    await queries.enqueue(
        [job.name for job in jobs],
        [job.payload for job in jobs],
        [job.priority for job in jobs],
        dedupe_key=[job.key for job in jobs],
        on_conflict="skip",
    )


async def _queries_of(session: AsyncSession) -> RepositoryPort:
    await session.flush()
    connection = await session.connection()
    await connection.execute(text("SELECT 1"))
    raw = (await connection.get_raw_connection()).driver_connection
    if raw is None or not raw.is_in_transaction():
        msg = "a job is enqueued in a transaction or not at all"
        raise RuntimeError(msg)
    return Queries(AsyncpgDriver(raw))

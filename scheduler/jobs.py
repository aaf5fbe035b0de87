"""The job engine: a port of five methods over pgqueuer, in this process or over PostgreSQL.

Normal and urgent work have a queue manager each, so that a long broadcast never takes the urgent place.
A handler returns seconds to be called again with the same payload (its key stays taken meanwhile), or `None`.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import asyncpg
import structlog
from pgqueuer.adapters.drivers.asyncpg import AsyncpgPoolDriver
from pgqueuer.adapters.inmemory import InMemoryDriver, InMemoryQueries
from pgqueuer.adapters.persistence.queries import Queries
from pgqueuer.applications import PgQueuer
from pgqueuer.domain.errors import RetryRequested
from pgqueuer.domain.models import Job, TableChangedEvent
from pgqueuer.ports.driver import Driver

from storage.database import Database
from storage.jobs import Jobs

Handler = Callable[[bytes], Awaitable[float | None]]
POOL_SIZE = 4
POLL = timedelta(seconds=5)
HEARTBEAT = timedelta(seconds=8)
WAKE_AFTER = 0.05
TIDY_EVERY = 600.0
PLACES = {"normal": (2, 4), "urgent": (1, 2)}
"""Batch size and places of each queue manager; pgqueuer wants twice as many places as a batch."""

log = structlog.get_logger(__name__)


class Engine:
    """Runs jobs: `handle` before `start`, `jobs` to enqueue, `stop` at the end."""

    def __init__(
        self,
        driver: Driver,
        queries: InMemoryQueries | Queries,
        jobs: Jobs,
        *,
        pool: asyncpg.Pool | None = None,
        heartbeat: timedelta = HEARTBEAT,
    ) -> None:
        self._managers = {kind: PgQueuer(connection=driver, queries=queries) for kind in PLACES}
        self._driver = driver
        self._channel = self._managers["normal"].channel
        self._tidying: asyncio.Task[None] | None = None
        self._waking: set[asyncio.Task[None]] = set()
        self._queries = queries
        self._pool = pool
        self._heartbeat = heartbeat
        self._tasks: list[asyncio.Task[None]] = []
        self.jobs = jobs

    @classmethod
    def in_memory(cls) -> "Engine":
        """Build the engine of one process; its jobs vanish with it."""
        driver = InMemoryDriver()
        queries = InMemoryQueries(driver=driver)
        return cls(driver, queries, Jobs(queries))

    @classmethod
    async def for_database(cls, database: Database, heartbeat: timedelta = HEARTBEAT) -> "Engine":
        """Build the engine for a database: of this process on SQLite, of the whole fleet on PostgreSQL.

        A job whose worker has not beaten for `heartbeat` is taken by another.
        """
        if database.dialect == "sqlite":
            return cls.in_memory()
        dsn = database.url.set(drivername="postgresql").render_as_string(hide_password=False)
        pool = await asyncpg.create_pool(dsn, min_size=POOL_SIZE, max_size=POOL_SIZE)
        driver: Driver = AsyncpgPoolDriver(pool)
        return cls(driver, Queries(driver), Jobs(), pool=pool, heartbeat=heartbeat)

    def handle(self, name: str, handler: Handler, *, urgent: bool = False) -> None:
        """Let `handler` do the jobs of this name."""

        async def work(job: Job) -> None:
            again_in = await handler(job.payload or b"")
            if again_in is not None:
                self._wake_soon()
                raise RetryRequested(delay=timedelta(seconds=again_in))

        self._managers["urgent" if urgent else "normal"].entrypoint(name)(work)

    async def start(self) -> None:
        """Begin to take jobs, and to drop the log of those that are over."""
        self._tidying = asyncio.create_task(self._tidy_always())
        for kind, (batch, places) in PLACES.items():
            manager = self._managers[kind].qm
            self._tasks.append(
                asyncio.create_task(
                    manager.run(
                        batch_size=batch,
                        max_concurrent_tasks=places,
                        dequeue_timeout=POLL,
                        heartbeat_timeout=self._heartbeat,
                        log_aggregation_interval=timedelta(0),
                    )
                )
            )

    @property
    def running(self) -> bool:
        """Say whether every queue manager takes jobs."""
        return bool(self._tasks) and not any(task.done() for task in self._tasks)

    def _wake_soon(self) -> None:
        """Let the managers look again once a job has given its place away.

        On PostgreSQL pgqueuer's trigger tells them of inserts and deletes, but of no update: without this
        the place stayed empty until the next poll.
        """

        async def wake() -> None:
            await asyncio.sleep(WAKE_AFTER)
            event = TableChangedEvent(
                channel=self._channel,
                operation="update",
                sent_at=datetime.now(UTC),
                table="pgqueuer",
                type="table_changed_event",
            )
            await self._driver.notify(self._channel, event.model_dump_json())

        task = asyncio.create_task(wake())
        self._waking.add(task)
        task.add_done_callback(self._waking.discard)

    async def _tidy_always(self) -> None:
        while True:
            await asyncio.sleep(TIDY_EVERY)
            try:
                await self.tidy()
            except Exception:  # the database may be away; the next time will do
                log.exception("job log not tidied")

    async def tidy(self) -> None:
        """Drop the engine's log of jobs that are over: our rows say what was done, and the log only grows."""
        for manager in self._managers.values():
            await self._queries.clear_queue_log([str(name) for name in manager.qm.entrypoint_registry])

    async def stop(self) -> None:
        """Take no more jobs, and wait for those that run."""
        for manager in self._managers.values():
            manager.shutdown.set()
        if self._tidying is not None:
            self._tidying.cancel()
        for outcome in await asyncio.gather(*self._tasks, return_exceptions=True):
            if isinstance(outcome, Exception):
                log.error("job engine ended badly", exc_info=outcome)
        await asyncio.gather(*self._waking, return_exceptions=True)
        if self._pool is not None:
            await self._pool.close()

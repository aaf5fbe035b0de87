"""The job engine: a port of five methods over pgqueuer, in this process or over PostgreSQL.

Normal and urgent work have a queue manager each, so that a long broadcast never takes the urgent place.
A handler returns seconds to be called again with the same payload (its key stays taken meanwhile), or `None`.

Learnt the hard way: a manager ends when its database goes away, and its driver keeps the dead listening
connection; so each run of a manager has a pool of its own, and a manager that failed is built anew. It also probes
its listening before it listens, and ends ten seconds later if the probe was quicker: so its connection listens before.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import asyncpg
import structlog
from pgqueuer.adapters.drivers.asyncpg import AsyncpgPoolDriver
from pgqueuer.adapters.inmemory import InMemoryDriver, InMemoryQueries
from pgqueuer.adapters.persistence.queries import Queries
from pgqueuer.applications import PgQueuer
from pgqueuer.core.qm import QueueManager
from pgqueuer.domain.errors import RetryRequested
from pgqueuer.domain.models import Job, TableChangedEvent

from domain.delivery import Lane
from services.delivery import PLACES
from services.meter import Meter, Unwatched
from storage.database import Database
from storage.jobs import Jobs

Handler = Callable[[bytes], Awaitable[float | None]]
POOL_SIZE = 3
POLL = timedelta(seconds=5)
HEARTBEAT = timedelta(seconds=8)
WAKE_AFTER = 0.05
TIDY_EVERY = 600.0
RESTART_AFTER = 1.0
BATCH = 2
"""Jobs taken at once: few, so that the processes of a fleet share them; pgqueuer wants places for two batches."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Handled:
    """A name of jobs, who does them, and in which lane."""

    name: str
    work: Callable[[Job], Awaitable[None]]
    lane: Lane


class Engine:
    """Runs jobs: `handle` before `start`, `jobs` to enqueue, `tidy` now and then, `stop` at the end."""

    def __init__(
        self, *, dsn: str | None, pool: asyncpg.Pool | None, heartbeat: timedelta = HEARTBEAT
    ) -> None:
        self._dsn = dsn
        self._pool = pool
        self._heartbeat = heartbeat
        memory = InMemoryQueries(driver=InMemoryDriver())
        self._queries = memory if pool is None else Queries(AsyncpgPoolDriver(pool))
        self._handled: list[Handled] = []
        self._managers: dict[Lane, QueueManager] = {}
        self._running: list[asyncio.Task[None]] = []
        self._tidying: asyncio.Task[None] | None = None
        self._waking: set[asyncio.Task[None]] = set()
        self._stopping = asyncio.Event()
        self.jobs = Jobs(memory if pool is None else None)
        self.meter: Meter = Unwatched()

    @classmethod
    def in_memory(cls) -> "Engine":
        """Build the engine of one process; its jobs vanish with it."""
        return cls(dsn=None, pool=None)

    @classmethod
    async def for_database(cls, database: Database, heartbeat: timedelta = HEARTBEAT) -> "Engine":
        """Build the engine for a database: of this process on SQLite, of the whole fleet on PostgreSQL.

        A job whose worker has not beaten for `heartbeat` is taken by another.
        """
        if database.dialect == "sqlite":
            return cls.in_memory()
        dsn = database.url.set(drivername="postgresql").render_as_string(hide_password=False)
        pool = await asyncpg.create_pool(dsn, min_size=1, max_size=1, reset=_as_it_is)
        return cls(dsn=dsn, pool=pool, heartbeat=heartbeat)

    def handle(self, name: str, handler: Handler, *, urgent: bool = False) -> None:
        """Let `handler` do the jobs of this name."""

        async def work(job: Job) -> None:
            began = time.monotonic()
            again_in = await handler(job.payload or b"")
            self.meter.worked(name, time.monotonic() - began)
            if again_in is not None:
                self._wake_soon()
                raise RetryRequested(delay=timedelta(seconds=again_in))

        self._handled.append(Handled(name, work, Lane.URGENT if urgent else Lane.NORMAL))

    async def start(self) -> None:
        """Begin to take jobs, and to drop the log of those that are over."""
        self._running = [asyncio.create_task(self._run(lane)) for lane in PLACES]
        self._tidying = asyncio.create_task(self._tidy_always())

    async def tidy(self) -> None:
        """Drop the engine's log of jobs that are over: our rows say what was done, and the log only grows."""
        await self._queries.clear_queue_log([each.name for each in self._handled])

    async def stop(self) -> None:
        """Take no more jobs, and wait for those that run."""
        self._stopping.set()
        for manager in self._managers.values():
            manager.shutdown.set()
        if self._tidying is not None:
            self._tidying.cancel()
        await asyncio.gather(*self._running, *self._waking, return_exceptions=True)
        if self._pool is not None:
            await self._pool.close()

    async def _run(self, lane: Lane) -> None:
        """Run a lane's manager until the end, and again after whatever ended it before."""
        while not self._stopping.is_set():
            try:
                async with self._manager(lane) as manager:
                    await manager.run(
                        batch_size=BATCH,
                        max_concurrent_tasks=PLACES[lane],
                        dequeue_timeout=POLL,
                        heartbeat_timeout=self._heartbeat,
                        log_aggregation_interval=timedelta(0),
                        shutdown_on_listener_failure=True,
                    )
            except Exception:  # the database may be away; the rows wait, and so does the work
                log.exception("job engine failed, starting again", lane=lane)
                self._managers.pop(lane, None)
                await _wait(self._stopping, RESTART_AFTER)

    @asynccontextmanager
    async def _manager(self, lane: Lane) -> AsyncIterator[QueueManager]:
        if isinstance(self._queries, InMemoryQueries):
            yield self._prepare(lane, PgQueuer(connection=self._queries.driver, queries=self._queries))
            return
        pool = await asyncpg.create_pool(self._dsn, min_size=1, max_size=POOL_SIZE, reset=_as_it_is)
        try:
            application = PgQueuer.from_asyncpg_pool(pool)
            await application.connection.add_listener(application.qm.channel, _nothing)
            yield self._prepare(lane, application)
        finally:
            pool.terminate()

    def _prepare(self, lane: Lane, application: PgQueuer) -> QueueManager:
        for each in self._handled:
            if each.lane == lane:
                application.entrypoint(each.name)(each.work)
        self._managers[lane] = application.qm
        if self._stopping.is_set():
            application.qm.shutdown.set()
        return application.qm

    @property
    def running(self) -> bool:
        """Say whether every queue manager takes jobs; one that is being built anew does not."""
        return self._managers.keys() == PLACES.keys()

    def _wake_soon(self) -> None:
        """Let the managers look again once a job has given its place away.

        On PostgreSQL pgqueuer's trigger tells them of inserts and deletes, but of no update: without this
        the place stayed empty until the next poll.
        """
        task = asyncio.create_task(self._wake())
        self._waking.add(task)
        task.add_done_callback(self._waking.discard)

    async def _wake(self) -> None:
        await asyncio.sleep(WAKE_AFTER)
        channel = self._queries.qbq.settings.channel
        event = TableChangedEvent(
            channel=channel,
            operation="update",
            sent_at=datetime.now(UTC),
            table=self._queries.qbq.settings.queue_table,
            type="table_changed_event",
        )
        try:
            await self._queries.driver.notify(channel, event.model_dump_json())
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            log.warning("managers not woken; they look by themselves", every=POLL.total_seconds())

    async def _tidy_always(self) -> None:
        while True:
            await asyncio.sleep(TIDY_EVERY)
            try:
                await self.tidy()
            except Exception:  # the database may be away; the next time will do
                log.exception("job log not tidied")


def _nothing(_payload: object) -> None:
    """Take a notice that nobody waits for yet."""


async def _as_it_is(_connection: object) -> None:
    """Give a connection back as it is: pgqueuer sets nothing on it, and asyncpg's reset is a trip to the server of its own."""


async def _wait(event: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return

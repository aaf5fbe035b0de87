"""The recorder: outcomes gather for 50 ms or until a thousand are there, and are written in one transaction.

It keeps an outcome until it is written: while the database is away, it tries again, soon and then less often, and when
an outcome comes, since the database seems to have taken its claim. (Once it stayed back for a whole second, in which
hundreds were sent; the process was killed then, and all of them were in doubt.)
One that the database will never store keeps none of the others: they are written apart from it, and it without what
its server said.
"""

import asyncio
import time

import structlog

from domain.clock import Clock
from domain.delivery import DispatchState, Verdict
from services import killpoints
from services.meter import Meter, Unwatched
from services.sender import passed
from storage import halts, outcomes
from storage.database import Database
from storage.outcomes import Record

GATHER_SECONDS = 0.05
GATHER_MOST = 1000
RETRY_FIRST, RETRY_MOST = 0.05, 1.0
"""Seconds that it stays back after a try that failed: twice as long each time, until something is written."""
UNSTORABLE = "bad_reply"
"""The reason of an outcome whose own could not be stored."""

log = structlog.get_logger(__name__)


class Recorder:
    """Takes outcomes from any number of senders and writes them in batches."""

    def __init__(self, *, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._gathered: list[Record] = []
        self._failing: dict[int, str] = {}
        self._full = asyncio.Event()
        self._came = asyncio.Event()
        self._released: list[tuple[int, str]] = []
        self._writer: asyncio.Task[None] | None = None
        self._since = 0.0
        self.meter: Meter = Unwatched()
        self.behind = False
        """Outcomes could not be written, and are not yet."""

    def put(self, record: Record, *, halt: tuple[int, str] | None = None) -> None:
        """Take one record; `halt` names an account that has to stop, and why."""
        if not self._gathered:
            self._since = time.monotonic()
        self._gathered.append(record)
        self._came.set()
        if halt is not None:
            self._failing.setdefault(*halt)
            self._full.set()
        if len(self._gathered) >= GATHER_MOST:
            self._full.set()
        self._begin()

    def release(self, slice_id: int, attempt_id: str) -> None:
        """Let wait again what was claimed for an attempt of which nothing has left, if it was claimed at all."""
        self._released.append((slice_id, attempt_id))
        self._begin()

    def _begin(self) -> None:
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write())

    async def drain(self, grace: float | None = None) -> None:
        """Return when everything taken so far is written, or after `grace` seconds."""
        if self._writer is None or self._writer.done():
            return
        self._full.set()
        _, late = await asyncio.wait({self._writer}, timeout=grace)
        for writer in late:
            log.error("outcomes given up", outcomes=len(self._gathered))
            writer.cancel()

    async def _write(self) -> None:
        retry = RETRY_FIRST
        while self._gathered or self._released:
            if not self._full.is_set():
                await passed(self._full, GATHER_SECONDS)
            self._full.clear()
            batch, self._gathered = self._gathered, []
            since = self._since
            killpoints.reach("before_recording")
            try:
                await self._commit(batch)
                self.behind, retry = False, RETRY_FIRST
                if batch:
                    self.meter.recorded(len(batch), time.monotonic() - since)
            except Exception:  # whatever it was: an outcome is never dropped
                if batch:
                    self._gathered, self._since = batch + self._gathered, since
                self.behind = True
                log.exception("outcomes not recorded, trying again", outcomes=len(batch))
                retry = await self._stay_back(retry)

    async def _stay_back(self, seconds: float) -> float:
        """Wait to try again, but not for long if outcomes come; return how long to wait the next time."""
        self._came.clear()
        await asyncio.sleep(GATHER_SECONDS)
        if await passed(self._came, seconds):
            return RETRY_FIRST
        return min(seconds * 2, RETRY_MOST)

    async def _commit(self, batch: list[Record]) -> None:
        try:
            await self._commit_whole(batch)
        except Exception as error:
            if not batch or not outcomes.refused(error):
                raise
            await self._commit_apart(batch)

    async def _commit_apart(self, batch: list[Record]) -> None:
        """Commit in ever smaller parts what was refused as a whole; what is refused alone goes without its details."""
        middle = len(batch) // 2
        if middle:
            await self._commit(batch[:middle])
            await self._commit(batch[middle:])
            return
        (alone,) = batch
        log.error("outcome cannot be stored", outcome=repr(alone))
        try:
            await self._commit_whole([_bare(alone)])
        except Exception as error:
            if not outcomes.refused(error):
                raise
            log.exception("outcome given up: its attempt ends as one that is lost", outcome=repr(alone))

    async def _commit_whole(self, batch: list[Record]) -> None:
        now, failing, released = self._clock(), dict(sorted(self._failing.items())), self._released[:]
        async with self._database.begin() as session:
            stopped = [each for each in failing if await halts.halt(session, each, failing[each], now)]
            for slice_id, attempt_id in released:
                await outcomes.release(session, slice_id, attempt_id)
            over = await outcomes.record(session, batch, now)
            ended = await outcomes.finish(session, now, over) if over else []
            killpoints.reach("before_record_commit")
        killpoints.reach("after_record_commit")
        del self._released[: len(released)]
        for account_id, reason in failing.items():
            self._failing.pop(account_id, None)
            if account_id in stopped:
                log.error("account stopped by itself", account=account_id, reason=reason)
        for dispatch_id in ended:
            log.info("dispatch ended", dispatch=dispatch_id, state=DispatchState.DONE)


def _bare(record: Record) -> Record:
    """Return what became of a delivery without anything that a server wrote."""
    verdict = record.verdict
    kept = Verdict(verdict.state, UNSTORABLE, verdict.retry_at, sure=verdict.sure)
    return record._replace(verdict=kept, moved_to=None)

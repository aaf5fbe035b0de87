"""The heartbeat of a process: every few seconds a row says that it runs, where, and what it finds wrong."""

import asyncio
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import structlog

from bot.http import Health
from domain.clock import Clock
from domain.processes import BEAT_EVERY, Process
from storage import processes
from storage.database import Database

log = structlog.get_logger(__name__)
CHECK = "heartbeat"
UNHEARD = 60.0
"""Seconds without a heartbeat written that are too long: a long transaction on SQLite is none of it."""


class Heartbeat:
    """Beats until it is ended; `lag` says by how much this process's clock is overdue, if it has one."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        health: Health,
        name: str,
        roles: Sequence[str],
        address: str,
        lag: Callable[[], float | None],
    ) -> None:
        self._database = database
        self._clock = clock
        self._health = health
        self._lag = lag
        now = clock()
        self._this = Process(name, tuple(roles), socket.gethostname(), address, now, now)
        self._heard = time.monotonic()

    async def begin(self) -> None:
        """Say that the process is there; who stopped without a word at this place is forgotten."""
        async with self._database.begin() as session:
            await processes.begin(session, replace(self._this, tick_lag=self._lag()))
        self._heard = time.monotonic()

    async def run(self) -> None:
        """Beat until cancelled."""
        while True:
            await asyncio.sleep(BEAT_EVERY)
            try:
                await self.beat()
            except Exception as error:  # noqa: BLE001 - the database is away; the next one says it again
                log.warning("heartbeat_not_written", error=type(error).__name__)

    async def beat(self) -> None:
        problems = await self._health.problems()
        said = "; ".join(f"{name}: {what}" for name, what in problems.items() if name != CHECK)
        this = replace(self._this, beat_at=self._clock(), tick_lag=self._lag(), problems=said)
        async with self._database.begin() as session:
            await processes.beat(session, this)
        self._heard = time.monotonic()

    async def end(self) -> None:
        """Say that it ends as it should."""
        async with self._database.begin() as session:
            await processes.end(session, self._this.name)

    async def heard(self) -> str:
        """Return the check of `/readyz`."""
        silent = time.monotonic() - self._heard
        return f"none was written for {silent:.0f} s" if silent > UNHEARD else ""

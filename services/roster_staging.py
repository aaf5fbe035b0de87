"""Staging a roster: its rows in small transactions, compared with what is on record span by span."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from domain.clock import Clock, day_of
from domain.refusals import NotFound
from domain.roster import Figures, Import, ImportState, RosterKind
from domain.roster_places import Places
from domain.roster_refusals import NothingToImport, RosterChanged
from domain.roster_tree import grow
from services.roster_reader import Reader
from services.roster_rows import grown, organisation_lines, staged
from storage import roster, roster_match
from storage.database import Database, Session
from storage.sealing import Sealer

SPAN = 2000
"""Lines compared in one transaction: some 50 ms, so that nobody waits (measured)."""

Progress = Callable[[str, int, int], Awaitable[None]]
"""Told what is being done (``read``, ``compare``), how much of it, and of how much."""


class Staging:
    """Fills the staging table, and finds out what its rows would do."""

    def __init__(self, *, database: Database, clock: Clock, sealer: Sealer, reader: Reader) -> None:
        self._database = database
        self._clock = clock
        self._sealer = sealer
        self._reader = reader

    async def stage(self, found: Import, data: bytes, progress: Progress) -> int:
        places, _ = await self._places(found)
        today, count = day_of(self._clock()), 0
        async for batch in self._reader.lines(data, found.look, found.plan, today):
            rows = staged(found.id, batch, places, self._sealer)
            count += len(rows)
            async with self._database.begin() as session:
                await self._still(session, found, staged=count)
                await roster.stage(session, rows)
            await progress("read", count, max(found.look.about, count))
        if not count:
            raise NothingToImport
        return count

    async def compare(self, found: Import, count: int, progress: Progress) -> Figures:
        if found.kind is RosterKind.ORGANISATIONS:
            await self._compare_organisations(found)
        else:
            await self._compare_members(found, count, progress)
        async with self._database.read() as session:
            figures = await roster_match.figures(session, found.id)
            if found.kind is RosterKind.ORGANISATIONS:
                return figures
            return replace(
                figures,
                missing=await roster_match.missing(session, found.id),
                phones=await roster_match.phones_changed(session, found.id),
            )

    async def clear(self, import_id: int) -> None:
        while True:
            async with self._database.begin() as session:
                if await roster.clear(session, import_id, SPAN) < SPAN:
                    return

    async def _still(self, session: Session, found: Import, **values: Any) -> None:
        """Note that the reading goes on; refuse if it was given up, or something was written meanwhile."""
        if not await roster.step(session, found.id, (ImportState.STAGING,), self._clock(), **values):
            raise RosterChanged

    async def _places(self, found: Import) -> tuple[Places, str]:
        async with self._database.read() as session:
            nodes = await roster.places(session, found.scope)
            above = await roster.name_of_parent(session, found.organisation_id)
        if not any(node.id == found.organisation_id for node in nodes):
            raise NotFound
        return Places(nodes, found.organisation_id), above

    async def _compare_organisations(self, found: Import) -> None:
        places, above = await self._places(found)
        async with self._database.read() as session:
            lines = organisation_lines(await roster.staged_rows(session, found.id))
        outcome = await asyncio.to_thread(grow, lines, places, above)
        rows = [grown(each) for each in outcome]
        for bad in (True, False):
            these = [each for each in rows if ("reason" in each) is bad]
            for start in range(0, len(these), SPAN):
                async with self._database.begin() as session:
                    await roster.settle(session, found.id, these[start : start + SPAN])

    async def _compare_members(self, found: Import, count: int, progress: Progress) -> None:
        async with self._database.read() as session:
            last = await roster.last_line(session, found.id)
        steps = (roster_match.find_by_keys, roster_match.find_by_name, roster_match.decide)
        spans = range(1, last + 1, SPAN)
        for number, compare in enumerate(steps):
            for at, start in enumerate(spans):
                span = roster_match.Span(found.id, found.scope, start, start + SPAN)
                async with self._database.begin() as session:
                    await self._still(session, found)
                    await compare(session, span)
                done = (number * len(spans) + at + 1) / (len(steps) * len(spans))
                await progress("compare", round(done * count), count)

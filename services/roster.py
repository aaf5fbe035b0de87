"""Rosters that come in: keep the file, look at it, stage its rows, say what would be done, and do it.

A file stands sealed in a folder until its import is over. Rows are staged in small transactions, compared with
what is on record span by span, and written in one short one, so that the bridge goes on answering meanwhile.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from domain import roster_columns
from domain.clock import Clock, day_of
from domain.permissions import Action, Actor
from domain.refusals import NotFound
from domain.roster import KEPT, Bad, Column, Figures, Import, ImportState, RosterKind
from domain.roster_places import Places
from domain.roster_refusals import (
    ImportUnderWay,
    NothingToImport,
    RosterChanged,
    RowsAreBad,
    SheetTooLarge,
)
from domain.roster_tree import grow
from services.audit import Audit
from services.roster_files import LARGEST
from services.roster_reader import Reader
from services.roster_rows import grown, organisation_lines, staged
from services.sheets import SheetForm, sheet_bytes
from services.walls import require
from storage import organisations, roster, roster_match
from storage.database import Database, Session
from storage.roster_apply import Changed, Writing
from storage.sealing import Sealer

SPAN = 2000
"""Lines compared in one transaction: some 50 ms, so that nobody waits (measured)."""
STALLED = timedelta(seconds=60)
"""A reading that said nothing for so long has died with its process, and may be begun again."""
SEAL = "roster.file"
MOST_BAD = 5000
"""Bad rows in one file to correct; who has more has the wrong columns."""

Progress = Callable[[str, int, int], Awaitable[None]]
"""Told what is being done (``read``, ``compare``, ``write``), how much of it, and of how much."""
_OVER = (ImportState.DONE, ImportState.CANCELLED)


async def _silent(_what: str, _done: int, _total: int) -> None:
    return


class Roster:
    """Takes rosters in. An import belongs to who began it; no actor is the operator, who may write anywhere."""

    def __init__(
        self, *, database: Database, clock: Clock, audit: Audit, sealer: Sealer, reader: Reader, folder: Path
    ) -> None:
        self._database = database
        self._clock = clock
        self._audit = audit
        self._sealer = sealer
        self._reader = reader
        self._folder = folder

    async def begin(
        self,
        actor: Actor | None,
        data: bytes,
        file_name: str,
        *,
        organisation_id: int | None = None,
        sheet: str = "",
        kind: RosterKind | None = None,
    ) -> Import:
        """Keep a file and look at it; what its author had begun before is dropped."""
        if len(data) > LARGEST:
            raise SheetTooLarge(megabytes=LARGEST // 1024**2)
        place_id, scope = await self._scope(actor, organisation_id)
        look = await self._reader.look(data, sheet, kind)
        token = secrets.token_hex(16)
        await asyncio.to_thread(self._keep, token, data)
        now = self._clock()
        actor_id = actor.member_id if actor else None
        async with self._database.begin() as session:
            older = await roster.open_of(session, actor_id)
            for each in older:
                await roster.step(session, each.id, roster.OPEN, now, state=ImportState.CANCELLED)
            number = await roster.add(
                session,
                token=token,
                actor_id=actor_id,
                organisation_id=place_id,
                scope=scope,
                file_name=file_name[:200],
                look=look,
                now=now,
            )
        for each in older:
            await self._clear_away(each.id, each.token)
        return await self.for_actor(actor, number)

    async def for_actor(self, actor: Actor | None, import_id: int) -> Import:
        """Return one's own import, while one may still write there."""
        async with self._database.read() as session:
            return await self._own(session, actor, import_id)

    async def current(self, actor: Actor | None) -> Import | None:
        """Return the import one has not finished."""
        async with self._database.read() as session:
            found = await roster.open_of(session, actor.member_id if actor else None)
        return found[0] if found else None

    def stalled(self, found: Import) -> bool:
        """Say whether a reading has died with its process."""
        return found.touched_at <= self._clock() - STALLED

    async def place_name(self, found: Import) -> str:
        """Name the organisation an import writes in."""
        async with self._database.read() as session:
            place = await organisations.get(session, found.organisation_id)
        return place.name if place else ""

    async def give(self, actor: Actor | None, import_id: int, index: int, column: Column | None) -> Import:
        """Let a column of the file mean something else, or nothing."""
        found = await self.for_actor(actor, import_id)
        plan = roster_columns.change(found.look.headings, found.kind, found.plan, index, column)
        await self._to(
            import_id,
            (ImportState.MAPPING, ImportState.READY),
            ImportState.MAPPING,
            plan=roster.plan_text(plan),
        )
        return await self.for_actor(actor, import_id)

    async def turn(self, actor: Actor | None, import_id: int, kind: RosterKind) -> Import:
        """Take the rows for members, or for organisations."""
        found = await self.for_actor(actor, import_id)
        data = await self._data(found)
        look = await self._reader.look(data, found.look.sheet, kind)
        await self._to(
            import_id,
            (ImportState.MAPPING, ImportState.READY),
            ImportState.MAPPING,
            look=roster.look_text(look),
            plan=roster.plan_text(look.plan),
        )
        return await self.for_actor(actor, import_id)

    async def prepare(self, actor: Actor | None, import_id: int, progress: Progress = _silent) -> Import:
        """Stage the rows and find out what would be done; what was staged before is dropped first."""
        found = await self.for_actor(actor, import_id)
        roster_columns.check(found.kind, found.plan)
        await self._to(
            import_id,
            roster.OPEN,
            ImportState.STAGING,
            staged=0,
            figures="",
            idle_since=self._clock() - STALLED,
        )
        try:
            await self._clear(import_id)
            count = await self._stage(found, progress)
            figures = await self._compare(found, count, progress)
            async with self._database.begin() as session:
                await self._ready(session, import_id, count, figures)
        except BaseException:
            await self._look_again(import_id)
            raise
        return await self.for_actor(actor, import_id)

    async def apply(self, actor: Actor | None, import_id: int, *, skip_bad: bool = False) -> Import:
        """Write what was staged, all or nothing; doing it twice changes nothing."""
        found = await self.for_actor(actor, import_id)
        if found.state is ImportState.DONE:
            return found
        if found.state is ImportState.MAPPING:
            raise RosterChanged
        if found.state is not ImportState.READY:
            raise ImportUnderWay
        if found.figures.bad and not skip_bad:
            raise RowsAreBad(n=found.figures.bad)
        try:
            await self._write(actor, found)
        except Changed:
            await self._look_again(import_id)
            again = await self.for_actor(actor, import_id)
            if again.state is not ImportState.DONE:
                raise RosterChanged from None
            return again
        await self._clear_away(import_id, found.token)
        return await self.for_actor(actor, import_id)

    async def cancel(self, actor: Actor | None, import_id: int) -> None:
        """Drop an import with all that was kept of it."""
        found = await self.for_actor(actor, import_id)
        async with self._database.begin() as session:
            await roster.step(session, import_id, roster.OPEN, self._clock(), state=ImportState.CANCELLED)
        await self._clear_away(import_id, found.token)

    async def bad_rows(self, actor: Actor | None, import_id: int, limit: int = MOST_BAD) -> list[Bad]:
        found = await self.for_actor(actor, import_id)
        async with self._database.read() as session:
            return await roster.bad(session, found.id, limit=limit)

    async def to_correct(
        self, actor: Actor | None, import_id: int, heading: str, word: Callable[[Bad], str]
    ) -> tuple[str, bytes]:
        """Return the bad rows as a file: the columns as they stood, and one that says why, in the given words."""
        found = await self.for_actor(actor, import_id)
        bad = await self.bad_rows(actor, import_id)
        cells = await self._reader.pick(await self._data(found), found.look, [each.line for each in bad])
        form = SheetForm.CSV if found.file_name.lower().endswith((".csv", ".txt", ".tsv")) else SheetForm.XLSX
        titles = [each.text for each in found.look.headings if not each.never]
        rows = [[*cells.get(each.line, [""] * len(titles)), f"{each.line}: {word(each)}"] for each in bad]
        made = await asyncio.to_thread(sheet_bytes, [[*titles, heading], *rows], form)
        return f"{Path(found.file_name).stem}-{heading}.{form}", made

    async def missing(
        self, actor: Actor | None, import_id: int, titles: Iterable[str], limit: int = MOST_BAD
    ) -> bytes:
        """Return those who belong to the file's organisations and are in no row, as a sheet; noted in the audit."""
        found = await self.for_actor(actor, import_id)
        async with self._database.begin() as session:
            names = await roster_match.missing_names(session, found.id, after=0, limit=limit)
            await self._note(session, actor, found, "roster.missing_read", len(names))
        return await asyncio.to_thread(
            sheet_bytes, [[*titles], *([name, place] for _, name, place in names)], SheetForm.XLSX
        )

    async def tidy(self) -> int:
        """Drop imports that nobody finished within a day, what is left of those that are over, and stray files."""
        before = self._clock() - KEPT
        async with self._database.read() as session:
            old = await roster.touched_before(session, before)
        for import_id, token in old:
            await self._clear_away(import_id, token)
            async with self._database.begin() as session:
                await roster.forget(session, import_id)
        async with self._database.read() as session:
            known = await roster.tokens(session)
        await asyncio.to_thread(self._drop_strays, known, before)
        return len(old)

    async def _scope(self, actor: Actor | None, organisation_id: int | None) -> tuple[int, str]:
        async with self._database.read() as session:
            if organisation_id is None:
                top = await roster.root(session)
                if top is None:
                    raise NotFound
                organisation_id = top[0]
            place = await organisations.get(session, organisation_id)
        if place is None:
            raise NotFound
        if actor is not None:
            require(actor, Action.MANAGE_ORGANISATION, place.path, self._clock())
        return place.id, place.path

    async def _own(self, session: Session, actor: Actor | None, import_id: int) -> Import:
        found = await roster.get(session, import_id)
        if found is None or found.actor_id != (actor.member_id if actor else None):
            raise NotFound
        if actor is not None:
            require(actor, Action.MANAGE_ORGANISATION, found.scope, self._clock())
        return found

    async def _to(
        self,
        import_id: int,
        before: Iterable[ImportState],
        state: ImportState,
        *,
        idle_since: datetime | None = None,
        **values: object,
    ) -> None:
        async with self._database.begin() as session:
            if not await roster.step(
                session, import_id, tuple(before), self._clock(), idle_since=idle_since, state=state, **values
            ):
                raise ImportUnderWay

    async def _ready(self, session: Session, import_id: int, count: int, figures: Figures) -> None:
        values: dict[str, Any] = {
            "state": ImportState.READY,
            "staged": count,
            "figures": roster.figures_text(figures),
        }
        if not await roster.step(session, import_id, (ImportState.STAGING,), self._clock(), **values):
            raise RosterChanged

    async def _look_again(self, import_id: int) -> None:
        async with self._database.begin() as session:
            await roster.step(
                session,
                import_id,
                (ImportState.READY, ImportState.STAGING),
                self._clock(),
                state=ImportState.MAPPING,
            )

    async def _stage(self, found: Import, progress: Progress) -> int:
        places, _ = await self._places(found)
        today, count = day_of(self._clock()), 0
        data = await self._data(found)
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

    async def _compare(self, found: Import, count: int, progress: Progress) -> Figures:
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

    async def _write(self, actor: Actor | None, found: Import) -> None:
        figures, now = found.figures, self._clock()
        counts = {"created": figures.created, "changed": figures.changed, "moved": figures.moved}
        async with self._database.begin() as session:
            writing = Writing(session, found.id, found.scope)
            await writing.lock()
            if not await roster.step(session, found.id, (ImportState.READY,), now, state=ImportState.DONE):
                raise Changed
            if found.kind is RosterKind.MEMBERS:
                await writing.give_ids("member")
                await writing.members(today=day_of(now), **counts)
            else:
                await writing.give_ids("organisation")
                await writing.organisations(now=now, actor_id=found.actor_id, **counts)
            await self._note(session, actor, found, "roster.imported", figures.writes)

    async def _note(
        self, session: Session, actor: Actor | None, found: Import, action: str, count: int
    ) -> None:
        await self._audit.note(
            session,
            actor_id=actor.member_id if actor else None,
            action=action,
            subject="roster_import",
            subject_id=found.id,
            organisation_id=found.organisation_id,
            detail={"kind": found.kind, "rows": count},
        )

    async def _clear_away(self, import_id: int, token: str) -> None:
        await asyncio.to_thread(self._drop, token)
        await self._clear(import_id)

    async def _clear(self, import_id: int) -> None:
        while True:
            async with self._database.begin() as session:
                if await roster.clear(session, import_id, SPAN) < SPAN:
                    return

    async def _data(self, found: Import) -> bytes:
        return await asyncio.to_thread(self._load, found.token)

    def _keep(self, token: str, data: bytes) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._folder / token
        path.touch(mode=0o600)
        path.write_bytes(self._sealer.seal(data, SEAL))

    def _load(self, token: str) -> bytes:
        try:
            return self._sealer.open((self._folder / token).read_bytes(), SEAL)
        except FileNotFoundError:
            raise NotFound from None

    def _drop(self, token: str) -> None:
        (self._folder / token).unlink(missing_ok=True)

    def _drop_strays(self, known: set[str], before: datetime) -> None:
        """Drop files that a crash left without an import."""
        if not self._folder.is_dir():
            return
        for path in self._folder.iterdir():
            if path.name not in known and path.stat().st_mtime < before.timestamp():
                path.unlink(missing_ok=True)

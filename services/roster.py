"""Rosters that come in: keep the file, look at it, stage its rows, say what would be done, and do it.

A file stands sealed in a folder until its import is over. Rows are staged in small transactions, compared with
what is on record span by span, and written in one short one, so that the bridge goes on answering meanwhile.
"""

import asyncio
import secrets
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from domain import roster_columns
from domain.clock import Clock, day_of
from domain.organisations import Organisation
from domain.permissions import Action, Actor
from domain.refusals import NotFound
from domain.roster import KEPT, Bad, Column, Figures, Import, ImportState, RosterKind
from domain.roster_refusals import (
    ImportUnderWay,
    RosterChanged,
    RowsAreBad,
    SheetTooLarge,
)
from services.audit import Audit
from services.roster_files import LARGEST
from services.roster_keep import KeptFiles
from services.roster_reader import Reader
from services.roster_staging import Progress, Staging
from services.sheets import SheetForm, sheet_bytes
from services.walls import require
from storage import organisations, roster, roster_match
from storage.database import Database, Session
from storage.roster_apply import Changed, Writing
from storage.sealing import Sealer

STALLED = timedelta(seconds=60)
"""A reading that said nothing for so long has died with its process, and may be begun again."""
MOST_BAD = 5000
"""Bad rows in one file to correct; who has more has the wrong columns."""


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
        self._reader = reader
        self._files = KeptFiles(folder, sealer)
        self._staging = Staging(database=database, clock=clock, sealer=sealer, reader=reader)

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
        await self._files.keep(token, data)
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

    async def place(self, found: Import) -> Organisation:
        """Return the organisation an import writes in."""
        async with self._database.read() as session:
            place = await organisations.get(session, found.organisation_id)
        if place is None:
            raise NotFound
        return place

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
        data = await self._files.load(found.token)
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
            await self._staging.clear(import_id)
            count = await self._staging.stage(found, await self._files.load(found.token), progress)
            figures = await self._staging.compare(found, count, progress)
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
        cells = await self._reader.pick(
            await self._files.load(found.token), found.look, [each.line for each in bad]
        )
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
        await self._files.drop_strays(known, before)
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

    async def _write(self, actor: Actor | None, found: Import) -> None:
        figures, now = found.figures, self._clock()
        counts = {"created": figures.created, "changed": figures.changed, "moved": figures.moved}
        async with self._database.begin() as session:
            writing = Writing(session, found.id, found.scope)
            await writing.lock()
            if not await roster.step(session, found.id, (ImportState.READY,), now, state=ImportState.DONE):
                raise Changed
            if found.kind is RosterKind.MEMBERS:
                await writing.members(today=day_of(now), **counts)
            else:
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
        await self._files.drop(token)
        await self._staging.clear(import_id)

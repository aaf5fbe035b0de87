"""The steps of `tongdao import`, as the local socket knows them: begin, prepare, apply, bad, cancel."""

import asyncio
import base64
from collections.abc import AsyncIterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bot.local import Commands, Said
from domain import roster_columns
from domain.roster import Import, RosterKind
from domain.roster_refusals import SheetTooLarge
from locales import speak
from services import roster_words
from services.roster import Roster
from services.roster_files import LARGEST

_END = object()


def commands_of(roster: Roster) -> Commands:
    """Return the steps, done by this service for the operator, who may write anywhere."""
    steps = _Steps(roster)
    return {
        "import.begin": steps.begin,
        "import.prepare": steps.prepare,
        "import.apply": steps.apply,
        "import.bad": steps.bad,
        "import.cancel": steps.cancel,
    }


class _Steps:
    def __init__(self, roster: Roster) -> None:
        self._roster = roster

    async def begin(self, body: Said) -> AsyncIterator[Said]:
        """Keep the file of `path`; take it for `kind` and its `sheet`; give columns their meaning by `maps`."""
        path = Path(body["path"])
        kind = RosterKind(body["kind"]) if body.get("kind") else None
        data = await asyncio.to_thread(_read, path)
        found = await self._roster.begin(None, data, path.name, sheet=body.get("sheet", ""), kind=kind)
        try:
            for each in body.get("maps", ()):
                index, column = roster_columns.spoken(each, found.look.headings, found.kind)
                found = await self._roster.give(None, found.id, index, column)
        except BaseException:
            await self._roster.cancel(None, found.id)
            raise
        yield _plain(found)

    async def prepare(self, body: Said) -> AsyncIterator[Said]:
        """Read and compare, telling how far it is."""
        heard: asyncio.Queue[Any] = asyncio.Queue()

        async def progress(what: str, done: int, total: int) -> None:
            heard.put_nowait({"what": what, "done": done, "total": total})

        async def work() -> Import:
            try:
                return await self._roster.prepare(None, body["id"], progress)
            finally:
                heard.put_nowait(_END)

        task = asyncio.create_task(work())
        try:
            while (said := await heard.get()) is not _END:
                yield said
            yield _plain(await task)
        finally:
            if not task.done():
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    async def apply(self, body: Said) -> AsyncIterator[Said]:
        yield _plain(await self._roster.apply(None, body["id"], skip_bad=bool(body.get("skip_bad"))))

    async def bad(self, body: Said) -> AsyncIterator[Said]:
        """Give the bad rows: the first as lines, all of them as a file."""
        words = speak(body.get("language", ""))
        name, data = await self._roster.to_correct(
            None, body["id"], words("roster.why"), lambda bad: roster_words.reason(words, bad)
        )
        rows = await self._roster.bad_rows(None, body["id"], limit=20)
        lines = [{"line": each.line, "reason": roster_words.reason(words, each)} for each in rows]
        yield {"name": name, "data": base64.b64encode(data).decode(), "lines": lines}

    async def cancel(self, body: Said) -> AsyncIterator[Said]:
        await self._roster.cancel(None, body["id"])
        yield {"id": body["id"]}


def _read(path: Path) -> bytes:
    if path.stat().st_size > LARGEST:
        raise SheetTooLarge(megabytes=LARGEST // 1024**2)
    return path.read_bytes()


def _plain(found: Import) -> Said:
    meant = {index: column.value for column, index in found.plan.items()}
    return {
        "id": found.id,
        "state": found.state.value,
        "kind": found.kind.value,
        "sheet": found.look.sheet,
        "about": found.look.about,
        "columns": [
            {"heading": each.text, "meaning": meant.get(each.index, ""), "never": each.never}
            for each in found.look.headings
        ],
        "figures": asdict(found.figures),
    }

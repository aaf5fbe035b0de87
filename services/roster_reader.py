"""Reading a roster in a process of its own: a hostile file can take no more than that process, nor stop the bridge.

The parent writes one line of JSON that says what is wanted, then the file; the child answers with lines of JSON.
"""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import asdict
from datetime import date
from itertools import islice
from typing import Any, Protocol

import orjson

from domain.refusals import Refusal
from domain.roster import Bad, Column, Heading, Look, MemberLine, OrganisationLine, Plan, Reason, RosterKind
from domain.roster_refusals import REFUSALS, ReaderGaveUp
from domain.roster_rows import Line
from services import roster_files

BATCH = 1000
MOST_MEMORY = 1536 * 1024**2
"""Address space, bytes; a roster of 200,000 rows takes a tenth (measured)."""
MOST_CPU = 240  # seconds
_LONGEST_ANSWER = 64 * 1024**2
_COMMAND = ("-m", "services.roster_reader")
_NICE = 5
"""The bridge's answers come first where processors are few."""

Batch = list[Line | Bad]


class Reader(Protocol):
    """Reads what a file holds."""

    async def look(self, data: bytes, sheet: str = "", kind: RosterKind | None = None) -> Look: ...

    def lines(self, data: bytes, seen: Look, plan: Plan, today: date) -> AsyncIterator[Batch]: ...

    async def pick(self, data: bytes, seen: Look, lines: Iterable[int]) -> dict[int, list[str]]: ...


class ChildReader:
    """Reads each file in a fresh process."""

    async def look(self, data: bytes, sheet: str = "", kind: RosterKind | None = None) -> Look:
        async with _answers({"do": "look", "sheet": sheet, "kind": kind}, data) as answers:
            return look_of(await anext(answers))

    async def lines(self, data: bytes, seen: Look, plan: Plan, today: date) -> AsyncIterator[Batch]:
        """Yield what the rows say, in batches; a slow taker slows the reading, and nothing piles up."""
        wanted = {"do": "lines", "look": asdict(seen), "plan": plan, "today": today}
        async with _answers(wanted, data) as answers:
            async for batch in answers:
                yield [_line_of(each) for each in batch]

    async def pick(self, data: bytes, seen: Look, lines: Iterable[int]) -> dict[int, list[str]]:
        async with _answers({"do": "pick", "look": asdict(seen), "lines": list(lines)}, data) as answers:
            return {line: cells async for batch in answers for line, cells in batch}


def look_of(plain: dict[str, Any]) -> Look:
    """Read a look from its plain form."""
    headings = tuple(
        Heading(
            each["index"], each["text"], Column(each["column"]) if each["column"] else None, each["never"]
        )
        for each in plain["headings"]
    )
    return Look(plain["sheet"], RosterKind(plain["kind"]), headings, plain["first"], plain["about"])


def _line_of(plain: dict[str, Any]) -> Line | Bad:
    if "reason" in plain:
        return Bad(plain["line"], Reason(plain["reason"]), plain["what"])
    if "parent" in plain:
        return OrganisationLine(**plain)
    joined = plain.pop("joined")
    return MemberLine(**plain, joined=date.fromisoformat(joined) if joined else None)


@contextlib.asynccontextmanager
async def _answers(wanted: dict[str, Any], data: bytes) -> AsyncIterator[AsyncIterator[Any]]:
    """Start a child and yield its answers; it is gone when this ends, however it ends."""
    request = orjson.dumps(wanted, option=orjson.OPT_NON_STR_KEYS) + b"\n" + data
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        *_COMMAND,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        limit=_LONGEST_ANSWER,
        env={"PYTHONPATH": os.pathsep.join(sys.path), "PATH": os.environ.get("PATH", "")},  # and no secrets
    )
    feeding = asyncio.create_task(_feed(child, request))
    try:
        yield _listen(child)
    finally:
        with contextlib.suppress(ProcessLookupError):
            child.kill()
        await asyncio.gather(feeding, return_exceptions=True)
        await child.wait()


async def _feed(child: asyncio.subprocess.Process, request: bytes) -> None:
    assert child.stdin is not None  # noqa: S101 - it is a pipe
    with contextlib.suppress(ConnectionError):
        child.stdin.write(request)
        await child.stdin.drain()
    child.stdin.close()


async def _listen(child: asyncio.subprocess.Process) -> AsyncIterator[Any]:
    assert child.stdout is not None  # noqa: S101 - it is a pipe
    while answer := await child.stdout.readline():
        said = orjson.loads(answer)
        if "refusal" in said:
            raise REFUSALS[said["refusal"]](**said["fields"])
        if "over" in said:
            return
        yield said["is"]
    raise ReaderGaveUp


def answer(request: bytes, data: bytes) -> Iterator[bytes]:
    """Answer a request, as the child does."""
    wanted = orjson.loads(request)
    try:
        for part in _parts(wanted, data):
            yield orjson.dumps({"is": part})
        yield orjson.dumps({"over": True})
    except Refusal as refusal:
        yield orjson.dumps({"refusal": type(refusal).__name__, "fields": refusal.fields})


def _parts(wanted: dict[str, Any], data: bytes) -> Iterator[Any]:
    if wanted["do"] == "look":
        kind = RosterKind(wanted["kind"]) if wanted["kind"] else None
        yield roster_files.look(data, wanted["sheet"], kind)
        return
    seen = look_of(wanted["look"])
    found: Iterator[Any]
    if wanted["do"] == "lines":
        plan = {Column(name): index for name, index in wanted["plan"].items()}
        found = roster_files.lines(data, seen, plan, date.fromisoformat(wanted["today"]))
    else:
        found = roster_files.pick(data, seen, set(wanted["lines"]))
    while batch := list(islice(found, BATCH)):
        yield batch


def _limit() -> None:
    """Take little and give way; a system without these limits does without."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (MOST_CPU, MOST_CPU))
        os.nice(_NICE)


def main() -> None:
    _limit()
    request = sys.stdin.buffer.readline()
    for line in answer(request, sys.stdin.buffer.read()):
        sys.stdout.buffer.write(line + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()

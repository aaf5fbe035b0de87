"""What the proofs of durability share: worker processes, what was in flight when one ended, and the judgement.

Judged is what stands in the chat server's own store, not what the bridge believes.
"""

import asyncio
import os
import signal
import sqlite3
import sys
from collections import Counter, deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import structlog
from sqlalchemy import select

from domain.delivery import UnknownPolicy
from storage.database import Database
from tests.acceptance.delivery_worker import attempts_of, clock
from tests.delivery_world import FakeChannel, T, build
from tests.webchat_server import RunningWebchat

ROOT = Path(__file__).parents[2]
PATIENCE = 180.0
"""Seconds until a worker that neither ends nor dies fails its test: it finds what hangs, and measures nothing."""
MOST_AT_ONCE = 2000
BOT = "tongdao_bot"

log = structlog.get_logger(__name__)
Kill = tuple[str, int]
"""A point, and at the how manieth time it is reached."""


async def people_of(town: RunningWebchat, people: int) -> str:
    """Give the members their chats on the chat server; return the bot's token."""
    token = await town.new_bot(BOT)
    chats = [{"id": 1000 + n, "name": f"成员{n}", "bot": BOT} for n in range(1, people + 1)]
    for first in range(0, people, MOST_AT_ONCE):
        await town.operator.put_people(chats[first : first + MOST_AT_ONCE])
    return token


async def reached(folder: Path, messages: int) -> None:
    """Return once so many messages stand in people's chats."""
    async with asyncio.timeout(PATIENCE):
        while received(folder).total() < messages:
            await asyncio.sleep(0.1)


def received(folder: Path, words: str = "") -> Counter[int]:
    """Count the messages with these words that stand in each member's chat, as the chat server keeps them."""
    with sqlite3.connect(folder / "webchat.db") as store:
        rows = store.execute(
            "SELECT person_id, count(*) FROM message WHERE NOT outgoing AND instr(body, ?) GROUP BY person_id",
            [words],
        )
        return Counter({person - 1000: count for person, count in rows})


@dataclass
class Fleet:
    """Starts workers on one database and one chat server; `arguments` are theirs."""

    arguments: Sequence[str]
    kills: Path
    """Where each point that ended a worker is written down."""
    output: Path

    async def start(self, kill_at: str = "", *more: str) -> asyncio.subprocess.Process:
        environment = {**os.environ, "TONGDAO_KILL_AT": kill_at, "TONGDAO_KILL_LOG": str(self.kills)}
        words = ["-m", "tests.acceptance.delivery_worker", *self.arguments, *more]
        with self.output.open("ab") as out:
            return await asyncio.create_subprocess_exec(
                sys.executable, *words, cwd=ROOT, env=environment, stdout=out, stderr=out
            )

    async def ended(self, process: asyncio.subprocess.Process) -> int:
        """Wait for a worker's end and return its code; one that hangs is a failure."""
        try:
            async with asyncio.timeout(PATIENCE):
                return await process.wait()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()

    @asynccontextmanager
    async def running(self, number: int) -> AsyncIterator[list[asyncio.subprocess.Process]]:
        """Run so many workers, and wait until they have done everything, but for those killed meanwhile."""
        processes = [await self.start() for _ in range(number)]
        try:
            yield processes
            left = [process for process in processes if process.returncode != -signal.SIGKILL]
            codes = [await self.ended(process) for process in left]
            assert codes == [0] * len(left), self.said()
        finally:
            for process in processes:
                if process.returncode is None:
                    process.kill()
                    await process.wait()

    async def killed(self, kills: Sequence[Kill], book: "Book", *, side_by_side: int) -> None:
        """Let workers end at these points, so many at a time; the next one takes the place of who is gone."""
        left = deque(kills)
        running: dict[asyncio.Task[int], tuple[Kill, int]] = {}
        while left or running:
            while left and len(running) < side_by_side:
                kill = left.popleft()
                process = await self.start(f"{kill[0]}:{kill[1]}")
                running[asyncio.create_task(self.ended(process))] = kill, process.pid
            gone, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            for each in gone:
                kill, number = running.pop(each)
                await book.note(of=number)
                assert each.result() == -signal.SIGKILL, (kill, self.said())

    def said(self) -> str:
        return self.output.read_text()[-4000:]


@dataclass
class Book:
    """What was on its way each time something broke, and what it came to in the end."""

    database: Database
    policy: UnknownPolicy
    attempts: set[tuple[int, str]] = field(default_factory=set)
    breaks: int = 0

    async def note(self, *states: str, of: int | None = None) -> None:
        """Note whose delivery is on its way now, by the rows: nobody else may be in doubt, or get it twice.

        If one process was killed, only what was its own, by the ids of the attempts: what others send is in no doubt.
        """
        rows = T["delivery"]
        found = select(rows.c.member_id, rows.c.attempt_id).where(rows.c.state.in_(["sending", *states]))
        if of is not None:
            found = found.where(rows.c.attempt_id.startswith(attempts_of(of)))
        async with self.database.read() as session:
            self.attempts.update((row.member_id, row.attempt_id) for row in await session.execute(found))
        self.breaks += 1

    async def judge(self, members: Sequence[int], got: Counter[int]) -> None:
        """Nobody is lost, nobody is in doubt without a word, nobody got it twice but those in flight."""
        rows, in_flight = T["delivery"], Counter(member for member, _ in self.attempts)
        async with self.database.read() as session:
            found = await session.execute(select(rows.c.member_id, rows.c.state))
            states = [(row.member_id, row.state) for row in found]
        assert sorted(member for member, _ in states) == sorted(members)
        sent = {member for member, state in states if state == "sent"}
        unknown = {member for member, state in states if state == "unknown"}
        failed = {member for member, state in states if state == "failed"}
        assert sent | unknown | failed == set(members)
        assert {member for member in sent if not got[member]} == set(), "lost"
        assert {member for member in failed if got[member]} == set(), "said to have failed, and arrived"
        assert unknown | failed <= in_flight.keys()
        await self._said(len(sent), len(unknown), len(failed))
        doubled = {member: count - 1 for member, count in got.items() if count > 1}
        log.info(
            "judged",
            policy=self.policy.value,
            people=len(members),
            breaks=self.breaks,
            in_flight=in_flight.total(),
            failed=len(failed),
            unknown=len(unknown),
            of_them_received=sum(1 for member in unknown if got[member]),
            doubled=sum(doubled.values()),
        )
        if self.policy is UnknownPolicy.PARK:
            assert doubled == {}
        else:
            assert unknown | failed == set()
            assert {each for each, more in doubled.items() if more > in_flight[each]} == set()

    async def _said(self, sent: int, unknown: int, failed: int) -> None:
        """The figures that people see say the same."""
        delivery = await build(self.database, clock, FakeChannel())
        (dispatch,) = await delivery.dispatches_of("notice", 7)
        figures = await delivery.figures(dispatch)
        assert figures.planned == sent + unknown + failed
        assert (figures.sent, figures.unknown, figures.failed) == (sent, unknown, failed)
        assert figures.state == "done"
        explained = {
            reason: count for (state, reason), count in figures.reasons.items() if state == "unknown"
        }
        assert sum(explained.values()) == unknown

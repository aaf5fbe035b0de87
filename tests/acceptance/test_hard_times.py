"""A full disk, a worker that is stopped and goes on, and a stop while the chat server is slow.

A full disk is on SQLite a bound on the size of files that the process is given while it runs, and that is lifted
again. PostgreSQL writes its files itself, in its own processes: there every write ends with what it says then.
"""

import asyncio
import resource
import signal
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import asyncpg
import pytest
import structlog
from sqlalchemy import func, select

from domain.delivery import UnknownPolicy
from services.alerts import LINK_JOINED
from storage.database import Database
from tests.acceptance.bridge_process import Bridge, end
from tests.acceptance.delivery_proof import PATIENCE, ROOT, Book, Fleet, people_of, reached, received
from tests.acceptance.delivery_worker import STALE, clock
from tests.acceptance.inbox_worker import END
from tests.delivery_world import FakeChannel, T, build, settle, start
from tests.factories import make_account
from tests.webchat_server import running_webchat

pytestmark = [pytest.mark.slow, pytest.mark.kill, pytest.mark.timeout(300)]
PEOPLE = 1200
RATE = 200
FULL_FOR = STALE.total_seconds() + 2.0
SLOW = 5.0
"""Seconds that an answer of the chat server takes at most, for a stop without a doubt."""
STOPPED_IN = 10.0
IN_FLIGHT = 50
LONGER_THAN_ANY_ANSWER = 22.0
"""Seconds: a channel waits twenty for one."""

log = structlog.get_logger(__name__)


@contextmanager
def full_disk(process: asyncio.subprocess.Process) -> Iterator[None]:
    """Let this process write no file any more, and go on writing afterwards."""
    before = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        yield
    finally:
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, before)


FULL = """
CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = 'disk_full'; END $$"""
"""https://www.postgresql.org/docs/current/errcodes-appendix.html, class 53"""


@asynccontextmanager
async def full_server(url: str) -> AsyncIterator[None]:
    """Let each of our writes end as PostgreSQL ends one when its disk is full."""
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    watched = ("delivery", "slice", "dispatch", "pace", "pace_share", "outcome_count")
    try:
        await connection.execute(FULL)
        for table in watched:
            each = "BEFORE INSERT OR UPDATE ON {} FOR EACH STATEMENT EXECUTE FUNCTION full_disk()"
            await connection.execute(f"CREATE TRIGGER full_disk {each.format(table)}")
        yield
        await connection.execute("DROP FUNCTION full_disk() CASCADE")
    finally:
        await connection.close()


@asynccontextmanager
async def full(process: asyncio.subprocess.Process, url: str) -> AsyncIterator[None]:
    if url.startswith("sqlite"):
        with full_disk(process):
            yield
        return
    async with full_server(url):
        yield


@pytest.mark.parametrize(
    ("database_url", "policy"),
    [
        ("sqlite", UnknownPolicy.PARK),
        ("sqlite", UnknownPolicy.RESEND),
        ("postgresql", UnknownPolicy.PARK),
    ],
    indirect=["database_url"],
)
async def test_a_full_disk_stops_sending_and_forgets_no_outcome(database, database_url, tmp_path, policy):
    members, chat = await begun(database, policy), tmp_path / "webchat"
    async with running_webchat(chat) as town:
        fleet = await fleet_of(database_url, town, tmp_path)
        async with fleet.running(1) as (process,):
            await reached(chat, PEOPLE // 4)
            async with full(process, database_url):
                await asyncio.sleep(2.0)  # what was claimed before may leave
                stood = received(chat).total()
                await asyncio.sleep(FULL_FOR)
                assert received(chat).total() == stood < PEOPLE
                assert await count(database, "sending")  # what left before, and could not be recorded
    book = Book(database, policy)
    await book.judge(members, received(chat))  # nobody in doubt, nobody twice: it knew all the time


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_what_a_full_disk_could_not_keep_is_not_confirmed(database, database_url, tmp_path):
    account = await make_account(database)
    async with running_webchat(tmp_path / "webchat") as town:
        token = await town.new_bot()
        people = [await town.new_person(f"成员{number}") for number in range(10)]
        process = await inbox_worker(database_url, town.origin, token, str(account))
        try:
            for person in people:
                await person.say(f"之前 {person.id}")
            await confirmed(town, token)
            with full_disk(process):
                for person in people:
                    await person.say(f"期间 {person.id}")
                await asyncio.sleep(3.0)
                assert await town.pending_updates(token) == len(people)
                assert process.returncode is None
            await confirmed(town, token)
            await people[0].say(END)
            async with asyncio.timeout(PATIENCE):
                assert await process.wait() == 0
        finally:
            await end(process)
    async with database.read() as session:
        done = Counter((await session.execute(select(T["topic"].c.name))).scalars())
        states = set((await session.execute(select(T["inbox"].c.state))).scalars())
    said = [f"{when} {person.id}" for when in ("之前", "期间") for person in people]
    assert done == dict.fromkeys([*said, END], 1)
    assert states == {"done"}


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_a_worker_stopped_past_its_heartbeat_sends_nothing_twice(database, database_url, tmp_path):
    """Another takes over and reports what was in flight; once the first goes on, what it knows ends the doubt.

    It is stopped for longer than any answer is waited for: those that are there by then are read all the same.
    """
    members, chat = await begun(database, UnknownPolicy.PARK), tmp_path / "webchat"
    book = Book(database, UnknownPolicy.PARK)
    async with running_webchat(chat, faults=True) as town:
        fleet = await fleet_of(database_url, town, tmp_path)
        await town.operator.fault("latency", method="sendMessage", mean=0.5)
        async with fleet.running(1) as (first,):
            await reached(chat, PEOPLE // 4)
            first.send_signal(signal.SIGSTOP)
            goes_on_at = time.monotonic() + LONGER_THAN_ANY_ANSWER
            try:
                await book.note()
                async with fleet.running(1):
                    await reached(chat, PEOPLE // 2)
                    async with asyncio.timeout(PATIENCE):
                        while not (doubtful := await unknown(database)):
                            await asyncio.sleep(0.1)
                    await asyncio.sleep(goes_on_at - time.monotonic())
                    first.send_signal(signal.SIGCONT)
            finally:
                if first.returncode is None:
                    first.send_signal(signal.SIGCONT)
    got = received(chat)
    await book.judge(members, got)
    arrived = {member for member in doubtful if got[member]}
    assert arrived
    assert arrived.isdisjoint(await unknown(database))


async def test_a_stop_leaves_no_doubt_where_the_server_answers_in_five_seconds(
    database, database_url, tmp_path
):
    members, chat = await settle(database, clock, 400), tmp_path / "webchat"
    delivery = await build(database, clock, FakeChannel())
    async with running_webchat(chat, faults=True) as town:
        await town.operator.fault("latency", method="sendMessage", mean=SLOW)
        token = await people_of(town, len(members))
        bridge = Bridge(database_url, town, token, tmp_path, account="chat1")
        async with database.begin() as session:
            await delivery.dispatch(session, source=LINK_JOINED, source_id=1, member_ids=members)
        process = await bridge.start()
        try:
            async with asyncio.timeout(PATIENCE):
                while (await town.operator.faults())[0]["met"] < IN_FLIGHT:
                    assert process.returncode is None, bridge.said()
                    await asyncio.sleep(0.1)
            begun_at = time.monotonic()
            process.terminate()
            assert await process.wait() == 0, bridge.said()
            took = time.monotonic() - begun_at
            log.info("stopped", seconds=round(took, 1), answered=received(chat).total())
            assert took < STOPPED_IN
        finally:
            await end(process)
        assert await count(database, "sending") == await count(database, "unknown") == 0
        got = received(chat)
        assert await count(database, "sent") == got.total() == len(got) >= IN_FLIGHT
        assert await count(database, "waiting") == len(members) - len(got)


async def begun(database: Database, policy: UnknownPolicy) -> list[int]:
    members = await settle(database, clock, PEOPLE)
    delivery = await build(database, clock, FakeChannel())
    await start(delivery, database, members, unknown_policy=policy)
    return members


async def fleet_of(database_url, town, folder) -> Fleet:
    arguments = [database_url, town.origin, await people_of(town, PEOPLE), str(RATE)]
    return Fleet(arguments, folder / "kills", folder / "out")


async def inbox_worker(*arguments: str) -> asyncio.subprocess.Process:
    words = ["-m", "tests.acceptance.inbox_worker", *arguments]
    nowhere = asyncio.subprocess.DEVNULL
    return await asyncio.create_subprocess_exec(
        sys.executable, *words, cwd=ROOT, stdout=nowhere, stderr=nowhere
    )


async def confirmed(town, token: str) -> None:
    async with asyncio.timeout(PATIENCE):
        while await town.pending_updates(token):
            await asyncio.sleep(0.1)


async def unknown(database: Database) -> list[int]:
    rows = T["delivery"]
    async with database.read() as session:
        found = select(rows.c.member_id).where(rows.c.state == "unknown")
        return list((await session.execute(found)).scalars())


async def count(database: Database, state: str) -> int:
    rows = T["delivery"]
    async with database.read() as session:
        found = select(func.count()).select_from(rows).where(rows.c.state == state)
        return (await session.execute(found)).scalar_one()

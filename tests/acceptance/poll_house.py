"""A bridge with its chat server in a process of its own, and a poll that sixty people answer in it."""

import asyncio
import base64
import os
import random
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp.test_utils import unused_port
from sqlalchemy import func, insert, select, update

from domain.audiences import Audience, Scope
from domain.polls import Poll
from scheduler.jobs import Engine
from services.audiences import Audiences
from services.audit import Audit
from services.delivery import Delivery
from services.media import MediaStore
from services.people import People
from services.polls import Polls
from storage.database import Database
from storage.sealing import Sealer
from storage.tables import metadata
from tests.factories import make_grant, make_organisation
from tests.poll_attacker import Person as Known
from tests.webchat_client import Operator, Person

T = metadata.tables
ROOT = Path(__file__).parents[2]
KEY = bytes(range(32))
BOT = "tongdao_bot"
BRANCHES, VOTERS, LATE = 5, 60, 12
OPTIONS = ("清晨七点", "上午九点")
WISHES = ("门口修个坡道", "走廊装上灯光")


@dataclass
class Voter:
    """Somebody with an opinion, and a wish that has nothing to do with it."""

    member_id: int
    chat_id: int
    name: str
    branch: int
    early: bool
    ramp: bool
    person: Person = field(init=False)
    cast_at: datetime = field(init=False)

    @property
    def known(self) -> Known:
        return Known(self.member_id, (str(self.member_id), str(self.chat_id), self.name))


def now() -> datetime:
    return datetime.now(UTC)


def electorate(chance: random.Random) -> list[Voter]:
    """Return voters in the order in which they vote: opinions, numbers and branches tell nothing of each other."""
    members = chance.sample(range(7_000_000, 8_000_000), VOTERS)
    chats = chance.sample(range(5_000_000, 6_000_000), VOTERS)
    early, ramp = ([n % 2 == 0 for n in range(VOTERS)] for _ in range(2))
    chance.shuffle(early)
    chance.shuffle(ramp)
    branches = [n % BRANCHES for n in range(VOTERS)]
    chance.shuffle(branches)
    return [
        Voter(member, chat, f"Voter{chat}", branch, *mind)
        for member, chat, branch, *mind in zip(members, chats, branches, early, ramp, strict=True)
    ]


class House:
    """A bridge in a process of its own, all roles, with its chat server."""

    def __init__(self, database_url: str, folder: Path) -> None:
        self.folder = folder
        self.data = folder / "var"
        self.log = folder / "bridge.log"
        self._http, self._chat = unused_port(), unused_port()
        self.origin = f"http://127.0.0.1:{self._chat}"
        self._env = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "LANG": "C.UTF-8",
            "TONGDAO_DATABASE_URL": database_url,
            "TONGDAO_DATA_DIR": str(self.data),
            "TONGDAO_SECRET_KEY": f"test:{base64.b64encode(KEY).decode()}",
            "TONGDAO_HTTP_PORT": str(self._http),
            "TONGDAO_WEBCHAT_PORT": str(self._chat),
            "TONGDAO_QUIET_HOURS": "off",
            "TONGDAO_REST_DAYS": "off",
            "TONGDAO_WEEKLY_CAP": "0",
            "TONGDAO_LOG_LEVEL": "debug",
            "TONGDAO_LOG_FORMAT": "json",
        }

    @asynccontextmanager
    async def running(self) -> AsyncIterator[aiohttp.ClientSession]:
        with self.log.open("ab") as out:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "bot", "run", cwd=self.folder, env=self._env, stdout=out, stderr=out
            )
        try:
            async with aiohttp.ClientSession() as http:
                await until(lambda: self._ready(http), 60)
                yield http
        finally:
            process.terminate()
            await process.wait()

    async def _ready(self, http: aiohttp.ClientSession) -> bool:
        try:
            async with http.get(f"http://127.0.0.1:{self._http}/readyz") as response:
                return response.status == 200
        except aiohttp.ClientConnectionError:
            return False

    def operator(self, http: aiohttp.ClientSession) -> Operator:
        token = (self.data / "webchat-operator-token").read_text().strip()
        return Operator(http, self.origin, token)

    async def command(self, *words: str) -> None:
        """Run a command of the program as an operator does."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot", *words,
            cwd=self.folder, env=self._env, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        said, _ = await process.communicate()
        assert process.returncode == 0, said.decode()


async def until(done: Callable[[], Awaitable[bool]], seconds: float) -> None:
    async with asyncio.timeout(seconds):
        while not await done():
            await asyncio.sleep(0.1)


async def settle(database: Database, voters: Iterable[Voter]) -> int:
    """Write a city and its people; returns its secretary."""
    city = await make_organisation(database)
    branches = [await make_organisation(database, parent=city) for _ in range(BRANCHES)]
    rest = {"standing": "full", "status": "active", "mobile": False, "language": "zh_CN", "phone_hint": ""}
    rows = [{"id": v.member_id, "name": v.name, "home_id": branches[v.branch], **rest} for v in voters]
    async with database.begin() as session:
        await session.execute(
            insert(T["member"]), [*rows, {"id": 1, "name": "书记", "home_id": city, **rest}]
        )
    await make_grant(database, member=1, organisation=city)
    return city


async def sign_in(house: House, http: aiohttp.ClientSession, database: Database, voters: list[Voter]) -> None:
    """Let people come, in an order of their own."""
    operator = house.operator(http)
    async with database.read() as session:
        account = (await session.execute(select(T["account"].c.id))).scalar_one()
    for voter in random.Random(2).sample(voters, len(voters)):
        await operator.put_person(voter.name, id=voter.chat_id)
        link = await operator.sign_in_link(voter.chat_id, bot=BOT, start="")
        voter.person = await Person.sign_in(http, house.origin, link, BOT)
        await voter.person.start()
    links = [
        {
            "member_id": v.member_id,
            "account_id": account,
            "chat_id": v.chat_id,
            "state": "active",
            "since": now(),
        }
        for v in random.Random(3).sample(voters, len(voters))
    ]
    async with database.begin() as session:
        await session.execute(insert(T["account_link"]), links)


async def open_poll(database: Database, folder: Path, city: int) -> Poll:
    engine = await Engine.for_database(database)
    sealer = Sealer({"test": KEY}, "test")
    polls = Polls(
        database=database,
        clock=now,
        audit=Audit(database=database, clock=now, sealer=sealer),
        audiences=Audiences(database=database, clock=now),
        delivery=Delivery(database=database, clock=now, jobs=engine.jobs, channels={}),
        media=MediaStore(folder),
        sealer=sealer,
    )
    actor = await People(database=database).actor_of_member(1, now().date())
    assert actor is not None
    made = await polls.draft(actor, "阅览室几点开门？")
    await polls.rewrite(actor, made.id, options=OPTIONS, closes_at=now() + timedelta(days=1))
    await polls.choose(actor, made.id, Audience(include=(Scope(city, f"/{city}/"),)))
    opened = await polls.open(actor, made.id)
    await engine.stop()
    return opened


async def vote(voter: Voter, poll: Poll) -> None:
    mask = 1 if voter.early else 2
    for step in ("pick", "cast"):
        await press(voter, f"pv:{poll.id}:{mask}:{step}")
    voter.cast_at = now()
    await voter.person.wait("已提交")


async def press(voter: Voter, data: str) -> None:
    def has(message: dict[str, Any]) -> bool:
        rows = message.get("reply_markup", {}).get("inline_keyboard", [])
        return any(each.get("callback_data") == data for row in rows for each in row)

    message = await voter.person.wait(has, 30)
    await voter.person.call("POST", "/press", {"message_id": message["message_id"], "data": data})


def suggesting(voters: list[Voter]) -> list[Voter]:
    """Return voters in the order in which they leave a suggestion."""
    return random.Random(4).sample(voters, len(voters))


async def suggest(voter: Voter) -> None:
    await voter.person.press("建议")
    await voter.person.wait("不记录是谁写的")
    await voter.person.say(WISHES[0] if voter.ramp else WISHES[1])
    await voter.person.wait("建议已收到")


async def count(database: Database, table: str) -> int:
    async with database.read() as session:
        return int((await session.execute(select(func.count()).select_from(T[table]))).scalar_one())


async def close(database: Database) -> None:
    """Let the announced minute come."""
    async with database.begin() as session:
        await session.execute(update(T["poll"]).values(closes_at=now()))

    async def closed() -> bool:
        async with database.read() as session:
            return (await session.execute(select(T["poll"].c.state))).scalar_one() == "closed"

    await until(closed, 60)


async def a_poll(house: House, database: Database, voters: list[Voter]) -> Poll:
    """Hold a poll: most are counted before it closes, some at its closing; then export everything, and back up."""
    city = await settle(database, voters)
    async with house.running() as http:
        await sign_in(house, http, database, voters)
        poll = await open_poll(database, house.folder, city)
        for voter in voters[:-LATE]:
            await vote(voter, poll)

        async def counted() -> bool:
            return await count(database, "poll_cell") > 0

        await until(counted, 60)
        for voter in voters[-LATE:]:
            await vote(voter, poll)
        for voter in suggesting(voters):
            await suggest(voter)
        await close(database)
        for table in ("members", "organisations", "delivery-report", "polls"):
            await house.command("export", table, f"{table}.csv")
        await house.command("backup", "backup.tar.gz")
    return poll

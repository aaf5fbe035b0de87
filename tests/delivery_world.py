"""A small world to deliver in: one organisation, members with chats, a fake channel and an engine."""

import asyncio
import random
from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import insert, select, update

from domain.chat_pace import AGAIN
from domain.delivery import Outcome, Sent
from domain.messages import Content, Envelope
from scheduler.jobs import Engine
from services.delivery import Delivery, PaceLimits
from storage import pace
from storage.database import Database
from storage.deliveries import Rules
from storage.tables import metadata

T = metadata.tables
ACCOUNT = 1
SEED = 4
MOST_ROUNDS = 10


class FakeChannel:
    """Remembers what it was given; `answer` says what becomes of each, after a time evenly spread about `latency`."""

    def __init__(
        self,
        answer: Callable[[Envelope], Outcome] | None = None,
        latency: float = 0.0,
        spread: float = 0.0,
    ) -> None:
        self.sent: list[Envelope] = []
        self.file_ids: list[str | None] = []
        self.answer = answer or (lambda envelope: Sent(message_id=envelope.to.chat_id))
        self.latency = latency
        self.spread = spread
        self.chance = random.Random(SEED)
        self.in_flight = 0
        self.most_in_flight = 0

    async def send(self, envelope: Envelope, file_id: str | None) -> Outcome:
        self.sent.append(envelope)
        self.file_ids.append(file_id)
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        await asyncio.sleep(self.latency + self.chance.uniform(-self.spread, self.spread))
        self.in_flight -= 1
        return self.answer(envelope)

    @property
    def chats(self) -> list[int]:
        return [envelope.to.chat_id for envelope in self.sent]

    @property
    def texts(self) -> list[str]:
        return [envelope.content.text for envelope in self.sent]


async def settle(
    database: Database, clock, members: int = 5, *, zone: str = "Asia/Shanghai", accounts: int = 1
) -> list[int]:
    """Fill the database with `members` active members, linked to chat 1000 + id on the first account."""
    async with database.begin() as session:
        for number in range(1, accounts + 1):
            fields = {"residency": "CN", "verifies_phones": False, "deep_link_template": ""}
            await session.execute(insert(T["account"]).values(id=number, name=f"chat{number}", **fields))
        await session.execute(
            insert(T["organisation"]).values(
                id=1,
                path="/1/",
                name="市委",
                name_en="City",
                kind="committee",
                level="city",
                status="active",
                zone=zone,
                holiday_policy="keep",
                contact="",
            )
        )
        fields = {"home_id": 1, "standing": "full", "status": "active", "mobile": False, "language": "zh_CN"}
        rows = [{"id": n, "name": f"成员{n}", "phone_hint": "", **fields} for n in range(1, members + 1)]
        await session.execute(insert(T["member"]), rows)
        links = [
            {"member_id": n, "account_id": ACCOUNT, "chat_id": 1000 + n, "state": "active", "since": clock()}
            for n in range(1, members + 1)
        ]
        await session.execute(insert(T["account_link"]), links)
    return list(range(1, members + 1))


async def hello(source_id: int, language: str) -> Content:
    return Content(text=f"{language} {source_id}")


async def build(
    database: Database,
    clock,
    channel: FakeChannel,
    *,
    rate: float = 1000.0,
    rules: Rules | None = None,
    sleep=None,
    engine: Engine | None = None,
    more: dict[int, FakeChannel] | None = None,
) -> Delivery:
    """Build a Delivery with one account, or `more`; its clock is moved by its own sleeping unless `sleep` is given."""

    async def nap(seconds: float) -> None:
        clock.now += timedelta(seconds=seconds)
        await asyncio.sleep(0)

    delivery = Delivery(
        database=database,
        clock=clock,
        jobs=(engine or Engine.in_memory()).jobs,
        channels={ACCOUNT: channel, **(more or {})},
        limits={ACCOUNT: PaceLimits(rate, rate * 2)},
        rules=rules,
        sleep=sleep or nap,
    )
    delivery.sources["notice"] = hello
    async with database.begin() as session:
        await pace.ensure(session, ACCOUNT, rate=rate, ceiling=rate * 2, now=clock())
    return delivery


async def start(
    delivery: Delivery, database: Database, members: list[int], *, source_id: int = 7, **more
) -> int:
    async with database.begin() as session:
        return await delivery.dispatch(
            session, source="notice", source_id=source_id, member_ids=members, **more
        )


async def run_all(delivery: Delivery, database: Database) -> None:
    """Run every due slice, as the job engine would, and again if its chats were written to just now; the clock moves."""
    for _ in range(MOST_ROUNDS):
        if not set(AGAIN.values()) & set(await run_once(delivery, database)):
            return
        delivery._clock.forward(seconds=max(AGAIN.values()))


async def run_once(delivery: Delivery, database: Database) -> list[float | None]:
    """Run every due slice once, and wait for what is in flight; return in how many seconds each wants to go on."""
    found = (
        select(T["slice"].c.id, T["dispatch"].c.generation)
        .join(T["dispatch"], T["dispatch"].c.id == T["slice"].c.dispatch_id)
        .where(T["slice"].c.done.is_(False))
        .order_by(T["slice"].c.id)
    )
    async with database.read() as session:
        due = (await session.execute(found)).all()
    turns = []
    for row in due:
        turns.append(await delivery.run_slice(row.id, row.generation))
        await delivery.pipeline.drain()
    return [turn.again_in for turn in turns]


async def states(database: Database, dispatch_id: int) -> dict[int, tuple[str, str]]:
    table = T["delivery"]
    found = select(table.c.member_id, table.c.state, table.c.reason).where(table.c.dispatch_id == dispatch_id)
    async with database.read() as session:
        return {row.member_id: (row.state, row.reason) for row in (await session.execute(found)).all()}


async def change(database, table: str, member: int, **values) -> None:
    """Change what is kept of a member meanwhile."""
    rows = T[table]
    column = rows.c.id if table == "member" else rows.c.member_id
    async with database.begin() as session:
        await session.execute(update(rows).where(column == member).values(**values))


async def build_empty(database, clock):
    await settle(database, clock, 1)
    return await build(database, clock, FakeChannel())

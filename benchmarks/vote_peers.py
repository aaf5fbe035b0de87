"""Whom a vote's cost is compared with: aiogram's bare echo with 20 handlers, and aiogram bots with the same writes.

    python -m benchmarks.vote_peers echo|tap|writes|core ORIGIN VOTES AT_ONCE

`echo` answers a message with one request, `tap` a tap with two, as ours does. `writes` is a bot as its authors
would write it, with SQLModel sessions: it keeps the update, reads who writes and what is asked, records the vote,
answers, and marks the update as handled; three transactions. `core` is the same bot as one who knows our tricks would
write it: SQLAlchemy Core with prepared statements, one transaction a vote, and updates kept and marked fifty at a time.
Prints the CPU of a vote in microseconds.
"""

import asyncio
import gc
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
import uvloop
from aiogram import Bot, Dispatcher, F
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.types import CallbackQuery, InlineKeyboardButton, InlineKeyboardMarkup, Message
from sqlalchemy import bindparam, event, insert
from sqlalchemy import select as rows_of
from sqlalchemy import update as change_of
from sqlalchemy.ext.asyncio import create_async_engine
from sqlmodel import Field, SQLModel, select
from sqlmodel.ext.asyncio.session import AsyncSession

from benchmarks.fake_server import TOKEN
from benchmarks.vote_ours import CHAT, tap

HANDLERS = 20
Feed = Callable[[dict[str, Any]], Awaitable[object]]


class Kept(SQLModel, table=True):
    """An update as it came."""

    id: int = Field(primary_key=True)
    raw: bytes | None
    state: str = "waiting"


class Link(SQLModel, table=True):
    """Whose chat it is."""

    chat_id: int = Field(primary_key=True)
    member_id: int


class Person(SQLModel, table=True):
    """A member."""

    id: int = Field(primary_key=True)
    name: str
    home_id: int


class Asked(SQLModel, table=True):
    """Who was asked."""

    poll_id: int = Field(primary_key=True)
    member_id: int = Field(primary_key=True)


class Question(SQLModel, table=True):
    """A poll."""

    id: int = Field(primary_key=True)
    text: str
    options: str
    state: str = "open"


class TookPart(SQLModel, table=True):
    """Who took part."""

    poll_id: int = Field(primary_key=True)
    member_id: int = Field(primary_key=True)


class Vote(SQLModel, table=True):
    """A vote by name."""

    poll_id: int = Field(primary_key=True)
    member_id: int = Field(primary_key=True)
    organisation_id: int
    chosen: int


class Store:
    """The peer's database: SQLite with one writer, tuned as ours is."""

    def __init__(self, folder: str) -> None:
        self.engine = create_async_engine(
            f"sqlite+aiosqlite:///{folder}/peer.db", pool_size=1, max_overflow=0
        )
        event.listen(self.engine.sync_engine, "connect", _tune)

    async def fill(self, people: int) -> None:
        tables = [each.__table__ for each in (Kept, Link, Person, Asked, Question, TookPart, Vote)]  # type: ignore[attr-defined]
        async with self.engine.begin() as connection:
            await connection.run_sync(lambda sync: SQLModel.metadata.create_all(sync, tables=tables))
        async with AsyncSession(self.engine) as session:
            session.add(Question(id=1, text="食堂几点开门？", options='["七点", "八点"]'))
            for number in range(1, people + 1):
                session.add(Link(chat_id=CHAT + number, member_id=number))
                session.add(Person(id=number, name=f"成员{number}", home_id=1))
                session.add(Asked(poll_id=1, member_id=number))
            await session.commit()

    async def keep(self, update: dict[str, Any]) -> None:
        async with AsyncSession(self.engine) as session:
            session.add(Kept(id=update["update_id"], raw=orjson.dumps(update)))
            await session.commit()

    async def vote(self, chat_id: int, poll_id: int, chosen: int) -> str:
        async with AsyncSession(self.engine) as session:
            link = (await session.exec(select(Link).where(Link.chat_id == chat_id))).one()
            person = await session.get_one(Person, link.member_id)
            question = await session.get_one(Question, poll_id)
            await session.get_one(Asked, (poll_id, person.id))
            vote = await session.get(Vote, (poll_id, person.id))
            if vote is None:
                session.add(TookPart(poll_id=poll_id, member_id=person.id))
                session.add(
                    Vote(poll_id=poll_id, member_id=person.id, organisation_id=person.home_id, chosen=chosen)
                )
            else:
                vote.chosen = chosen
            text = f"{person.name}：{question.text}"
            await session.commit()
        return text

    async def done(self, number: int) -> None:
        async with AsyncSession(self.engine) as session:
            kept = await session.get_one(Kept, number)
            kept.state, kept.raw = "done", None
            await session.commit()


LINKS, PEOPLE, ASKED, QUESTIONS, PART, VOTES, KEPT = (
    SQLModel.metadata.tables[name]
    for name in ("link", "person", "asked", "question", "tookpart", "vote", "kept")
)
WHO = (
    rows_of(LINKS.c.member_id, PEOPLE.c.name, PEOPLE.c.home_id, QUESTIONS.c.text, VOTES.c.chosen)
    .join(PEOPLE, PEOPLE.c.id == LINKS.c.member_id)
    .join(ASKED, ASKED.c.member_id == PEOPLE.c.id)
    .join(QUESTIONS, QUESTIONS.c.id == ASKED.c.poll_id)
    .outerjoin(VOTES, (VOTES.c.poll_id == ASKED.c.poll_id) & (VOTES.c.member_id == PEOPLE.c.id))
    .where(LINKS.c.chat_id == bindparam("chat"), ASKED.c.poll_id == bindparam("poll"))
)
CHANGED = (
    change_of(VOTES)
    .where(VOTES.c.poll_id == bindparam("poll"), VOTES.c.member_id == bindparam("member"))
    .values(chosen=bindparam("now"))
)
HANDLED = change_of(KEPT).where(KEPT.c.id == bindparam("number")).values(state="done", raw=None)


class CoreStore(Store):
    """The same writes by Core, as few transactions as ours."""

    async def keep_all(self, updates: list[dict[str, Any]]) -> None:
        rows = [{"id": each["update_id"], "raw": orjson.dumps(each), "state": "waiting"} for each in updates]
        async with self.engine.begin() as connection:
            await connection.execute(insert(KEPT), rows)

    async def vote(self, chat_id: int, poll_id: int, chosen: int) -> str:
        async with self.engine.begin() as connection:
            who = (await connection.execute(WHO, {"chat": chat_id, "poll": poll_id})).one()
            if who.chosen is None:
                took = {"poll_id": poll_id, "member_id": who.member_id}
                await connection.execute(insert(PART), took)
                await connection.execute(
                    insert(VOTES), {**took, "organisation_id": who.home_id, "chosen": chosen}
                )
            else:
                given = {"poll": poll_id, "member": who.member_id, "now": chosen}
                await connection.execute(CHANGED, given)
        return f"{who.name}：{who.text}"

    async def done_all(self, updates: list[dict[str, Any]]) -> None:
        async with self.engine.begin() as connection:
            await connection.execute(HANDLED, [{"number": each["update_id"]} for each in updates])


STORES = {"writes": Store, "core": CoreStore}


def _tune(connection: Any, _record: object) -> None:
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "cache_size = -65536"):
        connection.execute(f"PRAGMA {pragma}")


def dispatcher(store: Store | None) -> Dispatcher:
    """Build a dispatcher of twenty handlers, of which the last one answers."""
    made = Dispatcher()
    for number in range(HANDLERS - 1):
        made.message.register(_never, F.text == f"never{number}")
        made.callback_query.register(_never, F.data == f"never{number}")

    @made.message()
    async def echo(message: Message) -> None:
        await message.answer(message.text or "")

    @made.callback_query()
    async def press(query: CallbackQuery) -> None:
        text = "好的"
        if store is not None:
            _, poll, mask, _ = (query.data or "").split(":")
            text = await store.vote(query.from_user.id, int(poll), int(mask))
        await query.answer()
        if isinstance(query.message, Message):
            change = InlineKeyboardButton(text="修改", callback_data="pv:1:0:change")
            await query.message.edit_text(text, reply_markup=InlineKeyboardMarkup(inline_keyboard=[[change]]))

    return made


async def _never(_event: object) -> None:
    """Handle nothing; it is only walked past."""


async def measure(kind: str, origin: str, votes: int, at_once: int) -> float:
    """Return seconds of CPU a vote."""
    session = AiohttpSession(api=TelegramAPIServer.from_base(origin))
    with tempfile.TemporaryDirectory() as folder:
        store = STORES[kind](folder) if kind in STORES else None
        if store is not None:
            await store.fill(votes + 2 * at_once)
        async with Bot(TOKEN, session=session) as bot:
            handling = dispatcher(store)

            async def feed(update: dict[str, Any]) -> None:
                each = store if kind == "writes" else None
                if each is not None:
                    await each.keep(update)
                await handling.feed_raw_update(bot, update)
                if each is not None:
                    await each.done(update["update_id"])

            async def hand_in(updates: list[dict[str, Any]]) -> None:
                if not isinstance(store, CoreStore):
                    await _pool(feed, updates, at_once)
                    return
                for start in range(0, len(updates), at_once):
                    together = updates[start : start + at_once]
                    await store.keep_all(together)
                    await _pool(feed, together, at_once)
                    await store.done_all(together)

            make = said if kind == "echo" else tap
            await hand_in([make(n, 1) for n in range(1, 2 * at_once + 1)])
            updates = [make(n, 1) for n in range(2 * at_once + 1, votes + 2 * at_once + 1)]
            gc.collect()
            gc.freeze()
            gc.set_threshold(50_000)
            began = time.process_time()
            await hand_in(updates)
            used = time.process_time() - began
        if store is not None:
            await store.engine.dispose()
    return used / votes


def said(number: int, _poll: int) -> dict[str, Any]:
    query = tap(number, 1)["callback_query"]
    return {"update_id": number, "message": {**query["message"], "from": query["from"], "text": "你好"}}


async def _pool(feed: Feed, updates: list[dict[str, Any]], at_once: int) -> None:
    waiting = iter(updates)

    async def work() -> None:
        for update in waiting:
            await feed(update)

    await asyncio.gather(*(work() for _ in range(at_once)))


if __name__ == "__main__":
    print(uvloop.run(measure(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))) * 1e6)

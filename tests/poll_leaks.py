"""Leaks planted after an anonymous poll, each by the means by which it would happen; an attacker must see them all."""

import json
import shutil
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from pathlib import Path
from random import Random
from typing import Any, Protocol

from sqlalchemy import insert, text, update

from storage.database import Database
from storage.tables import metadata
from tests import poll_evidence
from tests.poll_evidence import Record

T = metadata.tables


class Voted(Protocol):
    """What a leak is made of."""

    member_id: int
    chat_id: int
    name: str
    early: bool
    ramp: bool
    cast_at: datetime


@dataclass(frozen=True)
class Scene:
    """Where a leak is planted: voters in the order in which they voted, and in which they suggested."""

    database: Database
    voters: Sequence[Voted]
    suggested: Sequence[Voted]
    poll_id: int
    chats: Path
    folder: Path

    def mixed(self) -> list[Voted]:
        return Random(9).sample(self.voters, len(self.voters))


_numbers = count(1)
Leak = Callable[[Scene], AbstractAsyncContextManager[list[Record]]]


@asynccontextmanager
async def table(scene: Scene, columns: str) -> AsyncIterator[Callable[..., Any]]:
    """Add a table for the time of a leak; yields how a row is written, in a transaction of its own."""
    name = f"leak{next(_numbers)}"  # a connection remembers statements on a name
    async with scene.database.begin() as session:
        await session.execute(text(f"CREATE TABLE {name} ({columns})"))
    names = ", ".join(f":{each.split()[0]}" for each in columns.split(", "))

    async def write(*also: str, **values: Any) -> None:
        async with scene.database.begin() as session:
            await session.execute(text(f"INSERT INTO {name} VALUES ({names})"), values)
            for statement in also:
                await session.execute(text(statement))

    try:
        yield write
    finally:
        async with scene.database.begin() as session:
            await session.execute(text(f"DROP TABLE {name}"))


@asynccontextmanager
async def ballots_in_the_order_of_voting(scene: Scene) -> AsyncIterator[list[Record]]:
    async with table(scene, "id BIGINT PRIMARY KEY, chosen INTEGER") as write:
        for place, voter in enumerate(scene.voters):
            await write(id=place, chosen=int(voter.early))
        yield []


@asynccontextmanager
async def a_time_on_each_ballot(scene: Scene) -> AsyncIterator[list[Record]]:
    async with table(scene, "created_at TEXT, chosen INTEGER") as write:
        for voter in scene.mixed():
            await write(created_at=voter.cast_at.isoformat(), chosen=int(voter.early))
        yield []


@asynccontextmanager
async def ballot_and_participation_in_one_transaction(scene: Scene) -> AsyncIterator[list[Record]]:
    """Leave the two rows the same `xmin`, and nothing else in common."""
    async with table(scene, "token BIGINT, chosen INTEGER") as write:
        for number, voter in enumerate(scene.mixed()):
            touch = f"UPDATE participation SET poll_id = poll_id WHERE member_id = {voter.member_id}"
            await write(touch, token=number * 7919 % 1009, chosen=int(voter.early))
        yield []


@asynccontextmanager
async def a_token_in_common(scene: Scene) -> AsyncIterator[list[Record]]:
    with_names = [
        poll_evidence.record(
            "db:receipt", place, {"token": f"{voter.chat_id * 7919:x}", "who": voter.member_id}
        )
        for place, voter in enumerate(scene.mixed())
    ]
    async with table(scene, "token TEXT, chosen INTEGER") as write:
        for voter in Random(8).sample(scene.voters, len(scene.voters)):
            await write(token=f"{voter.chat_id * 7919:x}", chosen=int(voter.early))
        yield with_names


@asynccontextmanager
async def a_member_in_a_line_of_the_log(scene: Scene) -> AsyncIterator[list[Record]]:
    lines = [
        json.dumps({"event": "vote_cast", "poll": scene.poll_id, "member": v.member_id, "mask": 1 + v.early})
        for v in scene.mixed()
    ]
    yield list(poll_evidence.of_log("\n".join(lines)))


@asynccontextmanager
async def lines_of_the_log_in_the_order_of_voting(scene: Scene) -> AsyncIterator[list[Record]]:
    lines = [f"vote cast, mask {1 + voter.early}" for voter in scene.voters]
    yield list(poll_evidence.of_log("\n".join(lines), "a log of ours"))


@asynccontextmanager
async def updates_not_wiped(scene: Scene) -> AsyncIterator[list[Record]]:
    inbox = T["inbox"]
    for voter in scene.voters:
        tap = {"callback_query": {"data": f"x:{scene.poll_id}:{1 + voter.early}"}}
        await _write(
            scene, update(inbox).where(inbox.c.chat_id == voter.chat_id).values(raw=json.dumps(tap).encode())
        )
    yield []
    await _write(scene, update(inbox).values(raw=None))


@asynccontextmanager
async def one_update_set_aside_with_its_content(scene: Scene) -> AsyncIterator[list[Record]]:
    inbox, voter = T["inbox"], scene.voters[0]
    tap = json.dumps({"data": f"pv:{scene.poll_id}:{1 + voter.early}:cast"}).encode()
    await _write(scene, update(inbox).where(inbox.c.chat_id == voter.chat_id).values(raw=tap))
    yield []
    await _write(scene, update(inbox).values(raw=None))


@asynccontextmanager
async def the_choice_in_the_dialogue(scene: Scene) -> AsyncIterator[list[Record]]:
    rows = [
        {
            "account_id": 1,
            "chat_id": voter.chat_id,
            "user_id": voter.chat_id,
            "state": "answering",
            "data": json.dumps({"poll": scene.poll_id, "mask": 1 + voter.early}),
            "changed_at": voter.cast_at,
        }
        for voter in scene.mixed()
    ]
    async with scene.database.begin() as session:
        await session.execute(T["fsm"].delete())
        await session.execute(insert(T["fsm"]), rows)
    yield []
    await _write(scene, T["fsm"].delete())


@asynccontextmanager
async def names_beside_choices_in_an_export(scene: Scene) -> AsyncIterator[list[Record]]:
    file = scene.folder / "leak.csv"
    lines = [f"{voter.name},{'早' if voter.early else '晚'}" for voter in scene.mixed()]
    file.write_text("\n".join(["姓名,选择", *lines]), encoding="utf-8")
    yield list(poll_evidence.of_table(file, "export"))
    file.unlink()


@asynccontextmanager
async def looks_in_the_chat_servers_free_pages(scene: Scene) -> AsyncIterator[list[Record]]:
    copy = scene.folder / "leak.db"
    shutil.copy(scene.chats, copy)
    connection = sqlite3.connect(copy)
    connection.execute("PRAGMA secure_delete = OFF")
    connection.execute("CREATE TABLE look (body TEXT)")
    looks = [json.dumps({"chat": v.chat_id, "text": f"您选了 {1 + v.early}"}) for v in scene.mixed()]
    connection.executemany("INSERT INTO look VALUES (?)", [(each,) for each in looks])
    connection.commit()
    connection.execute("DELETE FROM look")
    connection.commit()
    connection.close()
    yield list(poll_evidence.of_bytes(copy, "bytes"))
    copy.unlink()


@asynccontextmanager
async def suggestions_in_the_order_of_writing(scene: Scene) -> AsyncIterator[list[Record]]:
    async with table(scene, "id BIGINT PRIMARY KEY, words TEXT") as write:
        for place, voter in enumerate(scene.suggested):
            await write(id=place, words="坡道" if voter.ramp else "灯光")
        yield []


async def _write(scene: Scene, statement: Any) -> None:
    async with scene.database.begin() as session:
        await session.execute(statement)


LEAKS: dict[Leak, str] = {
    ballots_in_the_order_of_voting: "by order",
    a_time_on_each_ballot: "by time",
    ballot_and_participation_in_one_transaction: "by equal values",
    a_token_in_common: "by equal values",
    a_member_in_a_line_of_the_log: "in one record",
    lines_of_the_log_in_the_order_of_voting: "by order",
    updates_not_wiped: "in one record",
    one_update_set_aside_with_its_content: "by a mark",
    the_choice_in_the_dialogue: "in one record",
    names_beside_choices_in_an_export: "in one record",
    looks_in_the_chat_servers_free_pages: "in one record",
}
"""Leaks of how people voted, and by which way they are seen."""
ONLY_POSTGRESQL = {ballot_and_participation_in_one_transaction}

"""The whole bridge killed ten times while two thousand votes are cast over HTTP: none is lost, none counted twice.

A thousand people vote in a named poll (one tap) and in an anonymous one (a tap and its confirmation).
"""

import asyncio
import os
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, insert, select, update

from domain.audiences import Audience, Scope
from domain.permissions import Actor, Grant, Role
from domain.polls import Poll
from scheduler.jobs import Engine
from services.audiences import Audiences
from services.audit import Audit
from services.delivery import Delivery
from services.media import MediaStore
from services.polls import Polls
from storage.database import Database
from storage.sealing import Sealer
from storage.tables import metadata
from tests.acceptance.bridge_process import KEY, Bridge, end
from tests.factories import make_account, make_grant, make_organisation
from tests.webchat_client import Person
from tests.webchat_server import RunningWebchat, running_webchat

pytestmark = [pytest.mark.slow, pytest.mark.kill, pytest.mark.timeout(600)]
T = metadata.tables
BRANCHES = 40
PEOPLE = int(os.environ.get("TONGDAO_KILL_VOTERS", "1000"))
AT_ONCE = 40
OPTIONS = ("七点", "八点", "九点")
KILLS = [
    ("after_vote_commit", 40),
    ("before_inbox_done", 150),
    ("after_inbox_commit", 3),
    ("after_vote_commit", 120),
    ("before_inbox_done", 250),
    ("after_vote_commit", 200),
    ("before_flush_commit", 1),
    ("after_flush_commit", 1),
]
"""A point, and the how manieth time that a thousand voters reach it."""
CLOSING_KILLS = [("before_poll_closed", 1), ("before_poll_closed", 2)]


async def settle(database: Database, people: list[Person]) -> Actor:
    """Write a city of forty branches with these people in them; returns its secretary."""
    account = await make_account(database, name="chat")
    city = await make_organisation(database)
    branches = [await make_organisation(database, parent=city) for _ in range(BRANCHES)]
    rest = {"standing": "full", "status": "active", "mobile": False, "language": "zh_CN", "phone_hint": ""}
    members = [
        {"id": number, "name": f"成员{number}", "home_id": branches[number % BRANCHES], **rest}
        for number in range(1, len(people) + 1)
    ]
    links = [
        {"member_id": number, "account_id": account, "chat_id": person.id, "state": "active", "since": now()}
        for number, person in enumerate(people, start=1)
    ]
    secretary = {**members[0], "id": len(people) + 1, "name": "书记"}
    async with database.begin() as session:
        await session.execute(insert(T["member"]), [*members, secretary])
        await session.execute(insert(T["account_link"]), links)
    await make_grant(database, member=secretary["id"], organisation=city)
    path = f"/{city}/"
    grant = Grant(Role.SECRETARY, city, path, datetime(2020, 1, 1, tzinfo=UTC).date())
    return Actor(
        secretary["id"], "书记", secretary["home_id"], f"{path}{secretary['home_id']}/", grants=(grant,)
    )


async def open_poll(database: Database, actor: Actor, folder: Path, *, anonymous: bool) -> Poll:
    engine = await Engine.for_database(database)
    sealer = Sealer({"test": KEY}, "test")
    delivery = Delivery(database=database, clock=now, jobs=engine.jobs, channels={})
    polls = Polls(
        database=database,
        clock=now,
        audit=Audit(database=database, clock=now, sealer=sealer),
        audiences=Audiences(database=database, clock=now),
        delivery=delivery,
        media=MediaStore(folder),
        sealer=sealer,
    )
    made = await polls.draft(actor, "记名的问题？" if not anonymous else "匿名的问题？")
    await polls.rewrite(
        actor, made.id, options=OPTIONS, anonymous=anonymous, closes_at=now() + timedelta(days=1)
    )
    city = actor.grants[0]
    await polls.choose(actor, made.id, Audience(include=(Scope(city.organisation_id, city.path),)))
    opened = await polls.open(actor, made.id, typed=PEOPLE + 1)
    await engine.stop()
    return opened


def now() -> datetime:
    return datetime.now(UTC)


def choice(person: Person, poll: Poll) -> int:
    return (person.id + poll.id) % len(OPTIONS)


async def vote(person: Person, poll: Poll) -> None:
    """Press the option below the call, and confirm it where the poll is anonymous; wait as long as it takes."""
    await press(person, f"pv:{poll.id}:{1 << choice(person, poll)}:pick")
    if poll.anonymous:
        await press(person, f"pv:{poll.id}:{1 << choice(person, poll)}:cast")


async def press(person: Person, data: str) -> None:
    message = await button(person, data)
    await person.call("POST", "/press", {"message_id": message["message_id"], "data": data})


async def button(person: Person, data: str) -> dict[str, Any]:
    """Wait until a button with this data is before the person."""
    async with asyncio.timeout(300):
        while True:
            for message in await person.messages(5):
                rows = message.get("reply_markup", {}).get("inline_keyboard", [])
                if any(each.get("callback_data") == data for row in rows for each in row):
                    return message
            await asyncio.sleep(0.5)


async def everybody_votes(people: list[Person], polls: list[Poll]) -> None:
    places = asyncio.Semaphore(AT_ONCE)

    async def both(person: Person) -> None:
        async with places:
            for poll in polls:
                await vote(person, poll)

    await asyncio.gather(*(both(person) for person in people))


async def test_ten_kills_lose_no_vote_and_count_none_twice(database, database_url, tmp_path):
    async with running_webchat(tmp_path / "webchat") as town:
        token = await town.new_bot()
        people = [await town.new_person(f"成员{number}") for number in range(PEOPLE)]
        for person in people:
            await person.start()  # who never wrote to a bot cannot be written to
        actor = await settle(database, people)
        polls = [await open_poll(database, actor, tmp_path, anonymous=each) for each in (False, True)]
        bridge = Bridge(database_url, town, token, tmp_path)
        process = await bridge.start()
        await all_asked(database)  # whom a kill left in doubt would wait for a person's word
        await end(process)
        voting = asyncio.create_task(everybody_votes(people, polls))
        for point, nth in KILLS:
            await bridge.killed_at(point, max(1, nth * PEOPLE // 1000))
        process = await bridge.start()
        await voting
        await all_done(database, town, token)
        await end(process)
        await let_the_minute_come(database)
        for point, nth in CLOSING_KILLS:
            await bridge.killed_at(point, nth)
        process = await bridge.start()
        await closed(database)
        await end(process)
        assert bridge.log.read_text().split() == [point for point, _ in KILLS + CLOSING_KILLS]
    await nothing_is_lost_or_doubled(database, people, polls)


async def all_asked(database: Database) -> None:
    """Wait until everybody has both calls."""
    open_ones = T["delivery"].c.state.in_(["waiting", "sending"])
    waiting = select(func.count()).where(open_ones)
    async with asyncio.timeout(120):
        while True:
            async with database.read() as session:
                if not (await session.execute(waiting)).scalar_one():
                    return
            await asyncio.sleep(0.5)


async def all_done(database: Database, town: RunningWebchat, token: str) -> None:
    """Wait until no update waits, neither on the chat server nor in the inbox."""
    async with asyncio.timeout(60):
        while await town.pending_updates(token):
            await asyncio.sleep(0.2)
        while True:
            async with database.read() as session:
                open_ones = select(func.count()).where(T["inbox"].c.state.in_(["waiting", "effective"]))
                if not (await session.execute(open_ones)).scalar_one():
                    return
            await asyncio.sleep(0.2)


async def let_the_minute_come(database: Database) -> None:
    async with database.begin() as session:
        await session.execute(update(T["poll"]).values(closes_at=now()))


async def closed(database: Database) -> None:
    async with asyncio.timeout(60):
        while True:
            async with database.read() as session:
                states = set((await session.execute(select(T["poll"].c.state))).scalars())
            if states == {"closed"}:
                return
            await asyncio.sleep(0.2)


async def nothing_is_lost_or_doubled(database: Database, people: list[Person], polls: list[Poll]) -> None:
    async with database.read() as session:
        for poll in polls:
            wanted = Counter(choice(person, poll) for person in people)
            part = select(func.count()).where(T["participation"].c.poll_id == poll.id)
            assert (await session.execute(part)).scalar_one() == len(people)
            cell = T["poll_cell"]
            cells = (await session.execute(select(cell).where(cell.c.poll_id == poll.id))).all()
            assert [sum(row.options[n] for row in cells) for n in range(len(OPTIONS))] == [
                wanted[n] for n in range(len(OPTIONS))
            ]
            assert sum(row.voted for row in cells) == len(people)
            assert min(row.voted for row in cells) >= 5
        left = select(func.count()).select_from(T["sealed_vote"])
        assert (await session.execute(left)).scalar_one() == 0
        named = select(T["named_vote"].c.member_id, T["named_vote"].c.chosen)
        chosen = {row.member_id: row.chosen for row in (await session.execute(named)).all()}
    assert chosen == {number: 1 << choice(person, polls[0]) for number, person in enumerate(people, start=1)}

"""The inbox: nothing lost, nothing twice, in order within a chat, and nothing stalls it."""

import asyncio
from typing import Any

import orjson
import pytest
from sqlalchemy import select

from bot import inbox as inbox_module
from bot import raw
from bot.inbox import Inbox, NotNow, Undecodable
from storage.database import Database
from storage.sealing import Sealer
from storage.tables import metadata
from tests.factories import make_account, make_topic

ROWS = metadata.tables["inbox"]
SEALER = Sealer({"test": bytes(range(32))}, "test")


def said(update_id: int, chat_id: int = 7, text: str = "你好") -> dict[str, Any]:
    return {"update_id": update_id, "message": {"chat": {"id": chat_id}, "text": text}}


class Handlers:
    """Remembers what it is fed; `trouble` is raised for the update ids it names, once for each entry."""

    def __init__(self) -> None:
        self.fed: list[int] = []
        self.apologies: list[tuple[int, str]] = []
        self.trouble: dict[int, list[Exception]] = {}
        self.gates: dict[int, asyncio.Event] = {}

    async def feed(self, account_id: int, update: dict[str, Any], again: bool) -> None:
        number = update["update_id"]
        if number in self.gates:
            await self.gates[number].wait()
        if self.trouble.get(number):
            raise self.trouble[number].pop(0)
        self.fed.append(number)

    async def apologise(self, account_id: int, update: dict[str, Any], incident: str) -> None:
        self.apologies.append((update["update_id"], incident))


@pytest.fixture(autouse=True)
def quickly(monkeypatch):
    monkeypatch.setattr(inbox_module, "PATIENCE", (0.01, 0.01))
    monkeypatch.setattr(inbox_module, "DATABASE_AWAY", 0.01)
    monkeypatch.setattr("bot.endings.DATABASE_AWAY", 0.01)


@pytest.fixture
async def account(database: Database) -> int:
    return await make_account(database)


@pytest.fixture
def handlers() -> Handlers:
    return Handlers()


def built(database, clock, handlers) -> Inbox:
    return Inbox(
        database=database, clock=clock, sealer=SEALER, feed=handlers.feed, apologise=handlers.apologise
    )


@pytest.fixture
async def box(database, clock, handlers, account) -> Inbox:
    box = built(database, clock, handlers)
    await box.take(account)
    return box


async def rows(database: Database) -> list[Any]:
    async with database.read() as session:
        return list((await session.execute(select(ROWS).order_by(ROWS.c.id))).all())


async def test_a_handled_update_is_done_and_its_content_wiped(box, account, handlers, database):
    await box.receive(account, [said(1, text="我的电话是13805740001")])
    await box.idle()
    assert handlers.fed == [1]
    [row] = await rows(database)
    assert (row.state, row.raw) == ("done", None)


async def test_an_update_that_comes_again_is_not_handled_again(box, account, handlers):
    await box.receive(account, [said(1)])
    await box.receive(account, [said(1), said(2)])
    await box.idle()
    await box.receive(account, [said(1), said(2)])
    await box.idle()
    assert handlers.fed == [1, 2]


async def test_updates_of_one_chat_wait_for_each_other_and_other_chats_do_not(box, account, handlers):
    handlers.gates[1] = asyncio.Event()
    await box.receive(account, [said(1, chat_id=7), said(2, chat_id=7), said(3, chat_id=8)])
    await asyncio.sleep(0.1)
    assert handlers.fed == [3]
    handlers.gates[1].set()
    await box.idle()
    assert handlers.fed == [3, 1, 2]


async def test_no_more_than_the_places_run_at_once(box, account, handlers, monkeypatch):
    running, most = 0, 0

    async def feed(account_id: int, update: dict[str, Any], again: bool) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.001)
        running -= 1

    box._feed = feed
    await box.receive(account, [said(n, chat_id=n) for n in range(1, 101)])
    await box.idle()
    assert most == inbox_module.AT_ONCE


async def test_a_crash_replays_what_was_not_done(box, account, handlers, database, clock):
    handlers.gates[2] = asyncio.Event()
    await box.receive(account, [said(1), said(2), said(3)])
    await asyncio.sleep(0.05)
    await box.stop(grace=0)

    after = Handlers()
    reborn = built(database, clock, after)
    await reborn.take(account)
    await reborn.idle()
    assert handlers.fed == [1]
    assert after.fed == [2, 3]


async def test_an_update_that_failed_comes_again_before_the_next_of_its_chat(box, account, handlers):
    handlers.trouble[1] = [RuntimeError("a moment"), RuntimeError("another")]
    await box.receive(account, [said(1), said(2)])
    await box.idle()
    assert handlers.fed == [1, 2]
    assert handlers.apologies == []


async def test_an_update_that_took_effect_is_only_answered_when_it_comes_again(
    box, account, handlers, database, clock
):
    seen: list[bool] = []

    async def feed(account_id: int, update: dict[str, Any], again: bool) -> None:
        seen.append(again)
        if len(seen) == 1:
            async with database.begin() as session:
                await make_topic(session, "a-change")
            raise RuntimeError("the answer did not get through")

    box._feed = feed
    await box.receive(account, [said(1)])
    await box.idle()
    assert seen == [False, True]
    assert [row.state for row in await rows(database)] == ["done"]


async def test_a_change_rolled_back_is_made_again(box, account, handlers, database):
    seen: list[bool] = []

    async def feed(account_id: int, update: dict[str, Any], again: bool) -> None:
        seen.append(again)
        if len(seen) == 1:
            async with database.begin() as session:
                await make_topic(session, "a-change")
                raise RuntimeError("before the commit")

    box._feed = feed
    await box.receive(account, [said(1)])
    await box.idle()
    assert seen == [False, False]


async def test_what_took_effect_before_a_crash_is_only_answered_after_it(
    box, account, handlers, database, clock
):
    seen: list[bool] = []
    stuck = asyncio.Event()

    async def feed(account_id: int, update: dict[str, Any], again: bool) -> None:
        seen.append(again)
        if not again:
            async with database.begin() as session:
                await make_topic(session, "a-change")
            await stuck.wait()

    box._feed = feed
    await box.receive(account, [said(1)])
    while not seen or (await rows(database))[0].state == "waiting":
        await asyncio.sleep(0.01)
    await box.stop(grace=0)
    reborn = built(database, clock, handlers)
    reborn._feed = feed
    await reborn.take(account)
    await reborn.idle()
    assert seen == [False, True]


async def test_three_failures_set_an_update_aside_sealed_with_an_apology(box, account, handlers, database):
    handlers.trouble[1] = [RuntimeError("always")] * 3
    await box.receive(account, [said(1, text="秘密"), said(2)])
    await box.idle()
    assert handlers.fed == [2]
    first, second = await rows(database)
    assert (first.state, first.attempts, first.error) == ("quarantined", 3, "RuntimeError")
    assert "秘密".encode() not in first.raw
    kept = orjson.loads(SEALER.open(first.raw, inbox_module.SEAL_CONTEXT))
    assert kept.keys() == said(1).keys()
    assert kept["message"]["chat"]["id"] == said(1)["message"]["chat"]["id"]
    assert "秘密" not in str(kept)
    assert second.state == "done"
    assert handlers.apologies == [(1, f"T{first.id:05d}")]


def test_the_outline_of_an_update_tells_the_kind_of_a_button_and_not_what_was_chosen():
    vote = {"update_id": 5, "callback_query": {"id": "77", "from": {"id": 9}, "data": "pv:12:3:cast"}}
    kept = orjson.loads(raw.outline(orjson.dumps(vote)))
    assert kept["callback_query"] == {"id": "…", "from": {"id": 9}, "data": "pv:…"}
    assert b"half" not in raw.outline(b'{"half')


async def test_an_apology_that_fails_holds_nothing_up(box, account, handlers):
    async def broken(account_id: int, update: dict[str, Any], incident: str) -> None:
        raise RuntimeError

    box._apologise = broken
    handlers.trouble[1] = [RuntimeError("always")] * 3
    await box.receive(account, [said(1), said(2)])
    await box.idle()
    assert handlers.fed == [2]


@pytest.mark.parametrize(
    "odd",
    [
        b'{"update_id": 1, "message": {"chat": {"id": 7}, "text": "\\ud83d"}}',
        b'{"update_id": 1, "message": {"chat": {"id": 7}, "date": 1e999999}}',
        b'{"update_id": 1, "message": {"chat": [1, 2]}}',
        b'{"update_id": 1, "message": "no object", "callback_query": {"message": 4}}',
        b'{"update_id": 1, "message": {"chat": {"id": 99999999999999999999999999}}}',
        b'{"update_id": 1, "message": {"chat": {"id": 18446744073709551615}}}',
    ],
)
async def test_an_update_that_nobody_can_decode_stalls_nothing(box, account, handlers, database, odd):
    handlers.trouble[1] = [Undecodable()]
    await box.receive(account, [raw.decode(odd), said(2)])
    await box.idle()
    assert handlers.fed == [2]
    first, _ = await rows(database)
    assert (first.state, first.attempts) == ("quarantined", 0)
    assert handlers.apologies == []


@pytest.mark.parametrize(
    "junk", [None, 4, [], {}, {"update_id": "1"}, {"update_id": True}, {"update_id": 2**63}]
)
async def test_what_has_no_number_is_left_out(box, account, handlers, junk):
    await box.receive(account, [junk, said(2)])
    await box.idle()
    assert handlers.fed == [2]


async def test_a_messenger_that_is_away_costs_an_update_no_attempt(box, account, handlers, database):
    handlers.trouble[1] = [NotNow(0.01)] * 5
    await box.receive(account, [said(1), said(2)])
    await box.idle()
    assert handlers.fed == [1, 2]
    assert [row.attempts for row in await rows(database)] == [0, 0]


async def test_a_database_away_makes_no_update_run_twice(box, account, handlers, database, monkeypatch):
    real, failures = inbox_module.inbox.done, [OSError("away"), OSError("away")]

    async def done(session: Any, inbox_id: int, now: Any) -> None:
        if failures:
            raise failures.pop()
        await real(session, inbox_id, now)

    monkeypatch.setattr(inbox_module.inbox, "done", done)
    await box.receive(account, [said(1), said(2)])
    await box.idle()
    assert handlers.fed == [1, 2]
    assert [row.state for row in await rows(database)] == ["done", "done"]


async def test_who_does_not_hold_an_account_keeps_its_updates_for_who_does(
    box, account, handlers, database, clock
):
    other = Handlers()
    beside = built(database, clock, other)
    await beside.receive(account, [said(1)])
    await beside.look()
    await beside.idle()
    await box.look()
    await box.idle()
    assert (handlers.fed, other.fed) == ([1], [])


async def test_who_lets_an_account_go_begins_nothing_more_of_it(box, account, handlers, database, clock):
    handlers.gates[1] = asyncio.Event()
    await box.receive(account, [said(1), said(2)])
    await asyncio.sleep(0.05)
    box.let_go(account)
    handlers.gates[1].set()
    await box.idle()
    other = Handlers()
    heir = built(database, clock, other)
    await heir.take(account)
    await heir.idle()
    assert (handlers.fed, other.fed) == ([1], [2])


async def test_a_backlog_longer_than_the_memory_is_handled_whole_and_in_order(
    box, account, handlers, monkeypatch
):
    monkeypatch.setattr(inbox_module, "MOST_IN_HAND", 10)
    for start in range(1, 101, 20):
        await box.receive(account, [said(n, chat_id=n % 3) for n in range(start, start + 20)])
        assert len(box._in_hand) <= 10
    for _ in range(40):
        await box.look()
        await box.idle()
    assert sorted(handlers.fed) == list(range(1, 101))
    for chat in range(3):
        mine = [n for n in handlers.fed if n % 3 == chat]
        assert mine == sorted(mine)


async def test_looking_again_while_updates_run_hands_none_on_twice(box, account, handlers):
    for start in range(1, 61, 3):
        await box.receive(account, [said(n, chat_id=n % 5) for n in range(start, start + 3)])
        await box.look()
    await box.idle()
    assert sorted(handlers.fed) == list(range(1, 61))


async def test_old_rows_are_dropped_and_a_quarantined_one_is_kept_for_a_week(
    box, account, handlers, database, clock
):
    handlers.trouble[1] = [RuntimeError("always")] * 3
    await box.receive(account, [said(1), said(2)])
    await box.idle()
    clock.forward(days=3)
    await box.reap()
    assert [row.state for row in await rows(database)] == ["quarantined"]
    clock.forward(days=5)
    await box.reap()
    assert await rows(database) == []


async def test_what_waits_is_never_dropped(database, clock, account, handlers):
    box = built(database, clock, handlers)
    await box.receive(account, [said(1)])
    clock.forward(days=30)
    await box.reap()
    assert [row.state for row in await rows(database)] == ["waiting"]


async def test_stopping_finishes_what_runs_and_begins_nothing(box, account, handlers, database):
    handlers.gates[1] = asyncio.Event()
    await box.receive(account, [said(1), said(2)])
    await asyncio.sleep(0.05)
    asyncio.get_running_loop().call_later(0.05, handlers.gates[1].set)
    await box.stop()
    assert handlers.fed == [1]
    assert [row.state for row in await rows(database)] == ["done", "waiting"]


@pytest.mark.parametrize(
    ("update", "chat"),
    [
        ({"update_id": 1, "message": {"chat": {"id": 7}, "from": {"id": 8}}}, 7),
        ({"update_id": 1, "callback_query": {"from": {"id": 8}, "message": {"chat": {"id": 7}}}}, 7),
        ({"update_id": 1, "callback_query": {"from": {"id": 8}}}, 8),
        ({"update_id": 1, "my_chat_member": {"chat": {"id": 9}}}, 9),
        ({"update_id": 1, "poll": {"id": "5"}}, None),
    ],
)
def test_an_update_waits_in_the_line_of_its_chat(update, chat):
    assert raw.chat_of(update) == chat

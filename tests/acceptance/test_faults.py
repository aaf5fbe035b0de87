"""A notice through the whole bridge while the server fails in every way: where each recipient ends, by both books."""

import asyncio
import sqlite3
import time
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.acceptance.conftest import BOT, BRANCH_SECRETARY, MEMBER, MovedCity, moved_city
from tests.webchat_client import Person

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

TUESDAY = datetime(2026, 9, 22, 2, 0, tzinfo=UTC)  # 10:00 in Shanghai
TEXT = "请带上雨具"
MOVED_TO = 8_000_000_000

FATES: list[tuple[dict[str, Any], str, int]] = [
    ({"fault": "latency", "mean": 0.2, "spread": 0.1}, "sent", 1),
    ({"fault": "error"}, "unknown", 0),
    ({"fault": "error", "acted": True}, "unknown", 1),
    ({"fault": "page"}, "unknown", 0),
    ({"fault": "page", "acted": True}, "unknown", 1),
    ({"fault": "reset"}, "unknown", 0),
    ({"fault": "reset", "acted": True}, "unknown", 1),
    ({"fault": "reset", "gently": True}, "unknown", 0),
    ({"fault": "reset", "gently": True, "acted": True}, "unknown", 1),
    ({"fault": "half"}, "unknown", 1),
    ({"fault": "half", "acted": False}, "unknown", 0),
    ({"fault": "stall", "seconds": 0.5}, "unknown", 0),
    ({"fault": "stall", "seconds": 0.5, "acted": True}, "sent", 1),
    ({"fault": "flood", "retry_after": 1}, "sent", 1),
    ({"fault": "blocked", "times": None}, "unreachable", 0),
    ({"fault": "deactivated", "times": None}, "unreachable", 0),
    ({"fault": "moved", "to": MOVED_TO, "times": None}, "sent", 1),
]
"""A fault, the state of its delivery in the end, and how often the message was seen."""


async def test_each_recipient_ends_where_they_should_and_the_unreachable_come_back(tmp_path):
    async with moved_city(tmp_path, TUESDAY, webchat_faults=True) as city:
        secretary, member = await city.person(BRANCH_SECRETARY), await city.person(MEMBER)
        chats = [chat for chat in recipients(city) if chat not in (BRANCH_SECRETARY, MEMBER)]
        assert len(chats) > len(FATES)
        for chat, (rule, _, _) in zip(chats, FATES, strict=False):
            await city.operator.fault(**{"method": "sendMessage", "chat_id": chat, "times": 1, **rule})
        await member.block()
        await until(lambda: link_of(city, MEMBER) == "blocked")
        before = dispatches(city)
        await sent(secretary, TEXT)
        await until(lambda: dispatches(city) > before and not open_deliveries(city))
        assert_each_ended(city, chats)
        await unreachable_people_come_back(city, secretary, member, chats[14])


async def test_what_people_write_comes_through_a_server_that_fails(tmp_path):
    async with moved_city(tmp_path, TUESDAY, webchat_faults=True) as city:
        member = await city.person(MEMBER)
        for rule in (
            {"fault": "page"},
            {"fault": "reset", "acted": True},
            {"fault": "half"},
            {"fault": "flood", "retry_after": 1},
            {"fault": "error", "status": 503},
        ):
            await city.operator.fault(**rule, method="getUpdates", times=1)
        await city.operator.fault("flood", method="sendMessage", retry_after=1, times=1)
        await member.say("/help")
        await member.wait("/notices", 30)
        while [rule["met"] for rule in await city.operator.faults()] != [
            1
        ] * 6:  # the test's own time ends it
            await asyncio.sleep(0.1)
        await member.say("/me")
        await member.wait("我的信息", 30)


def assert_each_ended(city: MovedCity, chats: list[int]) -> None:
    places = [
        MOVED_TO if rule["fault"] == "moved" else chat
        for chat, (rule, _, _) in zip(chats, FATES, strict=False)
    ]
    states, seen = delivered(city), counted(city)
    found = [(states[place], seen.get(place, 0)) for place in places]
    assert found == [(state, times) for _, state, times in FATES]
    for chat in chats[len(FATES) :]:
        assert (states[chat], seen[chat]) == ("sent", 1)
    assert (states[MEMBER], seen.get(MEMBER, 0)) == ("skipped", 0)
    assert link_of(city, chats[14]) == link_of(city, chats[15]) == "blocked"
    assert max(seen.values()) == 1


async def unreachable_people_come_back(
    city: MovedCity, secretary: Person, member: Person, missed: int
) -> None:
    """One unblocks, one writes whose coming back was never told; both get the next notice."""
    await city.operator.heal()
    await member.unblock()
    await until(lambda: link_of(city, MEMBER) == "active")
    back = await city.person(missed)
    await back.say("/help")
    await until(lambda: link_of(city, missed) == "active")
    await sent(secretary, "雨停了")
    await member.wait("雨停了")
    await back.wait("雨停了")


async def sent(secretary: Person, text: str) -> None:
    """Send a notice to the whole branch."""
    await secretary.say(f"/notice {text}")
    for label in ("全部", "下一步", "现在发出"):
        await secretary.wait(lambda message, label=label: label in str(message.get("reply_markup")))
        await secretary.press(label)


async def until(true: Any, seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)


def rows(city: MovedCity, name: str, query: str, *values: Any) -> list[Any]:
    book = sqlite3.connect(city.folder / "var" / name)
    try:
        return book.execute(query, values).fetchall()
    finally:
        book.close()


def recipients(city: MovedCity) -> list[int]:
    """Return the chats of the branch's members who can be reached."""
    found = rows(
        city,
        "tongdao.db",
        "SELECT chat_id FROM account_link JOIN member ON member.id = member_id WHERE state = 'active'"
        " AND stopped_at IS NULL AND member.status = 'active' AND NOT mobile AND home_id ="
        " (SELECT home_id FROM member JOIN account_link ON member.id = member_id WHERE chat_id = ?)",
        BRANCH_SECRETARY,
    )
    return [row[0] for row in found]


def link_of(city: MovedCity, chat: int) -> str:
    return str(rows(city, "tongdao.db", "SELECT state FROM account_link WHERE chat_id = ?", chat)[0][0])


LATEST = "dispatch_id = (SELECT max(id) FROM dispatch WHERE source = 'notice')"


def dispatches(city: MovedCity) -> int:
    return int(rows(city, "tongdao.db", "SELECT count(*) FROM dispatch WHERE source = 'notice'")[0][0])


def open_deliveries(city: MovedCity) -> int:
    query = f"SELECT count(*) FROM delivery WHERE state IN ('waiting', 'sending') AND {LATEST}"
    return int(rows(city, "tongdao.db", query)[0][0])


def delivered(city: MovedCity) -> dict[int, str]:
    """Return what our book says of each chat."""
    query = (
        "SELECT account_link.chat_id, delivery.state FROM delivery JOIN account_link"
        f" ON account_link.member_id = delivery.member_id WHERE {LATEST}"
    )
    return dict(rows(city, "tongdao.db", query))


def counted(city: MovedCity) -> dict[int, int]:
    """Return how often the chat server's book has the notice in each chat."""
    query = (
        "SELECT person_id, count(*) FROM message JOIN bot ON bot.id = bot_id WHERE username = ?"
        " AND NOT outgoing AND body LIKE ? AND person_id <> ? GROUP BY person_id"
    )
    return dict(rows(city, "webchat.db", query, BOT, f"%{TEXT}%", BRANCH_SECRETARY))

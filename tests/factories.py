"""Rows for tests, inserted with as few words as possible; each helper returns the id it made.

    city = await make_organisation(database)
    county = await make_organisation(database, parent=city, level="county")
    member = await make_member(database, home=county, chat_id=7, topics=["policy"])

Each takes the database (a transaction of its own) or an open session.
"""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from itertools import count
from typing import Any

from sqlalchemy import insert, select, update

from domain.organisations import child_path
from storage.database import Database, Session
from storage.tables import metadata

T = metadata.tables
SINCE = date(2020, 1, 1)
WHEN = datetime(2026, 3, 1, tzinfo=UTC)
Where = Database | Session
_numbers = count(1)


@asynccontextmanager
async def opened(where: Where) -> AsyncIterator[Session]:
    """Yield a session: the one given, or one of a transaction of its own."""
    if isinstance(where, Database):
        async with where.begin() as session:
            yield session
    else:
        yield where


async def make_organisation(where: Where, *, parent: int | None = None, **fields: Any) -> int:
    """Insert an organisation below `parent`, with its path; a city committee if there is no parent."""
    defaults = {
        "name": f"组织{next(_numbers)}",
        "name_en": "",
        "kind": "committee" if parent is None else "branch",
        "level": "city" if parent is None else "grassroots",
        "status": "active",
        "zone": "Asia/Shanghai",
        "holiday_policy": "next_free_saturday",
        "contact": "",
    }
    table = T["organisation"]
    async with opened(where) as session:
        above = "/"
        if parent is not None:
            above = (await session.execute(select(table.c.path).where(table.c.id == parent))).scalar_one()
        values = {**defaults, **fields, "parent_id": parent, "path": f"new:{next(_numbers)}"}
        number = int((await session.execute(insert(table).values(values).returning(table.c.id))).scalar_one())
        await session.execute(
            update(table).where(table.c.id == number).values(path=child_path(above, number))
        )
    return number


async def make_member(
    where: Where,
    *,
    home: int,
    chat_id: int | None = None,
    account: int | None = None,
    topics: Iterable[int | str] = (),
    hosts: Iterable[int] = (),
    **fields: Any,
) -> int:
    """Insert a member with their home membership; with `chat_id` linked, with `topics` (ids or codes) subscribed."""
    defaults = {
        "name": f"成员{next(_numbers)}",
        "home_id": home,
        "standing": "full",
        "status": "active",
        "mobile": False,
        "language": "zh_CN",
        "phone_hint": "",
    }
    async with opened(where) as session:
        member = await _insert(session, "member", {**defaults, **fields})
        stay = {"member_id": member, "since": SINCE}
        await _insert(session, "membership", {**stay, "organisation_id": home, "kind": "home"})
        for host in hosts:
            await _insert(session, "membership", {**stay, "organisation_id": host, "kind": "host"})
        for topic in topics:
            await make_subscription(session, member=member, topic=topic)
        if chat_id is not None:
            await make_link(session, member=member, chat_id=chat_id, account=account)
    return member


async def make_grant(
    where: Where, *, member: int, organisation: int, role: str = "secretary", **fields: Any
) -> int:
    """Give a member a role at a node, from 2020 on unless told otherwise."""
    values = {"member_id": member, "organisation_id": organisation, "role": role, "since": SINCE}
    async with opened(where) as session:
        return await _insert(session, "role_grant", {**values, **fields})


async def make_account(where: Where, name: str = "webchat", **fields: Any) -> int:
    """Insert an account, or return the one of that name."""
    defaults = {
        "residency": "CN",
        "verifies_phones": False,
        "deep_link_template": "http://chat.test/{bot}?start={payload}",
    }
    table = T["account"]
    async with opened(where) as session:
        found = (await session.execute(select(table.c.id).where(table.c.name == name))).scalar()
        return found or await _insert(session, "account", {"name": name, **defaults, **fields})


async def make_link(
    where: Where,
    *,
    member: int,
    chat_id: int,
    account: int | None = None,
    state: str = "active",
    **fields: Any,
) -> int:
    """Join a chat to a member; on the account "webchat" unless told otherwise."""
    async with opened(where) as session:
        values = {
            "member_id": member,
            "account_id": account or await make_account(session),
            "chat_id": chat_id,
            "state": state,
            "since": WHEN,
        }
        return await _insert(session, "account_link", {**values, **fields})


async def make_topic(where: Where, code: str = "policy", **fields: Any) -> int:
    """Insert a topic."""
    defaults = {"code": code, "name": f"主题{code}", "name_en": code, "by_default": True, "position": 0}
    async with opened(where) as session:
        return await _insert(session, "topic", {**defaults, **fields})


async def make_subscription(where: Where, *, member: int, topic: int | str) -> None:
    """Subscribe a member to a topic, given by its id or its code."""
    async with opened(where) as session:
        if isinstance(topic, str):
            table = T["topic"]
            topic = (await session.execute(select(table.c.id).where(table.c.code == topic))).scalar_one()
        await session.execute(insert(T["subscription"]).values(topic_id=topic, member_id=member))


async def _insert(session: Session, name: str, values: dict[str, Any]) -> int:
    table = T[name]
    return int((await session.execute(insert(table).values(values).returning(table.c.id))).scalar_one())

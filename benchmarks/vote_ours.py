"""Our own side of the comparison of votes: raw updates through inbox, dispatcher, booth and answer.

    python -m benchmarks.vote_ours ORIGIN VOTES AT_ONCE [PROFILE]

Prints the CPU of a vote in microseconds; with a fourth word it profiles, and prints also what share of the time
went into which package, as JSON.
"""

import base64
import cProfile
import gc
import json
import pstats
import sys
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import structlog
import uvloop
from sqlalchemy import func, insert, select

from benchmarks.fake_server import TOKEN
from bot import accounts
from bot.inbound import Inbound
from bot.meters import Meters
from bot.settings import AccountSettings, Settings
from bot.toolbox import build_toolbox
from domain.audiences import Audience, Scope
from domain.permissions import Actor, Grant, Role
from scheduler.jobs import Engine
from services.media import MediaStore
from services.toolbox import Toolbox
from storage import schema
from storage.database import Database
from storage.tables import metadata
from tests.factories import make_grant, make_organisation

T = metadata.tables
PACKAGES = {
    "sqlalchemy": "SQLAlchemy and aiosqlite",
    "aiosqlite": "SQLAlchemy and aiosqlite",
    "aiogram": "aiogram and pydantic",
    "pydantic": "aiogram and pydantic",
    "magic_filter": "aiogram and pydantic",
    "aiohttp": "aiohttp",
    "/bot/": "our own code",
    "/handlers/": "our own code",
    "/services/": "our own code",
    "/storage/": "our own code",
    "/domain/": "our own code",
}
CHAT = 100_000


def clock() -> datetime:
    return datetime.now(UTC)


async def measure(origin: str, votes: int, at_once: int, *, profile: bool) -> float:
    """Return seconds of CPU a vote."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    with tempfile.TemporaryDirectory() as folder:
        settings = _settings(Path(folder), origin)
        database = Database(settings.database)
        await schema.upgrade(database)
        media = MediaStore(settings.data_dir / "media")
        opened = await accounts.open_all(
            list(settings.accounts), database=database, clock=clock, media_path=media.path
        )
        account = next(iter(opened))
        engine = await Engine.for_database(database)
        toolbox = build_toolbox(
            settings, database, clock, engine=engine, opened=opened, media=media, meters=Meters()
        )
        await toolbox.delivery.boot()
        poll = await _poll(database, toolbox, account, votes + 2 * at_once)
        inbound = Inbound(
            opened,
            toolbox,
            database=database,
            clock=clock,
            sealer=settings.sealer(),
            holder="",
            public_url="",
        )
        await inbound.inbox.take(account)
        used = await _vote(inbound, account, poll, votes, at_once, profile=profile)
        await inbound.stop()
        await toolbox.delivery.stop()
        await opened[account].close()
        await _check(database, poll, votes + 2 * at_once)
        await database.close()
    return used / votes


async def _vote(
    inbound: Inbound, account: int, poll: int, votes: int, at_once: int, *, profile: bool
) -> float:
    """Hand in every vote, as a poller would: so many at a time as lie there."""
    await _hand_in(inbound, account, [tap(n, poll) for n in range(1, 2 * at_once + 1)], at_once)
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000)
    began = time.process_time()
    taps = [tap(n, poll) for n in range(2 * at_once + 1, votes + 2 * at_once + 1)]
    with cProfile.Profile() if profile else _nothing() as seen:
        await _hand_in(inbound, account, taps, at_once)
    used = time.process_time() - began
    if isinstance(seen, cProfile.Profile):
        print(json.dumps(_shares(seen)))
    return used


def _shares(seen: cProfile.Profile) -> dict[str, float]:
    """Return each package's share of the time, its own only; what is built in counts with whoever is most of it."""
    times: Counter[str] = Counter()
    for (file, _, _), (_, _, own, _, _) in pstats.Stats(seen).stats.items():  # type: ignore[attr-defined]
        times[next((name for mark, name in PACKAGES.items() if mark in file), "the rest of Python")] += own
    whole = sum(times.values())
    return {name: own / whole for name, own in times.most_common()}


async def _hand_in(inbound: Inbound, account: int, taps: list[dict[str, Any]], at_once: int) -> None:
    for start in range(0, len(taps), at_once):
        await inbound.inbox.receive(account, taps[start : start + at_once])
        await inbound.inbox.idle()


class _nothing:  # noqa: N801 - reads like contextlib.nullcontext, which mypy cannot join with a profile
    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: object) -> None:
        return None


def tap(number: int, poll: int) -> dict[str, Any]:
    """Return the update of a member who presses an option below the call."""
    person = {"id": CHAT + number, "is_bot": False, "first_name": "成员", "language_code": "zh-hans"}
    message = {
        "message_id": number,
        "date": 1_772_589_600,
        "chat": {"id": CHAT + number, "type": "private", "first_name": "成员"},
        "from": {"id": 42, "is_bot": True, "first_name": "通道", "username": "tongdao_bot"},
        "text": "食堂几点开门？",
    }
    query = {
        "id": str(number),
        "from": person,
        "message": message,
        "chat_instance": "1",
        "data": f"pv:{poll}:1:pick",
    }
    return {"update_id": number, "callback_query": query}


def _settings(folder: Path, origin: str) -> Settings:
    key = base64.b64encode(bytes(range(32))).decode()
    account = AccountSettings.model_validate({"name": "chat", "base_url": origin, "token": TOKEN})
    return Settings.model_validate({"data_dir": folder, "secret_key": f"bench:{key}", "accounts": (account,)})


async def _poll(database: Database, toolbox: Toolbox, account: int, people: int) -> int:
    """Write a city of so many members, and open a poll by name that all of them are asked."""
    city = await make_organisation(database)
    rest = {"standing": "full", "status": "active", "mobile": False, "language": "zh_CN", "phone_hint": ""}
    members = [{"id": n, "name": f"成员{n}", "home_id": city, **rest} for n in range(1, people + 2)]
    links = [
        {"member_id": n, "account_id": account, "chat_id": CHAT + n, "state": "active", "since": clock()}
        for n in range(1, people + 1)
    ]
    async with database.begin() as session:
        await session.execute(insert(T["member"]), members)
        await session.execute(insert(T["account_link"]), links)
    await make_grant(database, member=people + 1, organisation=city)
    grant = Grant(Role.SECRETARY, city, f"/{city}/", datetime(2020, 1, 1, tzinfo=UTC).date())
    actor = Actor(people + 1, "书记", city, f"/{city}/", grants=(grant,))
    made = await toolbox.polls.draft(actor, "食堂几点开门？")
    settings = {"options": ("七点", "八点"), "anonymous": False, "closes_at": clock() + timedelta(days=3)}
    await toolbox.polls.rewrite(actor, made.id, **settings)
    await toolbox.polls.choose(actor, made.id, Audience(include=(Scope(city, f"/{city}/"),)))
    return (await toolbox.polls.open(actor, made.id, typed=people + 1)).id


async def _check(database: Database, poll: int, votes: int) -> None:
    async with database.read() as session:
        cast = (await session.execute(select(func.count()).select_from(T["named_vote"]))).scalar_one()
    if cast != votes:
        raise RuntimeError(f"{cast} votes on record of poll {poll}, not {votes}")


if __name__ == "__main__":
    given = sys.argv
    print(uvloop.run(measure(given[1], int(given[2]), int(given[3]), profile=len(given) > 4)) * 1e6)

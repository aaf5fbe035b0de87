"""Demo data: a synthetic city shaped like the essay, the same each time, and three people to look through."""

import random
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from itertools import islice

from domain.clock import Clock, day_of
from domain.organisations import HolidayPolicy, OrganisationStatus
from domain.refusals import Refusal
from services.demo_holidays import leave_open
from services.demo_notices import ZONE, past_notices, tell
from services.demo_people import (
    CITY_SECRETARY,
    FIRST_JOINED,
    Duty,
    duties,
    homes,
    rows,
)
from services.demo_polls import ask, demo_polls
from services.demo_repeats import write_repeats
from services.demo_service_days import write_service_days
from services.demo_suggestions import suggest
from services.demo_tree import Node, Tree, plant
from storage import demo_data
from storage.database import Database, Session
from storage.demo_data import ChatPerson
from storage.sealing import Sealer

ACCOUNT = "webchat"
FIRST_CHAT = 1_000_000
"""A linked member's chat on the web chat is this plus their id."""
BATCH = 20_000
TOPICS = (
    # code, name, English name, of a hundred members so many subscribe, by default
    ("policy", "政策解读", "Policy", 90, True),
    ("study", "学习教育", "Study", 90, True),
    ("service", "志愿服务", "Volunteering", 85, True),
    ("life", "组织生活", "Branch life", 95, True),
    ("culture", "文体活动", "Culture and sport", 30, False),
)

Progress = Callable[[str, int, int], None]
"""Is told what is being written (organisations, members, links, topics, notices), how much of it, of how much."""


class NotEmpty(Refusal):
    """The database holds organisations already, and demo data never mixes with others'."""


@dataclass(frozen=True, slots=True)
class DemoPeople:
    """The people the demo is seen through."""

    member: ChatPerson
    branch_secretary: ChatPerson
    city_secretary: ChatPerson


async def is_empty(database: Database) -> bool:
    async with database.read() as session:
        return await demo_data.is_empty(session)


async def is_demo(database: Database) -> bool:
    async with database.read() as session:
        return await demo_data.is_demo(session)


async def load(
    database: Database,
    *,
    scale: int = 100,
    clock: Clock,
    sealer: Sealer,
    progress: Progress = lambda _what, _done, _total: None,
) -> DemoPeople:
    """Fill an empty database at 1:`scale`, in one transaction, and return whom to look through."""
    now = clock()
    tree = plant(scale)
    async with database.begin() as session:
        if not await demo_data.is_empty(session):
            raise NotEmpty
        await _write_tree(session, tree, progress)
        held = await _write_members(session, tree, scale, sealer, now, progress)
        await _write_chats(session, now, progress)
        topics = await _write_topics(session, progress)
        await _write_notices(session, tree, held, topics, now, progress)
        for poll in demo_polls(now):
            await ask(session, tree, sealer, poll)
        await suggest(session, now)
        await leave_open(session, now)
        await write_service_days(session, tree, now)
        await write_repeats(session, tree, now)
        await demo_data.mark(session)
        await demo_data.look_over(session)
    return await people(database)


async def people(database: Database) -> DemoPeople:
    """Return whom to look through in a database that holds demo data."""
    member, branch_secretary, city_secretary = await chats(database, limit=CITY_SECRETARY)
    return DemoPeople(member, branch_secretary, city_secretary)


async def chats(database: Database, *, limit: int = 1000) -> list[ChatPerson]:
    """Return the first members with a web chat, for the chat server to know them too."""
    async with database.read() as session:
        return await demo_data.chat_people(session, ACCOUNT, limit)


async def _write_tree(session: Session, tree: Tree, progress: Progress) -> None:
    nodes = iter(tree.nodes)
    written = 0
    while batch := list(islice(nodes, BATCH)):
        await demo_data.add(session, "organisation", [_organisation(node) for node in batch])
        written += len(batch)
        progress("organisations", written, len(tree.nodes))
    await demo_data.count_on(session, "organisation")


async def _write_members(
    session: Session, tree: Tree, scale: int, sealer: Sealer, now: datetime, progress: Progress
) -> list[Duty]:
    chance = random.Random(scale)
    homes_of = list(homes(tree, scale))
    today = day_of(now)
    for start in range(0, len(homes_of), BATCH):
        batch = homes_of[start : start + BATCH]
        numbers = range(start + 1, start + 1 + len(batch))
        await demo_data.add(session, "member", rows(chance, numbers, batch, sealer, today))
        progress("members", start + len(batch), len(homes_of))
    await demo_data.count_on(session, "member")
    await demo_data.settle_homes(session)
    await demo_data.settle_hosts(session, tree.regional)
    held = duties(tree, homes_of)
    await demo_data.add(session, "role_grant", [_grant(duty) for duty in held])
    await demo_data.add(session, "seat", [_seat(duty) for duty in held])
    return held


async def _write_chats(session: Session, now: datetime, progress: Progress) -> None:
    account_id = await demo_data.account_named(session, ACCOUNT)
    await demo_data.link_most(session, account_id, FIRST_CHAT, now - timedelta(days=60))
    await demo_data.stop_some(session, now - timedelta(days=30))
    progress("links", 1, 1)


async def _write_topics(session: Session, progress: Progress) -> dict[str, int]:
    topics = {}
    for number, (code, name, name_en, percent, by_default) in enumerate(TOPICS, start=1):
        fields = {"name": name, "name_en": name_en, "by_default": by_default, "position": number}
        await demo_data.add(session, "topic", [{"id": number, "code": code, **fields}])
        await demo_data.subscribe(session, number, percent)
        topics[code] = number
        progress("topics", number, len(TOPICS))
    await demo_data.count_on(session, "topic")
    return topics


async def _write_notices(
    session: Session, tree: Tree, held: list[Duty], topics: dict[str, int], now: datetime, progress: Progress
) -> None:
    notices = past_notices(tree, held, topics, now)
    for number, notice in enumerate(notices, start=1):
        await tell(session, notice)
        progress("notices", number, len(notices))


def _organisation(node: Node) -> dict[str, object]:
    fields = asdict(node)
    del fields["weight"]
    return {
        **fields,
        "status": OrganisationStatus.ACTIVE,
        "zone": ZONE,
        "holiday_policy": HolidayPolicy.NEXT_FREE_SATURDAY,
        "contact": f"0574-0000-{node.id % 10_000:04}",
    }


def _grant(duty: Duty) -> dict[str, object]:
    fields = {"member_id": duty.member_id, "organisation_id": duty.organisation_id, "role": duty.role}
    return {**fields, "since": FIRST_JOINED}


def _seat(duty: Duty) -> dict[str, object]:
    return {
        "member_id": duty.member_id,
        "organisation_id": duty.organisation_id,
        "post": duty.post,
        "part_time": bool(duty.sending_unit),
        "sending_unit": duty.sending_unit,
        "since": FIRST_JOINED,
    }

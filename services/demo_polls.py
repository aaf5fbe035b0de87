"""The demo's polls: one that is open and takes suggestions, and one whose result is published."""

import random
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import orjson

from domain.audiences import Audience, Scope
from domain.delivery import Lane, UnknownPolicy
from domain.poll_counting import Count, gather
from domain.polls import PollState
from services.demo_people import CITY_SECRETARY
from services.demo_tree import CITY_ID, Tree
from services.poll_booth import seal_context
from storage import audiences, ballots, demo_data, dispatches, materialise, polls
from storage.database import Session
from storage.sealing import Sealer

ZONE = ZoneInfo("Asia/Shanghai")
CLOSES = time(18)


@dataclass(frozen=True, slots=True)
class DemoPoll:
    """One anonymous poll of the city, and how people answered it."""

    question: str
    options: tuple[str, ...]
    weights: tuple[int, ...]
    opened_at: datetime
    closes_at: datetime
    one_in: int
    suggestions: tuple[str, ...] = ()
    what_changed: str = ""


def demo_polls(now: datetime) -> list[DemoPoll]:
    """Return the polls: the published one first, and the open one, which the three people have still to answer."""
    return [
        DemoPoll(
            "社区党员服务站的阅览室，您希望几点开门？",
            ("上午七点半", "上午八点半", "中午十二点", "晚上再开放两小时"),
            (2, 3, 1, 4),
            now - timedelta(days=21),
            _evening(now, -7),
            one_in=2,
            what_changed="从下月起，阅览室每周二、周四晚上延长到八点半；上午开门时间暂时不变，半年后再问一次大家。",
        ),
        DemoPoll(
            "今年的志愿服务日，您更愿意参加哪一类活动？",
            ("社区义诊和量血压", "陪伴独居老人", "河道和绿地清洁", "教老人用手机"),
            (3, 4, 2, 3),
            now - timedelta(days=9),
            _evening(now, 6),
            one_in=4,
            suggestions=(
                "义诊最好放在周六上午，老人都在家。",
                "希望增加教老人用手机挂号。",
                "能不能多办几次教手机的活动？",
                "清洁河道请准备雨靴和手套。",
            ),
        ),
    ]


async def ask(session: Session, tree: Tree, sealer: Sealer, demo: DemoPoll) -> None:
    """Write a poll with its call as it went out, who took part, and the votes as they were counted."""
    audience = Audience((_whole(tree, tree.counties[0]), _whole(tree, tree.offices[CITY_ID])))
    poll_id = await polls.add(
        session,
        organisation_id=CITY_ID,
        author_id=CITY_SECRETARY,
        question=demo.question,
        now=demo.opened_at - timedelta(hours=1),
    )
    over = bool(demo.what_changed)
    await polls.write(
        session,
        poll_id,
        options=list(demo.options),
        audience_id=await audiences.save(session, audience),
        state=PollState.PUBLISHED if over else PollState.OPEN,
        suggestions=bool(demo.suggestions),
        opened_at=demo.opened_at,
        closes_at=demo.closes_at,
        closed_at=demo.closes_at if over else None,
        what_changed=demo.what_changed,
        published_at=demo.closes_at + timedelta(days=1) if over else None,
    )
    dispatch_id = await dispatches.create(
        session,
        source=polls.SOURCE,
        source_id=poll_id,
        author_id=CITY_SECRETARY,
        lane=Lane.NORMAL,
        unknown_policy=UnknownPolicy.PARK,
        useful_until=demo.closes_at,
        topic_id=None,
        now=demo.opened_at,
    )
    await materialise.write(session, dispatch_id, audiences.members_of(audience))
    await demo_data.finish_dispatch(session, dispatch_id, demo.opened_at)
    voters = await demo_data.take_part(session, poll_id, dispatch_id, demo.one_in, shown=over)
    loose = {path: _answers(demo, path, number) for path, number in voters.items()}
    await ballots.add_to_cells(session, poll_id, gather(loose, tree[CITY_ID].path))
    for number, text in enumerate(demo.suggestions):
        sealed = sealer.seal(orjson.dumps({"member": None, "text": text}), seal_context(poll_id))
        owner = sealer.blind_index(f"demo:{poll_id}:{number}")
        await ballots.replace_suggestion(session, poll_id, owner, CITY_ID, sealed)


def _answers(demo: DemoPoll, path: str, voters: int) -> Count:
    """Share votes out by weight, the same each time."""
    chance = random.Random(f"{demo.question}{path}")
    chosen = chance.choices(range(len(demo.options)), demo.weights, k=voters)
    return Count(voters, tuple(chosen.count(number) for number in range(len(demo.options))))


def _evening(now: datetime, days: int) -> datetime:
    return datetime.combine(now.astimezone(ZONE).date() + timedelta(days=days), CLOSES, ZONE)


def _whole(tree: Tree, organisation_id: int) -> Scope:
    return Scope(organisation_id, tree[organisation_id].path)

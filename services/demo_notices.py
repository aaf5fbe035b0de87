"""The past notices of the demo: what was told, to whom, when, and what became of it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.audiences import Audience, Scope
from domain.delivery import Lane, UnknownPolicy
from domain.members import Standing
from domain.push_budget import week_start
from services.demo_people import BRANCH_SECRETARY, CITY_SECRETARY, Duty
from services.demo_tree import CITY_ID, Tree
from storage import audiences, demo_data, dispatches, materialise
from storage.database import Session
from storage.tables import NoticeRow

ZONE = "Asia/Shanghai"


@dataclass(frozen=True, slots=True)
class PastNotice:
    """One notice that has been sent."""

    text: str
    organisation_id: int
    author_id: int
    audience: Audience
    at: datetime
    needs_confirmation: bool = False
    topic_id: int | None = None


def past_notices(tree: Tree, duties: list[Duty], topics: dict[str, int], now: datetime) -> list[PastNotice]:
    """Return the notices, oldest first: of city, county and branch, and three of this week to one branch."""
    county, branch, firm = tree.counties[0], tree.communities[0], tree.firms[0]
    monday = week_start(now, ZONE)
    service = topics["service"]
    return [
        PastNotice(
            "服务月活动开始报名：各支部可从本周起报名参加社区义诊、助老和环境整治，时间和地点由支部商定。"
            "不便参加的同志不需要说明理由。",
            CITY_ID,
            CITY_SECRETARY,
            Audience((Scope(CITY_ID, tree[CITY_ID].path, topic_id=service),)),
            now - timedelta(days=24),
            topic_id=service,
        ),
        PastNotice(
            "区图书馆本月起为各支部提供固定学习场地，周二至周日可以预约，预约电话见下方组织联系方式。",
            county,
            _secretary(duties, county),
            Audience((_whole(tree, county),), (_whole(tree, tree.offices[county]),)),
            now - timedelta(days=17),
        ),
        PastNotice(
            "新修订的基层工作手册已经印发，请正式成员到所在支部领取，收到后请点“收到”。",
            CITY_ID,
            CITY_SECRETARY,
            Audience((Scope(CITY_ID, tree[CITY_ID].path, standings=(Standing.FULL,)),)),
            now - timedelta(days=10),
            needs_confirmation=True,
        ),
        PastNotice(
            "支部主题日定在本周五晚七点，社区活动室。请带上学习笔记，能到的同志点“收到”。",
            branch,
            BRANCH_SECRETARY,
            Audience((_whole(tree, branch),)),
            now - timedelta(days=8),
            needs_confirmation=True,
        ),
        *(
            PastNotice(
                text,
                firm,
                _secretary(duties, firm),
                Audience((_whole(tree, firm),)),
                min(now, max(monday + timedelta(minutes=number), now - timedelta(hours=6 - number))),
            )
            for number, text in enumerate(
                ("本周学习改在周四中午。", "周四学习地点：二楼会议室。", "学习材料已放在会议室，请自取。")
            )
        ),
    ]


async def tell(session: Session, notice: PastNotice) -> None:
    """Write a notice with its dispatch, its deliveries as they ended, and its confirmations."""
    row = NoticeRow(
        organisation_id=notice.organisation_id,
        author_id=notice.author_id,
        audience_id=await audiences.save(session, notice.audience),
        topic_id=notice.topic_id,
        state="sent",
        text=notice.text,
        needs_confirmation=notice.needs_confirmation,
        created_at=notice.at - timedelta(hours=1),
        sent_at=notice.at,
    )
    session.add(row)
    await session.flush()
    notice_id = row.id or 0
    dispatch_id = await dispatches.create(
        session,
        source="notice",
        source_id=notice_id,
        author_id=notice.author_id,
        lane=Lane.NORMAL,
        unknown_policy=UnknownPolicy.PARK,
        useful_until=None,
        topic_id=notice.topic_id,
        now=notice.at,
    )
    await materialise.write(session, dispatch_id, audiences.members_of(notice.audience))
    await demo_data.finish_dispatch(session, dispatch_id, notice.at)
    if notice.needs_confirmation:
        await demo_data.confirm_most(session, notice_id, dispatch_id, notice.at + timedelta(hours=3))


def _whole(tree: Tree, organisation_id: int) -> Scope:
    return Scope(organisation_id, tree[organisation_id].path)


def _secretary(duties: list[Duty], organisation_id: int) -> int:
    return next(duty.member_id for duty in duties if duty.organisation_id == organisation_id)

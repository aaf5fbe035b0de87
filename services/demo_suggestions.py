"""The demo's suggestions: some to the city that wait to be grouped and answered, and one that was answered."""

from datetime import datetime, timedelta

from domain.clock import day_of
from services.demo_people import CITY_SECRETARY, MEMBER
from services.demo_tree import CITY_ID
from storage import suggestion_groups, suggestions
from storage.database import Session
from storage.suggestions import NewSuggestion

WAITING = (
    # member, text, days ago
    (41, "希望社区食堂早点开门", 6),
    (52, "社区食堂能不能早一点开门？", 5),
    (63, "建议食堂早些开门，上早班的赶不上。", 4),
    (74, "党员服务站门口的路灯坏了，请修一下", 4),
    (85, "服务站门口路灯坏了", 3),
    (96, "Please put the study materials online as well", 3),
    (107, "希望志愿服务提前一周通知", 2),
    (118, "会议能不能短一点", 1),
)
ANSWERED = "希望组织一次消防演练"
ANSWER = "已和街道消防站商定，下个月第二个周六上午在社区广场举行，欢迎大家参加。"


async def suggest(session: Session, now: datetime) -> None:
    """Write what members suggested to the city; the clock groups what waits."""
    waiting = [_new(member_id, text, now, days) for member_id, text, days in WAITING]
    await suggestions.add_many(session, waiting)
    (answered,) = await suggestions.add_many(session, [_new(MEMBER, ANSWERED, now, 20)])
    group_id = await suggestion_groups.new_group(session, CITY_ID, ANSWERED)
    await suggestion_groups.put(session, answered, group_id)
    await suggestion_groups.answer(session, group_id, ANSWER, CITY_SECRETARY, now - timedelta(days=12))


def _new(member_id: int, text: str, now: datetime, days: int) -> NewSuggestion:
    return NewSuggestion(CITY_ID, None, member_id, text, day_of(now - timedelta(days=days)))

"""The demo's service days: three that were held, the next that waits to be confirmed, and what is done on it."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from domain.clock import day_of
from domain.holidays import Calendar
from domain.organisations import HolidayPolicy
from domain.service_days import HORIZON, DayState, months_from, propose
from domain.service_steps import asks, reminders
from services.demo_notices import ZONE
from services.demo_people import CITY_SECRETARY
from services.demo_tree import CITY_ID, Tree
from services.service_day_clock import Timing
from storage import holidays, service_days, service_steps
from storage.database import Session

PAST_MONTHS = 3
DECIDED = timedelta(days=13)
CITY_TEXT = "上午9点到11点，各社区服务站：量血压、修小家电、教老人用手机。"
BRANCH_TEXT = "上午9点在社区活动室集合，一起打扫楼道和小花园。请穿方便活动的衣服。"


async def write_service_days(session: Session, tree: Tree, now: datetime) -> None:
    """Write the past and the coming days; questions that are due already count as asked."""
    calendar = Calendar(await holidays.read_all(session))
    today = day_of(now, ZoneInfo(ZONE))
    months = [*months_from(_months_back(today, PAST_MONTHS), PAST_MONTHS + HORIZON)]
    says = [(month, propose(month, HolidayPolicy.NEXT_FREE_SATURDAY, calendar)) for month in months]
    await service_days.add_missing(session, CITY_ID, says, now)
    days = await service_days.of_organisation(session, CITY_ID, months[0])
    for day in days:
        if day.date < today:
            decided = datetime.combine(day.date, now.timetz()) - DECIDED
            values = {"state": DayState.CONFIRMED, "told_revision": 0, "decided_by": CITY_SECRETARY}
            await service_days.write(session, day.id, **values, decided_at=decided, changed_at=decided)
            for step in reminders(day, ZONE, calendar):
                await service_steps.begin_step(session, day, step, CITY_ID, step.due)
            continue
        for step in asks(day, ZONE, calendar, Timing().ask_ahead):
            if step.due <= now:
                await service_steps.begin_step(session, day, step, CITY_ID, now)
    following = next(day for day in days if day.date >= today)
    await service_days.put_text(session, following.id, CITY_ID, CITY_TEXT, now)
    await service_days.put_text(session, following.id, tree.communities[0], BRANCH_TEXT, now)


def _months_back(day: date, n: int) -> date:
    for _ in range(n):
        day = day.replace(day=1) - timedelta(days=1)
    return day.replace(day=1)

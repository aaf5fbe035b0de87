"""The clock over service days: a year walked day by day, restarts, two processes, outages, jumps."""

import asyncio
from datetime import date, timedelta

import chinese_calendar
import pytest

from domain.holidays import Day, DayKind, HolidayName, YearTable
from domain.organisations import HolidayPolicy
from domain.quiet_hours import QuietHours
from domain.rest_days import RestDays
from domain.service_days import DayState
from storage.database import Database
from storage.deliveries import Rules
from storage.sealing import Sealer
from tests.conftest import HandClock
from tests.factories import make_member, make_organisation
from tests.service_day_world import CHATS, ServiceWorld, at, world
from tests.town import build

pytestmark = pytest.mark.slow_on_postgresql

MARCH, APRIL, OCTOBER = date(2026, 3, 1), date(2026, 4, 1), date(2026, 10, 1)
SECRETARY = CHATS["county_secretary"]
WANG, ZHANG, SUN = CHATS["wang"], CHATS["zhang"], CHATS["sun"]
SUBSCRIBERS = [WANG, ZHANG, SUN]
ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""What no query decides is tested on one database."""


@pytest.fixture
def sealer() -> Sealer:
    return Sealer({"test": bytes(32)}, "test")


@pytest.fixture
async def bridge(database: Database, sealer: Sealer, clock: HandClock) -> ServiceWorld:
    """Return the town on 13 February 2026, the day before the secretary is asked: the Spring Festival comes between."""
    clock.now = at(date(2026, 2, 13), 12)
    return await world(await build(database, sealer), sealer, clock)


async def confirmed_march(bridge: ServiceWorld) -> None:
    """Let March be asked for, confirmed and announced on 24 February."""
    bridge.go_to(date(2026, 2, 24), 12)
    await bridge.tick()
    await bridge.confirm(MARCH)
    await bridge.tick()
    bridge.told()


@ON_SQLITE
async def test_who_may_confirm_is_asked_two_weeks_before_once(bridge: ServiceWorld):
    await bridge.tick()
    assert bridge.told() == []
    bridge.go_to(date(2026, 2, 14), 9)  # 15 to 23 February are the Spring Festival, the 14th is worked on
    await bridge.tick()
    await bridge.tick()
    assert bridge.told() == [(SECRETARY, "请确认3月的服务日")]


@ON_SQLITE
async def test_members_hear_of_a_day_after_it_is_confirmed_and_only_once(bridge: ServiceWorld):
    bridge.go_to(date(2026, 2, 24), 12)
    await bridge.tick()
    bridge.told()
    await bridge.confirm(MARCH)
    await bridge.confirm(MARCH)
    await bridge.tick()
    await bridge.tick()
    assert bridge.told() == [(chat, "服务日：2026年3月7日 周六") for chat in SUBSCRIBERS]
    assert (await bridge.day(MARCH)).told_revision == 0


@ON_SQLITE
async def test_who_confirms_months_ahead_pushes_nothing_before_its_time(bridge: ServiceWorld):
    for month in (MARCH, APRIL, date(2026, 5, 1)):
        await bridge.confirm(month)
    await bridge.tick()
    assert bridge.told() == []
    bridge.go_to(date(2026, 2, 14))
    await bridge.tick()
    assert bridge.told() == [(chat, "服务日：2026年3月7日 周六") for chat in SUBSCRIBERS]


@ON_SQLITE
async def test_a_day_moved_before_its_time_is_announced_where_it_lies_then(bridge: ServiceWorld):
    day = await bridge.confirm(MARCH)
    await bridge.tick()
    await bridge.service.desk.move(await bridge.secretary(), bridge.city, day.id, date(2026, 3, 14))
    bridge.go_to(date(2026, 2, 28))
    await bridge.tick()
    assert bridge.told() == [(chat, "服务日：2026年3月14日 周六") for chat in SUBSCRIBERS]


@ON_SQLITE
async def test_what_breaks_off_halfway_is_taken_up_and_told_once(
    bridge: ServiceWorld, monkeypatch: pytest.MonkeyPatch
):
    """The process ends after the first of several organisations was served; the next one serves the rest."""
    day, own = await bridge.day(MARCH), await bridge.town.actor("branch_secretary")
    await bridge.service.desk.write(own, bridge.town.nodes["north"], day.id, "支部大扫除")
    bridge.go_to(date(2026, 2, 24))
    await bridge.confirm(MARCH)
    whole = bridge.delivery.dispatch
    calls = []

    async def breaks(session, **more):
        calls.append(more["source"])
        if len(calls) == 2:
            raise RuntimeError
        return await whole(session, **more)

    monkeypatch.setattr(bridge.delivery, "dispatch", breaks)
    await bridge.tick()
    first = [chat for chat, _ in bridge.told()]
    await bridge.tick()
    second = [chat for chat, _ in bridge.told()]
    assert (first, second) == ([WANG, ZHANG], [SUN])


@ON_SQLITE
async def test_many_organisations_with_words_of_their_own_take_several_turns(
    bridge: ServiceWorld, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("services.service_day_clock.AT_ONCE", 1)
    day, secretary = await bridge.day(MARCH), await bridge.secretary()
    for node in ("north", "cicheng"):
        await bridge.service.desk.write(secretary, bridge.town.nodes[node], day.id, node)
    bridge.go_to(date(2026, 2, 24))
    await bridge.confirm(MARCH)
    turns = []
    for _ in range(5):
        await bridge.tick()
        turns.append([chat for chat, _ in bridge.told()])
    assert turns == [[WANG, ZHANG], [SUN], [], [], []]
    assert (await bridge.day(MARCH)).told_revision == 0


@ON_SQLITE
async def test_without_a_confirmation_members_hear_nothing_and_the_secretary_is_asked_three_times(
    bridge: ServiceWorld,
):
    day, asked = date(2026, 2, 13), []
    while day < date(2026, 3, 10):
        bridge.go_to(day, 12)
        await bridge.tick()
        asked += [(day, chat, text) for chat, text in bridge.told() if "3月" in text]
        day += timedelta(days=1)
    days = date(2026, 2, 14), date(2026, 2, 25), date(2026, 2, 27)
    assert asked == [(on, SECRETARY, "请确认3月的服务日") for on in days]


@ON_SQLITE
async def test_reminders_come_at_nine_to_those_who_subscribe_and_never_twice(bridge: ServiceWorld):
    await confirmed_march(bridge)
    bridge.go_to(date(2026, 2, 28), 8, 59)
    await bridge.tick()
    assert bridge.told() == []
    bridge.go_to(date(2026, 2, 28))
    await bridge.tick()
    await bridge.tick()
    assert bridge.told() == [(chat, "3月7日 周六是服务日，还有7天") for chat in SUBSCRIBERS]
    bridge.go_to(date(2026, 3, 5))
    await bridge.tick()
    assert bridge.told() == []
    bridge.go_to(date(2026, 3, 6))
    await bridge.tick()
    assert bridge.told() == [(chat, "3月7日 周六是服务日，还有1天") for chat in SUBSCRIBERS]


async def test_own_lead_times_take_the_place_of_the_usual_ones(bridge: ServiceWorld):
    await confirmed_march(bridge)
    wang, zhao = await bridge.town.actor("wang"), await bridge.town.actor("zhao")
    for lead in (7, 1):
        await bridge.service.remind(wang, lead, wanted=False)
    await bridge.service.remind(zhao, 2, wanted=True)
    heard = {}
    for day in (date(2026, 2, 28), date(2026, 3, 4), date(2026, 3, 5), date(2026, 3, 6)):
        bridge.go_to(day)
        await bridge.tick()
        heard[day.isoformat()] = [chat for chat, _ in bridge.told()]
    assert heard == {
        "2026-02-28": [ZHANG, SUN],
        "2026-03-04": [],
        "2026-03-05": [CHATS["zhao"]],
        "2026-03-06": [ZHANG, SUN],
    }


async def test_who_asked_for_reminders_hears_of_the_day_without_the_topic(bridge: ServiceWorld):
    await bridge.service.remind(await bridge.town.actor("zhao"), 2, wanted=True)
    bridge.go_to(date(2026, 2, 24), 12)
    await bridge.tick()
    bridge.told()
    await bridge.confirm(MARCH)
    await bridge.tick()
    assert [chat for chat, _ in bridge.told()] == sorted([*SUBSCRIBERS, CHATS["zhao"]])


@ON_SQLITE
async def test_an_outage_over_a_reminder_is_noted_and_nothing_comes_late(bridge: ServiceWorld):
    await confirmed_march(bridge)
    bridge.go_to(date(2026, 2, 27), 12)
    await bridge.tick()
    bridge.go_to(date(2026, 3, 2), 12)  # three days later
    await bridge.tick()
    assert bridge.told() == []
    late = [(row.kind, date.fromordinal(row.key)) for row in await bridge.steps() if row.too_late]
    assert late == [("remind", date(2026, 2, 28))]
    view = await bridge.service.desk.day(await bridge.secretary(), bridge.city, (await bridge.day(MARCH)).id)
    assert view.late == (date(2026, 2, 28),)
    bridge.go_to(date(2026, 3, 6), 9)
    await bridge.tick()
    assert [chat for chat, _ in bridge.told()] == SUBSCRIBERS


@ON_SQLITE
async def test_an_outage_over_the_day_itself_leaves_nothing_to_send(bridge: ServiceWorld):
    await confirmed_march(bridge)
    bridge.go_to(date(2026, 3, 9), 12)
    await bridge.tick()
    assert bridge.told() == []


@ON_SQLITE
async def test_a_clock_that_jumps_a_day_back_repeats_nothing(bridge: ServiceWorld):
    await confirmed_march(bridge)
    bridge.go_to(date(2026, 3, 6))
    await bridge.tick()
    assert len(bridge.told()) == 3
    for day in (date(2026, 3, 5), date(2026, 3, 6), date(2026, 3, 7)):
        bridge.go_to(day, 10)
        await bridge.tick()
    assert bridge.told() == []


async def test_two_processes_tell_everybody_once(bridge: ServiceWorld):
    await confirmed_march(bridge)
    bridge.go_to(date(2026, 3, 6))
    await asyncio.gather(*(bridge.another().tick() for _ in range(3)))
    await bridge.tick()
    assert [chat for chat, _ in bridge.told()] == SUBSCRIBERS


async def test_a_moved_day_is_corrected_once_and_reminders_follow(bridge: ServiceWorld):
    await confirmed_march(bridge)
    day = await bridge.day(MARCH)
    secretary = await bridge.secretary()
    bridge.go_to(date(2026, 3, 2), 10)
    await bridge.service.desk.move(secretary, bridge.city, day.id, date(2026, 3, 14))
    await bridge.tick()
    await bridge.tick()
    assert bridge.told() == [(chat, "服务日改期：2026年3月14日 周六") for chat in SUBSCRIBERS]
    heard = []
    for number in range(3, 16):
        bridge.go_to(date(2026, 3, number), 9)
        await bridge.tick()
        heard += [(number, text) for _, text in bridge.told()]
    assert sorted(set(heard)) == [
        (6, "3月14日 周六是服务日，还有8天"),
        (13, "3月14日 周六是服务日，还有1天"),
    ]


@ON_SQLITE
async def test_a_cancelled_day_is_taken_back_from_those_who_knew(bridge: ServiceWorld):
    await confirmed_march(bridge)
    day = await bridge.day(MARCH)
    await bridge.service.desk.cancel(await bridge.secretary(), bridge.city, day.id)
    await bridge.tick()
    assert bridge.told() == [(chat, "3月的服务日取消") for chat in SUBSCRIBERS]
    bridge.go_to(date(2026, 3, 6))
    await bridge.tick()
    assert bridge.told() == []


@ON_SQLITE
async def test_a_day_called_off_at_night_is_taken_back_in_the_morning_of_the_day(
    database: Database, sealer: Sealer, clock: HandClock
):
    """Night and rest day hold other pushes until Monday."""
    rules = Rules(quiet=QuietHours(), rest=RestDays())
    bridge = await world(await build(database, sealer), sealer, clock, rules=rules)
    await confirmed_march(bridge)
    bridge.go_to(date(2026, 3, 6), 22)
    day = await bridge.day(MARCH)
    await bridge.service.desk.cancel(await bridge.secretary(), bridge.city, day.id)
    await bridge.tick()
    assert bridge.told() == []
    bridge.go_to(date(2026, 3, 7), 8, 1)
    await bridge.tick()
    assert bridge.told() == [(chat, "3月的服务日取消") for chat in SUBSCRIBERS]


@ON_SQLITE
async def test_a_day_cancelled_before_anybody_knew_is_no_news(bridge: ServiceWorld):
    await bridge.tick()
    day = await bridge.day(MARCH)
    await bridge.service.desk.cancel(await bridge.secretary(), bridge.city, day.id)
    bridge.go_to(date(2026, 2, 24), 12)
    await bridge.tick()
    assert bridge.told() == []


async def test_each_hears_the_activities_of_the_nearest_organisation(bridge: ServiceWorld):
    await bridge.tick()
    day, secretary = await bridge.day(MARCH), await bridge.secretary()
    nodes = bridge.town.nodes
    await bridge.service.desk.write(secretary, nodes["city"], day.id, "全市义诊")
    own = await bridge.town.actor("branch_secretary")
    await bridge.service.desk.write(own, nodes["north"], day.id, "支部大扫除")
    await bridge.confirm(MARCH)
    bridge.go_to(date(2026, 2, 24))
    await bridge.tick()
    said = {each.to.chat_id: each.content.text for each in bridge.channel.sent}
    assert sorted(said) == SUBSCRIBERS
    assert len(bridge.channel.sent) == 3
    assert "支部大扫除" in said[WANG]
    assert "全市义诊" not in said[WANG]
    assert "全市义诊" in said[SUN]


@ON_SQLITE
async def test_an_organisation_that_keeps_its_own_days_is_not_told_of_others(bridge: ServiceWorld):
    await bridge.tick()
    jiangbei = bridge.town.nodes["jiangbei"]
    secretary = await bridge.secretary()
    await bridge.service.desk.keep_own(secretary, jiangbei)
    await bridge.service.desk.set_policy(secretary, jiangbei, HolidayPolicy.KEEP)
    await bridge.confirm(MARCH)
    bridge.go_to(date(2026, 2, 24))
    await bridge.tick()
    assert [chat for chat, text in bridge.told() if "服务日：" in text] == [WANG, ZHANG]
    april = await bridge.day(APRIL, "jiangbei")
    assert april.date == date(2026, 4, 4)
    assert (await bridge.day(APRIL)).date == date(2026, 4, 11)


async def test_everybody_hears_at_their_own_nine_o_clock(bridge: ServiceWorld):
    york = await make_organisation(bridge.database, parent=bridge.city, zone="America/New_York")
    there = await make_member(
        bridge.database, home=york, chat_id=70, account=bridge.town.account_id, topics=["service"]
    )
    assert there
    await confirmed_march(bridge)
    bridge.go_to(date(2026, 3, 6))
    await bridge.tick()
    assert [chat for chat, _ in bridge.told()] == SUBSCRIBERS
    bridge.clock.now = at(date(2026, 3, 6), zone="America/New_York")
    await bridge.tick()
    assert [chat for chat, _ in bridge.told()] == [70]


@ON_SQLITE
async def test_by_hand_a_collision_waits_for_a_person(bridge: ServiceWorld):
    await bridge.tick()
    secretary = await bridge.secretary()
    await bridge.service.desk.set_policy(secretary, bridge.city, HolidayPolicy.BY_HAND)
    april = await bridge.day(APRIL)
    assert (april.state, april.date) == (DayState.UNCONFIRMED, date(2026, 4, 4))
    bridge.go_to(date(2026, 3, 20))
    await bridge.tick()
    [text] = [each.content.text for each in bridge.channel.sent if "4月" in each.content.text]
    assert "还不能确定" in text
    assert "清明节" in text


@ON_SQLITE
async def test_2027_stays_open_until_its_table_is_entered(bridge: ServiceWorld):
    january = date(2027, 1, 1)
    await bridge.tick()
    assert (await bridge.day(january)).state is DayState.UNCONFIRMED
    bridge.go_to(date(2026, 12, 20), 12)
    await bridge.tick()
    asked = [each.content.text for each in bridge.channel.sent if "1月" in each.content.text]
    assert "2027年的放假安排还没有录入" in asked[-1]
    new_year = Day(DayKind.HOLIDAY, HolidayName("元旦", "New Year's Day"))
    await bridge.holidays.enter(YearTable(2027, {date(2027, 1, n): new_year for n in (1, 2, 3)}))
    await bridge.tick()
    found = await bridge.day(january)
    assert (found.state, found.date, found.revision) == (DayState.PROPOSED, date(2027, 1, 9), 1)


@ON_SQLITE
async def test_where_nobody_may_confirm_nobody_is_asked_until_somebody_may(bridge: ServiceWorld):
    from sqlalchemy import delete

    from tests.service_day_world import T

    grants = T["role_grant"]
    async with bridge.database.begin() as session:
        await session.execute(delete(grants).where(grants.c.organisation_id == bridge.city))
    bridge.go_to(date(2026, 2, 24), 12)
    await bridge.tick()
    assert (bridge.told(), await bridge.steps()) == ([], [])


DAYS_OF_2026 = [
    date(2026, month, number)
    for month, number in zip(range(1, 13), (10, 7, 7, 11, 16, 6, 4, 1, 5, 17, 7, 5), strict=True)
]


@pytest.mark.slow
@ON_SQLITE
async def test_the_whole_year_2026_tells_and_reminds_as_expected(bridge: ServiceWorld):
    """Walk all days; each date is confirmed when it is asked for. The oracle asks the library itself."""
    heard: list[tuple[date, str]] = []
    day = date(2026, 1, 4)
    while day <= date(2026, 12, 10):
        for hour in (8, 9, 15):
            bridge.go_to(day, hour)
            await bridge.tick()
            heard += await answered(bridge, day)
        day += timedelta(days=1)
    announced = [text for _, text in heard if "还有" not in text]
    assert announced == [f"服务日：2026年{day.month}月{day.day}日 周六" for day in DAYS_OF_2026]
    expected = {
        (workday_before(day, lead), f"{day.month}月{day.day}日 周六是服务日")
        for day in DAYS_OF_2026
        for lead in (7, 1)
    }
    reminded = [(on, text.partition("，")[0]) for on, text in heard if "还有" in text]
    assert reminded == sorted(each for each in expected if each[0] >= date(2026, 1, 4))


async def answered(bridge: ServiceWorld, today: date) -> list[tuple[date, str]]:
    """Return what one member heard; where the secretary was asked, confirm and let it go out."""
    told = bridge.told()
    if any(chat == SECRETARY for chat, _ in told):
        desk = await bridge.service.desk.open(await bridge.secretary(), bridge.city)
        assert desk.next is not None
        day = desk.next.day
        await bridge.service.desk.confirm(await bridge.secretary(), bridge.city, day.id, day.date)
        await bridge.tick()
        told += bridge.told()
    return [(today, text) for chat, text in told if chat == WANG]


def workday_before(day: date, lead: int) -> date:
    day -= timedelta(days=lead)
    while not chinese_calendar.is_workday(day):
        day -= timedelta(days=1)
    return day

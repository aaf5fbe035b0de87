"""`/serviceday` for members: the next three, the file, the web address, reminders, and what is pushed."""

from datetime import date
from typing import Any

import pytest
from aiogram.types import BufferedInputFile
from icalendar import Calendar

from handlers.service_day import reminder_line
from locales import speak
from services.service_days import Reminders
from storage.sealing import Sealer
from tests.conftest import HandClock
from tests.fakes import Chat, World
from tests.service_day_world import ServiceWorld, at
from tests.service_day_world import world as service_world
from tests.town import Town

MARCH = date(2026, 3, 1)


@pytest.fixture
async def bridge(town: Town, toolbox: Any, sealer: Sealer, clock: HandClock) -> ServiceWorld:
    clock.now = at(date(2026, 2, 24), 12)
    made = await service_world(town, sealer, clock)
    toolbox.service_days, toolbox.delivery, toolbox.holidays = made.service, made.delivery, made.holidays
    return made


@pytest.fixture
def member(bridge: ServiceWorld, world: World) -> Chat:
    return world.chat(1)


async def arrive(chat: Chat, bridge: ServiceWorld) -> None:
    """Show what the channel was given last, as the messenger does."""
    from handlers.notice_files import send_content

    content = bridge.channel.sent[-1].content
    await send_content(chat.world.bot, chat.user.id, chat.world.account_id, None, content)  # type: ignore[arg-type]


def file_of(chat: Chat) -> Calendar:
    file = chat.file_of(chat.messages[-1])
    assert isinstance(file, BufferedInputFile)
    assert file.filename == "service-days.ics"
    return Calendar.from_ical(file.data)


async def test_the_next_three_are_shown_with_weekday_reason_and_standing(member: Chat):
    await member.say("/serviceday")
    assert "3月7日 周六 · 还没有确认\n三月是服务月。" in member.screen
    assert "4月11日 周六 · 还没有确认\n原定4月4日 周六，因清明节放假改期" in member.screen
    assert "5月16日 周六" in member.screen
    assert "6月" not in member.screen
    assert "提醒：提前7天和提前1天" in member.screen
    assert "安排服务日" not in "".join(member.buttons)


async def test_in_english_as_well(member: Chat, bridge: ServiceWorld):
    await bridge.town.people.set_language(member.address, "en")
    await bridge.confirm(MARCH)
    await member.say("/serviceday")
    assert "Sat 7 Mar · confirmed\nMarch is service month." in member.screen
    assert "Moved from Sat 4 Apr: Tomb-sweeping Day" in member.screen


async def test_the_activities_of_the_own_organisation_stand_below_the_day(member: Chat, bridge: ServiceWorld):
    day = await bridge.day(MARCH)
    secretary = await bridge.town.actor("branch_secretary")
    await bridge.service.desk.write(secretary, bridge.town.nodes["north"], day.id, "9点 社区大扫除")
    await member.say("/serviceday")
    assert "三月是服务月。\n9点 社区大扫除" in member.screen


async def test_the_file_holds_the_next_three_days(member: Chat):
    await member.say("/serviceday")
    await member.press("下载日历文件")
    events = file_of(member).walk("VEVENT")
    assert [event["dtstart"].dt for event in events] == [
        date(2026, 3, 7),
        date(2026, 4, 11),
        date(2026, 5, 16),
    ]
    assert {str(event["status"]) for event in events} == {"TENTATIVE"}
    assert "打开这个文件" in member.screen


async def test_an_address_is_shown_once_renewed_after_a_question_and_switched_off(member: Chat):
    await member.say("/serviceday")
    await member.press("日历订阅地址")
    assert "还没有地址" in member.screen
    await member.press("生成地址")
    first = next(
        line for line in member.screen.split("\n") if line.startswith("https://bridge.test/calendar/")
    )
    await member.press("返回")
    await member.press("日历订阅地址")
    assert "只在生成时显示一次" in member.screen
    assert "bridge.test" not in member.screen
    await member.press("换新地址")
    assert "马上失效" in member.screen
    await member.press("换新地址")
    assert "https://bridge.test/calendar/" in member.screen
    assert first not in member.screen
    await member.press("关闭地址")
    assert "还没有地址" in member.screen


async def test_no_address_is_offered_where_nobody_could_reach_it(member: Chat, bridge: ServiceWorld):
    bridge.service.addresses._public_url = ""
    await member.say("/serviceday")
    assert "日历订阅地址" not in "".join(member.buttons)
    await member.tap("sday:renew:0:0")
    assert "calendar" not in member.screen


async def test_own_lead_times_are_chosen_one_by_one(member: Chat, bridge: ServiceWorld):
    await member.say("/serviceday")
    await member.press("我的提醒")
    assert member.buttons[:4] == ["✅ 提前7天", "⬜ 提前3天", "⬜ 提前2天", "✅ 提前1天"]
    await member.press("提前3天")
    await member.press("提前7天")
    assert member.buttons[:4] == ["⬜ 提前7天", "✅ 提前3天", "⬜ 提前2天", "✅ 提前1天"]
    await member.press("提前3天")
    await member.press("提前1天")
    assert "提醒：不发" in member.screen
    await member.press("返回")
    assert "提醒：不发" in member.screen


async def test_a_forged_lead_time_changes_nothing(member: Chat):
    await member.say("/serviceday")
    for data in ("sday:lead:5:1", "sday:lead:0:1", "sday:nonsense:0:0", "sday:ics:99:0"):
        await member.tap(data)
    await member.say("/serviceday")
    assert "提醒：提前7天和提前1天" in member.screen


async def test_a_reminder_brings_its_file_and_can_be_stopped(member: Chat, bridge: ServiceWorld):
    await bridge.tick()
    await bridge.confirm(MARCH)
    bridge.go_to(date(2026, 3, 6))
    await bridge.tick()
    await arrive(member, bridge)
    assert "3月7日 周六是服务日，还有1天" in member.screen
    assert "您订阅了「志愿服务」" in member.screen
    assert member.buttons == ["📅 加入日历", "不再提醒"]
    pushed = member.messages[-1]
    await member.press("加入日历")
    [event] = file_of(member).walk("VEVENT")
    assert (event["dtstart"].dt, str(event["status"])) == (date(2026, 3, 7), "CONFIRMED")
    await member.press("不再提醒")
    assert "以后不再发服务日提醒" in member.screen
    assert pushed.text == next(m.text for m in member.messages if m.message_id == pushed.message_id)
    reminders = await bridge.service.reminders(await bridge.town.actor("wang"))
    assert (reminders.leads, reminders.chosen) == ((), True)


async def test_an_announcement_leads_to_the_days_and_stays(member: Chat, bridge: ServiceWorld):
    await bridge.confirm(MARCH)
    await bridge.tick()
    await arrive(member, bridge)
    assert member.buttons == ["📅 加入日历", "看服务日安排"]
    await member.press("看服务日安排")
    assert len(member.messages) == 2
    assert "3月7日 周六 · 已确认" in member.screen


async def test_a_stranger_is_told_how_one_is_invited(bridge: ServiceWorld, world: World):
    stranger = world.chat(999)
    await stranger.say("/serviceday")
    assert "服务日" not in stranger.screen
    await stranger.tap("sday:ics:0:0")
    assert len([each for each in stranger.messages if each.document]) == 0


async def test_the_menu_leads_here(member: Chat):
    await member.say("/menu")
    await member.press("服务日")
    assert "每月第一个星期六" in member.screen


@pytest.mark.parametrize(
    ("leads", "said"),
    [((7,), "提前7天，"), ((7, 1), "提前7天和提前1天，"), ((7, 3, 1), "提前7天、提前3天和提前1天，")],
)
def test_reminders_are_listed_as_people_say_it(leads, said):
    assert said in reminder_line(speak("zh_CN"), Reminders(leads, chosen=True))

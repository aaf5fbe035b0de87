"""A moved service day in a real browser, phone-sized, in both languages: asked, confirmed, announced, reminded of.

`make screenshots` keeps the pictures under ``screenshots/``; elsewhere they go to the test's own folder.
"""

import re
from contextlib import suppress
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

import pytest
from icalendar import Calendar
from playwright.async_api import TimeoutError  # noqa: A004 - what a page raises

from locales import speak
from tests.acceptance.conftest import CITY_SECRETARY, MEMBER, MovedCity, moved_city
from tests.acceptance.test_screens import Viewer, viewer
from tests.webchat.page_driver import chromium

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(400)]

SHANGHAI = ZoneInfo("Asia/Shanghai")
THURSDAY = date(2026, 3, 26)
ASKED_ON = date(2026, 3, 27)
"""Fourteen days before 11 April is a Saturday of rest: the question comes on the Friday."""
REMINDED_ON = date(2026, 4, 3)
"""Seven days before lies in a holiday: the reminder comes on the last working day before it."""
FAST = {"pace_start": 900.0, "pace_ceiling": 1000.0}
ACTIVITIES = {
    "zh_CN": "上午9点，社区活动室：量血压、修小家电。",
    "en": "9 am, community room: blood pressure checks, small repairs.",
}


def nine(day: date, minute: int = 1) -> datetime:
    return datetime.combine(day, time(9, minute), SHANGHAI)


async def arrives(person: Viewer, text: str) -> None:
    """Wait for what is pushed: a whole city is told at the same time."""
    for _ in range(8):
        with suppress(TimeoutError):
            return await person.page.wait_text(text)
    return await person.page.wait_text(text)


@pytest.mark.parametrize("language", ["zh_CN", "en"])
async def test_every_screen_of_a_service_day(tmp_path, shots, language):
    words = speak(language)
    async with moved_city(tmp_path, nine(THURSDAY), **FAST) as city, chromium(shots) as browser:
        member = await viewer(city, browser, MEMBER, words, "8-service-member")  # type: ignore[arg-type]
        keeper = await viewer(city, browser, CITY_SECRETARY, words, "7-service-secretary")  # type: ignore[arg-type]
        await a_member_looks_ahead(city, member)
        await it_is_asked_and_arranged(city, keeper)
        await members_are_told(member)
        await members_are_reminded(city, member)


async def a_member_looks_ahead(city: MovedCity, member: Viewer) -> None:
    """Three days with their reasons, own lead times, a web address that a calendar program can read."""
    words = member.words
    await member.say("/serviceday", words("service_days.state.proposed"), "next-three")
    await member.go(words("service_days.button.mine"), words("service_days.reminders.title"), "reminders")
    await member.press(words("menu.back"))
    await member.page.wait_text(words("service_days.what", organisation="§").split("§")[0][:12])
    await member.go(words("service_days.button.web"), words("service_days.web.none"), "web-none")
    await member.go(words("service_days.web.button.make"), "/calendar/", "web-made")
    shown = re.findall(rf"{city.health}/calendar/\S+\.ics", await member.page.page.inner_text("#app"))
    async with city.http.get(shown[-1]) as response:
        events = Calendar.from_ical(await response.text()).walk("VEVENT")
    assert date(2026, 4, 11) in {event["dtstart"].dt for event in events}


async def it_is_asked_and_arranged(city: MovedCity, keeper: Viewer) -> None:
    """The question comes by itself; the year, another date, the rule and the activities are looked at."""
    words = keeper.words
    city.clock.jump_to(nine(ASKED_ON))
    await arrives(keeper, words("service_days.ask.what"))
    await keeper.shot("asked")
    await keeper.go(
        words("service_days.button.other"), words("service_days.other.ask", example="")[:10], "another-date"
    )
    await keeper.press(words("menu.back"))
    await keeper.page.wait_text(words("service_days.desk.nothing_yet"))
    await keeper.go(words("service_days.button.year"), words("service_days.state.confirmed"), "year")
    await keeper.press(words("menu.back"))
    await keeper.page.wait_text(words("service_days.desk.nothing_yet"))
    await keeper.go(words("service_days.button.rule"), words("service_days.policy.keep"), "rule")
    await keeper.press(words("menu.back"))
    await keeper.press(words("service_days.button.change_text"))
    await keeper.page.wait_text(words("service_days.text.ask", organisation="§").split("§")[1][:10])
    text = ACTIVITIES[words.language]
    await keeper.say(text, words("service_days.done.written"), "activities")
    day = "4月11日" if words.language == "zh_CN" else "11 Apr"
    confirm = words("service_days.button.confirm", day=day)
    await keeper.go(confirm, words("service_days.done.confirmed"), "confirmed")


async def members_are_told(member: Viewer) -> None:
    words = member.words
    await arrives(member, words("service_days.button.ics"))
    await member.shot("announced")


async def members_are_reminded(city: MovedCity, member: Viewer) -> None:
    """On the last working day before the holiday; the file comes by a press, and reminders end by another."""
    words = member.words
    city.clock.jump_to(nine(REMINDED_ON))
    await arrives(member, words("service_days.button.stop"))
    await member.shot("reminded")
    await member.go(words("service_days.button.ics"), words("service_days.file.caption"), "file")
    await member.go(words("service_days.button.stop"), words("service_days.stopped"), "stopped")

"""Two weeks of a branch through the web chat, by a moved clock: digests, a repeating notice, a nudge by itself."""

from datetime import UTC, datetime

import pytest

from handlers.features import ROUTERS
from tests.acceptance.conftest import BRANCH_SECRETARY, MEMBER, MovedCity, moved_city
from tests.webchat_client import Message, Person, text_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

TUESDAY = datetime(2026, 9, 22, 2, 0, tzinfo=UTC)  # 10:00 in Shanghai
MONDAY = datetime(2026, 9, 28, 0, 0, 5, tzinfo=UTC)  # 08:00
THURSDAY = datetime(2026, 10, 1, 1, 0, 5, tzinfo=UTC)  # 09:00
SUNDAY = datetime(2026, 10, 4, 2, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def free_routers() -> None:
    """Let the routers of the chat be taken by another city in this process."""
    for router in ROUTERS:
        router._parent_router = None


async def test_two_weeks_of_a_branch(tmp_path):
    async with moved_city(tmp_path, TUESDAY, weekly_cap=2) as city:
        secretary, member = await city.person(BRANCH_SECRETARY), await city.person(MEMBER)
        await more_than_the_cap_comes_on_monday(city, secretary, member)
        await a_notice_is_set_to_repeat(secretary)
        city.clock.jump_to(THURSDAY)
        await member.wait("每周四带好笔记本\n\n—— 望湖社区支部")
        await it_reminds_by_itself(city, member)


async def more_than_the_cap_comes_on_monday(city: MovedCity, secretary: Person, member: Person) -> None:
    for text in ("第一件事", "第二件事", "第三件事", "第四件事"):
        await aimed(secretary, text)
        await press(secretary, "现在发出")
        await secretary.wait(lambda message, text=text: {"发送报告", text} <= lines(message))
    assert "放进汇总" in text_of(await secretary.wait("第四件事"))
    await member.wait("第一件事")
    city.clock.jump_to(MONDAY)
    await member.wait("您的汇总到了")
    await press(member, "打开汇总")
    await member.wait("共 2 条")
    await press(member, "第三件事")
    await member.wait("第三件事\n\n—— 望湖社区支部")


async def a_notice_is_set_to_repeat(secretary: Person) -> None:
    await aimed(secretary, "每周四带好笔记本")
    for label in ("要按「收到」", "自动提醒：不", "3 天"):
        await press(secretary, label)
    await secretary.wait("3 天后自动提醒")
    for label in ("定期发", "每周", "周四", "09:00"):
        await press(secretary, label)
    await secretary.wait("10月1日 周四 09:00（国庆节")
    await press(secretary, "就这样定")
    await secretary.wait(lambda message: "暂停" in str(message.get("reply_markup")))


async def it_reminds_by_itself(city: MovedCity, member: Person) -> None:
    city.clock.jump_to(SUNDAY)
    await member.wait("🔔 请按「收到」", 45)
    await press(member, "收到")
    await member.wait("您已在 10月4日")


async def aimed(secretary: Person, text: str) -> None:
    """Write a notice for the whole branch, and stop at its preview."""
    await secretary.say(f"/notice {text}")
    await press(secretary, "全部")
    await press(secretary, "下一步")
    await secretary.wait("预览")


async def press(person: Person, label: str) -> None:
    """Wait for a button, and press it."""
    await person.wait(lambda message: label in str(message.get("reply_markup")))
    await person.press(label)


def lines(message: Message) -> set[str]:
    """Return the lines of a message, without their quotes."""
    return {line.strip("「」") for line in text_of(message).splitlines()}

"""A poll of two counties through the people's API of the web chat: everything real but the browser."""

import re

import pytest

from services.demo_data import FIRST_CHAT
from services.demo_people import homes
from services.demo_tree import plant
from tests.acceptance.conftest import CITY_SECRETARY, MEMBER, Demo
from tests.acceptance.test_journeys import buttons, has
from tests.webchat_client import Person, text_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

QUESTION = "两个区的阅览室，几点开门合适？"
SCALE, VOTERS = 100, 6


def chats_of(county: int) -> list[int]:
    """Return the chats of the people of a county's first community."""
    tree = plant(SCALE)
    path = tree[tree.counties[county]].path
    branch = next(home for home in tree.communities if tree[home].path.startswith(path))
    return [FIRST_CHAT + number for number, home in enumerate(homes(tree, SCALE), start=1) if home == branch]


async def choose(secretary: Person, county: str) -> None:
    await secretary.press(f"{county} ›")
    await secretary.wait(has("征求谁的意见", f"选「{county}」全部"))
    await secretary.press(f"选「{county}」全部")
    await secretary.wait(has(f"＋ {county}", "下一步"))
    await secretary.press("上一级")
    await secretary.wait(has(f"＋ {county}", "下一页"))


async def called(demo: Demo, chats: list[int]) -> list[Person]:
    """Sign in people until enough have the call before them."""
    found: list[Person] = []
    for chat_id in chats:
        try:
            person = await demo.person(chat_id)
            await person.wait(has(QUESTION, "2. 八点"), 20)
        except AssertionError:  # no chat, blocked or stopped
            continue
        found.append(person)
        if len(found) == VOTERS:
            break
    return found


async def cast(person: Person, label: str) -> None:
    await person.press(label)
    await person.wait(has("匿名投票提交后不能更改", "确定提交"))
    await person.press("确定提交")
    await person.wait("已提交，谢谢")


async def test_a_poll_of_two_counties_comes_back_with_its_result(demo: Demo):
    secretary, member = await demo.person(CITY_SECRETARY), await demo.person(MEMBER)
    tree = plant(SCALE)
    counties = [tree[tree.counties[number]].name for number in (0, 1)]
    await secretary.say(f"/poll {QUESTION}\n七点\n八点")
    for label, seen in (("选项齐了", "怎么征求"), ("下一步", "征求谁的意见")):
        await secretary.wait(lambda m, label=label: any(label in each for each in buttons(m)))
        await secretary.press(label)
        await secretary.wait(seen)
    for county in counties:
        await choose(secretary, county)
    await secretary.press("下一步")
    await secretary.wait("什么时候截止")
    await secretary.press("18:00")
    preview = await secretary.wait(has("预览", "现在开始"))
    number = re.search(r"共 (\d+) 人", text_of(preview))[1]
    assert int(number) > 500
    await secretary.press("现在开始")
    await secretary.wait("请输入人数")
    await secretary.say(number)
    await secretary.wait(has("正在征求意见", "提前截止"))

    first, second = await called(demo, chats_of(0)), await called(demo, chats_of(1))
    assert len(first) == len(second) == VOTERS
    for voter, person in enumerate([*first, *second]):
        await cast(person, "1. 七点" if voter % 3 else "2. 八点")
    await first[0].press("写一句建议")
    await first[0].wait("不记录是谁写的")
    await first[0].say("门口的坡道太陡")
    await first[0].wait("建议已收到")

    await secretary.press("刷新")
    await secretary.wait(f"已参加 {2 * VOTERS} 人，共请 {number} 人")
    await secretary.press("提前截止")
    await secretary.wait("现在就截止？")
    await secretary.press("确定现在截止")
    closed = await secretary.wait("等您公布结果")
    assert f"{2 * VOTERS} 人参加（共请 {number} 人）" in text_of(closed)
    await secretary.say("下月起七点半开门。")
    await secretary.wait(has("这样公布吗", "公布结果"))
    await secretary.press("公布结果")
    await secretary.wait("结果已公布")

    came = await first[0].wait("意见征集结果", 60)
    assert came["photo"]
    assert "下月起七点半开门。" in text_of(came)
    await first[0].press("看完整结果")
    shown = text_of(await first[0].wait("征求意见结果"))
    assert f"全体：{2 * VOTERS} 人参加" in shown
    assert f"{counties[0]}：{VOTERS} 人参加" in shown
    assert counties[1] not in shown
    await member.wait("意见征集结果", 60)

"""A poll in a real browser, phone-sized, in both languages: asked, voted on, closed, answered, with pictures.

`make screenshots` keeps the pictures under ``screenshots/``; elsewhere they go to the test's own folder.
"""

import asyncio

import pytest

from locales import Words, speak
from services.demo_data import FIRST_CHAT
from services.demo_people import homes
from services.demo_tree import plant
from tests.acceptance.conftest import BRANCH_SECRETARY, CITY_SECRETARY, MEMBER, Demo, running_demo
from tests.acceptance.test_screens import Viewer, viewer
from tests.webchat.page_driver import chromium
from tests.webchat_client import Person, text_of

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(400)]

QUESTION = {"zh_CN": "支部主题日放在哪一天好？", "en": "Which day suits the branch meeting?"}
OPTIONS = {
    "zh_CN": "周三晚上\n周五晚上\n周六上午",
    "en": "Wednesday evening\nFriday evening\nSaturday morning",
}
SCALE = 100
ANSWER = {"zh_CN": "下月起主题日放在周五晚上七点。", "en": "From next month we meet on Fridays at seven."}
SUGGESTION = {"zh_CN": "希望留半小时自由交流。", "en": "Half an hour for a chat, please."}


def neighbours() -> list[int]:
    """Return the chats of the member's own branch, in the demo city at its usual scale."""
    tree = plant(SCALE)
    branch = tree.communities[0]
    found = [number for number, home in enumerate(homes(tree, SCALE), start=1) if home == branch]
    return [FIRST_CHAT + number for number in found[2:]]


@pytest.mark.parametrize("language", ["zh_CN", "en"])
async def test_every_screen_of_a_poll(tmp_path, shots, language):
    words = speak(language)
    async with running_demo(tmp_path) as demo, chromium(shots) as browser:
        member = await viewer(demo, browser, MEMBER, words, "5-poll-member")
        branch = await viewer(demo, browser, BRANCH_SECRETARY, words, "4-poll-secretary")
        await what_waits_is_answered(member)
        await a_result_is_looked_up(member)
        await a_poll_is_opened(branch)
        await its_call_is_answered(member)
        assert await neighbours_vote(demo, QUESTION[language]) > 5
        await it_closes_and_is_answered(branch)
        await the_result_comes(member)
        city = await viewer(demo, browser, CITY_SECRETARY, words, "6-poll-city")
        await city.page.say("/poll")
        await city.page.wait_text(words("polls.desk.title"))
        await city.shot("desk")
        await city.press("▶")
        await city.page.wait_text(words("polls.run.title.open"))
        await city.shot("open")
        for each in (city, member, branch):
            assert each.page.errors == []


async def what_waits_is_answered(member: Viewer) -> None:
    words = member.words
    await member.go(words("menu.button.polls"), words("polls.list.hint.open")[:6], "polls")
    await member.press("●")
    await member.page.wait_text(words("polls.hint.single"))
    await member.shot("sheet")
    await member.go("2. ", words("polls.sure.title"), "confirm")
    await member.go(words("polls.button.cast"), words("polls.voted.title"), "voted")
    await member.go(words("polls.button.suggest"), words("polls.suggest.title"), "suggest")
    await member.say(SUGGESTION[words.language], words("polls.suggested.title"), "suggested")


async def a_result_is_looked_up(member: Viewer) -> None:
    words = member.words
    await member.page.say("/polls")
    await asyncio.sleep(1)
    await member.go(words("polls.tab.mine"), words("polls.list.hint.mine")[:6], "mine")
    await member.go(words("polls.tab.past"), words("polls.list.hint.past")[:6], "results")
    await member.press("社区")
    await member.page.wait_text(words("polls.result.title"))
    await member.shot("result")


async def a_poll_is_opened(branch: Viewer) -> None:
    words, language = branch.words, branch.words.language
    await branch.go(words("menu.button.poll"), words("polls.desk.title"), "desk")
    await branch.say(QUESTION[language], words("polls.options.title"), "options")
    await branch.say(OPTIONS[language], words("polls.options.done"), "options-typed")
    await branch.go(words("polls.options.done"), words("polls.settings.title"), "settings")
    await branch.go(words("polls.button.next"), words("polls.audience.title"), "audience")
    await branch.press(_start(words, "audience.button.add.whole", "name"))
    await branch.page.wait_text(words("audience.button.filters"))
    await branch.go(words("polls.button.next"), words("polls.time.closes.title"), "closes")
    await branch.press("18:00")
    await branch.page.wait_text(words("polls.preview.title.draft"))
    await branch.shot("preview")
    await branch.go(words("polls.button.opens"), words("polls.time.opens.title"), "opens")
    await branch.press(words("polls.time.at_once"))
    await branch.page.wait_text(words("polls.button.test"))
    await branch.go(words("polls.button.test"), words("notices.test.mark")[1:6], "test")
    await branch.press(_start(words, "polls.button.open", "n"))
    await branch.page.wait_text(words("polls.run.title.open"))
    await branch.shot("open")


async def its_call_is_answered(member: Viewer) -> None:
    words = member.words
    option = OPTIONS[words.language].splitlines()[1]
    calls = member.page.page.locator("button").filter(has_text=option)
    await calls.last.wait_for(timeout=60_000)
    await member.shot("call")
    await member.press(f"2. {option}")
    await member.page.wait_text(words("polls.sure.title"))
    await member.shot("call-confirm")
    await member.press(words("polls.button.cast"))
    await member.page.wait_text(words("polls.voted.title"))
    await member.shot("call-voted")
    await member.go(words("notices.button.why"), words("polls.why.title"), "why")


async def neighbours_vote(demo: Demo, question: str) -> int:
    """Let people of the same branch answer over the chat's own API; returns how many did."""
    voted = 0
    for number, chat_id in enumerate(neighbours()):
        try:
            person = await demo.person(chat_id)
        except AssertionError:
            continue
        if any(question in text_of(message) for message in await person.messages()):
            await _vote(person, f"{1 + number % 3}. ", question)
            voted += 1
        if voted > 8:
            break
    return voted


async def _vote(person: Person, label: str, question: str) -> None:
    await person.press(label)
    await person.wait(lambda message: question in text_of(message) and "cast" in str(message))
    await person.press("✔")
    await person.wait(lambda message: question in text_of(message) and "cast" not in str(message))


async def it_closes_and_is_answered(branch: Viewer) -> None:
    words, language = branch.words, branch.words.language
    await branch.page.say("/poll")
    await branch.page.wait_text(words("polls.desk.list"))
    await branch.press("▶")
    await branch.page.wait_text(words("polls.button.close"))
    await branch.shot("turnout")
    await branch.go(words("polls.button.close"), words("polls.ask.close.title"), "close-asked")
    await branch.go(words("polls.ask.close.sure"), words("polls.run.title.closed"), "closed")
    await branch.page.say("/poll")
    await branch.page.wait_text(words("polls.owed.title"))
    await branch.shot("owed")
    await branch.press(words("poll_messages.closed.button"))
    await branch.page.wait_text(words("polls.run.title.closed"))
    await branch.say(ANSWER[language], words("polls.publish.title"), "publish")
    await branch.press(_start(words, "polls.button.publish", "n"))
    await branch.page.wait_text(words("polls.run.title.published"))
    await branch.shot("published")


async def the_result_comes(member: Viewer) -> None:
    words = member.words
    button = member.page.page.locator("button").filter(has_text=words("poll_messages.result.button"))
    await button.last.wait_for(timeout=60_000)
    await member.shot("result-pushed")
    await button.last.click()
    await member.page.wait_text(words("polls.result.title"))
    await member.shot("result-opened")


def _start(words: Words, key: str, field: str) -> str:
    """Return what a label begins with, before what is filled in."""
    return words(key, **{field: "§"}).split("§")[0].strip()

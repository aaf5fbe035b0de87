"""Suggestions in a real browser, phone-sized, in both languages, with a picture of every screen."""

import pytest

from locales import Words, speak
from tests.acceptance.conftest import CITY_SECRETARY, MEMBER, Demo, running_demo
from tests.acceptance.test_screens import Viewer, viewer
from tests.webchat.page_driver import PageBrowser, chromium

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(400)]

SAID = {"zh_CN": "社区食堂能不能早些开门？", "en": "Could the canteen open earlier?"}
TITLE = {"zh_CN": "希望社区食堂早点开门", "en": "希望社区食堂早点开门"}
ANSWER = {
    "zh_CN": "从下周一起，食堂提前到六点半开门。",
    "en": "From next Monday on the canteen opens at half past six.",
}


@pytest.mark.parametrize("language", ["zh_CN", "en"])
async def test_every_screen_of_suggestions(tmp_path, shots, language):
    words = speak(language)
    async with running_demo(tmp_path) as demo, chromium(shots) as browser:
        member = await a_member_suggests(demo, browser, words)
        secretary = await groups_are_made_up_and_answered(demo, browser, words)
        await the_answer_arrives(member)
        for each in (member, secretary):
            assert each.page.errors == []


async def a_member_suggests(demo: Demo, browser: PageBrowser, words: Words) -> Viewer:
    member = await viewer(demo, browser, MEMBER, words, "5-suggest-member")
    await member.say("/suggest", words("suggest.title"), "mine")
    await member.say("👍", words("refusal.suggestion_says_nothing")[:6], "says-nothing")
    await member.page.say("/suggest")
    await member.say(SAID[words.language], words("suggest.confirm.title"), "to-whom")
    keys = member.page.page.locator("button.key").filter(
        has_text=words("suggest.button.to", organisation="§").split("§")[0].strip()
    )
    await keys.last.click()
    await member.page.wait_text(words("suggest.done.title"))
    await member.shot("done")
    return member


async def groups_are_made_up_and_answered(demo: Demo, browser: PageBrowser, words: Words) -> Viewer:
    secretary = await viewer(demo, browser, CITY_SECRETARY, words, "5-suggest-secretary")
    await secretary.say("/suggestions", words("suggestions.open")[:6], "groups")
    await secretary.go(TITLE[words.language], words("suggestions.button.answer"), "group")
    await secretary.go(words("suggestions.button.tag"), words("suggestions.ask.title"), "tag")
    await secretary.say("食堂", "#食堂", "tagged")
    await secretary.go(words("suggestions.button.merge"), words("suggestions.merge.title"), "merge")
    await secretary.press("1×")
    await secretary.page.wait_text(words("suggestions.merged"))
    await secretary.shot("merged")
    await secretary.go(words("suggestions.button.part"), words("suggestions.parted"), "parted")
    await secretary.page.say("/suggestions")
    await secretary.page.wait_text(words("suggestions.open")[:6])
    await secretary.press(TITLE[words.language])
    await secretary.page.wait_text(words("suggestions.button.out"))
    await secretary.go(words("suggestions.button.out"), words("suggestions.out.title"), "take-out")
    await secretary.press(words("menu.back"))
    await secretary.page.wait_text(words("suggestions.button.answer"))
    await secretary.go(
        words("suggestions.button.answer"), words("suggestions.ask.answer", n=0, most=0)[2:6], "answer"
    )
    await secretary.say(ANSWER[words.language], words("suggestions.ready.title"), "answer-ready")
    await secretary.press(words("suggestions.button.send", n="§").split("§")[0].rstrip("（( "))
    await secretary.page.wait_text(words("suggestions.sent"))
    await secretary.shot("answered")
    await secretary.press(words("menu.back"))
    await secretary.go(words("suggestions.button.done"), words("suggestions.done")[:6], "answered-ones")
    return secretary


async def the_answer_arrives(member: Viewer) -> None:
    await member.say("/suggest", member.words("suggest.list")[:6], "mine-again")

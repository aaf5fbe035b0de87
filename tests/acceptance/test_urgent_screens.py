"""An urgent notice in a real browser, phone-sized, in both languages: asked for by one, approved by another, received."""

import pytest

from locales import speak
from tests.acceptance.conftest import BRANCH_SECRETARY, CITY_SECRETARY, MEMBER, running_demo
from tests.acceptance.test_screens import Viewer, viewer
from tests.webchat.page_driver import chromium

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(300)]

TEXT = {
    "zh_CN": "台风今晚登陆，明天的学习取消，请大家不要外出。",
    "en": "A typhoon lands tonight: tomorrow's study is off, please stay in.",
}


@pytest.mark.parametrize("language", ["zh_CN", "en"])
async def test_what_cannot_wait_is_asked_for_approved_and_received(tmp_path, shots, language):
    words = speak(language)
    async with running_demo(tmp_path) as demo, chromium(shots) as browser:
        author = await viewer(demo, browser, BRANCH_SECRETARY, words, "6-urgent-author")
        second = await viewer(demo, browser, CITY_SECRETARY, words, "7-urgent-second")
        member = await viewer(demo, browser, MEMBER, words, "8-urgent-member")
        await it_is_asked_for(author, TEXT[language])
        await it_is_approved(second, TEXT[language])
        await it_is_received(member, TEXT[language])
        await author.page.wait_text(words("requests.told.approved.urgent"))
        await author.shot("told")
        for each in (author, second, member):
            assert each.page.errors == []


async def it_is_asked_for(author: Viewer, text: str) -> None:
    words = author.words
    await author.page.say("/notice")
    await author.page.wait_text(words("compose.title"))
    await author.page.say(text)
    await author.page.wait_text(words("audience.title"))
    whole = words("audience.button.add.whole", name="§").split("§")[0]
    await author.press(whole)
    await author.page.wait_text(words("audience.button.next"))
    await author.go(words("audience.button.next"), words("preview.requests.button.urgent"), "preview")
    await author.go(words("preview.requests.button.urgent"), words("urgent.button.ask"), "what-it-means")
    await author.go(words("urgent.button.ask"), words("requests.button.withdraw"), "asked")


async def it_is_approved(second: Viewer, text: str) -> None:
    words = second.words
    await second.page.say("/decide")
    await second.page.wait_text(text[:10])
    await second.shot("waiting")
    await second.go(text[:8], words("requests.button.refuse"), "request")
    await second.go(words("requests.button.test"), words("notices.urgent.mark"), "whole")
    await second.press(words("requests.button.approve.urgent"))
    await second.page.wait_text(words("requests.state.approved.urgent"))
    await second.shot("approved")


async def it_is_received(member: Viewer, text: str) -> None:
    words = member.words
    await member.page.wait_text(text)
    await member.shot("received")
    await member.go(words("notices.button.why"), words("notices.why.urgent"), "why")

"""Leaving in a real browser, phone-sized, in both languages: my data, tables of a secretary, and being forgotten."""

import json
import os
from pathlib import Path

import pytest

from locales import speak
from tests.acceptance.conftest import BRANCH_SECRETARY, CITY_SECRETARY, MEMBER, Demo, running_demo
from tests.acceptance.test_screens import viewer
from tests.webchat.page_driver import chromium

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(400)]
LEAVING = {"zh_CN": MEMBER, "en": BRANCH_SECRETARY}


@pytest.fixture
def shots(tmp_path: Path) -> Path:
    named = os.environ.get("TONGDAO_SCREENSHOTS")
    return Path(named) if named else tmp_path / "shots"


@pytest.mark.parametrize("language", ["zh_CN", "en"])
async def test_a_member_takes_their_data_and_is_forgotten(tmp_path: Path, shots: Path, language: str):
    words = speak(language)
    async with running_demo(tmp_path) as demo, chromium(shots) as browser:
        secretary = await viewer(demo, browser, CITY_SECRETARY, words, f"leave-{language}-secretary")
        await secretary.say("/org", words("exports.button"), "card")
        await secretary.go(words("exports.button"), words("exports.title"), "tables")
        await secretary.go(words("exports.button.organisations"), ".xlsx", "table")
        me = await viewer(demo, browser, LEAVING[language], words, f"leave-{language}")
        await me.say("/privacy", words("privacy.button.forget"), "privacy")
        await me.say("/export", words("export.how"), "export")
        document = await _document(demo, LEAVING[language])
        await me.say("/forget", words("forget.button.ask"), "forget")
        await me.go(words("forget.button.ask"), words("forget.sure.title"), "sure")
        await me.go(words("forget.button.do"), words("forget.done.title"), "goodbye")
        guest = speak("zh_CN")  # the language is forgotten too
        await me.say("/me", guest("start.stranger.title"), "guest")
        ledger = (tmp_path / "var" / "forgotten.jsonl").read_text().splitlines()
        assert [json.loads(line)["member"] for line in ledger] == [document["data"]["record"][0]["number"]]


async def _document(demo: Demo, chat_id: int) -> dict:
    """Fetch the document that was sent last, as the page's own link does."""
    person = await demo.person(chat_id)
    message = await person.wait(lambda message: bool(message.get("document")))
    address = f"{demo.origin}/files/{message['document']['file_id']}"
    async with demo.http.get(address, headers=person._headers) as response:
        assert response.status == 200
        return json.loads(await response.read())

"""Leaving in the real bridge, in both languages: my data, tables of a secretary, being forgotten, and a restore."""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from locales import speak
from tests.acceptance.conftest import BRANCH_SECRETARY, CITY_SECRETARY, MEMBER, ROOT, Demo, running_demo
from tests.acceptance.test_screens import viewer
from tests.webchat.page_driver import chromium

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]
LEAVING = {"zh_CN": MEMBER, "en": BRANCH_SECRETARY}


@pytest.mark.browser
@pytest.mark.parametrize("language", ["zh_CN", "en"])
async def test_every_screen_of_leaving(tmp_path: Path, shots: Path, language: str):
    words = speak(language)
    async with running_demo(tmp_path) as demo, chromium(shots) as browser:
        secretary = await viewer(demo, browser, CITY_SECRETARY, words, "7-tables-secretary")
        await secretary.say("/org", words("exports.button"), "card")
        await secretary.go(words("exports.button"), words("exports.title"), "tables")
        await secretary.go(words("exports.button.organisations"), ".xlsx", "table")
        me = await viewer(demo, browser, LEAVING[language], words, "7-leaving")
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
        assert secretary.page.errors == me.page.errors == []


async def test_who_was_forgotten_is_no_member_after_a_restore(tmp_path: Path):
    words = speak("zh_CN")
    async with running_demo(tmp_path) as demo:
        person = await demo.person(MEMBER)
        await person.say("/me")
        await person.wait(words("me.title"))
        await _tongdao(tmp_path, "backup", "before.tar.gz")
        await person.say("/forget")
        await person.wait(words("forget.title"))
        await person.press(words("forget.button.ask"))
        await person.wait(words("forget.sure.title"))
        await person.press(words("forget.button.do"))
        await person.wait(words("forget.done.title"))
        await demo.stop()
    await _tongdao(tmp_path, "restore", "before.tar.gz", "--yes")
    async with running_demo(tmp_path) as demo:
        person = await demo.person(MEMBER)
        await person.say("/me")
        await person.wait(words("start.stranger.title"))


async def _document(demo: Demo, chat_id: int) -> dict[str, Any]:
    """Fetch the document that was sent last, as the page's own link does."""
    person = await demo.person(chat_id)
    message = await person.wait(lambda message: bool(message.get("document")))
    address = f"{demo.origin}/files/{message['document']['file_id']}"
    async with demo.http.get(address, headers=person._headers) as response:
        assert response.status == 200
        found: dict[str, Any] = json.loads(await response.read())
        return found


async def _tongdao(folder: Path, *words: str) -> None:
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "LANG": "C.UTF-8"}
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "bot", *words, cwd=folder, env=env)
    assert await process.wait() == 0

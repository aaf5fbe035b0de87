"""A roster made by LibreOffice comes in, in a real browser, with three bad rows that are corrected; every screen kept."""

from pathlib import Path

import pytest

from locales import Words, speak
from services.sheets import SheetForm, sheet_bytes
from tests.acceptance.conftest import CITY_SECRETARY, MEMBER, running_demo
from tests.acceptance.test_screens import Viewer, viewer
from tests.webchat.page_driver import chromium

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(400)]

ROSTER = Path(__file__).parents[1] / "data" / "roster" / "office.xlsx"
CORRECTED = (
    ("姓名", "手机", "所在党组织"),
    ("周海燕", "12900000004", "宁波市机关支部"),
    ("吴晓东", "12900000005", "宁波市机关支部"),
    ("赵新", "12900000006", "宁波市机关支部"),
)


@pytest.mark.parametrize("language", ["zh_CN", "en"])
async def test_every_screen_of_an_import(tmp_path, shots, language):
    words = speak(language)
    corrected = tmp_path / "corrected.csv"
    corrected.write_bytes(sheet_bytes(CORRECTED, SheetForm.CSV))
    async with running_demo(tmp_path) as demo, chromium(shots) as browser:
        secretary = await viewer(demo, browser, CITY_SECRETARY, words, "6-import-secretary")
        await three_bad_rows_hold_it_back(secretary, words)
        await the_corrected_file_comes_in(secretary, words, corrected)
        member = await viewer(demo, browser, MEMBER, words, "6-import-member")
        await member.say("/import", words("refusal.not_allowed"), "not-allowed")
        for each in (secretary, member):
            assert each.page.errors == []


async def three_bad_rows_hold_it_back(secretary: Viewer, words: Words) -> None:
    await secretary.say("/import", words("roster.ask", place="§").partition("§")[0][:12], "ask")
    await secretary.page.send_file(ROSTER, kind="document")
    await secretary.page.wait_text(words("roster.columns"))
    await secretary.shot("columns")
    heading = words("roster.column.line", heading="入党日期", meaning=words("roster.column.joined"))
    await secretary.go(heading, words("roster.choose", heading="入党日期"), "choose")
    await secretary.press(words("menu.back"))
    await secretary.page.wait_text(words("roster.columns"))
    await secretary.go(words("roster.button.look"), words("roster.bad", n=3), "three-bad-rows")
    await secretary.go(words("roster.button.skip", n=3), words("roster.sure.bad", bad=3), "skip-bad-rows")
    await secretary.press(words("roster.button.sure"))
    await secretary.page.wait_text(words("roster.sent"))
    await secretary.shot("bad-rows-to-correct")


async def the_corrected_file_comes_in(secretary: Viewer, words: Words, corrected: Path) -> None:
    await secretary.press(words("roster.button.next"))
    await secretary.page.wait_text(words("roster.ask", place="§").partition("§")[0][:12])
    await secretary.page.send_file(corrected, kind="document")
    await secretary.page.wait_text("corrected.csv")
    await secretary.press(words("roster.button.look"))
    await secretary.page.wait_text(words("roster.button.apply", n=3))
    await secretary.shot("nothing-bad")
    await secretary.press(words("roster.button.apply", n=3))
    await secretary.page.wait_text(words("roster.button.sure"))
    await secretary.shot("sure")
    await secretary.press(words("roster.button.sure"))
    await secretary.page.wait_gone(words("roster.button.sure"))
    await secretary.page.wait_text(words("roster.created", n=3))
    await secretary.shot("written")

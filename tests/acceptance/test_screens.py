"""The main journey in a real browser, phone-sized, in both languages, with a picture of every screen.

`make screenshots` keeps the pictures under ``screenshots/``; elsewhere they go to the test's own folder.
"""

import asyncio
import re
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from locales import Words, speak
from tests.acceptance.conftest import BOT, BRANCH_SECRETARY, CITY_SECRETARY, MEMBER, Demo
from tests.webchat.page_driver import PageBrowser, PageDriver, chromium

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(400)]

PLACES = {"zh_CN": "海曙区", "en": "Haishu"}
TEXT = {
    "zh_CN": "请各支部于周五前完成冬季安全检查，并在组织生活会上通报结果。",
    "en": "Please finish the winter safety check by Friday and report the result at your next meeting.",
}


def poster() -> bytes:
    """Draw a picture a secretary might send."""
    image = Image.new("RGB", (960, 600), (32, 92, 92))
    draw = ImageDraw.Draw(image)
    for number in range(12):
        draw.rectangle((40 + number * 74, 520 - number * 36, 94 + number * 74, 560), fill=(240, 200, 96))
    buffer = BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


class Viewer:
    """One person's page: presses what the catalogue says, and numbers its pictures."""

    def __init__(self, page: PageDriver, words: Words, name: str) -> None:
        self.page = page
        self.words = words
        self._name = name
        self._count = 0

    async def shot(self, what: str) -> None:
        self._count += 1
        await asyncio.sleep(0.4)
        await self.page.shot(f"{self._name}-{self._count:02d}-{what}")

    async def press(self, label: str) -> None:
        """Press the newest button that contains these words."""
        keys = self.page.page.locator("button.key, a.key").filter(has_text=re.compile(re.escape(label)))
        await keys.last.click()

    async def go(self, label: str, seen: str, what: str) -> None:
        """Press, wait for words, take a picture."""
        await self.press(label)
        await self.page.wait_text(seen)
        await self.shot(what)

    async def say(self, text: str, seen: str, what: str) -> None:
        await self.page.say(text)
        await self.page.wait_text(seen)
        await self.shot(what)


async def viewer(demo: Demo, browser: PageBrowser, chat_id: int, words: Words, name: str) -> Viewer:
    """Open a person's chat in their language."""
    short = "en" if words.language == "en" else "zh"
    page = await browser.open_page(await demo.link(chat_id), language=short)
    await page.wait_text("/start")
    if words.language == "en":
        await page.say("/language")
        await page.page.locator("button").filter(has_text="English").last.wait_for()
        await page.page.locator("button").filter(has_text="English").last.click()
        await page.wait_text(words("menu.home"))
        await page.say("/menu")
        await page.wait_text(words("menu.button.privacy"))
    return Viewer(page, words, f"{short}-{name}")


@pytest.mark.parametrize("language", ["zh_CN", "en"])
async def test_every_screen_of_the_main_journey(tmp_path, shots, language):
    from tests.acceptance.conftest import running_demo

    words = speak(language)
    async with running_demo(tmp_path) as demo, chromium(shots) as browser:
        city = await viewer(demo, browser, CITY_SECRETARY, words, "1-city-secretary")
        member = await viewer(demo, browser, MEMBER, words, "2-member")
        await a_member_looks_around(member)
        await a_notice_is_sent(city, tmp_path)
        await a_member_receives(member)
        await the_report_fills(city)
        branch = await viewer(demo, browser, BRANCH_SECRETARY, words, "3-branch-secretary")
        await a_branch_stays_within_its_walls(branch)
        await doors_that_stay_closed(demo, browser, words)
        for each in (city, member, branch):
            assert each.page.errors == []


async def a_member_looks_around(member: Viewer) -> None:
    words = member.words
    await member.shot("menu")
    for name in ("me", "org", "topics", "notices", "privacy", "help"):
        await member.page.say(f"/{name}")
        await member.page.page.locator("button").filter(has_text=words("menu.home")).last.wait_for()
        await member.shot(name)
    await member.page.say("/notices 没有这样的通知")
    await member.shot("notices-none-found")
    await member.page.say("what is this")
    await member.shot("not-understood")


async def a_notice_is_sent(city: Viewer, folder: Path) -> None:
    words, language = city.words, city.words.language
    await city.shot("menu")
    await city.go(words("menu.button.notice"), words("compose.title"), "notices")
    picture = folder / "poster.png"
    picture.write_bytes(poster())
    await city.page.send_file(picture, kind="photo", caption=TEXT[language])
    await city.page.wait_text(words("audience.title"))
    await city.shot("audience")
    await city.press(f"{PLACES[language]}")
    whole = words("audience.button.add.whole", name="§").split("§")[0]
    keys = city.page.page.locator("button.key").filter(has_text=whole).filter(has_text=PLACES[language])
    await keys.last.wait_for()
    await city.shot("county")
    await keys.last.click()
    await city.page.wait_text(words("audience.button.filters"))
    await city.shot("county-chosen")
    await city.go(words("audience.button.filters"), words("audience.filters.title"), "filters")
    await city.press(words("audience.field.standing"))
    await (
        city.page.page.locator("button")
        .filter(has_text="⬜ " + words("audience.standing.full"))
        .last.wait_for()
    )
    await city.go(
        "⬜ " + words("audience.standing.full"), "✅ " + words("audience.standing.full"), "full-members"
    )
    await city.press(words("menu.back"))
    await asyncio.sleep(0.8)
    await city.press(words("menu.back"))
    await city.page.wait_text(words("audience.button.next"))
    await city.go(words("audience.button.next"), words("preview.title.draft"), "preview")
    await city.go(words("preview.button.confirm"), words("preview.button.quiet"), "preview-with-confirmation")
    await city.go(words("preview.button.when"), words("preview.time.title"), "when")
    await city.say("?", words("preview.time.unread")[:6], "when-not-understood")
    await city.page.say("/notice")
    await city.page.wait_text(words("compose.write")[:8])
    await city.shot("drafts")
    await city.press(TEXT[language][:6])
    await city.page.wait_text(words("preview.title.draft"))
    now = words("preview.button.now", n="§").split("§")[0]
    label = await city.page.page.locator("button").filter(has_text=now).last.text_content()
    number = re.search(r"\d[\d,]*", label or "")[0].replace(",", "")  # type: ignore[index]
    await city.press(now)
    await city.page.wait_text(number)
    await city.shot("typed-confirmation")
    await city.page.say("7")
    await asyncio.sleep(1)
    await city.shot("typed-wrong")
    await city.say(number, words("progress.title.running"), "progress")
    await city.go(words("progress.button.pause"), words("progress.title.paused"), "paused")
    await city.go(words("progress.button.cancel"), words("progress.ask.title"), "cancel-asked")
    await city.press(words("progress.button.go_on"))
    await city.page.wait_text(words("progress.button.resume"))
    await city.go(words("progress.button.resume"), words("progress.title.running"), "resumed")


async def a_member_receives(member: Viewer) -> None:
    words = member.words
    await (
        member.page.page.locator("button")
        .filter(has_text=words("notices.button.why"))
        .last.wait_for(timeout=60_000)
    )
    await member.shot("received")
    await member.press(words("notices.button.why"))
    await member.page.wait_text(words("notices.why.title"))
    await member.shot("why")
    await member.page.press(words("notices.button.confirm"))
    await member.page.wait_text(words("notices.confirmed.button", when="§").split("§")[0].strip())
    await member.shot("confirmed")


async def the_report_fills(city: Viewer) -> None:
    words = city.words
    await city.press(words("progress.button.report"))
    await asyncio.sleep(1.5)
    await city.shot("report")


async def a_branch_stays_within_its_walls(branch: Viewer) -> None:
    words = branch.words
    await branch.shot("menu")
    await branch.go(words("menu.button.notice"), words("compose.title"), "notices")
    await branch.page.say("支部通知 Branch notice")
    await branch.page.wait_text(words("audience.title"))
    await branch.shot("audience-own-branch-only")
    for county in ("江北区", "Jiangbei"):
        assert await branch.page.page.locator("button").filter(has_text=county).count() == 0
    await branch.page.say("/approvals")
    await asyncio.sleep(1)
    await branch.shot("approvals-empty")
    await branch.page.say("/invite")
    await asyncio.sleep(1)
    await branch.shot("invite")
    await branch.page.say("王")
    await asyncio.sleep(1)
    await branch.shot("invite-name-too-short")


async def doors_that_stay_closed(demo: Demo, browser: PageBrowser, words: Words) -> None:
    short = "en" if words.language == "en" else "zh"
    used = await demo.link(MEMBER)
    await browser.open_page(used, language=short)
    context = await browser._context(used, 390, short)
    again = PageDriver(await context.new_page(), 390, short, browser._shots)
    await again.page.goto(used)
    await asyncio.sleep(1)
    await again.press("登录并继续" if short == "zh" else "Sign in and continue")
    await asyncio.sleep(1)
    await again.shot(f"{short}-4-doors-01-used-link")
    for number, path in enumerate(("/", "/no_such_bot", f"/{BOT}?start=WRONGCODE"), start=2):
        context = await browser._context(demo.origin, 390, short)
        page = PageDriver(await context.new_page(), 390, short, browser._shots)
        await page.page.goto(demo.origin + path)
        await asyncio.sleep(1)
        await page.shot(f"{short}-4-doors-{number:02d}")

"""The console in a real browser, phone-sized and wide, in both languages: signed in from the chat, a send steered.

`make screenshots` keeps the pictures under ``screenshots/``; elsewhere they go to the test's own folder.
"""

import asyncio

import pytest

from locales import Words, speak
from tests.acceptance.conftest import CITY_SECRETARY, Demo, running_demo
from tests.acceptance.test_journeys import aim_at_full_members, send_to_many
from tests.acceptance.test_screens import Viewer, viewer
from tests.webchat.page_driver import PageDriver, chromium

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(400)]

TEXT = "请各支部周五前报送《学习体会》，一人一篇，不少于八百字；有困难的同志请提前和支部书记说一声。"
LOST = 3
"""Recipients whose messages arrive while the answer is lost."""


@pytest.mark.parametrize("language", ["zh_CN", "en"])
async def test_a_send_is_followed_and_settled_in_the_console(tmp_path, shots, language):
    words = speak(language)
    slow = {"TONGDAO_PACE_START": "12", "TONGDAO_PACE_CEILING": "12", "TONGDAO_WEBCHAT_FAULTS": "true"}
    async with running_demo(tmp_path, **slow) as demo, chromium(shots) as browser:
        await a_notice_goes_out(demo)
        city = await viewer(demo, browser, CITY_SECRETARY, words, "8-console")
        await city.page.say("/console")
        await city.page.wait_text(words("sign_ins.button.again"))
        await city.shot("link")
        url = await city.page.page.locator("a[href*='/console/in/']").last.get_attribute("href")
        console = Console(words, await browser.open_page(url, language=city.page.language), city)
        await console.heading("console.sign_in.title")
        await console.shot("sign-in")
        await console.page.get_by_role("button", name=words("console.sign_in.button")).click()
        await console.heading("console.desk.going")
        await console.shot("desk")
        await it_is_steered(console)
        await its_doubts_are_settled(console)
        await the_rest_is_looked_at(console)
        wide = await browser.open_page(url, width=1280, language=city.page.language)
        assert await wide.page.get_by_text(words("console.out.title")).count()  # the link was good once
        assert console.driver.errors == []


class Console:
    """The console's page beside the chat from which it was opened."""

    def __init__(self, words: Words, driver: PageDriver, city: Viewer) -> None:
        self.words = words
        self.driver = driver
        self.page = driver.page
        self._city = city

    async def heading(self, key: str) -> None:
        await self.page.get_by_role("heading", name=self.words(key)).first.wait_for(timeout=30_000)

    async def heading_of(self, text: str) -> None:
        await self.page.get_by_role("heading", name=text).first.wait_for()

    async def seen(self, key: str, **fields: str) -> None:
        text = self.words(key, **{"n": "§", **fields}).partition("§")[0]
        await self.page.locator("main").get_by_text(text).first.wait_for(timeout=30_000)

    async def shot(self, what: str) -> None:
        self._city._count += 1
        await self.driver.shot(f"{self._city._name}-{self._city._count:02d}-{what}")

    async def press(self, key: str, times: int = 1) -> None:
        label = self.words(key, n="§").partition("§")[0]
        button = self.page.locator("main button, main a.button").filter(has_text=label).first
        await button.click(click_count=times)

    async def figure(self, name: str) -> int:
        term = self.page.locator("dl.figures div").filter(has_text=self.words(f"console.figure.{name}"))
        return int((await term.locator("dd").first.text_content() or "0").replace(",", ""))


async def a_notice_goes_out(demo: Demo) -> None:
    """Send to a county, and let the answers to some of the messages be lost."""
    secretary = await demo.person(CITY_SECRETARY)
    await secretary.say("/notice")
    await secretary.wait("直接发来")
    await secretary.say(TEXT)
    await send_to_many(secretary, await aim_at_full_members(secretary))
    await secretary.wait("正在发出")
    await demo.operator.fault("reset", method="sendMessage", acted=True, times=LOST)


async def it_is_steered(console: Console) -> None:
    """Its figures move by themselves; pause, resume, and a cancel that is thought better of."""
    await console.page.locator("a.card").filter(has_text=TEXT[:8]).click()
    await console.heading_of(TEXT)
    before = await console.figure("sent")
    for _ in range(40):
        await asyncio.sleep(0.5)
        if await console.figure("sent") > before:
            break
    assert await console.figure("sent") > before
    await console.shot("going")
    await console.press("console.step.pause", times=2)  # in a hurry: it is pressed once
    await console.seen("console.done.pause")
    assert "done=" not in console.page.url  # loaded anew, it is not said again
    await console.shot("paused")
    await console.press("console.step.cancel")
    await console.heading("console.ask.cancel.title")
    await console.shot("cancel-asked")
    await console.press("console.ask.cancel.not")
    await console.press("console.step.resume")
    await console.seen("console.done.resume")


async def its_doubts_are_settled(console: Console) -> None:
    """Those who perhaps received it are named as a number, and left or told again by a person."""
    await console.press("console.step.again")
    await console.heading("console.ask.again.title")
    await console.shot("again-asked")
    await console.press("console.ask.again.sure")
    await console.seen("console.done.again")
    await console.shot("sent-again")
    desk = await console.page.context.new_page()
    await desk.goto(console.page.url.partition("/dispatches")[0])
    card = desk.locator("a.card").filter(has_text=TEXT[:8])
    await card.wait_for()
    await console.press("console.step.cancel")
    await console.press("console.ask.cancel.sure")
    await console.seen("console.done.cancel")
    await console.shot("cancelled")
    await card.wait_for(state="detached", timeout=30_000)  # the desk beside it follows by itself
    over = desk.locator("[data-part=past] li").filter(has_text=TEXT[:8])
    assert console.words("console.state.cancelled") in await over.first.inner_text()
    await desk.close()


async def large_print_fits(console: Console) -> None:
    """Who asks their browser for letters twice as large gets them everywhere, and nothing beside the page."""
    await console.page.evaluate("document.documentElement.style.fontSize = '200%'")
    size = "parseFloat(getComputedStyle(document.querySelector('dl.reasons dd')).fontSize)"
    assert await console.page.evaluate(size) == 32
    assert await console.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await console.shot("large-print")
    await console.page.evaluate("document.documentElement.style.fontSize = ''")


async def the_rest_is_looked_at(console: Console) -> None:
    words = console.words
    await large_print_fits(console)
    await console.page.get_by_role("link", name=words("menu.back")).click()
    await console.seen("console.desk.nothing_goes")
    await console.page.get_by_role("searchbox").fill("没有这样的内容 <b>")
    await console.page.get_by_role("button", name=words("console.button.search")).click()
    await console.seen("console.search.nothing", search="没有这样的内容 <b>")
    await console.shot("nothing-found")
    for name in ("own", "accounts"):
        await console.page.get_by_role("link", name=words(f"console.nav.{name}")).click()
        await console.heading(f"console.nav.{name}")
        await console.shot(name)
    await console.page.goto(console.page.url + "/nowhere")
    await console.heading("console.error.title")
    await console.shot("error")
    await console.page.get_by_role("button", name=words("console.language")).click()
    await console.page.get_by_role("button", name=words("console.button.out")).wait_for(state="detached")
    await console.page.locator(".me button").last.click()
    await console.page.locator(".door h1").wait_for()
    await console.shot("signed-out")

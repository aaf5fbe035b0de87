"""Drives the chat page in a real Chromium as a person would: say, press, wait for words, take a picture.

async with chromium() as browser:
    wang = await browser.open_page(sign_in_url, width=390, language="zh")
    await wang.say("/me")
    await wang.wait_text("海曙区")
    await wang.shot("me")
"""

import os
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, async_playwright

HEIGHTS = {390: 844}
LOCALES = {"zh": "zh-CN", "en": "en-GB"}
SIGN_IN = {"zh": "登录并继续", "en": "Sign in and continue"}
CANDIDATES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
SWITCHES = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
# The page's own words, and neither the live region nor anything behind an open dialog's own copy of them.
SEEN = "#app, dialog[open], #toasts"
PICTURES_LOADED = "[...document.images].every((image) => image.complete)"


def chromium_path() -> str:
    """Name a Chromium on this machine, or skip the test saying what is missing."""
    named = os.environ.get("CHROMIUM_PATH")
    found = named or next(filter(None, map(shutil.which, CANDIDATES)), None)
    if not found:
        pytest.skip("no Chromium on this machine: install one, or name it in CHROMIUM_PATH")
    return found


@asynccontextmanager
async def chromium(shots: Path | None = None) -> AsyncIterator["PageBrowser"]:
    """Start a browser; pictures go to `shots`, one folder for a whole run."""
    path = chromium_path()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=list(SWITCHES))
        try:
            yield PageBrowser(browser, shots)
        finally:
            await browser.close()


class PageBrowser:
    def __init__(self, browser: Browser, shots: Path | None) -> None:
        self._browser = browser
        self._shots = shots

    async def open_page(self, url: str, width: int = 390, language: str = "zh") -> "PageDriver":
        """Open an address as a new person on a new device; a sign-in link is pressed through."""
        context = await self._context(url, width, language)
        driver = PageDriver(await context.new_page(), width, language, self._shots)
        await driver.page.goto(url)
        if urlsplit(url).path.startswith("/in/"):
            await driver.press(SIGN_IN[language])
            await driver.page.locator(".shell, .entry h1").first.wait_for()
        return driver

    async def _context(self, url: str, width: int, language: str) -> BrowserContext:
        phone = width < 760
        context = await self._browser.new_context(
            viewport={"width": width, "height": HEIGHTS.get(width, 800)},
            locale=LOCALES[language],
            timezone_id="Asia/Shanghai",
            has_touch=phone,
            is_mobile=phone,
            reduced_motion="reduce",
        )
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc}"
        await context.add_cookies([{"name": "webchat_language", "value": language, "url": origin}])
        context.set_default_timeout(10_000)
        return context


class PageDriver:
    def __init__(self, page: Page, width: int, language: str, shots: Path | None) -> None:
        self.page = page
        self.width = width
        self.language = language
        self.errors: list[str] = []
        self._shots = shots
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", self._overheard)

    def _overheard(self, message: ConsoleMessage) -> None:
        """Keep what the browser complains of, but for refusals of the API, which the page words itself."""
        if message.type in ("error", "warning") and "Failed to load resource" not in message.text:
            self.errors.append(message.text)

    async def say(self, text: str) -> None:
        await self.page.locator(".composer-input").fill(text)
        await self.page.locator(".send-button").click()

    async def press(self, text: str) -> None:
        """Press the newest button that carries exactly these words, as its text or as its label."""
        await (await self.button(text)).click()

    async def button(self, text: str) -> Locator:
        dialog = self.page.locator("dialog[open]")
        scope = dialog.last if await dialog.count() else self.page.locator("body")
        link = scope.locator("a.key").filter(has_text=re.compile(rf"^\s*{re.escape(text)}\s*$"))
        named = [scope.get_by_role(role, name=text, exact=True) for role in ("button", "menuitem")]
        return named[0].or_(named[1]).or_(link).last

    async def wait_text(self, text: str) -> None:
        await self.page.locator(SEEN).get_by_text(text).last.wait_for(state="visible")

    async def wait_gone(self, text: str) -> None:
        await self.page.locator(SEEN).get_by_text(text).last.wait_for(state="hidden")

    async def send_file(self, *path: Path, kind: str = "photo", caption: str = "") -> None:
        """Attach photos or documents as the menu does, and send them."""
        await self.choose_file(*path, kind=kind)
        if caption:
            await self.page.locator("dialog[open] textarea").fill(caption)
        await self.page.locator("dialog[open] .button.primary").click()

    async def choose_file(self, *path: Path, kind: str = "photo") -> None:
        await self.page.locator(".composer-field [aria-haspopup=menu]").click()
        async with self.page.expect_file_chooser() as choosing:
            await self.page.locator(".menu-item").nth(0 if kind == "photo" else 1).click()
        await (await choosing.value).set_files(list(path))

    async def bubbles(self) -> list[str]:
        """Name the texts on the page, oldest first, without their times."""
        texts: list[str] = await self.page.eval_on_selector_all(
            ".row:not(.pending) .text",
            "(all) => all.map((text) => { const copy = text.cloneNode(true);"
            " copy.querySelector('.meta')?.remove(); return copy.textContent; })",
        )
        return texts

    async def shot(self, name: str) -> Path:
        """Take a picture as <name>-<width>-<language>.png once all images are there."""
        folder = self._shots or Path("var/screenshots")
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{name}-{self.width}-{self.language}.png"
        await self.page.wait_for_function(PICTURES_LOADED)
        await self.page.screenshot(path=path, animations="disabled")
        return path

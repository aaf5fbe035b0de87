"""The page under thumbs, in large print, on narrow screens, and its pictures' places."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.webchat.page_driver import PageDriver
from tests.webchat.page_town import Scene, opened

pytestmark = pytest.mark.browser

# Words inside a sentence are exempt (WCAG 2.5.8), and so is the menu that a long press opens on touch.
SMALL = """() => [...document.querySelectorAll("button, a, input, textarea, label.setting")]
  .filter((one) => one.checkVisibility() && !one.closest(".text") && !one.matches(".message-menu, .switch input"))
  .map((one) => [one.className, one.getBoundingClientRect()])
  .filter(([, box]) => box.height < 43.9 || box.width < 43.9)
  .map(([name, box]) => `${name} ${Math.round(box.width)}x${Math.round(box.height)}`)"""
SIDEWAYS = """() => [document.documentElement, ...document.querySelectorAll(".scroller, .foot, dialog")]
  .filter((one) => one.scrollWidth > one.clientWidth + 1).map((one) => one.className || one.localName)"""
KEYS = [
    [{"text": "收到", "callback_data": "ok"}, {"text": "为什么会收到这条通知？", "callback_data": "why"}],
    [{"text": "打开网页", "url": "https://example.org/"}],
]
BOARD = {
    "keyboard": [[{"text": "最新通知"}, {"text": "我的组织"}], [{"text": "帮助"}]],
    "resize_keyboard": True,
}


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    async with opened(tmp_path) as scene:
        yield scene


async def furnished(scene: Scene, width: int) -> PageDriver:
    await scene.bot.call("setMyCommands", commands=[{"command": "me", "description": "我的资料"}])
    page = await scene.inside(width=width)
    await scene.bot.say(scene.wang, "请选择", reply_markup=BOARD)
    await scene.bot.say(
        scene.wang, "https://example.org/" + "a" * 300, reply_markup={"inline_keyboard": KEYS}
    )
    await page.page.locator(".inline-keyboard").wait_for()
    return page


async def test_everything_to_press_is_large_enough_for_a_thumb(scene: Scene) -> None:
    page = await furnished(scene, 390)
    assert await page.page.evaluate(SMALL) == []
    await page.press("聊天菜单")
    assert await page.page.evaluate(SMALL) == []
    await page.press("设置")
    assert await page.page.evaluate(SMALL) == []


@pytest.mark.parametrize("width", [320, 390, 1280])
async def test_large_print_never_scrolls_sideways(scene: Scene, width: int) -> None:
    page = await furnished(scene, width)
    assert await page.page.evaluate(SIDEWAYS) == []
    await page.press("聊天菜单")
    await page.press("设置")
    await page.page.locator("#large-print").check()
    assert await page.page.evaluate("getComputedStyle(document.documentElement).fontSize") == "20px"
    assert await page.page.evaluate(SIDEWAYS) == []
    await page.page.keyboard.press("Escape")
    assert await page.page.evaluate(SIDEWAYS) == []


async def test_new_messages_are_read_out_and_progress_is_not_read_step_by_step(scene: Scene) -> None:
    page = await scene.inside()
    heard = page.page.locator("#announcer")
    message_id = await scene.bot.say(scene.wang, "已送达 1")
    await page.wait_text("已送达 1")
    assert await heard.text_content() == "甬城通道：已送达 1"
    await scene.bot.call("editMessageText", chat_id=scene.wang, message_id=message_id, text="已送达 2")
    await page.wait_text("已送达 2")
    assert await heard.text_content() == "甬城通道：已送达 1"
    assert await heard.get_attribute("aria-live") == "polite"

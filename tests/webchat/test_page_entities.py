"""Texts with entities as the browser builds them: right places, safe links, never markup."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.webchat.page_driver import PageDriver, chromium
from webchat import page_views

pytestmark = pytest.mark.browser

DRAW = """async ({address, text, entities}) => {
  const {formatted} = await import(address);
  const box = document.createElement("div");
  box.append(...formatted(text, entities, () => {}));
  const drawn = (node) => node.nodeType === Node.TEXT_NODE ? node.data
    : [node.localName, node.getAttribute("href"), ...[...node.childNodes].map(drawn)].filter((part) => part !== null);
  return [...box.childNodes].map(drawn);
}"""


@pytest.fixture
async def page() -> AsyncIterator[PageDriver]:
    app = web.Application()
    app.add_routes(page_views.routes())
    async with TestServer(app) as server, chromium() as browser:
        yield await browser.open_page(str(server.make_url("/")))


async def draw(page: PageDriver, text: str, *entities: dict[str, Any]) -> list[Any]:
    address = f"/static/{page_views.version()}/js/entities.js"
    drawn: list[Any] = await page.page.evaluate(
        DRAW, {"address": address, "text": text, "entities": entities}
    )
    return drawn


def entity(kind: str, offset: int, length: int, **more: Any) -> dict[str, Any]:
    return {"type": kind, "offset": offset, "length": length, **more}


async def test_offsets_count_utf_16_units(page: PageDriver) -> None:
    assert await draw(page, "🎉🎉通知", entity("bold", 4, 2)) == ["🎉🎉", ["strong", "通知"]]


async def test_entities_nest(page: PageDriver) -> None:
    drawn = await draw(page, "abcdef", entity("bold", 0, 6), entity("italic", 2, 2))
    assert drawn == [["strong", "ab", ["em", "cd"], "ef"]]


async def test_entities_that_overlap_are_cut_at_the_edge_and_lose_no_letter(page: PageDriver) -> None:
    drawn = await draw(page, "abcdef", entity("bold", 0, 4), entity("italic", 2, 4))
    assert drawn == [["strong", "ab", ["em", "cd"]], ["em", "ef"]]


async def test_entities_past_the_end_lose_no_letter(page: PageDriver) -> None:
    drawn = await draw(page, "abc", entity("bold", 1, 99), entity("italic", 50, 2), entity("code", -1, 2))
    assert drawn == ["a", ["strong", "bc"]]


@pytest.mark.parametrize(
    "address",
    ["javascript:alert(1)", "data:text/html,x", "tg://resolve?domain=x", "//", "JaVaScRiPt:alert(1)", ""],
)
async def test_a_link_that_is_not_the_web_stays_plain_text(page: PageDriver, address: str) -> None:
    assert await draw(page, "here", entity("text_link", 0, 4, url=address)) == [["span", "here"]]


async def test_web_links_open(page: PageDriver) -> None:
    drawn = await draw(
        page,
        "here example.org/a",
        entity("text_link", 0, 4, url="https://example.org/?q=1&r=<b>"),
        entity("url", 5, 13),
    )
    assert drawn == [
        ["a", "https://example.org/?q=1&r=%3Cb%3E", "here"],
        " ",
        ["a", "https://example.org/a", "example.org/a"],
    ]


async def test_markup_in_a_text_is_text(page: PageDriver) -> None:
    text = "<img src=x onerror=alert(1)><b>x</b>"
    assert await draw(page, text) == [text]
    assert await draw(page, text, entity("pre", 0, len(text))) == [["pre", ["code", text]]]


async def test_a_block_swallows_the_line_break_after_it(page: PageDriver) -> None:
    assert await draw(page, "x=1\nend", entity("pre", 0, 3)) == [["pre", ["code", "x=1"]], "end"]


async def test_the_browser_itself_refuses_markup_from_data(page: PageDriver) -> None:
    refused = await page.page.evaluate(
        "() => { try { document.body.innerHTML = '<b>x</b>'; return null } catch (error) { return error.name } }"
    )
    assert refused == "TypeError"

"""The page's views: language, headers, caching, and catalogues that say the same things."""

import json
import re
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from webchat import page_views

Client = TestClient[web.Request, web.Application]


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    app = web.Application()
    app.add_routes(page_views.routes())
    async with TestClient(TestServer(app)) as client:
        yield client


def catalogue(language: str) -> dict[str, str]:
    source = page_views.assets()[f"js/strings/{language}.js"].decode()
    return json.loads(re.sub(r",\s*}", "}", source.removeprefix("export default ").rstrip(";\n")))


@pytest.mark.parametrize("path", ["/", "/in/abc", "/tongdao_bot", "/t/tongdao_bot", "/tongdao_bot?start=x"])
async def test_every_address_of_the_page_answers_with_the_shell(client: Client, path: str) -> None:
    answer = await client.get(path)
    assert answer.status == 200
    assert answer.content_type == "text/html"
    assert '<div id="app">' in await answer.text()


@pytest.mark.parametrize(
    ("query", "cookie", "header", "expected"),
    [
        ("", "", "", "zh"),
        ("", "", "fr-FR,fr;q=0.9", "zh"),
        ("", "", "en-GB,en;q=0.9,zh;q=0.8", "en"),
        ("", "", "fr, zh-CN;q=0.9, en;q=0.5", "zh"),
        ("", "", "en;q=0, zh;q=0.1", "zh"),
        ("", "en", "zh-CN", "en"),
        ("?lang=zh", "en", "en", "zh"),
        ("?lang=<b>", "", "en", "en"),
    ],
)
async def test_the_language_is_the_wish_then_the_habit_then_the_browsers(
    client: Client, query: str, cookie: str, header: str, expected: str
) -> None:
    cookies = {"webchat_language": cookie} if cookie else {}
    answer = await client.get(f"/{query}", headers={"Accept-Language": header}, cookies=cookies)
    tag = {"zh": "zh-CN", "en": "en"}[expected]
    assert f'<html lang="{tag}">' in await answer.text()


async def test_the_shell_allows_nothing_but_its_own_files_and_leaks_no_code(client: Client) -> None:
    answer = await client.get("/in/secret-code")
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "require-trusted-types-for 'script'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "secret-code" not in await answer.text()


async def test_assets_of_this_version_are_kept_for_good_and_others_asked_again(client: Client) -> None:
    current = await client.get(f"/static/{page_views.version()}/js/app.js")
    other = await client.get("/static/0/js/app.js")
    assert "immutable" in current.headers["Cache-Control"]
    assert current.content_type == "text/javascript"
    assert other.headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize(
    "name",
    ["../page_views.py", "..%2Fpage_views.py", "js/none.js", "%2Fetc%2Fpasswd", "js%2F..%2F..%2Fapp.py"],
)
async def test_no_name_leads_out_of_the_page_folder(client: Client, name: str) -> None:
    answer = await client.get(f"/static/{page_views.version()}/{name}")
    assert answer.status == 404


async def test_every_file_the_shell_names_is_there(client: Client) -> None:
    for language in page_views.LANGUAGES:
        addresses = re.findall(r'(?:href|src)="([^"]+)"', page_views.shell_html(language, 1))
        assert len(addresses) > 5
        for address in addresses:
            assert (await client.get(address)).status == 200


def test_every_module_that_is_imported_is_there() -> None:
    for name, body in page_views.assets().items():
        for target in re.findall(r'from "\./([\w/.]+)"', body.decode()):
            assert f"js/{target}" in page_views.assets(), f"{name} imports {target}"


def test_both_catalogues_name_the_same_words_and_the_same_blanks() -> None:
    zh, en = catalogue("zh"), catalogue("en")
    assert zh.keys() == en.keys()
    for key in zh:
        assert set(re.findall(r"\{\w+\}", zh[key])) == set(re.findall(r"\{\w+\}", en[key])), key


def test_the_code_asks_only_for_words_that_exist_and_none_lies_idle() -> None:
    modules = [name for name in page_views.assets() if re.fullmatch(r"js/\w+\.js", name)]
    code = "\n".join(page_views.assets()[name].decode() for name in modules)
    words = set(catalogue("zh"))
    assert set(re.findall(r'\bt\("([^"]+)"', code)) <= words
    composed = [re.escape(raw) for raw in re.findall(r"`([a-z]+\.[^`\s]*)`", code)]
    patterns = [re.compile(re.sub(r"\\\$\\\{.*?\\\}", r"[\\w.]+", raw)) for raw in composed]
    quoted = set(re.findall(r'"([\w.]+)"', code))
    idle = {word for word in words - quoted if not any(pattern.fullmatch(word) for pattern in patterns)}
    assert idle == set()


def test_the_page_never_turns_data_into_markup() -> None:
    for name, body in page_views.assets().items():
        if name.endswith(".js"):
            assert not re.search(
                r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(", body.decode()
            ), name

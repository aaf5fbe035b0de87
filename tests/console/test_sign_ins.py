"""Into the console and out of it: by a press, by one browser, from our own pages only."""

import pytest
from aiohttp.test_utils import TestClient, TestServer

from console.safety import HEADERS, SECURE_COOKIE
from tests.console.conftest import Browser, console_of, sign_ins_of
from tests.desk_world import Desk


async def test_a_link_is_opened_by_a_press_not_by_a_look(browser: Browser):
    path = await browser.link("county_secretary")
    for _ in range(2):
        await browser.open(path)
        assert "您将以「陈书记」的身份登录" in browser.text
    await browser.send(path)
    assert "现在没有正在发送的消息" in browser.text
    browser.client.session.cookie_jar.clear()
    await browser.open(path)
    assert (browser.status, "链接已用过或过期" in browser.text) == (401, True)


async def test_a_used_link_leads_in_where_one_is_signed_in_still(browser: Browser):
    path = await browser.link("county_secretary")
    await browser.open(path)
    await browser.send(path)
    response = await browser.open(path)
    assert (browser.status, response.url.path) == (200, "/console")


async def test_who_is_not_signed_in_sees_only_how_to(browser: Browser):
    for path in ("/console", "/console/", "/console/dispatches/1", "/console/accounts", "/console/nowhere"):
        await browser.open(path)
        assert (browser.status, "发 /console" in browser.text, "nav" in browser.text) == (401, True, False)
    await browser.post("/console/dispatches/1/pause")
    assert browser.status == 401


async def test_the_page_is_in_the_language_of_the_chat_and_changes_at_a_press(browser: Browser):
    await browser.sign_in(language="en")
    assert "Nothing is being sent" in browser.text
    await browser.send("/console/language", language="zh_CN")
    assert "现在没有正在发送的消息" in browser.text
    await browser.open("/console?q=%E5%BC%80%E4%BC%9A+%22")
    response = await browser.send("/console/language", language="en")
    assert response.url.query["q"] == '开会 "'
    assert "Nothing has" in browser.text


@pytest.mark.parametrize(
    "back", ["//elsewhere.test/", "https://elsewhere.test/console", "/consoles", "/console/\r\nX: y", "", "/"]
)
async def test_a_change_of_language_leads_to_a_page_of_ours(browser: Browser, back: str):
    await browser.sign_in()
    response = await browser.send("/console/language", language="en", back=back)
    assert (browser.status, response.url.path) == (200, "/console")
    assert "Nothing is being sent" in browser.text


async def test_a_strangers_page_speaks_as_the_browser_asks(browser: Browser):
    await browser.open("/console", **{"Accept-Language": "en-GB,en;q=0.9,zh;q=0.1"})
    assert "Please sign in from the chat" in browser.text
    await browser.open("/console", **{"Accept-Language": "fr"})
    assert "请从聊天里登录" in browser.text


async def test_signing_out_ends_it_on_the_server_too(browser: Browser):
    await browser.sign_in()
    kept = {cookie.key: cookie.value for cookie in browser.client.session.cookie_jar}
    await browser.send("/console/out")
    assert browser.status == 401
    browser.client.session.cookie_jar.update_cookies(kept)
    await browser.open("/console")
    assert browser.status == 401


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "", "Origin": "https://elsewhere.test"},
        {"Sec-Fetch-Site": "", "Origin": "null"},
        {"Sec-Fetch-Site": "", "Origin": "https://[elsewhere"},
    ],
)
async def test_a_form_of_another_site_does_nothing(browser: Browser, headers: dict[str, str]):
    await browser.sign_in()
    form = browser.form("/console/out")
    await browser.post("/console/out", headers=headers, **form)
    assert browser.status == 403
    path = await browser.link("observer")
    await browser.post(path, headers=headers)  # nobody is signed in as somebody else unawares
    assert browser.status == 403
    await browser.open("/console")
    assert "陈书记" in browser.text


@pytest.mark.parametrize("csrf", [{}, {"csrf": ""}, {"csrf": "x" * 64}, {"csrf": "通"}])
async def test_a_form_without_its_token_does_nothing(browser: Browser, csrf: dict[str, str]):
    await browser.sign_in()
    await browser.post("/console/out", **csrf)
    assert browser.status == 403
    await browser.open("/console")
    assert browser.status == 200


async def test_a_browser_that_names_no_site_is_believed_by_its_origin(browser: Browser):
    await browser.sign_in()
    ours = str(browser.client.make_url("/").origin())
    for origin in (ours, ""):
        headers = {"Sec-Fetch-Site": "", "Origin": origin}
        await browser.post("/console/language", headers=headers, **browser.form("/console/language"))
        assert browser.status == 200


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"csrf=\xff\xfe&csrf=%ff", "application/x-www-form-urlencoded"),
        (b"csrf=1", "application/x-www-form-urlencoded; charset=nobodys"),
        (b"csrf=1", "multipart/form-data"),
        (b"--x\r\nContent-Disposition: form-data\r\n\r\n1", "multipart/form-data; boundary=x"),
    ],
)
async def test_a_form_that_cannot_be_read_is_refused_calmly(browser: Browser, body: bytes, kind: str):
    await browser.sign_in()
    headers = {"Sec-Fetch-Site": "same-origin", "Content-Type": kind}
    response = await browser.client.post("/console/out", data=body, headers=headers)
    assert response.status in {400, 403}
    await browser.open("/console")
    assert browser.status == 200


async def test_two_consoles_over_one_database_are_one(browser: Browser, world: Desk, clock):
    await browser.sign_in()
    form = browser.form("/console/language")
    jar = browser.client.session.cookie_jar
    sign_ins = sign_ins_of(world, clock)
    async with TestClient(TestServer(console_of(world, sign_ins)), cookie_jar=jar) as client:
        other = Browser(client, world, sign_ins)
        await other.post("/console/language", **form, language="en")
        assert (other.status, "Nothing is being sent" in other.text) == (200, True)
        await browser.open("/console")
        assert "Nothing is being sent" in browser.text
        await browser.send("/console/out")
        await other.open("/console")
        assert other.status == 401


async def test_every_answer_keeps_browsers_from_harm(browser: Browser):
    for path in ("/console", "/console/static/x/console.css", await browser.link("worker")):
        response = await browser.open(path)
        assert {name: response.headers[name] for name in HEADERS} == HEADERS
    await browser.sign_in()
    response = await browser.open("/console")
    assert response.headers["Cache-Control"] == "no-store"
    assert "<script>" not in browser.text
    assert " style=" not in browser.text


async def test_the_cookie_is_out_of_reach_of_scripts_and_of_other_sites(browser: Browser):
    path = await browser.link("county_secretary")
    response = await browser.client.post(path, allow_redirects=False)
    cookie = response.headers["Set-Cookie"]
    assert all(part in cookie for part in ("HttpOnly", "SameSite=Lax", "Path=/"))
    assert "Secure" not in cookie


async def test_over_https_the_cookie_is_secure_and_ours_alone(browser: Browser, aiohttp_like):
    path = await browser.link("county_secretary")
    response = await aiohttp_like.post(path, allow_redirects=False)
    cookie = response.headers["Set-Cookie"]
    assert cookie.startswith(f"{SECURE_COOKIE}=")
    assert "Secure" in cookie
    assert "Domain" not in cookie


@pytest.fixture
async def aiohttp_like(browser: Browser, world):
    """Yield a client of the same console as it is served over HTTPS."""
    async with TestClient(TestServer(console_of(world, browser.sign_ins, https=True))) as client:
        yield client


@pytest.mark.parametrize("name", ["..%2fapp.py", "base.html", "x.css", "%00"])
async def test_only_assets_are_given(browser: Browser, name: str):
    await browser.open(f"/console/static/x/{name}")
    assert browser.status == 404

"""What the console's pages say of what goes out, and what their buttons do."""

import re
from datetime import timedelta

from sqlalchemy import update

from console.safety import HEADERS
from domain.throughput import window_of
from tests.conftest import HandClock
from tests.console.conftest import Browser
from tests.desk_world import Desk
from tests.factories import T

EVIL = "<img src=x onerror=alert(1)> 开会"


async def begun(world: Desk, text: str = "冬季安全检查", who: str = "county_secretary") -> str:
    made = await world.bridge.drafted(who, "north", text=text)
    made = await world.bridge.notices.send(await world.actor(who), made.id)
    return f"/console/dispatches/{await world.dispatch_of(made.id)}"


def figures(text: str) -> dict[str, str]:
    found = re.findall(r"<div><dt>(?:<i[^>]*></i>)?([^<]+)</dt><dd>([^<]+)</dd></div>", text)
    return dict(found)


async def test_a_send_is_paused_and_resumed_from_its_page(browser: Browser, world: Desk):
    path = await begun(world)
    await browser.sign_in()
    assert "冬季安全检查" in browser.text
    await browser.open(path)
    assert figures(browser.text)["应收"] == "4"
    await browser.send(f"{path}/pause")
    assert "已暂停。" in browser.text
    await browser.send(f"{path}/resume")
    assert "已继续。" in browser.text
    await world.bridge.go()
    await browser.open(path)
    assert figures(browser.text) == {"应收": "4", "已送达": "3", "未发送": "1", "还没加入": "1"}


async def test_a_cancel_is_asked_about_first_and_says_how_many_it_is_about(browser: Browser, world: Desk):
    path = await begun(world)
    await browser.sign_in()
    await browser.open(path)
    assert f'href="{path}/cancel"' in browser.text
    await browser.open(f"{path}/cancel")
    assert "还有 3 人没收到" in browser.text
    await browser.send(f"{path}/cancel")
    assert "已取消，没发的不再发" in browser.text
    await browser.open(f"{path}/cancel")  # by the back button: it shows how things stand
    assert "已取消" in browser.text
    assert f"{path}/cancel" not in browser.text


async def test_a_redirect_keeps_browsers_from_harm_as_pages_do(browser: Browser, world: Desk):
    path = await begun(world)
    await browser.sign_in()
    response = await browser.client.get(f"{path}/pause", allow_redirects=False)
    assert (response.status, response.headers["Location"]) == (303, path)
    assert {name: response.headers[name] for name in HEADERS} == HEADERS
    assert response.headers["Cache-Control"] == "no-store"


async def test_what_is_of_another_year_says_so(browser: Browser, world: Desk, clock):
    path = await begun(world)
    await browser.sign_in()
    assert "3月4日 10:00" in browser.text
    clock.now += timedelta(days=365)
    await browser.sign_in()
    for address in ("/console", path):
        await browser.open(address)
        assert "2026年3月4日 10:00" in browser.text


async def test_two_who_press_at_once_are_told_how_it_stands(browser: Browser, world: Desk):
    path = await begun(world)
    await browser.sign_in()
    await browser.open(path)
    stale = browser.form(f"{path}/pause")
    await browser.post(f"{path}/pause", **stale)
    await browser.post(f"{path}/pause", **stale)
    assert (browser.status, "已经进行到下一步" in browser.text) == (409, True)
    await browser.send(f"{path}/resume")  # how it stands is on that page
    assert "已继续。" in browser.text


async def test_an_address_that_is_kept_does_not_say_what_is_so_no_more(browser: Browser, world: Desk):
    path = await begun(world)
    await browser.sign_in()
    for step, said in (("pause", "已暂停。"), ("cancel", "没发的不再发"), ("fly", "data-flash")):
        await browser.open(f"{path}?done={step}&n=3")
        assert said not in browser.text


async def test_doubts_are_told_again_once_however_often_it_is_pressed(browser: Browser, world: Desk):
    world.lose_answers(1, 2)
    path = await begun(world)
    await world.bridge.go()
    await browser.sign_in()
    assert "等您决定" in browser.text
    await browser.open(f"{path}/again")
    assert "有 2 人不确定是否收到" in browser.text
    form = browser.form(f"{path}/again")
    await browser.post(f"{path}/again", **form)
    assert "正在给 2 人再发一次" in browser.text
    await world.bridge.go()
    world.bridge.channel.sent.clear()
    await browser.post(f"{path}/again", **form)  # the same press again, after it was lost again
    await world.bridge.go()
    assert world.bridge.channel.sent == []
    assert (browser.status, "已经进行到下一步" in browser.text) == (409, True)
    await browser.send(f"{path}/leave")
    assert "这 2 人不再发" in browser.text


async def test_beyond_the_wall_nothing_exists(browser: Browser, world: Desk):
    path = await begun(world)
    await browser.sign_in("foreign_secretary")
    said = []
    for address in (path, f"{path}/live", f"{path}/cancel", "/console/dispatches/999999"):
        await browser.open(address)
        said.append((browser.status, re.sub(r'name="back" value="[^"]*"', "", browser.text)))
    assert {status for status, _ in said} == {404}
    assert len({text for _, text in said}) == 1
    await browser.open("/console")
    token = browser.form("/console/out")["csrf"]
    await browser.post(f"{path}/pause", csrf=token, seen=1)
    assert browser.status == 404
    await browser.open("/console/accounts")
    assert browser.status == 403


async def test_what_people_write_is_never_markup(browser: Browser, world: Desk):
    path = await begun(world, EVIL)
    await browser.sign_in()
    for address in ("/console", path, f"{path}/live", f"/console?q={EVIL.replace(' ', '%20')}"):
        await browser.open(address)
        assert "<img" not in browser.text
    assert "&lt;img" in browser.text


async def test_a_sensitive_notice_has_no_words_in_a_browser_that_came_from_a_chat_abroad(
    browser: Browser, world: Desk
):
    path = await begun(world, "关于王芳同志家庭情况的通知")
    async with world.database.begin() as session:
        await session.execute(update(T["dispatch"]).values(home_only=True))
    await browser.sign_in(abroad=True)
    for address in ("/console", "/console/live", path, f"{path}/live", f"{path}/cancel"):
        await browser.open(address)
        assert "王芳" not in browser.text.replace("王芳</span>", "")
    assert "涉及个人情况的通知" in browser.text
    await browser.open("/console?q=王芳")
    assert "没有找到「王芳」" in browser.text  # nor may a search ask for its words
    await browser.sign_in()
    await browser.open("/console?q=王芳")
    assert f'href="{path}"' in browser.text
    await browser.open(path)
    assert "王芳同志家庭" in browser.text


async def test_what_goes_urgently_says_so_wherever_it_is_named(browser: Browser, world: Desk):
    usual, urgent = await begun(world, "请参加学习"), await begun(world, "马上停水")
    number = int(urgent.rpartition("/")[2])
    async with world.database.begin() as session:
        await session.execute(update(T["dispatch"]).where(T["dispatch"].c.id == number).values(lane="urgent"))
    await browser.sign_in()
    for address in ("/console", "/console/live", urgent):
        await browser.open(address)
        assert re.search(r"【急】\s*马上停水", browser.text)
        assert not re.search(r"【急】\s*请参加学习", browser.text)
    await browser.open(usual)
    assert "【急】" not in browser.text


PARTS = re.compile(r'data-part="(\w+)"')


async def test_a_page_is_kept_fresh_by_its_parts_for_as_long_as_it_moves(browser: Browser, world: Desk):
    path = await begun(world)
    await browser.sign_in()
    for page, parts in (("/console", ["going", "doubtful", "past"]), (path, ["figures"])):
        for address in (page, f"{page}/live"):
            await browser.open(address)
            assert PARTS.findall(browser.text) == parts
            assert re.findall(r'data-live="([^"]*)" data-every="(\d+)"', browser.text) == [
                (f"{page}/live", "2")
            ]
        assert "<html" not in browser.text
    await world.bridge.go()
    await browser.open("/console/live")  # something may begin to go out: it looks less often
    assert 'data-every="10"' in browser.text
    assert "已送达 3 / 4" in browser.text
    await browser.open(f"{path}/live")
    assert "data-live" not in browser.text
    assert "结束" in browser.text
    await browser.open("/console?q=没有")
    assert "data-live" not in browser.text


async def test_every_page_has_one_heading_and_says_in_its_title_what_it_is(browser: Browser, world: Desk):
    path = await begun(world)
    await world.admin()
    await browser.sign_in("sun")
    titles = []
    for address in ("/console", "/console/own", "/console/accounts", path, f"{path}/cancel", "/console/x"):
        await browser.open(address)
        (heading,) = re.findall(r"<h1>(.*)</h1>", browser.text)
        (title,) = re.findall(r"<title>(.*) · 通道 · 管理台</title>", browser.text)
        assert title == heading
        titles.append(title)
    assert len(set(titles)) == len(titles)


async def test_forged_numbers_and_steps_are_answered_calmly(browser: Browser, world: Desk):
    path = await begun(world)
    await browser.sign_in()
    token = browser.form("/console/out")["csrf"]
    for address in (f"{path}/fly", "/console/dispatches/999999999999999999", "/console/dispatches/x"):
        await browser.open(address)
        assert browser.status == 404, address
    for query in ("before=-1", "before=99999999999999999999999999", "before=x", "done=fly", "n=٣"):
        await browser.open(f"/console?{query}")
        assert browser.status == 200, query
    await browser.open(f"{path}?done=pause&n=<b>")
    assert "<b>" not in browser.text
    for seen in ("", "x", "9" * 40):
        await browser.post(f"{path}/retry", csrf=token, seen=seen)
        assert browser.status == 409


async def test_automatic_messages_are_shown_to_administrators(browser: Browser, world: Desk):
    number = await world.alert()
    await world.admin()
    await browser.sign_in("sun")
    assert f"/console/dispatches/{number}" in browser.text  # it is going out
    await browser.open("/console/own")
    assert "账号停发提醒" in browser.text
    await world.bridge.go()
    await browser.open(f"/console/dispatches/{number}")
    assert figures(browser.text)["已送达"] == "3"
    await browser.sign_in()
    assert f"/console/dispatches/{number}" not in browser.text
    await browser.open("/console/own")
    assert browser.status == 403


async def test_pages_say_what_really_goes_out_and_when_nothing_does(
    browser: Browser, world: Desk, clock: HandClock
):
    path = await begun(world)
    await browser.sign_in()
    for page in ("/console", path):
        await browser.open(page)
        assert "按分到的速度估算" in browser.text
        assert "每秒" not in browser.text
    at = clock().timestamp()
    for moved_at, said in ((at, "每秒 5 条"), (at - 60, "此刻没有消息发出")):
        lately = {
            "moved_in": window_of(moved_at),
            "moved": 25,
            "moved_before": 25,
            "moving_since": moved_at - 20,
        }
        async with world.database.begin() as session:
            await session.execute(update(T["slice"]).values(sent=1, **lately))
        for page in ("/console", path):
            await browser.open(page)
            assert said in browser.text

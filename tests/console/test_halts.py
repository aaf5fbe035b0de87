"""The accounts as the console shows them, and one that is let go again."""

from datetime import timedelta

from sqlalchemy import update

from storage import halts
from tests.console.conftest import Browser
from tests.desk_world import Desk
from tests.factories import T


async def test_a_stopped_account_is_seen_and_goes_again_at_a_press(browser: Browser, world: Desk, clock):
    await world.admin()
    number = world.town.account_id
    async with world.database.begin() as session:
        await halts.halt(session, number, "unauthorized", clock())
    await browser.sign_in("sun")
    await browser.open("/console/accounts")
    assert "已自动停发" in browser.text
    assert "密钥失效" in browser.text
    action = f"/console/accounts/{number}/resume"
    form = browser.form(action)
    for _ in range(2):
        await browser.post(action, **form)
        assert (browser.status, "已自动停发" in browser.text) == (200, False)
    await browser.open("/console/accounts/live")
    assert "<html" not in browser.text


async def test_an_account_that_was_asked_for_patience_says_until_when(browser: Browser, world: Desk, clock):
    await world.admin()
    await browser.sign_in("sun")
    row = update(T["pace"]).where(T["pace"].c.account_id == world.town.account_id)
    for minutes, said in ((5, True), (-5, False)):
        async with world.database.begin() as session:
            await session.execute(row.values(held_until=clock() + timedelta(minutes=minutes)))
        await browser.open("/console/accounts")
        assert ("大约等到 3月4日 10:05" in browser.text) is said


async def test_a_county_lets_no_account_go(browser: Browser, world: Desk, clock):
    number = world.town.account_id
    async with world.database.begin() as session:
        await halts.halt(session, number, "unauthorized", clock())
    await browser.sign_in()
    token = browser.form("/console/out")["csrf"]
    await browser.post(f"/console/accounts/{number}/resume", csrf=token)
    assert browser.status == 403
    async with world.database.read() as session:
        assert len(await halts.read_all(session)) == 1

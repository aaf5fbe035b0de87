"""The way into the console, as the chat shows it."""

from typing import Any

import pytest

from domain.sign_ins import SignedOut
from services.sign_ins import SignIns
from tests.fakes import Chat, World
from tests.town import Town


@pytest.fixture
async def secretary(world: World, town: Town) -> Chat:
    await town.link("county_secretary", 200)
    return world.chat(200)


def secret(chat: Chat) -> str:
    (url,) = [line for line in chat.screen.splitlines() if line.startswith("https://bridge.test/console/in/")]
    return url.rpartition("/")[2]


async def test_a_secretary_gets_a_link_and_signs_out_everywhere(secretary: Chat, toolbox: Any):
    await secretary.say("/start")
    await secretary.press("管理台")
    browser = await toolbox.sign_ins.open(secret(secretary))
    await secretary.press("换一个链接")
    assert "1 个浏览器" in secretary.screen
    await secretary.press("全部退出登录")
    assert "都已退出" in secretary.screen
    with pytest.raises(SignedOut):
        await toolbox.sign_ins.behind(browser)


async def test_a_member_has_no_console(world: World, town: Town):
    await town.link("wang", 1)
    wang = world.chat(1)
    await wang.say("/start")
    assert not any("管理台" in label for label in wang.buttons)
    await wang.say("/console")
    assert "console/in" not in wang.screen


async def test_where_no_browser_reaches_us_the_button_is_away(
    secretary: Chat, toolbox: Any, town: Town, clock
):
    toolbox.sign_ins = SignIns(database=town.database, clock=clock, audit=toolbox.audit, public_url="")
    await secretary.say("/start")
    assert not any("管理台" in label for label in secretary.buttons)
    await secretary.say("/console")
    assert "系统管理员" in secretary.screen

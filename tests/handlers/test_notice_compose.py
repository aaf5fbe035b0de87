"""A secretary's notices as they see them on a phone: written, aimed, previewed, sent, followed."""

from pathlib import Path
from typing import Any

import pytest

from storage.sealing import Sealer
from tests.conftest import HandClock
from tests.fakes import Chat, World
from tests.notice_world import Bridge, bridge
from tests.town import Town


@pytest.fixture
async def delivering(town: Town, toolbox: Any, sealer: Sealer, clock: HandClock, tmp_path: Path) -> Bridge:
    """Yield the town's notices, set into the toolbox that the chat uses."""
    made = await bridge(town, sealer, clock, tmp_path)
    toolbox.notices, toolbox.audiences, toolbox.delivery = made.notices, made.audiences, made.delivery
    return made


@pytest.fixture
async def county(delivering: Bridge, world: World, town: Town) -> Chat:
    await town.link("county_secretary", 200)
    for number, name in enumerate(("wang", "zhang", "branch_secretary"), start=1):
        await town.link(name, number)
    return world.chat(200)


async def test_a_text_goes_to_a_branch_in_six_touches(county: Chat, delivering: Bridge):
    await county.say("/notice")
    assert "还没有通知" in county.screen
    await county.say("请参加学习")
    await county.press("鼓楼街道 ›")
    await county.press("北大路支部 ›")
    await county.press("＋ 选「北大路支部」全部")
    assert "＋ 北大路支部(含下级)" in county.screen
    assert "共 4 人" in county.screen
    await county.press("下一步")
    assert "请参加学习" in county.screen
    assert "马上送到:3 人" in county.screen
    assert "还没加入:1" in county.screen
    await county.press("现在发出(4 人)")
    assert "正在发出" in county.screen
    await delivering.go()
    assert sorted(delivering.channel.chats) == [1, 2, 3]

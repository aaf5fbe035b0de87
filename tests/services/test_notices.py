"""Notices as use cases: who may write, send, see and control them, and that each step happens once."""

from pathlib import Path

import pytest

from domain.notices import NoticeState
from domain.refusals import NotFound
from storage.database import Database
from storage.sealing import Sealer
from tests.conftest import HandClock
from tests.notice_world import Bridge, bridge
from tests.town import build


@pytest.fixture
async def town_bridge(database: Database, clock: HandClock, tmp_path: Path) -> Bridge:
    sealer = Sealer({"test": bytes(range(32))}, "test")
    town = await build(database, sealer)
    for number, name in enumerate(("wang", "zhang", "branch_secretary"), start=1):
        await town.link(name, number)
    return await bridge(town, sealer, clock, tmp_path)


async def test_a_notice_reaches_the_members_of_its_subtree_and_says_who_sent_it(town_bridge: Bridge):
    made = await town_bridge.sent("county_secretary", "north")
    assert sorted(town_bridge.channel.chats) == [1, 2, 3]
    text = town_bridge.channel.sent[0].content.text
    assert text == "请参加学习\n\n—— 海曙区 · 陈书记"
    report = await town_bridge.notices.reports.of(await town_bridge.actor("county_secretary"), made.id)
    assert report.figures is not None
    assert (report.figures.planned, report.figures.sent) == (4, 3)
    assert report.figures.skipped_by_reason == {"no_account": 1}


async def test_sending_twice_sends_once(town_bridge: Bridge):
    made = await town_bridge.sent("county_secretary", "north")
    again = await town_bridge.notices.send(await town_bridge.actor("county_secretary"), made.id)
    await town_bridge.go()
    assert again.state is NoticeState.SENDING
    assert len(town_bridge.channel.sent) == 3


@pytest.mark.parametrize("who", ["branch_secretary", "worker", "foreign_secretary", "wang", "former"])
async def test_a_countys_notice_is_beyond_the_wall(town_bridge: Bridge, who: str):
    made = await town_bridge.sent("county_secretary", "north")
    actor = await town_bridge.actor(who)
    notices = town_bridge.notices
    for act in (notices.for_actor, notices.pause, notices.cancel, notices.retry_failed, notices.reports.of):
        for number in (made.id, 999_999):
            with pytest.raises(NotFound):
                await act(actor, number)

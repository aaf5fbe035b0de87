"""Taps that no button of the notice screens has: they find nothing beyond the wall, and end no process."""

import pytest

from tests.fakes import Chat, World
from tests.notice_world import Bridge
from tests.town import Town


async def test_an_ordinary_member_has_no_desk(county: Chat, world: World):
    member = world.chat(1)
    await member.say("/notice")
    assert "职务不包含" in member.screen
    await member.say("/notice 请参加学习")
    assert "职务不包含" in member.screen


async def test_an_observer_sees_the_desk_and_cannot_write(
    county: Chat, world: World, town: Town, delivering: Bridge
):
    await delivering.sent("county_secretary", "north")
    await town.link("observer", 9)
    observer = world.chat(9)
    await observer.say("/notice")
    assert "直接发来" not in observer.screen
    await observer.press("请参加学习")
    assert "正在发出" in observer.screen or "发送报告" in observer.screen
    assert not [label for label in observer.buttons if "暂停" in label or "重试" in label]


async def test_every_button_fits_into_64_bytes_even_for_large_ids():
    from handlers.aims import Aim, Sift
    from handlers.notice_taps import Draft, Look, Progress, Send

    large = 10**12
    taps = [
        Aim(step="hits", what="n", id=large, view=large, node=large, page=999),
        Sift(what="n", id=large, field="mode", value="village_neighbourhood", on=True),
        Draft(step="discard", id=large),
        Send(step="recall", id=large, at=10**10),
        Progress(step="resume", id=large),
        Look(step="calls", id=large, page=999),
    ]
    assert all(len(tap.pack().encode()) <= 64 for tap in taps)


TAPS = (
    "ndraft:open:{id}",
    "ndraft:write:{id}",
    "ndraft:confirm:{id}",
    "ndraft:plain:{id}",
    "ndraft:gone:{id}",
    "ndraft:discard:{id}",
    "ndraft:test:{id}",
    "aim:at:n:{id}:0:0:0",
    "aim:add:n:{id}:0:{node}:0",
    "aim:find:n:{id}:0:0:0",
    "aim:hits:n:{id}:0:0:0",
    "sift:n:{id}:::0",
    "sift:n:{id}:standing:full:1",
    "nsend:now:{id}:0",
    "nsend:when:{id}:0",
    "nsend:at:{id}:1772700000",
    "nsend:recall:{id}:0",
    "nprog:look:{id}",
    "nprog:pause:{id}",
    "nprog:resume:{id}",
    "nprog:ask:{id}",
    "nprog:cancel:{id}",
    "nprog:retry:{id}",
    "ndoubt:ask:{id}:1",
    "ndoubt:again:{id}:1",
    "ndoubt:leave:{id}:1",
    "nrep:look:{id}:0",
    "nrep:calls:{id}:0",
)


async def test_a_forged_tap_finds_nothing_beyond_the_wall(
    county: Chat, world: World, delivering: Bridge, town: Town
):
    drafted = await delivering.drafted("county_secretary", "north")
    sending = await delivering.sent("county_secretary", "north")
    await town.link("foreign_secretary", 50)
    for forger in (world.chat(3), world.chat(50), world.chat(1)):
        await forger.say("/start")
        before = forger.screen
        for tap in TAPS:
            for number in (drafted.id, sending.id, 999_999):
                await forger.tap(tap.format(id=number, node=town.nodes["north"]))
                assert forger.alerts[-1:] == ["没有找到，或不在您的权限范围内。"], tap
                forger.alerts.clear()
                assert forger.screen == before, tap
    assert len(delivering.channel.sent) == 3


HUGE = "9" * 25


@pytest.mark.parametrize(
    "tap",
    [
        "sift:n:{id}:age:1:1",
        "sift:x:{id}:mode::0",
        "aim:at:x:{id}:0:0:0",
        "sift:n:{id}:mode:moon:1",
        "sift:n:{id}:topic:x:1",
        f"sift:n:{{id}}:topic:{HUGE}:1",
        f"ndraft:open:{HUGE}",
        f"aim:at:n:{{id}}:{HUGE}:0:0",
        f"aim:at:n:{{id}}:0:0:{HUGE}",
        f"nsend:now:{HUGE}:0",
        f"nsend:at:{{id}}:{HUGE}",
        f"ndesk:{HUGE}",
        f"nprog:look:{HUGE}",
        f"nrep:calls:{{id}}:{HUGE}",
        f"ack:{HUGE}",
        f"why:{HUGE}",
        f"inbox:page:0:{HUGE}",
        f"inbox:open:{HUGE}:0",
    ],
)
async def test_a_forged_filter_is_an_old_button(county: Chat, delivering: Bridge, tap: str):
    drafted = await delivering.drafted("county_secretary", "north")
    await county.say("/notice")
    await county.tap(tap.format(id=drafted.id))
    assert "已经失效" in county.screen


async def test_an_audience_beyond_the_wall_cannot_be_forged(county: Chat, delivering: Bridge, town: Town):
    drafted = await delivering.drafted("county_secretary", "north")
    await county.say("/notice")
    await county.tap(f"aim:add:n:{drafted.id}:0:{town.nodes['jiangbei']}:0")
    assert "没有找到" in county.alerts[-1]
    await county.tap(f"aim:at:n:{drafted.id}:{town.nodes['city']}:0:0")
    assert "没有找到" in county.alerts[-1]

"""Those who perhaps received a notice or a poll's call, decided about in the chat."""

from pathlib import Path
from typing import Any

import pytest

from domain.delivery import Sent, Unknown
from storage.sealing import Sealer
from tests.conftest import HandClock
from tests.fakes import Chat, World
from tests.handlers.poll_chat import set_up
from tests.notice_world import Bridge, entries
from tests.town import Town


async def in_doubt(delivering: Bridge) -> Any:
    """Send a notice that two of three perhaps received."""
    delivering.channel.answer = lambda envelope: Sent(1) if envelope.to.chat_id == 1 else Unknown("502")
    made = await delivering.sent("county_secretary", "north")
    await delivering.notices.start_due()
    delivering.channel.sent.clear()
    return made


async def test_it_is_sent_again_after_saying_what_that_means_and_pressed_twice_only_once(
    county: Chat, delivering: Bridge
):
    made = await in_doubt(delivering)
    await county.say("/notice")
    await county.press("✓")
    assert "不确定是否送到：2" in county.screen
    assert "请决定要不要再发" in county.screen
    await county.press("再发给这 2 人")
    assert "有些人会收到两遍" in county.screen
    assert delivering.channel.sent == []
    sure = f"ndoubt:again:{made.id}:1"
    await county.tap(sure)
    assert "正在发出" in county.screen
    await delivering.go()
    assert len(delivering.channel.sent) == 2
    await county.tap(sure)
    await delivering.go()
    assert len(delivering.channel.sent) == 2
    assert await entries(delivering) == ["sent", "sent_again"]


async def test_it_is_left_at_that_and_not_asked_about_again(county: Chat, delivering: Bridge):
    await in_doubt(delivering)
    await county.say("/notice")
    await county.press("✓")
    await county.press("再发给这 2 人")
    await county.press("不再发，就这样")
    assert "不确定是否送到：2" in county.screen
    assert not [label for label in county.buttons if "再发" in label]
    await delivering.go()
    assert delivering.channel.sent == []
    assert await entries(delivering) == ["sent", "left_unknown"]


@pytest.mark.parametrize("who", ["observer", "wang", "foreign_secretary"])
async def test_who_may_not_control_it_decides_nothing(
    county: Chat, delivering: Bridge, world: World, town: Town, who: str
):
    made = await in_doubt(delivering)
    chat = world.chat(1 if who == "wang" else 9)
    if who != "wang":
        await town.link(who, 9)
    await chat.say("/notice")
    if who == "observer":
        await chat.press("请参加学习")
        assert not [label for label in chat.buttons if "再发" in label]
    for step in ("ask", "again", "leave"):
        await chat.tap(f"ndoubt:{step}:{made.id}:1")
    await delivering.go()
    assert delivering.channel.sent == []
    assert (await delivering.delivery.figures(1)).parked == 2


async def test_a_polls_call_is_asked_again_while_the_poll_is_open(
    town: Town, toolbox: Any, sealer: Sealer, clock: HandClock, tmp_path: Path, world: World
):
    await town.link("branch_secretary", 100)
    hall = await set_up(town, toolbox, sealer, clock, tmp_path)
    await hall.people("north", 6)
    hall.channel.answer = lambda envelope: Sent(1) if envelope.to.chat_id == 100 else Unknown("502")
    poll = await hall.opened("branch_secretary", "north")
    hall.channel.answer = lambda envelope: Sent(1)
    hall.channel.sent.clear()
    secretary = world.chat(100)
    await secretary.say("/start")
    await secretary.tap(f"pd:{poll.id}")
    assert "另有 6 人可能已经收到投票" in secretary.screen
    await secretary.press("再发给这 6 人")
    assert "有些人会收到两遍" in secretary.screen
    await secretary.press("再发给这 6 人，重复也可以")
    assert "可能已经收到" not in secretary.screen
    await hall.go()
    assert len(hall.channel.sent) == 6
    await hall.over(poll.id)
    hall.channel.sent.clear()
    await secretary.tap(f"pdoubt:again:{poll.id}:2:poll")
    await hall.go()
    assert hall.channel.sent == []


async def test_a_polls_result_is_sent_again_and_a_call_in_doubt_before_is_not(
    town: Town, toolbox: Any, sealer: Sealer, clock: HandClock, tmp_path: Path, world: World
):
    await town.link("branch_secretary", 100)
    hall = await set_up(town, toolbox, sealer, clock, tmp_path)
    await hall.people("north", 6)
    poll = await hall.opened("branch_secretary", "north")
    await hall.over(poll.id)
    hall.channel.answer = lambda envelope: Sent(1) if envelope.to.chat_id == 100 else Unknown("502")
    actor = await town.actor("branch_secretary")
    await hall.polls.publish(actor, poll.id, "书架改到三楼")
    await hall.go()
    hall.channel.answer = lambda envelope: Sent(1)
    hall.channel.sent.clear()
    secretary = world.chat(100)
    await secretary.say("/start")
    await secretary.tap(f"pdoubt:again:{poll.id}:1:poll")
    await hall.go()
    assert hall.channel.sent == []
    await secretary.tap(f"pd:{poll.id}")
    assert "另有 6 人可能已经收到结果" in secretary.screen
    await secretary.press("再发给这 6 人")
    await secretary.press("再发给这 6 人，重复也可以")
    assert "可能已经收到" not in secretary.screen
    await hall.go()
    assert len(hall.channel.sent) == 6
    assert all("书架改到三楼" in envelope.content.text for envelope in hall.channel.sent)

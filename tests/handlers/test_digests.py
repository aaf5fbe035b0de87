"""A member's digest in the chat: one message, their own list, each thing as it would have come alone."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from services.digests import Digests
from storage.deliveries import Rules
from storage.sealing import Sealer
from tests.conftest import HandClock
from tests.fakes import Chat, World
from tests.notice_world import Bridge, bridge
from tests.town import Town

MONDAY = datetime(2026, 3, 9, 0, 0, tzinfo=UTC)


@pytest.fixture
async def delivering(town: Town, toolbox: Any, sealer: Sealer, clock: HandClock, tmp_path: Path) -> Bridge:
    made = await bridge(town, sealer, clock, tmp_path)
    rules = Rules(weekly_cap=1)
    made.delivery.pipeline._rules = rules
    toolbox.notices, toolbox.audiences, toolbox.delivery = made.notices, made.audiences, made.delivery
    toolbox.repeats = made.repeats
    toolbox.digests = Digests(
        database=town.database, clock=clock, audit=toolbox.audit, delivery=made.delivery, rules=rules
    )
    return made


@pytest.fixture
async def wang(delivering: Bridge, world: World, town: Town) -> Chat:
    await town.link("county_secretary", 200)
    for number, name in enumerate(("wang", "zhang"), start=1):
        await town.link(name, number)
    return world.chat(1)


async def test_a_member_opens_the_digest_and_each_notice_in_it(
    wang: Chat, delivering: Bridge, toolbox: Any, clock: HandClock
):
    await delivering.sent("county_secretary", "north", text="第一件事")
    for text in ("第二件事", "第三件事\n请带上笔记本"):
        await delivering.sent("county_secretary", "north", text=text, confirm=True)
    clock.now = MONDAY
    await toolbox.digests.tick()
    await delivering.go()
    pushed = delivering.channel.sent[-1].content
    assert "汇总" in pushed.text
    await wang.tap(pushed.keyboard[0][0].data or "")
    assert "共 2 条" in wang.screen
    assert "第三件事 请带上笔记本" in wang.screen
    await wang.press("第二件事")
    assert "—— 海曙区 · 陈书记" in wang.screen
    await wang.press("收到")
    assert any("已确认" in label for label in wang.buttons)


async def test_the_report_says_how_many_are_in_the_digest_and_not_that_they_got_nothing(
    wang: Chat, delivering: Bridge, world: World
):
    await delivering.sent("county_secretary", "north", text="第一件事")
    made = await delivering.sent("county_secretary", "north", text="第二件事", confirm=True)
    await delivering.notices.start_due()
    county = world.chat(200)
    await county.tap(f"nrep:look:{made.id}:0")
    assert "放进汇总：2" in county.screen
    assert "未发送：2" in county.screen  # who has not joined
    await wang.say("/notices")
    assert any("第二件事" in label for label in wang.buttons)


async def test_how_often_is_chosen_and_what_waits_can_be_read_now(wang: Chat, delivering: Bridge):
    await delivering.sent("county_secretary", "north", text="第一件事")
    await delivering.sent("county_secretary", "north", text="第二件事")
    await wang.say("/topics")
    await wang.press("多久汇总一次")
    assert "最多单独收到 1 条" in wang.screen
    assert "✅ 每周一" in wang.buttons
    await wang.press("每天")
    assert "✅ 每天" in wang.buttons
    await wang.press("现在就看（1）")
    assert "第二件事" in wang.screen


async def test_anothers_digest_and_forged_numbers_show_nothing(
    wang: Chat, delivering: Bridge, toolbox: Any, world: World, clock: HandClock
):
    await delivering.sent("county_secretary", "north", text="第一件事")
    await delivering.sent("county_secretary", "north", text="第二件事")
    clock.now = MONDAY
    await toolbox.digests.tick()
    other = world.chat(200)
    await other.tap("digest:open:1:0")
    assert "没有要看的" in other.screen
    assert "第二件事" not in other.screen
    await other.tap("digest:look:6:0")
    assert "没有找到" in other.alerts[-1]
    await wang.tap("digest:open:999999:0")
    assert "没有要看的" in wang.screen
    await wang.tap("dgset:hourly")
    assert "每周一" not in wang.screen

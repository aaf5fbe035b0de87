"""Tables in the chat: totals for those who may see them, and no roster."""

import io
from typing import Any

import pytest
from openpyxl import load_workbook

from services.exports import Exports
from storage.database import Database
from storage.sealing import Sealer
from tests.conftest import HandClock
from tests.fakes import World
from tests.town import Town


@pytest.fixture(autouse=True)
def exports(toolbox: Any, database: Database, clock: HandClock, sealer: Sealer) -> None:
    toolbox.exports = Exports(database=database, clock=clock, audit=toolbox.audit, sealer=sealer)


async def test_a_secretary_gets_a_table_of_totals(world: World, town: Town):
    await town.link("county_secretary", 7)
    chat = world.chat(7)
    await chat.say("/org")
    await chat.press("导出表格")
    assert "没有成员的姓名" in chat.screen
    assert not any("名册" in label for label in chat.buttons)
    await chat.press("组织一览")
    sheet = load_workbook(io.BytesIO(chat.file_of(chat.messages[-1]).data)).active
    assert [cell.value for cell in sheet["B"]] == [
        "组织名称",
        "海曙区",
        "鼓楼街道",
        "城隍庙商圈",
        "北大路支部",
    ]
    assert chat.screen == "组织（海曙区）"


async def test_a_member_is_offered_none_and_forging_one_finds_nothing(world: World, town: Town):
    await town.link("wang", 7)
    chat = world.chat(7)
    await chat.say("/org")
    assert not any("导出" in label for label in chat.buttons)
    await chat.tap(f"tables:{town.nodes['north']}:polls")
    assert "没有找到" in chat.alerts[-1]


@pytest.mark.parametrize("table", ["members", "passwords"])
async def test_a_forged_table_is_not_sent(world: World, town: Town, table: str):
    await town.link("county_secretary", 7)
    chat = world.chat(7)
    await chat.say("/org")
    await chat.tap(f"tables:{town.nodes['haishu']}:{table}")
    assert all(message.document is None for message in chat.messages)

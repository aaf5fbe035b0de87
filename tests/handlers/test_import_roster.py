import asyncio
from pathlib import Path

import pytest

from handlers import import_run
from services.own_data import OwnData
from tests import roster_world
from tests.roster_world import members, rows_of

DATA = Path(__file__).parent.parent / "data" / "roster"
NEW = ("周平", "13805740099", "北大路支部", "预备", "2025.7.1", "")


@pytest.fixture
def toolbox(toolbox, database, clock, sealer, tmp_path):
    toolbox.roster = roster_world.build(database, clock, sealer, tmp_path / "roster")
    toolbox.own_data = OwnData(database=database, clock=clock, sealer=sealer)
    return toolbox


@pytest.fixture
async def secretary(town, world):
    await town.link("county_secretary", 7)
    return world.chat(7)


async def upload(chat, data, name="名单.csv"):
    """Send a document whose content is `data`."""
    chat.world.session.content = data
    await chat.send_document("file-of-a-roster", name)


@pytest.fixture(autouse=True)
def downloads(monkeypatch):
    async def stream(self, *args, **kwargs):
        yield self.content

    monkeypatch.setattr("tests.fakes.RecordingSession.stream_content", stream)


async def press(chat, label):
    await chat.press(label)
    await import_run.idle()


async def test_a_roster_comes_in_step_by_step(secretary, database):
    await secretary.say("/import")
    assert "海曙区" in secretary.screen
    await upload(secretary, members(NEW))
    assert "名单.csv" in secretary.screen
    assert "手机 → 手机" in secretary.buttons
    await press(secretary, "看会做什么")
    assert "新增：1" in secretary.screen
    await press(secretary, "写入 1 行")
    assert "周平" not in [row[1] for row in await rows_of(database, "member", "id", "name")]
    await press(secretary, "确定写入")
    assert "已写入" in secretary.screen
    assert "周平" in [row[1] for row in await rows_of(database, "member", "id", "name")]


async def test_a_roster_of_libreoffice_with_three_bad_rows_is_corrected(secretary, database):
    await secretary.say("/import")
    await upload(secretary, (DATA / "members.xlsx").read_bytes(), "members.xlsx")
    assert "「身份证号」涉及敏感信息" in secretary.screen
    await press(secretary, "看会做什么")
    assert "有问题：3" in secretary.screen
    assert "第 5 行：电话无法识别" in secretary.screen
    assert "第 6 行：在您的范围内没有这个组织" in secretary.screen
    assert "第 7 行：没有姓名或名称" in secretary.screen
    assert "1380574" not in secretary.screen
    await press(secretary, "下载有问题的行")
    document = secretary.file_of(secretary.messages[-1])
    assert document.filename == "members-原因.xlsx"
    await press(secretary, "返回")
    await press(secretary, "跳过问题行，写入 3 行")
    await press(secretary, "确定写入")
    assert secretary.file_of(secretary.messages[-1]).filename == "members-原因.xlsx"
    corrected = members(
        ("李梅", "13805740066", "北大路支部"),
        ("刘洋", "13805740067", "城隍庙商圈"),
        ("何平", "13805740068", "北大路支部"),
    )
    await press(secretary, "再导入一个文件")
    await upload(secretary, corrected, "改好.csv")
    await press(secretary, "看会做什么")
    await press(secretary, "写入 3 行")
    await press(secretary, "确定写入")
    names = [row[1] for row in await rows_of(database, "member", "id", "name")]
    assert {"买买提·艾力", "李梅", "刘洋", "何平"} <= set(names)


async def test_bad_rows_can_be_skipped(secretary, database):
    await secretary.say("/import")
    await upload(secretary, members(NEW, ("", "1", "北大路支部")))
    await press(secretary, "看会做什么")
    await press(secretary, "跳过问题行，写入 1 行")
    assert "有问题的 1 行不写" in secretary.screen
    await press(secretary, "确定写入")
    assert "已写入" in secretary.messages[-2].text
    assert secretary.file_of(secretary.messages[-1]).filename == "名单-原因.csv"


async def test_a_column_can_be_given_another_meaning(secretary):
    await secretary.say("/import")
    await upload(secretary, "姓名,备用,支部\n周平,13805740077,北大路支部\n".encode())
    await press(secretary, "备用 → 不用")
    await press(secretary, "手机")
    assert "备用 → 手机" in secretary.buttons


async def test_a_lacking_column_is_named(secretary):
    await secretary.say("/import")
    await upload(secretary, "姓名,手机\n周平,13805740077\n".encode())
    assert "还缺：所在组织" in secretary.screen
    await press(secretary, "看会做什么")
    assert "必需的列" in secretary.screen


async def test_a_second_run_says_that_all_is_the_same(secretary):
    for expected in ("新增：1", "完全一样"):
        await secretary.say("/import")
        await upload(secretary, members(NEW))
        await press(secretary, "看会做什么")
        assert expected in secretary.screen
        if expected == "新增：1":
            await press(secretary, "写入")
            await press(secretary, "确定写入")


async def test_an_unreadable_file_says_what_it_is_and_a_better_one_may_follow(secretary):
    await secretary.say("/import")
    await upload(secretary, (DATA / "members.xls").read_bytes(), "a.xlsx")
    assert "旧版 Excel" in secretary.screen
    await upload(secretary, members(NEW))
    assert "名单.csv" in secretary.screen


async def test_a_text_is_no_roster(secretary):
    await secretary.say("/import")
    await secretary.say("周平 13805740099")
    assert "请发一个文件" in secretary.screen


async def test_an_open_import_is_shown_again_and_can_be_given_up(secretary, database):
    await secretary.say("/import")
    await upload(secretary, members(NEW))
    await secretary.say("/import")
    assert "名单.csv" in secretary.screen
    await press(secretary, "放弃")
    assert "都删除了" in secretary.screen
    await secretary.say("/import")
    assert "最大 20 MB" in secretary.screen


async def test_old_buttons_say_that_it_is_over(secretary):
    await secretary.say("/import")
    await upload(secretary, members(NEW))
    old = secretary.messages[-1]
    data = next(each for each in secretary.data if ":look:" in each)
    await press(secretary, "放弃")
    await secretary.tap(data, old)
    assert "已经结束" in secretary.screen


async def test_others_imports_do_not_exist(secretary, town, world):
    await secretary.say("/import")
    await upload(secretary, members(NEW))
    await town.link("branch_secretary", 8)
    other = world.chat(8)
    await other.say("/menu")
    for data in secretary.data:
        if data.startswith("roll"):
            await other.tap(data)
    assert "没有找到" in other.alerts[-1]


async def test_who_manages_nothing_cannot_import(town, world):
    await town.link("wang", 9)
    member = world.chat(9)
    await member.say("/import")
    assert "不包含这项操作" in member.screen


async def test_a_messenger_abroad_gets_no_roster(town, world, database):
    await town.link("county_secretary", 7)
    table = roster_world.T["account"]
    async with database.begin() as session:
        await session.execute(table.update().values(residency="AE"))
    chat = world.chat(7)
    await chat.say("/import")
    assert "网页聊天" in chat.screen


async def test_who_is_missing_can_be_downloaded(secretary):
    await secretary.say("/import")
    await upload(secretary, members(("王芳", "13805740001", "北大路支部")))
    await press(secretary, "看会做什么")
    await press(secretary, "下载名单里没有的人（3）")
    assert secretary.file_of(secretary.messages[-1]).filename == "名单里没有的人.xlsx"


async def test_a_bridge_that_stops_lets_go_of_what_it_reads(secretary, toolbox, monkeypatch):
    await secretary.say("/import")
    await upload(secretary, members(NEW))

    async def endless(*_):
        await asyncio.Event().wait()
        yield []

    monkeypatch.setattr(toolbox.roster._reader, "lines", endless)
    await secretary.press("看会做什么")
    assert "正在读文件" in secretary.screen
    await asyncio.sleep(0.05)
    await import_run.stop()
    await secretary.say("/import")
    assert "这样理解各列" in secretary.screen

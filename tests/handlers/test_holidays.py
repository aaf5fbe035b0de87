"""Holidays in the chat: a city secretary reads the year and enters the next one, and nobody else does."""

from datetime import date
from typing import Any

import pytest
from sqlalchemy import select

from domain.holidays import DayKind
from services.holidays import Holidays
from tests.conftest import HandClock
from tests.factories import T, make_grant
from tests.fakes import Chat, World
from tests.town import Town

NOTICE_2027 = """国务院办公厅关于2027年部分节假日安排的通知
一、元旦：1月1日（周五）至3日（周日）放假，共3天。
二、春节：2月5日至11日放假调休，共7天。2月14日（周日）上班。
三、清明节：4月3日至5日放假。
四、劳动节：5月1日至5日放假调休，共5天。5月8日（周六）上班。
五、端午节：6月9日放假。
六、中秋节：9月15日放假。
七、国庆节：10月1日至7日放假调休，共7天。10月9日（周六）上班。
"""


@pytest.fixture
def holidays(toolbox: Any, database: Any, clock: HandClock) -> Holidays:
    toolbox.holidays = Holidays(database=database, clock=clock, audit=toolbox.audit)
    return toolbox.holidays


@pytest.fixture
async def secretary(world: World, town: Town, holidays: Holidays) -> Chat:
    await town.link("wang", 1)
    await make_grant(town.database, member=town.members["wang"], organisation=town.nodes["city"])
    return world.chat(1)


async def test_the_year_is_shown_with_what_it_moves_and_that_the_next_is_missing(secretary: Chat):
    await secretary.say("/holidays")
    for words in (
        "放假安排 2026",
        "休　10月1日至10月7日　国庆节",
        "班　10月10日　国庆节",
        "10月3日 → 10月17日（国庆节）",
        "2027年的安排还没有录入",
    ):
        assert words in secretary.screen
    await secretary.tap("hol:show:2027")
    assert "国务院办公厅一般在上一年11月公布" in secretary.screen
    await secretary.press("2025年")
    assert "10月4日 → 10月18日" in secretary.screen
    await secretary.press("首页")


async def test_the_announcement_is_pasted_checked_and_entered(
    secretary: Chat, holidays: Holidays, town: Town
):
    await secretary.say("/holidays")
    await secretary.press("录入2027年安排")
    assert "整段粘贴" in secretary.screen
    await secretary.say(NOTICE_2027)
    assert "请核对2027年的安排" in secretary.screen
    assert "1月2日 → 1月9日（元旦）" in secretary.screen
    assert not (await holidays.calendar()).knows(2027)
    await secretary.press("确认录入")
    assert "已录入2027年的安排" in secretary.screen
    assert "按本单位录入的安排" in secretary.screen
    assert (await holidays.calendar()).day(date(2027, 10, 9)).kind is DayKind.ADJUSTED_WORKDAY
    entry = T["audit_entry"]
    async with town.database.read() as session:
        noted = select(entry.c.actor_id, entry.c.subject_id).where(entry.c.action == "holidays.entered")
        assert (await session.execute(noted)).all() == [(town.members["wang"], 2027)]


async def test_pressed_twice_it_is_entered_once_and_shown_again(secretary: Chat, town: Town):
    await secretary.say("/holidays")
    await secretary.press("录入2027年安排")
    await secretary.say(NOTICE_2027)
    for _ in range(2):
        await secretary.tap("hol:save:2027")
    assert "放假安排 2027" in secretary.screen
    async with town.database.read() as session:
        noted = select(T["audit_entry"].c.id).where(T["audit_entry"].c.action == "holidays.entered")
        assert len((await session.execute(noted)).all()) == 1


async def test_lines_that_cannot_be_read_are_named_and_may_be_sent_again(secretary: Chat, holidays: Holidays):
    await secretary.say("/holidays")
    await secretary.press("录入2027年安排")
    await secretary.say("10月1日至7日 放假 国庆节\n10月11日 上班 国庆节\n13月1日 放假 元旦")
    assert "第2行：调休上班的应当是星期六或星期日\n10月11日 上班 国庆节" in secretary.screen
    assert "第3行：日期看不懂" in secretary.screen
    await secretary.say("10月1日至7日 放假 国庆节\n10月9日 上班 国庆节")
    assert "没有提到：元旦、春节、清明节、劳动节、端午节、中秋节" in secretary.screen
    await secretary.press("重新发送")
    assert "整段粘贴" in secretary.screen
    assert not (await holidays.calendar()).knows(2027)


async def test_many_faults_are_cut_short(secretary: Chat):
    await secretary.say("/holidays")
    await secretary.press("录入2027年安排")
    await secretary.say("\n".join(["看不懂"] * 12))
    assert "还有4处" in secretary.screen


async def test_a_table_of_far_too_many_lines_still_fits_a_message(secretary: Chat):
    days = [
        f"2027-{month:02}-{day:02},holiday,{'节' * 38}{day}" for month in range(1, 13) for day in range(1, 17)
    ]
    await secretary.say("/holidays")
    await secretary.press("录入2027年安排")
    await secretary.say("\n".join(days))
    assert "……另有152段" in secretary.screen
    assert len(secretary.screen) < 4096


async def test_a_day_of_the_december_before_says_its_year(secretary: Chat):
    await secretary.say("/holidays")
    await secretary.press("录入2027年安排")
    await secretary.say("2026-12-31~2027-01-02,放假,元旦")
    assert "休　2026年12月31日至1月2日　元旦" in secretary.screen


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
async def test_a_file_is_read_too(secretary: Chat, world: World, monkeypatch: Any, encoding: str):
    async def content(*_: Any, **__: Any):
        yield "date,kind,name\n2027-10-01~2027-10-07,holiday,国庆节\n".encode(encoding)

    monkeypatch.setattr(world.session, "stream_content", content)
    await secretary.say("/holidays")
    await secretary.press("录入2027年安排")
    await secretary.send_document("f1", "2027.csv")
    assert "休　10月1日至10月7日　国庆节" in secretary.screen


async def test_a_picture_or_a_strange_file_is_refused_kindly(secretary: Chat, world: World, monkeypatch: Any):
    async def content(*_: Any, **__: Any):
        yield b"\xff\xfe\x00\xd8"

    monkeypatch.setattr(world.session, "stream_content", content)
    await secretary.say("/holidays")
    await secretary.press("录入2027年安排")
    await secretary.send_photo("p1")
    assert "请发文字" in secretary.screen
    await secretary.send_document("f1", "2027.xlsx")
    assert "请发文字" in secretary.screen


async def test_what_was_sent_long_ago_is_asked_for_again(secretary: Chat, holidays: Holidays):
    await secretary.say("/holidays")
    await secretary.press("录入2027年安排")
    await secretary.say(NOTICE_2027)
    await secretary.say("/cancel")
    await secretary.tap("hol:save:2027")
    assert "请重新发送" in secretary.screen
    assert not (await holidays.calendar()).knows(2027)


@pytest.mark.parametrize("data", ["hol:save:2030", "hol:enter:1900", "hol:show:2040", "hol:drop:2027"])
async def test_a_forged_tap_is_stale(secretary: Chat, data: str):
    await secretary.say("/holidays")
    await secretary.tap(data)
    assert "2030" not in secretary.screen


async def test_a_known_year_may_be_entered_anew(secretary: Chat, holidays: Holidays):
    await secretary.say("/holidays")
    await secretary.press("重新录入2026年安排")
    assert "会代替它" in secretary.screen
    await secretary.say("10月1日至7日 放假 国庆节")
    await secretary.press("确认录入")
    assert (await holidays.calendar()).day(date(2026, 1, 1)).kind is DayKind.WORKDAY


@pytest.mark.parametrize("name", ["county_secretary", "zhao", "observer"])
async def test_only_secretaries_of_the_whole_city_enter(
    world: World, town: Town, holidays: Holidays, name: str
):
    await town.link(name, 5)
    chat = world.chat(5)
    await chat.say("/holidays")
    assert "放假安排" not in chat.screen
    await chat.tap("hol:enter:2027")
    await chat.say(NOTICE_2027)
    await chat.tap("hol:save:2027")
    assert not (await holidays.calendar()).knows(2027)


async def test_in_english_it_reads_as_well(world: World, town: Town, secretary: Chat):
    await secretary.say("/language")
    await secretary.press("English")
    await secretary.say("/holidays")
    assert "Work  10 Oct   National Day" in secretary.screen
    assert "3 Oct → 17 Oct (National Day)" in secretary.screen

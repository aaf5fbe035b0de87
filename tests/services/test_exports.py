"""Tables that go out: what a role may see, safe in a spreadsheet program, noted, and read again by an import."""

import csv
import io
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, update

from domain import roster_columns
from domain import roster_values as values
from domain.exports import NotInChat, Table, TableEmpty
from domain.members import Standing
from domain.organisations import Level, OrganisationKind, RegionalMode
from domain.refusals import NotAllowed, NotFound
from domain.richtext import RichText
from domain.roster import COLUMNS, MemberLine, OrganisationLine, RosterKind
from domain.roster_rows import read
from locales import LANGUAGES, speak
from services.audiences import Audiences
from services.audit import Audit
from services.exports import Exports, Wish
from services.media import MediaStore
from services.members import Members
from services.notices import Notices
from services.sheets import SheetForm, sheet_bytes
from storage.database import Database
from storage.sealing import Sealer
from tests.conftest import HandClock
from tests.factories import T, make_member, make_organisation
from tests.poll_world import Hall, hall
from tests.town import build

pytestmark = pytest.mark.slow_on_postgresql

PHONE = "+8613805749876"


@pytest.fixture
def sealer() -> Sealer:
    return Sealer({"test": bytes(range(32))}, "test")


@pytest.fixture
async def town(database: Database, clock: HandClock, sealer: Sealer, tmp_path: Path) -> Hall:
    return await hall(await build(database, sealer), sealer, clock, tmp_path)


@pytest.fixture
def exports(database: Database, clock: HandClock, sealer: Sealer) -> Exports:
    audit = Audit(database=database, clock=clock, sealer=sealer)
    return Exports(database=database, clock=clock, audit=audit, sealer=sealer)


async def table(exports: Exports, *args: Any, **more: Any) -> list[list[Any]]:
    return [list(row) async for row in exports.rows(Wish(*args, **more))]


async def test_a_secretary_gets_the_members_of_their_own_subtree(town: Hall, exports: Exports):
    found = await table(exports, Table.MEMBERS, await town.actor("branch_secretary"))
    assert found[0] == ["编号", "姓名", "手机号", "所在组织", "正式/预备", "加入日期"]
    assert {row[1] for row in found[1:]} == {"王芳", "张伟", "李书记", "郑前任"}
    assert {row[3] for row in found[1:]} == {"北大路支部"}


async def test_who_may_not_read_members_gets_no_table_of_them(town: Hall, exports: Exports):
    with pytest.raises(NotAllowed):
        await table(exports, Table.MEMBERS, await town.actor("observer"))
    with pytest.raises(NotAllowed):
        await table(exports, Table.ORGANISATIONS, await town.actor("wang"))
    assert len(await table(exports, Table.ORGANISATIONS, await town.actor("observer"))) == 5


async def test_beyond_the_wall_nothing_is_exported(town: Hall, exports: Exports):
    for foreign in (town.town.nodes["cicheng"], town.town.nodes["city"], 10**9):
        with pytest.raises(NotFound):
            await table(exports, Table.MEMBERS, await town.actor("branch_secretary"), root_id=foreign)


async def test_each_member_sees_that_they_stand_in_a_table_and_who_made_it(
    town: Hall, exports: Exports, sealer: Sealer
):
    await table(exports, Table.MEMBERS, await town.actor("branch_secretary"))
    await table(exports, Table.MEMBERS, root_id=town.town.nodes["north"])
    audit = Audit(database=town.database, clock=town.clock, sealer=sealer)
    members = Members(database=town.database, clock=town.clock, audit=audit)
    seen = (await members.own_record(await town.actor("wang"))).readings
    assert [reading.actor_name for reading in seen] == [None, "李书记"]
    assert (await members.own_record(await town.actor("sun"))).readings == ()
    await audit.seal(town.clock())
    assert await audit.verify() is None


async def test_every_table_is_noted_even_if_nobody_reads_on(town: Hall, exports: Exports):
    rows = exports.rows(Wish(Table.MEMBERS, await town.actor("branch_secretary")))
    await anext(rows)
    await rows.aclose()
    entry = T["audit_entry"]
    async with town.database.read() as session:
        query = select(entry.c.action, func.count()).group_by(entry.c.action).order_by(entry.c.action)
        counted = [tuple(row) for row in await session.execute(query)]
    assert counted == [("member.exported", 4), ("table.exported", 1)]


async def test_numbers_are_opened_or_left_out(town: Hall, exports: Exports, sealer: Sealer):
    member = T["member"]
    async with town.database.begin() as session:
        sealed = {"phone_sealed": sealer.seal(PHONE.encode(), "member.phone")}
        await session.execute(update(member).where(member.c.name == "王芳").values(sealed))
    found = await table(exports, Table.MEMBERS, await town.actor("branch_secretary"))
    assert "13805749876" in next(row for row in found if "王芳" in row)
    without = await table(exports, Table.MEMBERS, await town.actor("branch_secretary"), phones=False)
    assert without[0] == ["编号", "姓名", "所在组织", "正式/预备", "加入日期"]
    assert not any("13805749876" in row for row in without)


@pytest.mark.parametrize("language", LANGUAGES)
async def test_what_goes_out_comes_in_again_as_it_was(town: Hall, exports: Exports, language: str):
    await make_member(
        town.database,
        home=town.town.nodes["market"],
        name="=1+1",
        joined=date(2001, 7, 1),
        standing="probationary",
    )
    for kind, which in ((RosterKind.MEMBERS, Table.MEMBERS), (RosterKind.ORGANISATIONS, Table.ORGANISATIONS)):
        made = sheet_bytes(await table(exports, which, language=language), SheetForm.CSV)
        rows = list(csv.reader(io.StringIO(made.decode("utf-8-sig"))))
        assert roster_columns.kind_of(rows[0]) is kind
        plan = roster_columns.guess(rows[0], kind)
        assert set(plan) == set(COLUMNS[kind])
        lines = [read(kind, number, row, plan, date(2026, 3, 4)) for number, row in enumerate(rows[1:])]
        assert all(isinstance(line, MemberLine | OrganisationLine) for line in lines)
        if kind is RosterKind.MEMBERS:
            odd = next(line for line in lines if isinstance(line, MemberLine) and line.joined)
            assert (odd.name, odd.standing, odd.joined) == ("=1+1", "probationary", date(2001, 7, 1))
        else:
            market = next(line for line in lines if line.name == "城隍庙商圈")
            assert isinstance(market, OrganisationLine)
            assert (market.parent, market.kind, market.level) == ("鼓楼街道", "regional", "grassroots")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_word_of_a_kind_a_level_and_a_mode_is_understood_by_an_import(language: str):
    words = speak(language)
    for reader, family, name in (
        (values.kind, OrganisationKind, "kind"),
        (values.level, Level, "level"),
        (values.mode, RegionalMode, "mode"),
        (values.standing, Standing, "standing"),
    ):
        for each in family:
            assert reader(words(f"exports.{name}.{each}")) == each


async def test_an_organisation_whose_name_others_bear_is_named_with_its_way(town: Hall, exports: Exports):
    twin = await make_organisation(town.database, parent=town.town.nodes["jiangbei"], name="北大路支部")
    await make_member(town.database, home=twin, name="孪生")
    found = await table(exports, Table.MEMBERS)
    places = {row[1]: row[3] for row in found}
    assert places["孪生"] == "宁波市/江北区/北大路支部"
    assert places["王芳"] == "宁波市/海曙区/鼓楼街道/北大路支部"
    assert places["赵敏"] == "城隍庙商圈"


async def test_who_was_forgotten_or_left_is_in_no_table(town: Hall, exports: Exports):
    member = T["member"]
    async with town.database.begin() as session:
        await session.execute(update(member).where(member.c.name == "王芳").values(status="left"))
    assert "王芳" not in {row[1] for row in await table(exports, Table.MEMBERS)}


async def test_results_hide_fewer_than_five(town: Hall, exports: Exports):
    others = await town.people("market", 6)
    small = await town.opened("county_secretary", "gulou", question="少的？")
    large = await town.opened("county_secretary", "gulou", question="多的？")
    for voter in ("wang", "zhang"):
        await town.vote(voter, small.id, 0)
    for voter in others:
        await town.vote(voter, large.id, 1)
    await town.over(large.id)
    found = await table(exports, Table.POLLS, await town.actor("observer"))
    few = [row for row in found if "少的？" in row]
    many = [row[4:] for row in found if "多的？" in row]
    assert len(few) == 1
    assert few[0][6:] == ["不足五人，不公布", None, None]
    assert many[:2] == [["全体", many[0][1], 6, "七点", 0], ["全体", many[0][1], 6, "八点", 6]]


async def test_a_delivery_report_tells_totals(town: Hall, exports: Exports, sealer: Sealer, tmp_path: Path):
    notices = Notices(
        database=town.database,
        clock=town.clock,
        audit=Audit(database=town.database, clock=town.clock, sealer=sealer),
        audiences=Audiences(database=town.database, clock=town.clock),
        delivery=town.delivery,
        media=MediaStore(tmp_path),
    )
    await town.people("market", 3)
    author = await town.actor("county_secretary")
    made = await notices.draft(author, RichText("=请参加学习"))
    made = await notices.choose(author, made.id, town.audience("market"))
    await notices.send(author, made.id)
    await town.go()
    found = await table(exports, Table.DELIVERY_REPORT, await town.actor("observer"))
    row = dict(zip(found[0], found[1], strict=True))
    assert (row["以谁的名义"], row["通知"], row["应发"], row["送达"], row["跳过"]) == (
        "海曙区",
        "=请参加学习",
        4,
        3,
        1,
    )
    assert row["发出时间"] == datetime(2026, 3, 4, 10, 0)  # noqa: DTZ001 - as a spreadsheet program knows times
    assert row["已确认收到"] is None
    assert (await table(exports, Table.DELIVERY_REPORT, await town.actor("branch_secretary")))[1:] == []


async def test_a_roster_does_not_go_through_a_chat(town: Hall, exports: Exports):
    with pytest.raises(NotInChat):
        await exports.document(Wish(Table.MEMBERS, await town.actor("branch_secretary")))
    with pytest.raises(TableEmpty):
        await exports.document(Wish(Table.POLLS, await town.actor("observer")))
    name, content = await exports.document(Wish(Table.ORGANISATIONS, await town.actor("observer")))
    assert name == "组织-2026-03-04.xlsx"
    assert content.startswith(b"PK")

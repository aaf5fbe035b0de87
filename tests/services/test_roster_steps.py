"""The steps of an import, who may take them, and what is left of it; on SQLite, for they are the same on both."""

import os

import pytest

from domain.refusals import NotAllowed, NotFound
from domain.roster import Column, ImportState
from domain.roster_refusals import ImportUnderWay, NothingToImport, RosterChanged, RowsAreBad
from storage.sealing import Sealer
from tests import roster_world
from tests.roster_world import members, rows_of
from tests.town import build as build_town

WANG = ("王芳", "13805740001", "北大路支部")
NEW = ("周平", "13805740099", "北大路支部", "预备", "2025.7.1", "")


pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def sealer():
    return Sealer({"test": bytes(range(32))}, "test")


@pytest.fixture
async def town(database, sealer):
    return await build_town(database, sealer)


@pytest.fixture
def roster(database, clock, sealer, tmp_path):
    return roster_world.build(database, clock, sealer, tmp_path / "roster")


async def prepared(roster, data, actor=None, **more):
    begun = await roster.begin(actor, data, "名单.csv", **more)
    return await roster.prepare(actor, begun.id)


async def reasons(roster, found, actor=None):
    return {bad.line: bad.reason for bad in await roster.bad_rows(actor, found.id)}


async def test_nothing_is_written_before_it_is_applied(town, roster, database):
    before = await rows_of(database, "member", "id", "name")
    await prepared(roster, members(NEW))
    assert await rows_of(database, "member", "id", "name") == before


async def test_bad_rows_hold_everything_back_unless_they_are_to_be_skipped(town, roster, database):
    found = await prepared(roster, members(NEW, ("", "13805740098", "北大路支部")))
    with pytest.raises(RowsAreBad):
        await roster.apply(None, found.id)
    assert "周平" not in [name for _, name in await rows_of(database, "member", "id", "name")]
    done = await roster.apply(None, found.id, skip_bad=True)
    assert (done.state, done.figures.bad) == (ImportState.DONE, 1)
    assert "周平" in [name for _, name in await rows_of(database, "member", "id", "name")]


@pytest.mark.parametrize("who", ["worker", "observer", "former", "wang"])
async def test_who_may_not_manage_may_not_import(town, roster, who):
    with pytest.raises((NotAllowed, NotFound)):
        await roster.begin(await town.actor(who), members(NEW), "a.csv", organisation_id=town.nodes["north"])


async def test_an_import_is_its_authors_alone(town, roster):
    secretary, other = await town.actor("county_secretary"), await town.actor("branch_secretary")
    found = await roster.begin(secretary, members(NEW), "a.csv", organisation_id=town.nodes["haishu"])
    for stranger in (other, None):
        with pytest.raises(NotFound):
            await roster.for_actor(stranger, found.id)


async def test_another_import_in_between_stops_the_writing(town, roster, clock):
    secretary = await town.actor("county_secretary")
    waiting = await prepared(roster, members(NEW), secretary, organisation_id=town.nodes["haishu"])
    clock.forward(seconds=5)
    await roster.apply(None, (await prepared(roster, members(NEW))).id)
    with pytest.raises(RosterChanged):
        await roster.apply(secretary, waiting.id)


async def test_applying_twice_is_applying_once(town, roster, database):
    found = await prepared(roster, members(NEW))
    await roster.apply(None, found.id)
    count = len(await rows_of(database, "member", "id"))
    assert (await roster.apply(None, found.id)).state is ImportState.DONE
    assert len(await rows_of(database, "member", "id")) == count


async def test_nothing_is_left_of_a_file_that_is_over(town, roster, database, tmp_path):
    done = await prepared(roster, members(NEW))
    await roster.apply(None, done.id)
    dropped = await prepared(roster, members(NEW))
    await roster.cancel(None, dropped.id)
    assert list((tmp_path / "roster").iterdir()) == []
    assert await rows_of_roster(database) == 0


async def test_an_import_nobody_finishes_is_dropped_after_a_day(town, roster, database, clock, tmp_path):
    found = await prepared(roster, members(NEW))
    clock.forward(hours=23)
    assert await roster.tidy() == 0
    clock.forward(hours=2)
    assert await roster.tidy() == 1
    assert list((tmp_path / "roster").iterdir()) == []
    assert await rows_of_roster(database) == 0
    with pytest.raises(NotFound):
        await roster.for_actor(None, found.id)


async def test_a_new_file_drops_the_one_before(town, roster, database, tmp_path):
    first = await prepared(roster, members(NEW))
    await roster.begin(None, members(NEW), "b.csv")
    assert (await roster.for_actor(None, first.id)).state is ImportState.CANCELLED
    assert len(list((tmp_path / "roster").iterdir())) == 1
    assert await rows_of_roster(database) == 0


async def test_a_file_that_a_crash_left_behind_goes_after_a_day(town, roster, clock, tmp_path):
    await prepared(roster, members(NEW))
    stray = tmp_path / "roster" / "stray"
    stray.touch()
    os.utime(stray, (0, clock().timestamp()))
    await roster.tidy()
    assert stray.exists()
    clock.forward(hours=25)
    await roster.tidy()
    assert not stray.exists()


async def test_giving_up_in_the_middle_stops_the_reading(town, roster, database):
    begun = await roster.begin(None, members(*[(f"周{n}", "", "北大路支部") for n in range(9)]), "a.csv")

    async def give_up(what, done, total):
        await roster.cancel(None, begun.id)

    with pytest.raises(RosterChanged):
        await roster.prepare(None, begun.id, give_up)
    assert (await roster.for_actor(None, begun.id)).state is ImportState.CANCELLED
    assert await rows_of_roster(database) == 0


async def test_the_file_is_kept_sealed(town, roster, tmp_path):
    await roster.begin(None, members(NEW), "a.csv")
    (kept,) = (tmp_path / "roster").iterdir()
    assert "周平".encode() not in kept.read_bytes()
    assert b"13805740099" not in kept.read_bytes()


async def test_a_phone_is_never_staged_in_the_clear(town, roster, database):
    await prepared(roster, members(NEW))
    table = roster_world.T["roster_row"]
    async with database.read() as session:
        rows = (await session.execute(table.select())).all()
    assert "13805740099" not in repr(rows)


async def test_columns_can_be_given_another_meaning(town, roster):
    begun = await roster.begin(None, "姓名,备用,支部\n周平,13805740077,北大路支部\n".encode(), "a.csv")
    changed = await roster.give(None, begun.id, 1, Column.PHONE)
    assert changed.plan[Column.PHONE] == 1
    assert (await roster.prepare(None, begun.id)).figures.created == 1


async def test_an_import_under_way_is_not_begun_again_until_it_has_died(town, roster, database, clock):
    begun = await roster.begin(None, members(NEW), "a.csv")
    table = roster_world.T["roster_import"]
    async with database.begin() as session:
        await session.execute(table.update().values(state="staging"))
    with pytest.raises(ImportUnderWay):
        await roster.prepare(None, begun.id)
    clock.forward(seconds=61)
    assert (await roster.prepare(None, begun.id)).state is ImportState.READY


async def test_headings_alone_are_nothing_to_import(town, roster):
    begun = await roster.begin(None, members(), "a.csv")
    with pytest.raises(NothingToImport):
        await roster.prepare(None, begun.id)
    assert (await roster.for_actor(None, begun.id)).state is ImportState.MAPPING


async def test_bad_rows_come_back_as_a_file_to_correct(town, roster):
    data = "姓名,手机,支部,身份证号,备注\n周平,138,北大路支部,330203199001011234,=1+1\n".encode()
    found = await prepared(roster, data)
    name, made = await roster.to_correct(None, found.id, "原因", lambda bad: f"不对：{bad.what}")
    assert name == "名单-原因.csv"
    assert made.decode() == "\ufeff姓名,手机,支部,备注,原因\r\n周平,138,北大路支部,'=1+1,2: 不对：138\r\n"


async def test_those_who_are_missing_are_told_of_and_left_alone(town, roster, database):
    found = await prepared(roster, members(WANG))
    assert found.figures.missing == 3
    made = await roster.missing(None, found.id, ["姓名", "组织"])
    assert made.startswith(b"PK")
    await roster.apply(None, found.id)
    assert all(status == "active" for _, status in await rows_of(database, "member", "id", "status"))


async def rows_of_roster(database):
    table = roster_world.T["roster_row"]
    async with database.read() as session:
        return len((await session.execute(table.select())).all())

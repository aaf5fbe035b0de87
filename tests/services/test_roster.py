"""What a roster does to what is on record, on both databases."""

import pytest

from domain.roster import Figures, ImportState, Reason
from domain.roster_refusals import RosterChanged
from storage.sealing import Sealer
from tests import roster_world
from tests.roster_world import members, organisations, rows_of
from tests.town import build as build_town

pytestmark = pytest.mark.slow_on_postgresql

WANG = ("王芳", "13805740001", "北大路支部")
NEW = ("周平", "13805740099", "北大路支部", "预备", "2025.7.1", "")


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


async def test_a_new_member_comes_in_with_their_home_and_a_sealed_phone(town, roster, database, sealer):
    found = await prepared(roster, members(NEW))
    assert found.figures.created == 1
    await roster.apply(None, found.id)
    (made,) = [
        row
        for row in await rows_of(
            database, "member", "name", "home_id", "standing", "phone_sealed", "phone_hint", "id"
        )
        if row[0] == "周平"
    ]
    assert made[1:3] == (town.nodes["north"], "probationary")
    assert sealer.open(made[3], "member.phone") == b"+8613805740099"
    stays = await rows_of(database, "membership", "member_id", "organisation_id", "kind", "until")
    assert (made[5], town.nodes["north"], "home", None) in stays


async def test_a_second_run_changes_nothing(town, roster, database):
    data = members(NEW, ("王芳", "13805740001", "北大路支部", "正式", "2001-07-01", "A1"))
    first = await prepared(roster, data)
    await roster.apply(None, first.id)
    after = await rows_of(database, "member", "id", "name", "home_id", "phone_sealed", "joined")
    second = await prepared(roster, data)
    assert (second.figures.kept, second.figures.writes) == (2, 0)
    await roster.apply(None, second.id)
    assert await rows_of(database, "member", "id", "name", "home_id", "phone_sealed", "joined") == after


async def test_what_would_be_done_is_told_apart(town, roster):
    found = await prepared(
        roster,
        members(
            NEW,
            (*WANG, "预备"),
            ("孙丽", "13805740004", "北大路支部"),
            ("张伟", "13805740002", "北大路支部"),
            ("李书记", "", "没有的支部"),
        ),
    )
    assert found.figures == Figures(created=1, changed=1, moved=1, kept=1, bad=1, missing=2)


async def test_a_move_keeps_the_old_stay(town, roster, database, clock):
    found = await prepared(roster, members(("孙丽", "13805740004", "北大路支部")))
    await roster.apply(None, found.id)
    sun = town.members["sun"]
    stays = [
        row
        for row in await rows_of(database, "membership", "member_id", "organisation_id", "until")
        if row[0] == sun
    ]
    assert stays == [(sun, town.nodes["cicheng"], clock().date()), (sun, town.nodes["north"], None)]


async def test_each_line_that_cannot_be_taken_has_its_reason(town, roster):
    found = await prepared(
        roster,
        members(
            ("周平", "13805740099", "北大路支部"),
            ("周平", "13805740099", "北大路支部"),
            ("吴江", "13805740098", "北大路支部"),
            ("吴河", "13805740098", "北大路支部"),
            ("钱塘", "", "北大路支部", "", "", "N7"),
            ("钱湖", "", "北大路支部", "", "", "N7"),
            ("别人", "13805740001", "北大路支部"),
            ("周同", "", "北大路支部", "正式"),
            ("周同", "", "北大路支部", "预备"),
            ("周身", "330203199001011234", "北大路支部"),
        ),
    )
    assert await reasons(roster, found) == {
        3: Reason.REPEATED,
        4: Reason.CONFLICT,
        5: Reason.CONFLICT,
        6: Reason.CONFLICT,
        7: Reason.CONFLICT,
        8: Reason.PHONE_TAKEN,
        9: Reason.SAME_NAME,
        10: Reason.SAME_NAME,
        11: Reason.NATIONAL_ID,
    }


async def test_a_number_knows_a_person_under_another_name_phone_and_place(town, roster, database):
    await roster.apply(None, (await prepared(roster, members((*WANG, "", "", "A1")))).id)
    found = await prepared(roster, members(("王芳芳", "13805740088", "慈城支部", "", "", "A1")))
    assert (found.figures.moved, found.figures.phones) == (1, 1)
    await roster.apply(None, found.id)
    names = await rows_of(database, "member", "id", "name", "home_id", "phone_hint")
    assert (town.members["wang"], "王芳芳", town.nodes["cicheng"], "0088") in names


async def test_two_may_exchange_their_phones_in_one_file(town, roster):
    found = await prepared(
        roster, members(("王芳", "13805740002", "北大路支部"), ("张伟", "13805740001", "北大路支部"))
    )
    assert found.figures == Figures(changed=2, missing=2, phones=2)


async def test_two_of_one_name_are_told_apart_by_phone(town, roster):
    data = members(("周平", "13805740091", "北大路支部"), ("周平", "13805740092", "北大路支部"))
    found = await prepared(roster, data)
    assert found.figures.created == 2
    await roster.apply(None, found.id)
    assert (await prepared(roster, data)).figures.kept == 2
    unclear = await prepared(roster, members(("周平", "", "北大路支部")))
    assert await reasons(roster, unclear) == {2: Reason.SAME_NAME}


async def test_who_has_left_does_not_come_back_by_a_file(town, roster, database):
    await roster.apply(None, (await prepared(roster, members((*WANG, "", "", "A1")))).id)
    table = roster_world.T["member"]
    async with database.begin() as session:
        await session.execute(table.update().where(table.c.name == "王芳").values(status="left"))
    found = await prepared(roster, members((*WANG, "", "", "A1")))
    assert await reasons(roster, found) == {2: Reason.NOT_ACTIVE}


async def test_an_importer_writes_only_inside_their_subtree(town, roster):
    secretary = await town.actor("county_secretary")
    found = await prepared(
        roster,
        members(("周平", "", "慈城支部"), ("孙丽", "13805740004", "北大路支部")),
        secretary,
        organisation_id=town.nodes["haishu"],
    )
    assert await reasons(roster, found, secretary) == {2: Reason.ORGANISATION_UNKNOWN}
    assert found.figures.created == 1  # beyond the wall nobody exists: 孙丽 of another county is not found


async def test_what_changed_meanwhile_stops_the_writing(town, roster, database):
    found = await prepared(roster, members(NEW))
    table = roster_world.T["organisation"]
    async with database.begin() as session:
        await session.execute(
            table.update().where(table.c.id == town.nodes["north"]).values(status="dissolved")
        )
    with pytest.raises(RosterChanged):
        await roster.apply(None, found.id)
    assert (await roster.for_actor(None, found.id)).state is ImportState.MAPPING
    assert "周平" not in [name for _, name in await rows_of(database, "member", "id", "name")]


async def test_organisations_grow_in_any_order(town, roster, database):
    found = await prepared(
        roster,
        organisations(
            ("甲支部", "月湖街道", "", ""),
            ("月湖街道", "海曙区", "党委", "街道"),
            ("乙支部", "月湖街道", "", "", "", "N9"),
        ),
    )
    assert found.figures.created == 3
    await roster.apply(None, found.id)
    rows = {
        row[1]: row
        for row in await rows_of(database, "organisation", "id", "name", "parent_id", "path", "level")
    }
    street = rows["月湖街道"]
    assert street[3] == f"{town.paths['haishu']}{street[0]}/"
    assert rows["甲支部"][2:] == (street[0], f"{street[3]}{rows['甲支部'][0]}/", "grassroots")


async def test_organisations_move_and_change_their_name_by_number(town, roster, database):
    numbered = organisations(
        ("北大路支部", "鼓楼街道", "", "", "", "N1"), ("城隍庙商圈", "鼓楼街道", "", "", "", "N2")
    )
    await roster.apply(None, (await prepared(roster, numbered)).id)
    found = await prepared(
        roster,
        organisations(
            ("北大路一支部", "新街道", "", "", "", "N1"),
            ("新街道", "江北区", "党委", "街道"),
            ("城隍庙", "鼓楼街道", "", "", "", "N2"),
        ),
    )
    assert found.figures == Figures(created=1, changed=1, moved=1)
    await roster.apply(None, found.id)
    rows = {row[0]: row for row in await rows_of(database, "organisation", "id", "name", "path")}
    new = next(row for row in rows.values() if row[1] == "新街道")
    assert rows[town.nodes["north"]][1:] == ("北大路一支部", f"{new[2]}{town.nodes['north']}/")
    history = await rows_of(
        database, "organisation_history", "id", "organisation_id", "what", "before", "after"
    )
    assert [row[1:4] for row in history] == [
        (town.nodes["north"], "renamed", "北大路支部"),
        (town.nodes["market"], "renamed", "城隍庙商圈"),
        (town.nodes["north"], "moved", str(town.nodes["gulou"])),
    ]
    assert (await prepared(roster, organisations(("城隍庙", "鼓楼街道", "", "", "", "N2")))).figures.kept == 1


async def test_a_county_secretary_grows_their_own_tree_only(town, roster):
    secretary = await town.actor("county_secretary")
    found = await prepared(
        roster,
        organisations(("甲支部", "海曙区"), ("乙支部", "江北区"), ("海曙区", "宁波市")),
        secretary,
        organisation_id=town.nodes["haishu"],
    )
    assert await reasons(roster, found, secretary) == {3: Reason.PARENT_UNKNOWN}
    assert (found.figures.created, found.figures.kept) == (1, 1)

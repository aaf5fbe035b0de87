"""What goes out comes in again and changes nothing; and a tree is the same whatever the order of its rows."""

import random

import pytest

from domain.exports import Table
from domain.roster import Figures
from services.exports import Exports, Wish
from services.sheets import SheetForm, sheet_bytes
from storage.sealing import Sealer
from tests import roster_world
from tests.roster_world import members, organisations, rows_of
from tests.town import build as build_town

pytestmark = pytest.mark.slow
NAMES = ("周平", "买买提·艾力", "Anna Lee", "=1+1", "欧阳忘忧", "O'Neil")


@pytest.fixture
def sealer():
    return Sealer({"test": bytes(range(32))}, "test")


@pytest.fixture
async def town(database, sealer):
    return await build_town(database, sealer)


@pytest.fixture
def roster(database, clock, sealer, tmp_path):
    return roster_world.build(database, clock, sealer, tmp_path / "roster")


@pytest.fixture
def exports(database, clock, sealer, roster):
    return Exports(database=database, clock=clock, audit=roster._audit, sealer=sealer)


async def brought_in(roster, data, name="a.csv"):
    found = await roster.prepare(None, (await roster.begin(None, data, name)).id)
    return found, await roster.apply(None, found.id)


async def brought_out(exports, table, form, language):
    rows = [row async for row in exports.rows(Wish(table=table, language=language))]
    return sheet_bytes(rows, form), len(rows) - 1


def random_members(seed):
    chance = random.Random(seed)
    rows = []
    for number in range(40):
        name = chance.choice(NAMES)
        phone = f"138{seed:04}{number:04}" if chance.random() < 0.8 else ""
        label = f"N{number}" if not phone or chance.random() < 0.3 else ""
        home = chance.choice(["北大路支部", "慈城支部", "宁波市/海曙区/鼓楼街道"])
        joined = chance.choice(["2001-07-01", "2012.3.4", ""])
        rows.append((name, phone, home, chance.choice(["正式", "预备", ""]), joined, label))
    return rows


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("language", ["zh_CN", "en"])
@pytest.mark.parametrize("form", list(SheetForm))
async def test_members_that_went_out_come_in_and_change_nothing(
    town, roster, exports, database, form, language
):
    first, _ = await brought_in(roster, members(*random_members(1)))
    assert first.figures.bad == 0
    before = await everything(database)
    data, count = await brought_out(exports, Table.MEMBERS, form, language)
    again, _ = await brought_in(roster, data, f"a.{form}")
    assert again.figures == Figures(kept=count)
    assert await everything(database) == before


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("language", ["zh_CN", "en"])
async def test_organisations_that_went_out_come_in_and_change_nothing(
    town, roster, exports, database, language
):
    before = await rows_of(database, "organisation", "id", "name", "parent_id", "path", "kind", "level")
    data, count = await brought_out(exports, Table.ORGANISATIONS, SheetForm.XLSX, language)
    again, _ = await brought_in(roster, data, "a.xlsx")
    assert again.figures == Figures(kept=count)
    assert (
        await rows_of(database, "organisation", "id", "name", "parent_id", "path", "kind", "level") == before
    )


@pytest.mark.parametrize("seed", [1, 2])
async def test_a_file_taken_in_twice_is_taken_in_once(town, roster, database, seed):
    rows = random_members(seed)
    await brought_in(roster, members(*rows))
    before = await everything(database)
    random.Random(seed).shuffle(rows)
    again, _ = await brought_in(roster, members(*rows, form=SheetForm.XLSX), "a.xlsx")
    assert (again.figures.writes, again.figures.bad) == (0, 0)
    assert await everything(database) == before


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("seed", [1, 2])
async def test_a_tree_is_the_same_in_any_order_of_rows(town, roster, database, seed):
    rows = [
        ("东街道", "海曙区", "党委"),
        ("东总支", "东街道"),
        ("东一支部", "东总支"),
        ("东二支部", "东总支"),
        ("东小组", "东一支部"),
    ]
    random.Random(seed).shuffle(rows)
    await brought_in(roster, organisations(*rows))
    named = {row[0]: row[1] for row in await rows_of(database, "organisation", "id", "name")}
    paths = {
        "/".join(named[int(number)] for number in path.strip("/").split("/")): level
        for _, path, level in await rows_of(database, "organisation", "id", "path", "level")
    }
    assert paths["宁波市/海曙区/东街道/东总支/东一支部/东小组"] == "grassroots"
    assert paths["宁波市/海曙区/东街道/东总支/东二支部"] == "grassroots"
    assert paths["宁波市/海曙区/东街道"] == "township"


async def everything(database):
    people = await rows_of(
        database,
        "member",
        "id",
        "name",
        "home_id",
        "standing",
        "joined",
        "phone_index",
        "phone_sealed",
        "roster_number",
    )
    return people, await rows_of(
        database, "membership", "id", "member_id", "organisation_id", "since", "until"
    )

"""Where rosters meet what goes out and who was forgotten: a table comes in unchanged, a person comes back as a new one."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from domain.exports import Table
from domain.forgetting import minute_of
from domain.roster_refusals import RosterChanged
from services.audit import Audit
from services.exports import Exports, Wish
from services.forgetting import Forgetting
from services.roster import Roster
from services.sheets import SheetForm, sheet_bytes
from storage.database import Database
from storage.sealing import Sealer
from tests import roster_world
from tests.conftest import HandClock
from tests.factories import T, make_organisation
from tests.roster_world import members
from tests.town import Town, build

WANG = "+8613805740001"


@pytest.fixture
def sealer() -> Sealer:
    return Sealer({"test": bytes(range(32))}, "test")


@pytest.fixture
async def town(database: Database, sealer: Sealer) -> Town:
    made = await build(database, sealer)
    member = T["member"]
    async with database.begin() as session:
        sealed = {"phone_sealed": sealer.seal(WANG.encode(), "member.phone")}
        await session.execute(update(member).where(member.c.name == "王芳").values(sealed))
    return made


@pytest.fixture
def roster(database: Database, clock: HandClock, sealer: Sealer, tmp_path: Path) -> Roster:
    found: Roster = roster_world.build(database, clock, sealer, tmp_path / "roster")
    return found


@pytest.mark.parametrize("form", list(SheetForm))
@pytest.mark.parametrize("table", [Table.MEMBERS, Table.ORGANISATIONS])
async def test_what_went_out_comes_in_and_changes_nothing(
    town: Town, roster: Roster, clock: HandClock, sealer: Sealer, table: Table, form: SheetForm
):
    await make_organisation(town.database, parent=town.nodes["jiangbei"], name="北大路支部")
    audit = Audit(database=town.database, clock=clock, sealer=sealer)
    exports = Exports(database=town.database, clock=clock, audit=audit, sealer=sealer)
    rows = [row async for row in exports.rows(Wish(table))]
    begun = await roster.begin(None, sheet_bytes(rows, form), f"out.{form}")
    found = await roster.prepare(None, begun.id)
    bad = await roster.bad_rows(None, found.id)
    assert [(each.line, each.reason, each.what) for each in bad] == []
    assert (found.figures.kept, found.figures.writes) == (len(rows) - 1, 0)


async def forget(town: Town, clock: HandClock, sealer: Sealer, folder: Path) -> int:
    number = town.members["wang"]
    forgetting = Forgetting(
        database=town.database, clock=clock, sealer=sealer, file=folder / "forgotten.jsonl"
    )
    await forgetting.forget(await town.actor("wang"), number, minute_of(clock()))
    return number


async def people(town: Town) -> dict[int, str]:
    member = T["member"]
    async with town.database.read() as session:
        found = await session.execute(select(member.c.id, member.c.name).where(member.c.status == "active"))
        return {row.id: row.name for row in found}


async def test_who_was_forgotten_comes_back_as_somebody_new(
    town: Town, roster: Roster, clock: HandClock, sealer: Sealer, tmp_path: Path
):
    old = await forget(town, clock, sealer, tmp_path)
    begun = await roster.begin(None, members(("王芳", "13805740001", "北大路支部")), "名单.csv")
    found = await roster.prepare(None, begun.id)
    assert found.figures.created == 1
    await roster.apply(None, found.id)
    again = [number for number, name in (await people(town)).items() if name == "王芳"]
    assert len(again) == 1
    assert again != [old]


async def test_a_roster_that_waits_does_not_fill_an_emptied_record(
    town: Town, roster: Roster, clock: HandClock, sealer: Sealer, tmp_path: Path
):
    row: tuple[Any, ...] = ("王芳", "13805740001", "北大路支部", "预备")
    begun = await roster.begin(None, members(row), "名单.csv")
    found = await roster.prepare(None, begun.id)
    assert found.figures.changed == 1
    old = await forget(town, clock, sealer, tmp_path)
    with pytest.raises(RosterChanged):
        await roster.apply(None, found.id)
    assert old not in await people(town)
    member = T["member"]
    async with town.database.read() as session:
        empty = (await session.execute(select(member).where(member.c.id == old))).one()
    assert (empty.name, empty.standing, empty.phone_index) == ("", "full", None)

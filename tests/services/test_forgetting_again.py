"""The ledger of the forgotten: in table and file, without a name, and no restored copy brings anybody back."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from services.forgetting import Forgetting
from storage import backup, ledger
from storage.database import Database
from storage.sealing import Sealer
from tests.conftest import HandClock
from tests.factories import T
from tests.leaving_world import actor, count, forget, lines, row_of
from tests.person_traces import NAME, leave_traces
from tests.poll_world import Hall, hall
from tests.town import build


@pytest.fixture
def sealer() -> Sealer:
    return Sealer({"test": bytes(range(32))}, "test")


@pytest.fixture
async def town(database: Database, clock: HandClock, sealer: Sealer, tmp_path: Path) -> Hall:
    return await hall(await build(database, sealer), sealer, clock, tmp_path)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / ledger.FILE


@pytest.fixture
def forgetting(database: Database, clock: HandClock, sealer: Sealer, file: Path) -> Forgetting:
    return Forgetting(database=database, clock=clock, sealer=sealer, file=file)


@pytest.fixture
async def wang(town: Hall, sealer: Sealer) -> int:
    return await leave_traces(town, sealer)


async def test_the_ledger_holds_a_number_and_a_time_in_both_places(
    town: Hall, forgetting: Forgetting, wang: int, file: Path
):
    await forget(forgetting, town, wang)
    async with town.database.read() as session:
        kept = await ledger.entries(session)
        bridge = await ledger.bridge_of(session)
    assert ledger.read(file, bridge) == kept
    assert {(entry.member_id, entry.at) for entry in kept} == {(wang, town.clock())}
    assert file.stat().st_mode & 0o777 == 0o600
    assert NAME not in file.read_text()


async def test_a_restored_copy_forgets_again(town: Hall, forgetting: Forgetting, wang: int, tmp_path: Path):
    copy = tmp_path / "copy"
    await backup.dump(town.database, copy)
    await forget(forgetting, town, wang)
    with copy.open() as dumped:
        await backup.load(town.database, dumped)
    assert (await row_of(town, wang)).name == NAME
    assert await forgetting.catch_up() == 1
    assert (await row_of(town, wang)).name == ""
    assert NAME not in await lines(town, tmp_path)
    assert await forgetting.catch_up() == 0


async def test_without_the_key_the_ledger_waits_for_it(
    town: Hall, forgetting: Forgetting, wang: int, tmp_path: Path, file: Path
):
    poll = await town.opened("county_secretary", "gulou")
    await town.booth.suggest(await actor(town, wang), poll.id, "多放辣椒")
    copy = tmp_path / "copy"
    await backup.dump(town.database, copy)
    await forget(forgetting, town, wang)
    with copy.open() as dumped:
        await backup.load(town.database, dumped)
    keyless = Forgetting(database=town.database, clock=town.clock, sealer=None, file=file)
    await keyless.catch_up()
    assert (await row_of(town, wang)).name == ""
    assert await count(town, "sealed_suggestion") == 1
    await forgetting.catch_up()
    assert await count(town, "sealed_suggestion") == 0


async def test_the_file_learns_what_only_the_table_knows(
    town: Hall, forgetting: Forgetting, wang: int, file: Path
):
    await forget(forgetting, town, wang)
    written = file.read_text()
    file.unlink()
    assert await forgetting.catch_up() == 0
    assert file.read_text() == written


async def test_a_ledger_of_another_bridge_forgets_nobody_here(
    town: Hall, forgetting: Forgetting, wang: int, file: Path
):
    entry = f'{{"bridge": "another", "member": {wang}, "at": "2026-03-01T00:00:00+00:00"}}\n'
    file.write_text(entry + '{"bridge": "cut o')
    assert await forgetting.catch_up() == 0
    assert (await row_of(town, wang)).name == NAME
    await forget(forgetting, town, wang)
    async with town.database.read() as session:
        assert len(ledger.read(file, await ledger.bridge_of(session))) == 1


async def test_who_has_the_same_number_after_a_restore_is_not_forgotten_for_another(
    town: Hall, forgetting: Forgetting, wang: int
):
    await forget(forgetting, town, wang)
    town.clock.forward(days=1)
    async with town.database.begin() as session:
        again = {"name": "新成员", "status": "active"}
        await session.execute(update(T["member"]).where(T["member"].c.id == wang).values(again))
    assert await forgetting.catch_up() == 0
    town.clock.forward(days=1)
    await forget(forgetting, town, wang)
    async with town.database.read() as session:
        times = sorted(entry.at for entry in await ledger.entries(session))
    assert times[1] - times[0] == timedelta(days=2)

"""How SQLite goes about comparing a roster: by an index at every step, since one walk a line makes hours of minutes."""

import shutil

import pytest
from sqlalchemy import event

from storage.sealing import Sealer
from tests import roster_world
from tests.roster_world import members
from tests.town import build as build_town


@pytest.fixture
def database_url(sqlite_template, tmp_path):
    path = tmp_path / "tongdao.db"
    shutil.copy(sqlite_template, path)
    return f"sqlite+aiosqlite:///{path}"


async def test_no_line_is_compared_by_walking_a_table(database, clock, tmp_path):
    sealer = Sealer({"test": bytes(range(32))}, "test")
    town = await build_town(database, sealer)
    roster = roster_world.build(database, clock, sealer, tmp_path / "roster")
    heard = []

    def listen(connection, cursor, statement, parameters, context, many):
        if statement.startswith("UPDATE roster_row"):
            heard.append((statement, parameters))

    event.listen(database.engine.sync_engine, "before_cursor_execute", listen)
    data = members(("王芳", "13805740001", "北大路支部", "预备", "", "N1"), ("周平", "", "北大路支部"))
    begun = await roster.begin(
        await town.actor("county_secretary"), data, "a.csv", organisation_id=town.nodes["haishu"]
    )
    await roster.prepare(await town.actor("county_secretary"), begun.id)
    event.remove(database.engine.sync_engine, "before_cursor_execute", listen)
    steps = []
    async with database.read() as session:
        connection = await session.connection()
        for statement, parameters in heard:
            plan = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            steps += [row[-1] for row in plan]
    walks = [step for step in steps if step.startswith("SCAN")]
    lines = [step for step in steps if step.startswith(("SEARCH other", "SEARCH twin", "SEARCH moving"))]
    assert len(heard) >= 8
    assert walks == []
    assert lines
    assert not [step for step in lines if "PRIMARY KEY" in step]

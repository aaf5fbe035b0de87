"""`tongdao db copy` as an operator meets it: a table of what came over, and refusals in a sentence."""

import asyncio
from datetime import UTC, datetime

from typer.testing import CliRunner

import bot.doctor
from bot.cli import app
from domain.processes import Process
from storage import processes
from storage.database import Database
from tests.factories import make_member, make_organisation


def copy(*words: str):
    return CliRunner().invoke(app, ["db", "copy", *words], prog_name="tongdao", env={"COLUMNS": "120"})


def test_a_database_is_copied_once_and_refusals_name_the_remedy(sqlite_template, tmp_path, monkeypatch):
    monkeypatch.setenv("TONGDAO_DATA_DIR", str(tmp_path / "var"))
    (tmp_path / "source.db").write_bytes(sqlite_template.read_bytes())
    source, target = (f"sqlite+aiosqlite:///{tmp_path / name}.db" for name in ("source", "target"))

    async def fill() -> None:
        database = Database(source)
        await make_member(database, home=await make_organisation(database))
        await database.close()

    asyncio.run(fill())
    first = copy(source, target)
    assert first.exit_code == 0, first.output
    assert "All tables agree" in first.output
    assert "organisation" in first.output
    again = copy(source, target)
    assert again.exit_code == 2
    assert "name an empty database" in again.output
    nowhere = copy(f"sqlite+aiosqlite:///{tmp_path / 'nowhere.db'}", target)
    assert nowhere.exit_code == 2
    assert "There is no database" in nowhere.output
    assert not (tmp_path / "nowhere.db").exists()


def test_the_source_of_a_running_bridge_is_not_copied_however_it_is_spelled(
    sqlite_template, tmp_path, monkeypatch
):
    async def running(_settings: object) -> bool:
        return True

    monkeypatch.setattr(bot.doctor, "is_running", running)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TONGDAO_DATA_DIR", "./var")
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "tongdao.db").write_bytes(sqlite_template.read_bytes())
    target = f"sqlite+aiosqlite:///{tmp_path / 'target'}.db"
    for path in ("var/tongdao.db", "./var/tongdao.db", str(tmp_path / "var" / "tongdao.db")):
        refused = copy(f"sqlite+aiosqlite:///{path}", target)
        assert refused.exit_code == 2, refused.output
        assert "A bridge is running" in refused.output
    monkeypatch.setenv("TONGDAO_DATABASE_URL", "postgresql+asyncpg://tongdao:secret@127.0.0.1:5432/tongdao")
    assert "A bridge is running" in copy("postgresql+asyncpg://tongdao@localhost/tongdao", target).output


async def test_a_bridge_that_beats_in_the_source_is_found_from_wherever_it_runs(
    sqlite_template, tmp_path, monkeypatch
):
    monkeypatch.setenv("TONGDAO_DATA_DIR", str(tmp_path / "elsewhere"))
    (tmp_path / "source.db").write_bytes(sqlite_template.read_bytes())
    source, target = (f"sqlite+aiosqlite:///{tmp_path / name}.db" for name in ("source", "target"))
    database, at = Database(source), datetime.now(UTC)
    async with database.begin() as session:
        await processes.beat(session, Process("a", ("bot",), "other-machine", "127.0.0.1:8090", at, at))
    await database.close()
    refused = await asyncio.to_thread(copy, source, target)
    assert (refused.exit_code, "A bridge is running" in refused.output) == (2, True)

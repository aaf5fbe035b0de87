"""`tongdao db copy` as an operator meets it: a table of what came over, and refusals in a sentence."""

import asyncio

from typer.testing import CliRunner

from bot.cli import app
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

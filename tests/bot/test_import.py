"""`tongdao import` on an installation whose tree holds one organisation."""

import asyncio
import contextlib
import shutil
import sqlite3
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot import local
from bot.cli import app
from bot.import_commands import commands_of
from storage.database import Database
from storage.sealing import Sealer
from tests import roster_world
from tests.factories import make_organisation

KEY = "test:" + "A" * 43 + "="
GOOD = "姓名,手机,支部\n周平,13805740099,宁波市委员会\n"
BAD = GOOD + ",13805740098,宁波市委员会\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch, sqlite_template: Path) -> Path:
    shutil.copy(sqlite_template, tmp_path / "tongdao.db")
    asyncio.run(plant(tmp_path))
    monkeypatch.chdir(tmp_path)
    for name, value in {
        "TONGDAO_DATA_DIR": str(tmp_path),
        "TONGDAO_SECRET_KEY": KEY,
        "TONGDAO_HTTP_PORT": "9",
        "TONGDAO_WEBCHAT_PORT": "9",
        "LC_ALL": "C",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("bot.toolbox.ChildReader", roster_world.InlineReader)
    return tmp_path


async def plant(folder: Path) -> None:
    database = Database(f"sqlite+aiosqlite:///{folder / 'tongdao.db'}")
    await make_organisation(database, name="宁波市委员会")
    await database.close()


def run(folder: Path, text: str, *options: str, answer: str = ""):
    (folder / "a.csv").write_text(text)
    return CliRunner().invoke(app, ["import", "a.csv", *options], input=answer)


def people(folder: Path) -> list[str]:
    with contextlib.closing(sqlite3.connect(folder / "tongdao.db")) as database:
        return [name for (name,) in database.execute("SELECT name FROM member")]


def test_a_roster_is_written_after_a_yes(folder):
    told = run(folder, GOOD, answer="y\n")
    assert told.exit_code == 0, told.output
    assert "New: 1" in told.output
    assert people(folder) == ["周平"]


def test_nothing_is_written_after_a_no_or_when_only_asked(folder):
    assert run(folder, GOOD, answer="n\n").exit_code == 0
    assert run(folder, GOOD, "--dry-run").exit_code == 0
    assert people(folder) == []
    assert list((folder / "roster").iterdir()) == []


def test_bad_rows_stop_it_and_come_as_a_file(folder):
    told = run(folder, BAD, "--yes")
    assert told.exit_code == 1
    assert "Row 3: no name" in told.output
    assert (folder / "a-Reason.csv").read_text("utf-8-sig").splitlines()[
        1
    ] == ",13805740098,宁波市委员会,3: no name"
    assert people(folder) == []


def test_bad_rows_are_skipped_if_told_so(folder):
    assert run(folder, BAD, "--yes", "--skip-bad").exit_code == 0
    assert people(folder) == ["周平"]


def test_a_column_is_given_its_meaning(folder):
    text = "姓名,备用,支部\n周平,13805740099,宁波市委员会\n"
    assert run(folder, text, "--yes", "--map", "备用=phone").exit_code == 0
    with contextlib.closing(sqlite3.connect(folder / "tongdao.db")) as database:
        assert list(database.execute("SELECT phone_hint FROM member")) == [("0099",)]


@pytest.mark.parametrize(
    ("text", "options", "word"),
    [
        ("%PDF-1.7", (), "no sheet"),
        (GOOD, ("--map", "没有=phone"), "no such column"),
        (GOOD, ("--sheet", "二"), "no sheet of that name"),
        ("姓名,手机\n周平,13805740099\n", (), "not been named"),
    ],
)
def test_a_refusal_is_told_in_words(folder, text, options, word):
    told = run(folder, text, "--yes", *options)
    assert told.exit_code == 2
    assert word in told.output.replace("\n", " ")


def test_without_a_key_it_names_the_remedy(folder, monkeypatch):
    monkeypatch.delenv("TONGDAO_SECRET_KEY")
    told = run(folder, GOOD)
    assert (told.exit_code, "tongdao init" in told.output) == (2, True)


async def test_while_a_bridge_runs_it_does_the_writing(folder):
    database = Database(f"sqlite+aiosqlite:///{folder / 'tongdao.db'}")
    asked = []

    def heard(name, command):
        async def run(body):
            asked.append(name)
            async for said in command(body):
                yield said

        return run

    roster = roster_world.build(
        database, roster_world.now, Sealer({"test": bytes(32)}, "test"), folder / "roster"
    )
    commands = {name: heard(name, command) for name, command in commands_of(roster).items()}
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(database.close)
        await local.serve(stack, local.path_of(folder), commands)
        told = await asyncio.to_thread(run, folder, GOOD, "--yes")
    assert told.exit_code == 0, told.output
    assert asked == ["import.begin", "import.prepare", "import.apply"]
    assert people(folder) == ["周平"]

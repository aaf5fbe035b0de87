"""`tongdao export` as an operator meets it: a private file, or a reason without a traceback."""

import asyncio
import csv
import io
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook
from typer.testing import CliRunner

from bot.cli import app
from storage.database import Database
from storage.sealing import Sealer
from tests.town import Town, build

KEY = "k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="


@pytest.fixture
def town(sqlite_template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Town:
    shutil.copy(sqlite_template, tmp_path / "tongdao.db")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TONGDAO_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("TONGDAO_SECRET_KEY", KEY)
    monkeypatch.setattr("bot.logs.configure", lambda **_: None)  # the logs of this process are the tests'

    async def fill() -> Town:
        database = Database(f"sqlite+aiosqlite:///{tmp_path / 'tongdao.db'}")
        made = await build(database, Sealer({"test": bytes(range(32))}, "test"))
        await database.close()
        return made

    return asyncio.run(fill())


def export(*words: Any) -> Any:
    return CliRunner().invoke(app, ["export", *map(str, words)], prog_name="tongdao", env={"COLUMNS": "200"})


def test_a_table_is_written_for_its_owners_eyes_only(town: Town, tmp_path: Path):
    for form in ("csv", "xlsx"):
        answer = export("members", f"m.{form}")
        assert answer.exit_code == 0, answer.output
        assert "10 rows" in answer.stdout
        assert (tmp_path / f"m.{form}").stat().st_mode & 0o777 == 0o600
    rows = list(csv.reader(io.StringIO((tmp_path / "m.csv").read_text("utf-8-sig"))))
    cells = load_workbook(tmp_path / "m.xlsx").active.iter_rows(values_only=True)
    assert [[cell or "" for cell in row] for row in cells] == rows
    assert not list(tmp_path.glob(".*part"))


def test_a_role_decides_what_is_in_it(town: Town, tmp_path: Path):
    assert export("members", "m.csv", "--as", town.members["branch_secretary"]).exit_code == 0
    assert (tmp_path / "m.csv").read_text().count("北大路支部") == 4
    refused = export("members", "n.csv", "--as", town.members["observer"])
    assert refused.exit_code == 2
    assert not (tmp_path / "n.csv").exists()
    assert not list(tmp_path.glob(".*part"))


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("members", "m.csv", "--as", "999"), "no active member"),
        (("members", "m.pdf"), ".csv or .xlsx"),
        (("polls", "p.xlsx", "--root", "999"), "does not exist"),
        (("members", "nowhere/m.csv"), "nowhere"),
    ],
)
def test_what_cannot_be_written_is_told_without_a_traceback(town: Town, words: tuple[str, ...], told: str):
    answer = export(*words)
    assert answer.exit_code == 2
    assert told in re.sub(r"\s+", " ", answer.stderr)
    assert "Traceback" not in answer.output


def test_without_a_key_or_a_database_the_remedy_is_named(
    town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("TONGDAO_SECRET_KEY", "")
    assert "tongdao init" in export("members", "m.csv").stderr
    monkeypatch.setenv("TONGDAO_SECRET_KEY", KEY)
    monkeypatch.setenv("TONGDAO_DATA_DIR", str(tmp_path / "empty"))
    (tmp_path / "empty").mkdir()
    assert "tongdao db upgrade" in export("members", "m.csv").stderr


def test_a_file_that_is_there_is_not_replaced_unasked(town: Town, tmp_path: Path):
    (tmp_path / "m.csv").write_text("mine")
    assert export("members", "m.csv").exit_code == 2
    assert (tmp_path / "m.csv").read_text() == "mine"
    assert export("members", "m.csv", "--force").exit_code == 0

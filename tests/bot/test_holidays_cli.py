"""`tongdao holidays` as an operator meets it: shown, printed as a form, entered from a file, taken out."""

import base64
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

import bot.doctor
from bot.cli import app
from bot.settings import Settings

TABLE = """date,kind,name
2027-01-01~2027-01-03,holiday,元旦
2027-02-05~2027-02-11,holiday,春节
2027-04-03~2027-04-05,holiday,清明节
2027-05-01~2027-05-05,holiday,劳动节
2027-05-08,workday,劳动节
2027-06-09,holiday,端午节
2027-09-15,holiday,中秋节
2027-10-01~2027-10-07,holiday,国庆节
"""
Run = Callable[..., Result]


@pytest.fixture
def environment(tmp_path: Path, sqlite_template: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    shutil.copy(sqlite_template, tmp_path / "tongdao.db")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("bot.logs.configure", lambda **_: None)
    return {
        "TONGDAO_DATA_DIR": str(tmp_path),
        "TONGDAO_DATABASE_URL": f"sqlite+aiosqlite:///{tmp_path}/tongdao.db",
        "TONGDAO_SECRET_KEY": "k:" + base64.b64encode(bytes(32)).decode(),
        "TONGDAO_HTTP_PORT": "9",
        "TONGDAO_WEBCHAT_PORT": "9",
        "COLUMNS": "120",
    }


@pytest.fixture
def run(environment: dict[str, str]) -> Run:
    def run(*words: str, typed: str = "") -> Result:
        return CliRunner().invoke(app, ["holidays", *words], env=environment, input=typed)

    return run


def write(text: str, encoding: str = "utf-8") -> str:
    Path("table.csv").write_bytes(text.encode(encoding))
    return "table.csv"


def test_a_known_year_is_shown_with_its_reasons(run: Run):
    shown = run("show", "2026")
    assert shown.exit_code == 0
    assert "2026-10-01 ~ 2026-10-07  holiday           国庆节 National Day" in shown.stdout
    assert "Service day 2026-10-03 moves to 2026-10-17 (National Day)." in shown.stdout
    assert "2027 is not known" in run("show", "2027").stdout


def test_the_form_is_what_can_be_entered_again(run: Run):
    form = run("template", "2027").stdout
    assert form.startswith("date,kind,name,name_en\n")
    refused = run("import", write(form), "--year", "2027")
    assert refused.exit_code == 2
    assert "no dates were found" in refused.stderr


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_year_is_entered_once_and_taken_out_again(run: Run, encoding: str):
    file = write(TABLE, encoding)
    assert run("import", file, typed="n\n").exit_code == 1
    assert "2027 is not known" in run("show", "2027").stdout
    entered = run("import", file, typed="y\n")
    assert "Service day 2027-01-02 moves to 2027-01-09" in entered.stdout
    assert "2027 is entered." in entered.stdout
    assert "entered already, just so" in run("import", file, "--yes").stdout
    assert "as entered" in run("show", "2027").stdout
    assert "gone" in run("remove", "2027", "--yes").stdout
    assert "No table of 2027 was entered." in run("remove", "2027", "--yes").stderr


def test_wrong_lines_are_named_and_nothing_is_entered(run: Run):
    wrong = run("import", write(TABLE + "2027-10-11,workday,国庆节\n2027-02-30,holiday,春节\n"), "--yes")
    assert wrong.exit_code == 2
    assert "line 10: a worked day should be a Saturday or Sunday  2027-10-11,workday,国庆节" in wrong.stderr
    assert "line 11: the date cannot be read" in wrong.stderr
    assert "2027 is not known" in run("show", "2027").stdout


def test_an_incomplete_table_has_to_be_meant(run: Run):
    file = write("2027-10-01~2027-10-07,holiday,国庆节\n")
    refused = run("import", file, "--yes")
    assert refused.exit_code == 2
    assert "Not mentioned: New Year's Day, Spring Festival" in refused.stderr
    assert "2027 is entered." in run("import", file, "--yes", "--incomplete").stdout


def test_what_is_no_text_is_refused(run: Run):
    Path("table.csv").write_bytes(b"\xff\xff\xff")
    refused = run("import", "table.csv")
    assert refused.exit_code == 2
    assert "is no text" in refused.stderr


def test_beside_a_running_bridge_on_sqlite_the_chat_is_the_way(run: Run, monkeypatch: pytest.MonkeyPatch):
    async def running(_settings: Any) -> bool:
        return True

    monkeypatch.setattr(bot.doctor, "is_running", running)
    for words in (("import", write(TABLE), "--yes"), ("remove", "2027", "--yes")):
        assert "/holidays" in run(*words).stderr


def test_a_database_of_another_version_is_refused(run: Run):
    Path("tongdao.db").unlink()
    refused = run("show", "2026")
    assert refused.exit_code == 2
    assert "tongdao db upgrade" in refused.stderr


@pytest.mark.parametrize(
    ("today", "ok", "found"),
    [
        (datetime(2026, 9, 30, tzinfo=UTC), True, "known"),
        (datetime(2026, 10, 1, tzinfo=UTC), True, "missing (2027)"),
        (datetime(2026, 12, 1, tzinfo=UTC), False, "missing (2027)"),
    ],
)
async def test_the_doctor_asks_for_next_year(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, today: datetime, ok: bool, found: str
):
    class Frozen(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:
            return today

    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(bot.doctor, "datetime", Frozen)
    finding = await bot.doctor.CHECKS["holidays"](Settings())
    assert (finding.ok, found in finding.found) == (ok, True)
    assert found == "known" or "/holidays" in finding.remedy

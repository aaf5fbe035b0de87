"""What stands under `deploy/` speaks of commands and settings that exist, and a wheel holds all that runs."""

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli import app
from bot.settings import Settings

ROOT = Path(__file__).parents[2]
UNITS = sorted((ROOT / "deploy/systemd").glob("*.service"))
SETTINGS = {f"TONGDAO_{name.upper()}" for name in Settings.model_fields}
FOREIGN = re.compile(r"\bTONGDAO_[A-Z_]+")


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_a_unit_starts_a_command_that_there_is(unit: Path):
    (command,) = re.findall(
        r"^ExecStart=/opt/tongdao/.venv/bin/tongdao (.+)$", unit.read_text(), re.MULTILINE
    )
    result = CliRunner().invoke(app, [*command.split(), "--help"], prog_name="tongdao")
    assert result.exit_code == 0, result.output
    for role in re.findall(r"--role (\w+)", command):
        assert role in result.output


def test_deployment_names_only_settings_that_there_are():
    files = [*UNITS, ROOT / "deploy/compose.yaml", ROOT / "deploy/Dockerfile"]
    assert {name for file in files for name in FOREIGN.findall(file.read_text())} <= SETTINGS


@pytest.mark.slow
def test_a_wheel_holds_migrations_words_and_pages(tmp_path: Path):
    build = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--no-deps",
        "--quiet",
        "--wheel-dir",
    ]
    copy = tmp_path / "source"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(copy)], check=True)
    subprocess.run([*build, str(tmp_path), str(copy)], check=True)
    (wheel,) = tmp_path.glob("*.whl")
    held = set(zipfile.ZipFile(wheel).namelist())
    wanted = ("storage/migrations", "locales", "webchat/pages", "webchat/migrations")
    for folder in wanted:
        tracked = subprocess.run(
            ["git", "ls-files", folder], cwd=copy, capture_output=True, text=True, check=True
        ).stdout.split()
        assert set(tracked) <= held

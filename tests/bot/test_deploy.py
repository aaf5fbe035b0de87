"""What stands under `deploy/` speaks of commands and settings that exist, and a wheel holds all that runs."""

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import yaml
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
        r"^ExecStart=(?:/usr/bin/env TONGDAO_HTTP_PORT=\S+ )?/opt/tongdao/.venv/bin/tongdao (.+)$",
        unit.read_text(),
        re.MULTILINE,
    )
    result = CliRunner().invoke(app, [*command.split(), "--help"], prog_name="tongdao")
    assert result.exit_code == 0, result.output
    for role in re.findall(r"--role (\w+)", command):
        assert role in result.output


def test_deployment_names_only_settings_that_there_are():
    files = [*UNITS, *(ROOT / "deploy" / name for name in ("compose.yaml", "Dockerfile", "Caddyfile"))]
    assert {name for file in files for name in FOREIGN.findall(file.read_text())} <= SETTINGS


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_a_unit_is_shut_in_and_has_time_to_record_what_is_in_flight(unit: Path):
    lines = unit.read_text().splitlines()
    for line in ("ProtectSystem=strict", "NoNewPrivileges=true", "Restart=on-failure", "User=tongdao"):
        assert line in lines
    (seconds,) = [int(line.partition("=")[2]) for line in lines if line.startswith("TimeoutStopSec=")]
    assert seconds > 10


def test_units_that_run_side_by_side_listen_on_ports_of_their_own_whatever_the_settings_say():
    asked = [
        re.findall(r"^ExecStart=\S+ TONGDAO_HTTP_PORT=(\S+)", unit.read_text(), re.MULTILINE)
        for unit in UNITS
    ]
    assert sorted(port for found in asked for port in found) == ["8090", "8091", "8092", "81%i"]


def test_containers_are_one_bridge_with_one_chat_server_and_one_way_in():
    compose = yaml.safe_load((ROOT / "deploy/compose.yaml").read_text())
    services, ways_in = compose["services"], []
    for name, service in services.items():
        assert set(service.get("depends_on", ())) <= set(services), name
        for volume in service.get("volumes", ()):
            source = volume.partition(":")[0]
            assert source in compose["volumes"] or (ROOT / "deploy" / source).exists(), volume
        ways_in += [name] * bool(service.get("ports"))
    assert ways_in == ["proxy"]
    ours = {name: service["command"] for name, service in services.items() if service["image"] == "tongdao"}
    for command in ours.values():
        found = CliRunner().invoke(app, [*command, "--help"], prog_name="tongdao")
        assert found.exit_code == 0, found.output
        assert command[-1] in found.output
    assert [name for name, command in ours.items() if "webchat" in command] == ["webchat"]
    assert services["worker"]["deploy"]["replicas"] == 2
    proxy = services["proxy"]["networks"]["default"]["ipv4_address"]
    assert proxy in services["webchat"]["environment"]["TONGDAO_TRUSTED_PROXIES"]
    targets = re.findall(r"reverse_proxy (\w+):\d+", (ROOT / "deploy/Caddyfile").read_text())
    assert set(targets) == {"webchat", "bot", "console"}


@pytest.mark.slow
def test_an_installed_wheel_migrates_and_runs_away_from_the_sources(tmp_path: Path):
    source = tmp_path / "source"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(source)], check=True)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    offline = ["--no-deps", "--no-index"]
    subprocess.run([*pip, "wheel", "--no-deps", "--wheel-dir", tmp_path, source], check=True)
    (wheel,) = tmp_path.glob("*.whl")
    held = set(zipfile.ZipFile(wheel).namelist())
    for folder in ("storage/migrations", "locales", "console/pages", "webchat/pages", "webchat/migrations"):
        listed = ["git", "ls-files", folder]
        tracked = subprocess.run(listed, cwd=source, capture_output=True, text=True, check=True).stdout
        assert set(tracked.split()) <= held
    subprocess.run([*pip, "install", *offline, "--target", tmp_path / "installed", wheel], check=True)
    place = {"PYTHONPATH": str(tmp_path / "installed"), "TONGDAO_DATA_DIR": str(tmp_path / "var")}

    def tongdao(*words: str) -> str:
        command = [sys.executable, "-P", "-m", "bot", *words]
        done = subprocess.run(command, cwd=tmp_path, env=place, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    where = subprocess.run(
        [sys.executable, "-P", "-c", "import bot, storage; print(bot.__file__, storage.__file__)"],
        cwd=tmp_path, env=place, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert where.count(str(tmp_path / "installed")) == 2
    newest = max((ROOT / "storage/migrations/versions").glob("0*.py")).name[:4]
    assert newest in tongdao("db", "upgrade")
    assert "--role" in tongdao("run", "--help")

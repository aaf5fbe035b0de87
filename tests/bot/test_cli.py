"""The command line as an operator meets it: help that reads well, refusals without a traceback, backups that return."""

import asyncio
import json
import os
import re
import subprocess
import sys
import tarfile
from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp.test_utils import unused_port
from sqlalchemy import select, update
from typer.testing import CliRunner

from bot import archive
from bot.app import now
from bot.cli import app
from bot.demo import settings_of
from bot.settings import Settings
from domain.forgetting import minute_of
from services import demo_data
from services.forgetting import Forgetting
from services.people import People
from storage import backup, ledger, schema
from storage.database import Database
from storage.tables import metadata

COMMANDS = ("run", "init", "demo-data", "doctor", "db", "import", "export", "backup", "restore", "webchat")


def tongdao(*words, folder, typed="", **env):
    wish = {
        "PATH": os.environ["PATH"],
        "TONGDAO_HTTP_PORT": str(unused_port()),
        "TONGDAO_WEBCHAT_PORT": str(unused_port()),
        "COLUMNS": "100",
        "LANG": "C.UTF-8",
        "COVERAGE_PROCESS_START": "",
        **env,
    }
    return subprocess.run(
        [sys.executable, "-m", "bot", *words],
        cwd=folder,
        env=wish | {"PYTHONPATH": str(Path(__file__).parents[2])},
        input=typed,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )


def helped(*words):
    return CliRunner().invoke(app, [*words, "--help"], prog_name="tongdao", env={"COLUMNS": "100"})


def test_help_names_every_command_and_what_it_does():
    shown = helped().stdout
    for name in COMMANDS:
        assert re.search(rf"│ {name}\s+\S+", shown), name


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_each_command_says_more_than_its_name(name):
    answer = helped(name)
    assert answer.exit_code == 0
    assert f"tongdao {name}" in answer.stdout
    assert len(answer.stdout.splitlines()) > 8


@pytest.mark.slow
def test_a_bridge_without_a_set_up_names_init_and_stops(tmp_path):
    answer = tongdao("run", folder=tmp_path)
    assert answer.returncode == 2
    assert "tongdao init" in answer.stderr
    assert "Traceback" not in answer.stderr


@pytest.mark.parametrize(
    ("wrong", "remedy"),
    [
        ({"TONGDAO_DATABASE_URL": "postgresql+asyncpg://nobody@127.0.0.1:1/none"}, "TONGDAO_DATABASE_URL"),
        ({"TONGDAO_DATABASE_URL": "sqlite+aiosqlite:////nowhere/at/all.db"}, "TONGDAO_DATABASE_URL"),
        ({"TONGDAO_DATA_DIR": "/dev/null/var"}, "TONGDAO_DATA_DIR"),
    ],
)
@pytest.mark.slow
def test_a_place_that_cannot_be_used_is_named_with_its_remedy(tmp_path, wrong, remedy):
    answer = tongdao("run", "--demo", folder=tmp_path, **wrong)
    assert answer.returncode == 2
    assert remedy in answer.stderr
    assert "Traceback" not in answer.stderr


@pytest.mark.slow
def test_a_damaged_token_is_named_with_its_remedy(tmp_path):
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "webchat-bot.json").write_text('{"user')
    answer = tongdao("run", "--demo", folder=tmp_path)
    assert answer.returncode == 2
    assert "webchat-bot.json" in answer.stderr
    assert "Traceback" not in answer.stderr


@pytest.mark.slow
def test_a_wrong_setting_ends_every_command_with_its_remedy(tmp_path):
    answer = tongdao("doctor", folder=tmp_path, TONGDAO_HTTP_PORT="many")
    assert answer.returncode == 2
    assert "TONGDAO_HTTP_PORT" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_init_proposes_what_is_set_and_keeps_its_secret_key(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(
        os, "environ", {**os.environ, "TONGDAO_SECRET_KEY": "k1:A=", "TONGDAO_DATA_DIR": "/x"}
    )
    monkeypatch.setattr("bot.commands.init._plant", lambda root, person: f"{root} {person}")
    done = CliRunner().invoke(app, ["init"], input="\n\n\n\n\n宁波市委员会\n周书记\n")
    assert done.exit_code == 0, done.output
    written = (tmp_path / ".env").read_text()
    assert "TONGDAO_SECRET_KEY=k1:A=\n" in written
    assert "TONGDAO_DATA_DIR=/x\n" in written


@pytest.mark.slow
def test_init_writes_a_private_env_and_a_database_that_runs(tmp_path):
    typed = "\n\n8091\n\n\n宁波市委员会\n周书记\n"
    answer = tongdao("init", folder=tmp_path, typed=typed)
    assert answer.returncode == 0, answer.stderr
    env = tmp_path / ".env"
    assert env.stat().st_mode & 0o777 == 0o600
    assert "TONGDAO_SECRET_KEY=k" in env.read_text()
    assert re.search(r"http://127\.0\.0\.1:8091/in/\S+", answer.stdout)
    again = tongdao("init", folder=tmp_path, typed="n\n")
    assert again.returncode == 1
    assert "Nothing was changed" in again.stderr
    assert asyncio.run(organisations(tmp_path / "var")) == ["宁波市委员会"]
    assert {path.stat().st_mode & 0o077 for path in (tmp_path / "var").iterdir()} == {0}


async def organisations(folder):
    from sqlalchemy import select

    from storage.tables import OrganisationRow

    database = Database(f"sqlite+aiosqlite:///{folder / 'tongdao.db'}")
    async with database.read() as session:
        names = list((await session.execute(select(OrganisationRow.name))).scalars())
    await database.close()
    return names


@pytest.mark.slow
def test_the_doctor_gives_each_finding_a_remedy_also_as_json(tmp_path):
    answer = tongdao("doctor", "--json", folder=tmp_path)
    findings = json.loads(answer.stdout)
    assert answer.returncode == 1
    assert {"secret key", "data folder", "database", "bridge", "web chat"} <= {f["check"] for f in findings}
    assert all(finding["ok"] or finding["remedy"] for finding in findings)


@pytest.mark.slow
def test_a_token_of_a_new_bot_is_printed_once(tmp_path):
    first = tongdao("webchat", "new-bot", "海曙区通道", "--username", "haishu_bot", folder=tmp_path)
    assert re.fullmatch(r"\d+:[A-Za-z0-9_-]{35}\n", first.stdout)
    second = tongdao("webchat", "new-bot", "海曙区通道", "--username", "haishu_bot", folder=tmp_path)
    assert second.returncode == 2
    assert "taken" in second.stderr


@pytest.fixture
def settings(tmp_path, database_url, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return settings_of(Settings(_env_file=None, data_dir=tmp_path / "var", database_url=database_url))


async def filled(settings):
    database = Database(settings.database)
    await demo_data.load(database, scale=10_000, clock=now, sealer=settings.sealer())
    await database.close()


async def rows_of(settings, path):
    database = Database(settings.database)
    count = await backup.dump(database, path)
    await database.close()
    return count, path.read_text()


@pytest.mark.slow
async def test_a_backup_brings_every_row_back(settings, tmp_path):
    await filled(settings)
    (settings.data_dir / "media" / "ab").mkdir(parents=True)
    (settings.data_dir / "media" / "ab" / "abc").write_bytes(b"a picture")
    before = await rows_of(settings, tmp_path / "before")
    made = await archive.make(settings, tmp_path / "b.tar.gz", now())
    database = Database(settings.database)
    await schema.downgrade(database, "base")
    await database.close()
    (settings.data_dir / "media" / "ab" / "abc").unlink()
    assert await archive.restore(settings, made.path, now()) == before[0]
    assert await rows_of(settings, tmp_path / "after") == before
    assert (settings.data_dir / "media" / "ab" / "abc").read_bytes() == b"a picture"


@pytest.mark.slow
async def test_a_backup_holds_no_secret_key(settings, tmp_path):
    await filled(settings)
    made = await archive.make(settings, tmp_path / "b.tar.gz", now())
    with tarfile.open(made.path) as inside:
        names = inside.getnames()
        text = b"".join(inside.extractfile(name).read() for name in names)
    assert "demo-secret-key" not in names
    assert settings.secret_key.get_secret_value().encode() not in text
    assert made.path.stat().st_mode & 0o777 == 0o600


@pytest.mark.slow
async def test_a_damaged_backup_changes_nothing(settings, tmp_path):
    await filled(settings)
    before = await rows_of(settings, tmp_path / "before")
    made = await archive.make(settings, tmp_path / "b.tar.gz", now())
    damaged = tmp_path / "damaged.tar.gz"
    damaged.write_bytes(made.path.read_bytes()[:-200])
    for wrong in (damaged, tmp_path / "empty.tar.gz"):
        wrong.touch()
        with pytest.raises(archive.BackupDamaged):
            await archive.restore(settings, wrong, now())
    assert await rows_of(settings, tmp_path / "after") == before


@pytest.mark.slow
async def test_nothing_goes_out_twice_after_a_restore(settings, tmp_path):
    await filled(settings)
    database = Database(settings.database)
    dispatch, notice = metadata.tables["dispatch"], metadata.tables["notice"]
    async with database.begin() as session:
        await session.execute(update(dispatch).values(state="running"))
        due = {"state": "scheduled", "scheduled_at": now() + timedelta(hours=1)}
        await session.execute(update(notice).values(due))
    made = await archive.make(settings, tmp_path / "b.tar.gz", now())
    await archive.restore(settings, made.path, now() + timedelta(hours=2))
    async with database.read() as session:
        dispatches = set((await session.execute(select(dispatch.c.state, dispatch.c.pause_reason))).all())
        notices = set((await session.execute(select(notice.c.state, notice.c.scheduled_at))).all())
    await database.close()
    assert dispatches == {("paused", "restored")}
    assert notices == {("draft", None)}


@pytest.mark.slow
async def test_a_restore_brings_nobody_back_who_was_forgotten(settings, tmp_path):
    await filled(settings)
    made = await archive.make(settings, tmp_path / "b.tar.gz", now())
    database = Database(settings.database)
    member = metadata.tables["member"]
    people = People(database=database)
    file = settings.data_dir / ledger.FILE
    forgetting = Forgetting(database=database, clock=now, sealer=settings.sealer(), file=file)
    actor = await people.actor_of_member(1, now().date())
    await forgetting.forget(actor, 1, minute_of(now()))
    file.unlink()  # what only the replaced database knew is written down before it goes
    await archive.restore(settings, made.path, now())
    async with database.read() as session:
        row = (await session.execute(select(member).where(member.c.id == 1))).one()
        links = await session.execute(select(metadata.tables["account_link"].c.member_id).distinct())
        assert 1 not in set(links.scalars())
    await database.close()
    assert (row.name, row.status, row.phone_index) == ("", "forgotten", None)
    assert file.read_text().count("\n") == 1

"""Settings: explained, named with a remedy when wrong, and never shown with their secrets."""

import base64
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli import app
from bot.settings import Settings, WrongSettings, read

ROOT = Path(__file__).parents[2]
KEY = base64.b64encode(bytes(32)).decode()


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(f"TONGDAO_{name.upper()}", raising=False)


def test_the_example_names_every_setting_with_its_default_and_a_comment():
    text = (ROOT / ".env.example").read_text()
    shown = dict(re.findall(r"^(TONGDAO_\w+)=(.*)$", text, re.MULTILINE))
    assert set(shown) == {f"TONGDAO_{name.upper()}" for name in Settings.model_fields}
    for block in text.split("\n\n")[1:]:
        assert block.startswith("#"), block


def test_the_example_read_as_env_file_gives_the_defaults(tmp_path):
    (tmp_path / ".env").write_text((ROOT / ".env.example").read_text())
    assert read() == Settings(_env_file=None)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("TONGDAO_HTTP_PORT", "many", "TONGDAO_HTTP_PORT"),
        ("TONGDAO_DATABASE_URL", "mysql://x", "sqlite\\+aiosqlite"),
        ("TONGDAO_QUIET_HOURS", "at night", "TONGDAO_QUIET_HOURS"),
        ("TONGDAO_SECRET_KEY", "short", "tongdao init"),
        ("TONGDAO_SERVICE_DAY_REMINDERS", "5", "choose from 1, 2, 3, 7, or off"),
        ("TONGDAO_LOG_LEVEL", "loud", "TONGDAO_LOG_LEVEL"),
        ("TONGDAO_ACCOUNTS", '[{"name": "city"}]', "TONGDAO_ACCOUNTS → 0 → base_url"),
        (
            "TONGDAO_ACCOUNTS",
            '[{"name": "city", "base_url": "https://x", "token": "1:a", "paid_ceiling": 1001}]',
            "paid_ceiling",
        ),
        (
            "TONGDAO_ACCOUNTS",
            '[{"name": "city", "base_url": "https://x", "token": "1:a", "mode": "webhook"}]',
            "webhook_secret",
        ),
    ],
)
def test_a_wrong_setting_is_named_with_its_remedy(monkeypatch, name, value, said):
    monkeypatch.setenv(name, value)
    with pytest.raises(WrongSettings, match=said):
        read()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "chat.example.org"])
@pytest.mark.parametrize("words", [["run"], ["webchat"]])
def test_faults_are_refused_where_others_can_reach_the_web_chat(monkeypatch, tmp_path, host, words):
    monkeypatch.setenv("TONGDAO_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("TONGDAO_WEBCHAT_FAULTS", "true")
    monkeypatch.setenv("TONGDAO_WEBCHAT_HOST", host)
    with pytest.raises(WrongSettings, match="set TONGDAO_WEBCHAT_HOST"):
        read()
    refused = CliRunner().invoke(app, words)
    assert (refused.exit_code, "TONGDAO_WEBCHAT_FAULTS is for tests" in refused.output) == (2, True)
    assert list(tmp_path.iterdir()) == []  # nothing was begun
    monkeypatch.setenv("TONGDAO_WEBCHAT_FAULTS", "false")
    assert read().webchat_host == host


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_faults_are_for_this_machine_alone(monkeypatch, host):
    monkeypatch.setenv("TONGDAO_WEBCHAT_FAULTS", "true")
    monkeypatch.setenv("TONGDAO_WEBCHAT_HOST", host)
    assert read().webchat_faults


def test_a_wrong_secret_is_not_repeated_in_the_complaint(monkeypatch):
    monkeypatch.setenv("TONGDAO_SECRET_KEY", "k1:CANARY-not-base64")
    with pytest.raises(WrongSettings) as caught:
        read()
    assert "CANARY" not in str(caught.value)


def test_the_first_key_seals_and_older_ones_still_open(monkeypatch):
    old = base64.b64encode(bytes([7]) * 32).decode()
    monkeypatch.setenv("TONGDAO_SECRET_KEY", f"old:{old}")
    sealed = read().sealer().seal(b"13800000000", "phone")
    monkeypatch.setenv("TONGDAO_SECRET_KEY", f"new:{KEY},old:{old}")
    sealer = read().sealer()
    assert sealer.open(sealed, "phone") == b"13800000000"
    assert sealer.seal(b"x", "phone")[1:4] == b"new"


def test_secrets_do_not_show_in_the_settings_own_words(monkeypatch):
    monkeypatch.setenv("TONGDAO_SECRET_KEY", f"k:{KEY}")
    monkeypatch.setenv("TONGDAO_ACCOUNTS", '[{"name": "city", "base_url": "https://x", "token": "1:CANARY"}]')
    shown = repr(read()) + str(read())
    assert "CANARY" not in shown
    assert KEY not in shown


@pytest.mark.parametrize(
    ("settings", "url"),
    [
        ({}, "http://127.0.0.1:8080"),
        ({"public_url": "https://bridge.example.org/"}, "https://bridge.example.org"),
        ({"webchat_public_url": "https://chat.example.org"}, ""),
    ],
)
def test_a_calendar_address_is_only_made_where_it_can_be_reached(settings, url):
    assert Settings(_env_file=None, **settings).bridge_url == url

"""Named points: nothing happens unless one is armed, and then at the armed hit only."""

import importlib
import signal

import pytest

from services import killpoints


@pytest.fixture
def killed(monkeypatch) -> list[int]:
    signals: list[int] = []
    monkeypatch.setattr("os.kill", lambda _, number: signals.append(number))
    yield signals
    monkeypatch.undo()
    importlib.reload(killpoints)


def test_the_armed_hit_kills_and_is_written_down(killed, monkeypatch, tmp_path):
    monkeypatch.setenv("TONGDAO_KILL_AT", "after_sending:2")
    monkeypatch.setenv("TONGDAO_KILL_LOG", str(tmp_path / "hits"))
    importlib.reload(killpoints)
    killpoints.reach("before_recording")
    killpoints.reach("after_sending")
    assert killed == []
    killpoints.reach("after_sending")
    assert killed == [signal.SIGKILL]
    assert (tmp_path / "hits").read_text() == "after_sending\n"


def test_without_a_file_it_kills_all_the_same(killed, monkeypatch):
    monkeypatch.setenv("TONGDAO_KILL_AT", "after_sending")
    importlib.reload(killpoints)
    killpoints.reach("after_sending")
    assert killed == [signal.SIGKILL]


def test_nothing_armed_kills_nothing(killed, monkeypatch):
    monkeypatch.delenv("TONGDAO_KILL_AT", raising=False)
    importlib.reload(killpoints)
    for point in killpoints.POINTS:
        killpoints.reach(point)
    assert killed == []

"""What serves runs on uvloop where that is installed, and on asyncio's own loop where it is not."""

import asyncio
import sys

import pytest
import uvloop
from typer.testing import CliRunner

from bot import app as process
from bot.cli import app


@pytest.mark.parametrize("words", [["run"], ["run", "--role", "worker"], ["webchat"]])
@pytest.mark.parametrize("installed", [True, False])
def test_a_process_that_serves_runs_on_the_quick_loop_if_there_is_one(
    monkeypatch, tmp_path, words, installed
):
    ran_on = []

    async def serve(*_given: object, **_more: object) -> None:
        ran_on.append(isinstance(asyncio.get_running_loop(), uvloop.Loop))

    monkeypatch.setenv("TONGDAO_DATA_DIR", str(tmp_path))
    monkeypatch.setattr(process, "run", serve)
    monkeypatch.setattr(process, "serve_webchat_alone", serve)
    if not installed:
        monkeypatch.setitem(sys.modules, "uvloop", None)
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    assert ran_on == [installed]

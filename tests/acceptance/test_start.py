"""Starting and stopping, as on a fresh machine."""

import re
import sqlite3

import pytest

from tests.acceptance.conftest import running_demo

pytestmark = pytest.mark.slow


async def test_a_fresh_demo_gets_ready_prints_three_links_and_stops_within_ten_seconds(tmp_path):
    async with running_demo(tmp_path) as demo:
        printed = (tmp_path / "out.log").read_text()
        assert len(set(re.findall(r"http://127\.0\.0\.1:\d+/in/\S+", printed))) == 3
        assert "演示数据" in printed
        async with demo.http.get(f"{demo.health}/metrics") as response:
            assert "tongdao_inbox_lag_seconds" in await response.text()
        code, seconds = await demo.stop()
    assert code == 0
    assert seconds < 10


async def test_a_second_start_finds_everything_again(tmp_path):
    async with running_demo(tmp_path) as demo:
        await demo.stop()
    async with running_demo(tmp_path) as demo:
        with sqlite3.connect(tmp_path / "var" / "tongdao.db") as database:
            (members,) = database.execute("SELECT count(*) FROM member").fetchone()
        assert members == 10_000
        assert (await demo.stop())[0] == 0


async def test_a_demo_database_refuses_telegram(tmp_path):
    async with running_demo(tmp_path) as demo:
        await demo.stop()
    account = '[{"name": "city", "base_url": "https://api.telegram.org", "token": "123:abc"}]'
    with pytest.raises(AssertionError, match="never talks to Telegram"):
        async with running_demo(tmp_path, TONGDAO_ACCOUNTS=account):
            pass

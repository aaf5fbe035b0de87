"""The whole process: what it refuses before it starts, and that it starts, answers, stops and comes back."""

import asyncio
import contextlib
import os
import signal
import sys
import time
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import unused_port

from bot import app, doctor_fleet, fleet
from bot.app import EmptyDatabase, NoSecretKey, OneProcessOnSqlite, PortTaken
from bot.demo import DemoMeetsTelegram, settings_of
from bot.doctor import is_running
from bot.settings import Settings
from domain.forgetting import Forgotten
from handlers.features import ROUTERS
from services import demo_data
from services.people import People
from storage import ledger, schema
from storage.database import Database
from tests.webchat_client import Person

ROOT = Path(__file__).parents[2]
TELEGRAM = {"name": "city", "base_url": "https://api.telegram.org", "token": "99:" + "x" * 35}


@pytest.fixture
def settings(tmp_path) -> Settings:
    for router in ROUTERS:
        router._parent_router = (
            None  # a router has one parent for life; here each test is a process of its own
        )
    wish = {"data_dir": tmp_path, "http_port": unused_port(), "webchat_port": unused_port()}
    return settings_of(Settings(_env_file=None, **wish))


async def started(settings: Settings, *roles: str) -> None:
    async with app.bridge(settings, roles or app.ROLES):
        pytest.fail("it started")


async def load_demo(settings: Settings) -> None:
    database = Database(settings.database)
    await schema.upgrade(database)
    await demo_data.load(database, scale=10_000, clock=app.now, sealer=settings.sealer())
    await database.close()


async def test_an_empty_database_is_not_run(settings):
    with pytest.raises(EmptyDatabase):
        await started(settings)


async def test_a_start_forgets_again_whom_a_copy_put_back_by_hand_still_knows(settings):
    await load_demo(settings)
    database = Database(settings.database)
    async with database.read() as session:
        bridge = await ledger.bridge_of(session)
    ledger.append(settings.data_dir / ledger.FILE, bridge, [Forgotten(1, app.now())])
    await app._ready_database(database, settings, app.now, with_demo=False)
    assert await People(database=database).actor_of_member(1, app.now().date()) is None
    await database.close()


async def test_without_a_secret_key_nothing_runs(settings):
    with pytest.raises(NoSecretKey):
        await started(settings.model_copy(update={"secret_key": Settings(_env_file=None).secret_key}))


@pytest.mark.parametrize("roles", [("bot",), ("worker", "clock"), ("bot", "worker", "webchat")])
async def test_on_sqlite_no_role_of_the_bridge_runs_apart(settings, roles):
    with pytest.raises(OneProcessOnSqlite):
        await started(settings, *roles)


async def test_a_demo_database_never_talks_to_telegram(settings, tmp_path):
    await load_demo(settings)
    wish = {"data_dir": tmp_path, "accounts": (TELEGRAM,), "secret_key": settings.secret_key}
    with pytest.raises(DemoMeetsTelegram):
        await started(Settings(_env_file=None, **wish))


async def test_a_taken_port_is_named(settings):
    await load_demo(settings)
    runner = web.AppRunner(web.Application())
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", settings.webchat_port).start()
    with pytest.raises(PortTaken, match=str(settings.webchat_port)):
        await started(settings)
    await runner.cleanup()


async def test_a_second_chat_server_on_one_file_is_refused(settings):
    elsewhere = settings.model_copy(update={"webchat_port": unused_port(), "http_port": unused_port()})
    await load_demo(settings)
    async with app.bridge(settings):
        with pytest.raises(app.WebchatTwice):
            await app.serve_webchat_alone(elsewhere)
    async with contextlib.AsyncExitStack() as stack:  # once the first has ended, another may begin
        app.hold_webchat(stack, settings.data_dir)


async def test_everything_is_ready_together_and_ends_with_no_work_left_behind(settings):
    await load_demo(settings)
    async with app.bridge(settings) as bridge:
        async with aiohttp.ClientSession() as http:
            await until_ready(http, settings.http_port)
        rooms = {"database", "delivery", "poll:webchat", "clock"}
        rest = {"schema", "accounts", "inbox", "disk", "webchat", "heartbeat"}
        assert set(bridge.health.checks) == rooms | rest
        assert await is_running(settings)
        assert (await doctor_fleet.bridge(settings)).found == "1 bot, 1 clock, 1 console, 1 webchat, 1 worker"
        assert (await doctor_fleet.ticks(settings)).found == "at most 0.0 s"
    assert not await is_running(settings)  # it says that it ends
    assert await fleet.seen(settings.database) == ([], [])
    left = asyncio.all_tasks() - {asyncio.current_task()}
    names = {getattr(task.get_coro(), "__qualname__", "") for task in left}
    assert {name for name in names if not name.startswith("RequestHandler.")} == set()  # aiohttp's own


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_a_healthy_fleet_apart_on_ports_of_its_own_is_well_by_the_doctor(settings, database_url):
    settings = settings.model_copy(update={"database_url": database_url})
    await load_demo(settings)
    async with contextlib.AsyncExitStack() as stack:
        for roles in (("webchat", "bot"), ("clock",), ("worker",), ("worker",)):
            own = settings.model_copy(update={"http_port": unused_port()})
            await stack.enter_async_context(app.bridge(own, roles))
        found = await doctor_fleet.bridge(settings)
        assert (found.ok, found.found) == (True, "1 bot, 1 clock, 1 webchat, 2 workers")
        assert await is_running(settings)
    assert not await is_running(settings)


async def until_ready(http: aiohttp.ClientSession, port: int, seconds: float = 40) -> None:
    deadline = time.monotonic() + seconds
    answer = "nothing"
    while time.monotonic() < deadline:
        try:
            async with http.get(f"http://127.0.0.1:{port}/readyz") as response:
                answer = await response.text()
                if response.status == 200:
                    return
        except aiohttp.ClientConnectionError:
            pass
        await asyncio.sleep(0.05)
    pytest.fail(f"not ready: {answer}")


class Process:
    """`tongdao run --demo` in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.http, self.webchat = unused_port(), unused_port()
        self._environment = {
            **os.environ,
            "TONGDAO_DATA_DIR": str(folder),
            "TONGDAO_HTTP_PORT": str(self.http),
            "TONGDAO_WEBCHAT_PORT": str(self.webchat),
        }

    async def start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot", "run", "--demo",
            cwd=ROOT, env=self._environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip

    async def links(self) -> list[str]:
        assert self._process.stdout is not None
        found: list[str] = []
        while len(found) < 3:
            line = (await self._process.stdout.readline()).decode().strip()
            found += [line] if "/in/" in line else []
        return found

    async def stop(self, by: signal.Signals) -> int:
        self._process.send_signal(by)
        async with asyncio.timeout(10):
            await self._process.communicate()
        assert self._process.returncode is not None
        return self._process.returncode

    def end(self) -> None:
        if self._process.returncode is None:
            self._process.kill()


@pytest.mark.slow
async def test_a_demo_answers_its_three_people_and_stops_cleanly_both_ways(tmp_path):
    process = Process(tmp_path)
    async with aiohttp.ClientSession() as http:
        for by in (signal.SIGTERM, signal.SIGINT):
            await process.start()
            try:
                async with asyncio.timeout(60):
                    links = await process.links()
                await until_ready(http, process.http)
                for link in links:
                    origin = f"http://127.0.0.1:{process.webchat}"
                    person = await Person.sign_in(http, origin, link, "tongdao_bot")
                    await person.say("/me")
                    await person.wait("宁波")
                assert await process.stop(by) == 0
            finally:
                process.end()

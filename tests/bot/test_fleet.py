"""Who runs: heartbeats of processes on any machine and port, read by the doctor and by what must not run beside them."""

import asyncio
import contextlib
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp.test_utils import unused_port
from sqlalchemy import text, update

from bot import doctor_fleet, fleet, heartbeat
from bot.doctor import is_bridge_running, is_running
from bot.heartbeat import CHECK, Heartbeat
from bot.http import Health
from bot.settings import Settings
from storage import processes
from storage.database import Database
from tests.factories import T

ELSEWHERE = "other-machine"


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def settings(database: Database, tmp_path) -> Settings:
    """Name ports on which nothing listens: those of the processes are others, as with the units."""
    url = database.url.render_as_string(hide_password=False)
    ports = {"http_port": unused_port(), "webchat_port": unused_port()}
    return Settings(_env_file=None, database_url=url, data_dir=tmp_path, **ports)


class Fleet:
    """Lets processes of this machine and of others run, each on a port of its own."""

    def __init__(self, database: Database, stack: contextlib.AsyncExitStack) -> None:
        self._database = database
        self._stack = stack

    async def run(
        self, *roles: str, host: str = "", lag: float | None = None, problem: str = "", listens: bool = True
    ) -> Heartbeat:
        health, port = Health(), unused_port()

        async def check() -> str:
            return problem

        health.checks["disk"] = check
        if listens:
            server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", port)
            self._stack.callback(server.close)
        beating = Heartbeat(
            database=self._database,
            clock=now,
            health=health,
            name=f"{roles}{port}",
            roles=roles,
            address=f"127.0.0.1:{port}",
            lag=lambda: lag,
        )
        await beating.begin()
        if host:
            async with self._database.begin() as session:
                its = T["process"].c.address == f"127.0.0.1:{port}"
                await session.execute(update(T["process"]).where(its).values(host=host))
        await beating.beat()
        return beating

    async def fall_silent(self, role: str, ago: timedelta) -> None:
        async with self._database.begin() as session:
            its = T["process"].c.roles == role
            await session.execute(update(T["process"]).where(its).values(beat_at=now() - ago))


@pytest.fixture
async def machines(database: Database):
    async with contextlib.AsyncExitStack() as stack:
        yield Fleet(database, stack)


async def test_a_healthy_fleet_apart_is_well_whatever_the_ports(machines: Fleet, settings: Settings):
    await machines.run("bot")
    await machines.run("clock", lag=0.25)
    await machines.run("console")
    await machines.run("worker")
    await machines.run("worker", host=ELSEWHERE, listens=False)
    found = await doctor_fleet.bridge(settings)
    assert (found.ok, found.remedy, found.found) == (True, "", "1 bot, 1 clock, 1 console, 2 workers")
    assert (await doctor_fleet.ticks(settings)).found == "at most 0.2 s"
    assert await is_running(settings)


async def test_a_role_that_nobody_has_is_named_with_its_command(machines: Fleet, settings: Settings):
    await machines.run("bot", "clock")
    found = await doctor_fleet.bridge(settings)
    assert (found.ok, found.found) == (False, "1 bot, 1 clock; no worker")
    assert "tongdao run --role worker" in found.remedy


async def test_a_process_that_says_nothing_more_is_seen_as_gone(machines: Fleet, settings: Settings):
    await machines.run("bot", "clock")
    await machines.run("worker", host=ELSEWHERE, listens=False)
    await machines.fall_silent("worker", timedelta(seconds=21))
    found = await doctor_fleet.bridge(settings)
    assert not found.ok
    assert f"worker on {ELSEWHERE}" in found.found
    assert "silent since" in found.found
    await machines.run("worker")  # another does its work: worth a word, and no failure
    found = await doctor_fleet.bridge(settings)
    assert found.ok
    assert "See the log" in found.remedy


async def test_one_that_was_killed_on_this_machine_is_gone_at_once(machines: Fleet, settings: Settings):
    assert not await is_bridge_running(settings)
    await machines.run("bot", "clock", "worker", listens=False)
    assert not await is_bridge_running(settings)
    found = await doctor_fleet.bridge(settings)
    assert (found.ok, found.found.startswith("not running; last heard ")) == (False, True)
    await machines.run("bot", "clock", "worker", host=ELSEWHERE, listens=False)
    assert await is_bridge_running(settings)


async def test_what_a_process_finds_wrong_is_told_wherever_it_is(machines: Fleet, settings: Settings):
    await machines.run("bot", "clock", "worker", host=ELSEWHERE, problem="12 MiB free", listens=False)
    found = await doctor_fleet.bridge(settings)
    assert not found.ok
    assert f"on {ELSEWHERE}" in found.found
    assert "disk: 12 MiB free" in found.found


async def test_who_begins_where_one_was_killed_takes_its_place_and_who_ends_leaves_none(
    database: Database, settings: Settings
):
    async def begin(name: str) -> Heartbeat:
        made = Heartbeat(
            database=database, clock=now, health=Health(), name=name, roles=("worker",),
            address="127.0.0.1:8101", lag=lambda: None,
        )  # fmt: skip
        await made.begin()
        return made

    await begin("killed")
    second = await begin("again")
    async with database.read() as session:
        assert [each.name for each in await processes.read_all(session)] == ["again"]
    await second.end()
    assert await fleet.seen(settings.database) == ([], [])


async def test_a_clock_that_is_late_is_told(machines: Fleet, settings: Settings):
    assert (await doctor_fleet.ticks(settings)).found == "no clock runs"
    await machines.run("clock", lag=2.5)
    late = await doctor_fleet.ticks(settings)
    assert (late.ok, bool(late.remedy)) == (True, True)
    await machines.run("clock", lag=45.0)
    assert not (await doctor_fleet.ticks(settings)).ok


async def test_readiness_says_when_no_heartbeat_could_be_written(machines: Fleet, monkeypatch):
    beating = await machines.run("worker")
    assert await beating.heard() == ""
    monkeypatch.setattr(heartbeat, "UNHEARD", -1.0)
    health = Health()
    health.checks[CHECK] = beating.heard
    assert "none was written" in (await health.problems())["heartbeat"]


async def test_an_older_schema_and_an_absent_database_have_nobody(
    database: Database, settings: Settings, tmp_path
):
    async with database.begin() as session:
        await session.execute(text("DROP TABLE process"))
    assert not await is_running(settings)
    nowhere = tmp_path / "nowhere.db"
    assert not await fleet.runs_on(f"sqlite+aiosqlite:///{nowhere}")
    assert not nowhere.exists()
    assert not await fleet.runs_on("postgresql+asyncpg://tongdao@127.0.0.1:1/tongdao")


async def test_a_machine_whose_clock_is_off_is_told_before_it_starves(settings: Settings, monkeypatch):
    finding = await doctor_fleet.clock(settings)
    assert (finding.ok, finding.remedy) == (True, "")
    if settings.database.startswith("sqlite"):
        return

    class Behind(datetime):
        by = timedelta(0)

        @classmethod
        def now(cls, tz=None):
            return datetime.now(tz) - cls.by

    monkeypatch.setattr(doctor_fleet, "datetime", Behind)
    for seconds, ok in ((0.15, True), (0.4, False), (-0.4, False)):
        Behind.by = timedelta(seconds=seconds)
        finding = await doctor_fleet.clock(settings)
        assert (finding.ok, "NTP" in finding.remedy) == (ok, True)
        assert ("behind" if seconds > 0 else "ahead") in finding.found

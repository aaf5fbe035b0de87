"""Watching: metrics that say what the rows say, readiness that tells the truth, and a dashboard that asks for both."""

import asyncio
import json
import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer
from sqlalchemy import delete, insert, text, update

from bot import archive, doctor, doctor_rows, figures, readiness
from bot.http import Health
from bot.meters import Meters
from bot.settings import Settings
from domain.accounts import Address
from domain.delivery import Busy, Unknown
from domain.messages import Content, Envelope
from domain.throughput import window_of
from scheduler.clock import Tick, Ticker
from storage import halts, inbox, pace
from storage.database import Database
from storage.inbox import Incoming
from tests.delivery_world import ACCOUNT, FakeChannel, T, build, run_all, settle, start

ROOT = Path(__file__).parents[2]
NAME = re.compile(r"tongdao_[a-z_]+")
SUFFIX = re.compile(r"_(bucket|count|sum)$")


async def scraped(database: Database, clock, meters: Meters | None = None) -> str:
    from prometheus_client import generate_latest

    body = await figures.read(database, clock(), clock() - timedelta(hours=5))
    return (body + (generate_latest(meters.registry) if meters else b"")).decode()


async def test_what_waits_is_told_with_its_age_and_its_pace(database: Database, clock):
    members = await settle(database, clock, 3)
    delivery = await build(database, clock, FakeChannel(), rate=20)
    await start(delivery, database, members)
    clock.forward(minutes=4)
    text_ = await scraped(database, clock)
    assert "tongdao_delivery_oldest_due_seconds 240.0" in text_
    assert 'tongdao_slices{state="due"} 1.0' in text_
    assert 'tongdao_pace_rate{account="chat1",kind="free"} 20.0' in text_
    assert 'tongdao_account_halted{account="chat1"} 0.0' in text_
    assert "tongdao_backup_age_seconds 18000.0" in text_
    async with database.begin() as session:
        later = clock() + timedelta(hours=1)
        await session.execute(update(T["slice"]).values(held_until=later))
        await session.execute(update(T["pace"]).values(held_until=later))
    text_ = await scraped(database, clock)
    assert "tongdao_delivery_oldest_due_seconds 0.0" in text_
    assert 'tongdao_slices{state="held"} 1.0' in text_
    assert 'tongdao_pace_held_seconds{account="chat1"} 3600.0' in text_


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_each_send_is_counted_by_its_outcome_and_timed(database: Database, clock):
    meters = Meters()
    channel = meters.metered(FakeChannel(lambda _: Busy(clock())), "chat")
    await channel.send(Envelope(Address(ACCOUNT, 7), Content("")), None)
    text_ = await scraped(database, clock, meters)
    assert 'tongdao_sends_total{account="chat",outcome="busy"} 1.0' in text_
    assert 'tongdao_send_seconds_count{account="chat"} 1.0' in text_


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_the_doctor_reads_in_the_rows_what_is_wrong(database: Database, clock, tmp_path, monkeypatch):
    members = await settle(database, clock, 3)
    delivery = await build(database, clock, FakeChannel(), rate=20)
    settings = Settings(database_url=database.url.render_as_string(), data_dir=tmp_path, _env_file=None)
    monkeypatch.setattr(doctor_rows, "LOOK_TWICE", 0)
    checks = (doctor_rows.updates, doctor_rows.undelivered, doctor_rows.pace, doctor_rows.backup)
    clock.now = datetime.now(UTC) - timedelta(minutes=11)
    await start(delivery, database, members)
    async with database.begin() as session:
        await inbox.keep(session, [Incoming(ACCOUNT, 1, 7, b"{}")], clock())
        await halts.halt(session, ACCOUNT, "unauthorized", clock())
        fields = {"action": "notice.sent", "subject": "notice", "subject_id": 1}
        await session.execute(insert(T["audit_entry"]).values(at=clock() - timedelta(days=3), **fields))
    bad = {each.check: each for each in [await check(settings) for check in checks]}
    assert not any(each.ok for each in bad.values())
    assert all(each.remedy for each in bad.values())
    assert bad["inbox lag"].found == bad["oldest undelivered"].found.removeprefix("due for ") == "11 min"
    assert "chat1 has stopped" in bad["pace"].found
    clock.now = datetime.now(UTC)
    async with database.begin() as session:
        await session.execute(update(T["slice"]).values(planned=2, sent=1, done=True))
        await inbox.done(session, [1], clock())
        await halts.resume(session, ACCOUNT)
        await session.execute(update(T["pace"]).values(held_until=clock() + timedelta(minutes=1)))
    (tmp_path / archive.LAST).write_text(clock().isoformat())
    good = [await check(settings) for check in checks]
    assert [(each.ok, each.remedy) for each in good] == [(True, "")] * 4
    assert [each.found for each in good[:2]] == ["nothing waits", "nothing is due"]
    assert good[2].found.startswith("chat1 20/s, held until ")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_what_began_today_needs_no_backup_yet(database: Database, clock, tmp_path):
    settings = Settings(database_url=database.url.render_as_string(), data_dir=tmp_path, _env_file=None)
    empty = await doctor_rows.backup(settings)
    assert (empty.ok, empty.found, empty.remedy) == (True, doctor_rows.NONE_YET, doctor_rows.EVERY_NIGHT)
    for age, well in ((timedelta(hours=1), True), (timedelta(days=3), False)):
        async with database.begin() as session:
            await session.execute(delete(T["audit_entry"]))
            fields = {"action": "notice.sent", "subject": "notice", "subject_id": 1}
            await session.execute(insert(T["audit_entry"]).values(at=datetime.now(UTC) - age, **fields))
        finding = await doctor_rows.backup(settings)
        assert finding.ok == well
        assert (finding.found, finding.remedy) == (doctor_rows.NONE_YET, doctor_rows.EVERY_NIGHT)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_the_doctor_looks_twice_before_it_calls_a_large_notice_stuck(
    database: Database, clock, tmp_path, monkeypatch
):
    members = await settle(database, clock, 3)
    delivery = await build(database, clock, FakeChannel())
    settings = Settings(database_url=database.url.render_as_string(), data_dir=tmp_path, _env_file=None)
    clock.now = datetime.now(UTC) - timedelta(hours=1)
    await start(delivery, database, members)

    async def goes_on(_seconds: float) -> None:
        async with database.begin() as session:
            await session.execute(update(T["slice"]).values(sent=T["slice"].c.sent + 1))

    monkeypatch.setattr(doctor_rows, "_sleep", goes_on)
    assert (await doctor_rows.undelivered(settings)).ok


async def test_the_doctor_has_a_line_for_each_figure(database: Database, clock, tmp_path):
    members = await settle(database, clock, 6)
    delivery = await build(database, clock, FakeChannel(lambda _: Unknown("lost")))
    url = database.url.render_as_string(hide_password=False)
    settings = Settings(database_url=url, data_dir=tmp_path, _env_file=None)
    clock.now = datetime.now(UTC)
    await start(delivery, database, members[:2])
    await run_all(delivery, database)
    await start(delivery, database, members)
    for kind_at in (clock() - timedelta(days=1), clock(), clock()):
        async with database.begin() as session:
            await pace.hold(session, ACCOUNT, kind_at + timedelta(seconds=1), kind_at)
    async with database.begin() as session:
        at = clock().timestamp()
        lately = {"moved_in": window_of(at), "moved": 25, "moved_before": 0, "moving_since": at - 5}
        await session.execute(
            update(T["slice"]).where(T["slice"].c.dispatch_id == 2).values(sent=1, **lately)
        )
    lines = (doctor_rows.refusals, doctor_rows.outcomes, doctor_rows.unknowns, doctor_rows.slices)
    found = {each.check: each.found for each in [await line(settings) for line in lines]}
    assert found == {
        "429s": "chat1 2 today (UTC)",
        "outcomes": "in 7 days 1 sent, 0 unreachable, 0 rejected, 0 skipped, 0 failed; 5 wait",
        "unknowns": "2 to be decided about, 2 in 7 days",
        "slices": "1 due, 0 held, 0 paused",
    }
    rate = (await doctor_rows.rate(settings)).found
    assert re.fullmatch(r"chat1 [3-5]\.\d/s", rate)


def test_the_doctor_asks_for_every_figure_that_is_to_be_watched():
    wanted = {
        "oldest undelivered", "rate", "429s", "outcomes", "unknowns", "inbox lag", "pace", "slices",
        "tick lag", "backup", "bridge", "clock",
    }  # fmt: skip
    assert wanted <= set(doctor.CHECKS)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_readiness_names_each_thing_that_is_wrong(database: Database, clock, tmp_path, monkeypatch):
    await settle(database, clock)
    await build(database, clock, FakeChannel())
    health = Health()
    health.checks.update(readiness.checks_of(database, clock, tmp_path, ["bot", "worker"]))
    async with database.begin():  # a long transaction of the writer makes nobody unready
        assert await health.problems() == {}
    async with database.begin() as session:
        await halts.halt(session, ACCOUNT, "unauthorized", clock())
        await inbox.keep(session, [Incoming(ACCOUNT, 1, 7, b"{}")], clock())
        await session.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    clock.forward(minutes=3)
    monkeypatch.setattr(readiness, "LEAST_FREE", 1 << 60)
    problems = await health.problems()
    assert set(problems) == {"schema", "accounts", "inbox", "disk"}
    assert "chat1" in problems["accounts"]
    assert set(readiness.checks_of(database, clock, tmp_path, ["clock"])) == {"database", "schema", "disk"}
    monkeypatch.setattr(readiness, "ANSWERS_WITHIN", 0.01)
    monkeypatch.setattr(database, "ping", lambda: asyncio.sleep(9))
    assert "no answer" in (await health.problems())["database"]


async def test_readiness_asks_the_chat_server_of_this_machine():
    answers = [web.Response(), web.Response(status=500)]

    async def healthz(_request: web.Request) -> web.Response:
        return answers.pop(0)

    app = web.Application()
    app.router.add_get("/healthz", healthz)
    async with ClientSession() as http:
        async with TestServer(app, host="127.0.0.1") as server:
            check = readiness.webchat_of(http, str(server.make_url("")))
            assert await check() == ""
            assert await check() == "it answers with 500"
        assert await check() == "it does not answer"


async def test_checks_that_hang_are_given_up_together_even_where_they_cannot_be_cancelled(monkeypatch):
    monkeypatch.setattr("bot.http.PATIENCE", 0.01)
    asked, done = [], asyncio.Event()

    async def hangs() -> str:
        asked.append(1)
        while not done.is_set():
            with suppress(asyncio.CancelledError):
                await done.wait()
        return "late"

    health = Health()
    health.checks |= {"database": hangs, "disk": hangs}
    for _ in range(2):
        problems = await asyncio.wait_for(health.problems(), 1)
        assert problems == dict.fromkeys(("database", "disk"), "no answer within 0 s")
    assert len(asked) == 2
    done.set()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert (await health.problems())["disk"] == "late"


async def everything(database: Database, clock) -> tuple[str, Meters]:
    """Let each meter have something to tell; return what a scrape says."""
    await settle(database, clock)
    await build(database, clock, FakeChannel())
    meters = Meters()
    channel = meters.metered(FakeChannel(), "chat")
    await channel.send(Envelope(Address(ACCOUNT, 7), Content("")), None)
    await meters.fed(lambda *_: asyncio.sleep(0))(ACCOUNT, {}, False)
    meters.recorded(3, 0.07)
    meters.worked("slice", 0.5)
    meters.transacted(0.002, True)
    ticker = Ticker([Tick("delivery", 2.0, lambda: asyncio.sleep(0))], clock)
    ticker.start()
    await ticker.stop()
    meters.watch(ticker)
    clock.forward(seconds=30)
    return await scraped(database, clock, meters), meters


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_process_tells_of_its_own_work(database: Database, clock):
    said, meters = await everything(database, clock)
    assert 'tongdao_sends_in_flight{account="chat"} 0.0' in said
    assert 'tongdao_update_seconds_count{result="done"} 1.0' in said
    assert 'tongdao_recorded_batch_size_bucket{le="2.0"} 0.0' in said
    assert 'tongdao_recorded_batch_size_bucket{le="5.0"} 1.0' in said
    assert "tongdao_recorded_delay_seconds_sum 0.07" in said
    assert 'tongdao_job_seconds_count{job="slice"} 1.0' in said
    assert 'tongdao_transaction_seconds_count{result="committed"} 1.0' in said
    assert 'tongdao_tick_lag_seconds{tick="delivery"} 28.0' in said
    assert 'tongdao_tick_failures_total{tick="delivery"} 0.0' in said

    async def fails(*_: object) -> None:
        raise LookupError

    with pytest.raises(LookupError):
        await meters.fed(fails)(ACCOUNT, {}, False)
    assert 'tongdao_update_seconds_count{result="failed"} 1.0' in await scraped(database, clock, meters)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_transactions_and_batches_are_told_to_the_meter(database: Database, clock):
    meters = Meters()
    members = await settle(database, clock, 3)
    delivery = await build(database, clock, FakeChannel())
    delivery.pipeline.recorder.meter = meters
    await start(delivery, database, members)
    database.on_end = meters.transacted
    await run_all(delivery, database)
    with suppress(LookupError):
        async with database.begin():
            raise LookupError
    said = await scraped(database, clock, meters)
    assert "tongdao_recorded_batch_size_sum 3.0" in said
    assert 'tongdao_transaction_seconds_count{result="rolled_back"} 1.0' in said
    assert 'tongdao_transaction_seconds_count{result="committed"}' in said


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_dashboard_alerts_and_manual_know_just_the_metrics_there_are(database: Database, clock):
    said, _ = await everything(database, clock)
    known = {name for line in said.splitlines() if line[0] != "#" for name in NAME.findall(line)[:1]}
    known = {SUFFIX.sub("", name) for name in known if not name.endswith("_created")}
    panels = json.loads((ROOT / "deploy/grafana/tongdao.json").read_text())["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    shown = [panel for panel in panels if panel["type"] != "row"]
    assert all(panel["description"] and panel["fieldConfig"]["defaults"]["unit"] for panel in shown)
    assert {SUFFIX.sub("", name) for name in NAME.findall(json.dumps(panels))} == known
    alerts = (ROOT / "deploy/prometheus/alerts.yml").read_text()
    assert set(NAME.findall(alerts)) <= known
    assert alerts.count("- alert:") == alerts.count("expr:") == alerts.count("summary:") > 7
    told = re.findall(r"^\| .*", (ROOT / "docs/operations.md").read_text(), re.MULTILINE)
    assert {name for row in told for name in NAME.findall(row)} == known

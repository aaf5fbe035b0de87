"""What an operator does to deliveries: list, pause, resume, cancel, retry, resolve, in this process as over the socket."""

import asyncio
import contextlib
from datetime import datetime, timedelta
from typing import Any

import pytest
from rich.console import Console
from sqlalchemy import update
from typer.testing import CliRunner

from bot import local
from bot.cli import app
from bot.commands import deliveries as commands
from bot.delivery_commands import commands_of
from bot.local import CommandRefused, here
from domain.delivery import NotSent, Sent, Unknown
from domain.throughput import window_of
from storage import dispatches
from storage.database import Database
from tests.conftest import HandClock
from tests.delivery_world import FakeChannel, T, build, run_all, settle, start


async def do(database: Database, clock: HandClock, name: str, **body: Any) -> dict[str, Any]:
    heard = [said async for said in here(commands_of(database, clock), f"deliveries.{name}", body)]
    return heard[-1]


async def test_what_a_restore_held_is_listed_resumed_and_goes_out(database: Database, clock: HandClock):
    members = await settle(database, clock, 3)
    channel = FakeChannel()
    delivery = await build(database, clock, channel)
    number = await start(delivery, database, members)
    async with database.begin() as session:
        await dispatches.pause_all(session, "restored")
    await delivery.tick()
    (listed,) = (await do(database, clock, "list"))["dispatches"]
    assert listed == {
        "id": number, "source": "notice", "state": "paused", "why": "restored",
        "planned": 3, "sent": 0, "failed": 0, "unknown": 0, "skipped": 0, "waiting": 3, "held": 0,
        "rate": 0.0, "finish": None, "estimated": False,
    }  # fmt: skip
    await do(database, clock, "resume", id=number)
    await delivery.tick()
    await run_all(delivery, database)
    await delivery.tick()
    assert len(channel.sent) == 3
    assert (await do(database, clock, "list"))["dispatches"] == []


async def test_a_single_word_to_one_person_is_not_held_by_a_restore(database: Database, clock: HandClock):
    members = await settle(database, clock, 1)
    delivery = await build(database, clock, FakeChannel())
    await start(delivery, database, members)
    async with database.begin() as session:
        await dispatches.pause_all(session, "restored")
    (listed,) = (await do(database, clock, "list"))["dispatches"]
    assert listed["state"] == "running"


async def test_what_is_cancelled_reaches_nobody_and_is_done_once(database: Database, clock: HandClock):
    members = await settle(database, clock, 3)
    channel = FakeChannel()
    delivery = await build(database, clock, channel)
    number = await start(delivery, database, members)
    await do(database, clock, "cancel", id=number)
    await run_all(delivery, database)
    assert channel.sent == []
    for name in ("cancel", "resume"):
        with pytest.raises(CommandRefused):
            await do(database, clock, name, id=number)


async def test_what_is_paused_waits_for_resume(database: Database, clock: HandClock):
    members = await settle(database, clock, 3)
    channel = FakeChannel()
    delivery = await build(database, clock, channel)
    number = await start(delivery, database, members)
    assert await do(database, clock, "pause", id=number) == {"id": number}
    with pytest.raises(CommandRefused):
        await do(database, clock, "pause", id=number)
    (listed,) = (await do(database, clock, "list"))["dispatches"]
    assert (listed["state"], listed["why"]) == ("paused", "by_hand")
    await run_all(delivery, database)
    assert channel.sent == []
    await do(database, clock, "resume", id=number)
    await run_all(delivery, database)
    assert len(channel.sent) == 3


async def test_the_failed_are_sent_again_and_nobody_else(database: Database, clock: HandClock):
    members = await settle(database, clock, 3)
    channel = FakeChannel(lambda envelope: Sent(1) if envelope.to.chat_id < 1003 else NotSent("content"))
    delivery = await build(database, clock, channel)
    number = await start(delivery, database, members)
    async with database.begin() as session:
        await session.execute(update(T["delivery"]).values(attempt=99))
    await run_all(delivery, database)
    assert (await delivery.figures(number)).failed == 1
    channel.answer = lambda envelope: Sent(1)
    assert await do(database, clock, "retry", id=number) == {"id": number, "count": 1}
    await run_all(delivery, database)
    assert channel.chats[3:] == [1003]
    for name in ("retry", "pause"):  # nobody has failed, and nothing runs
        with pytest.raises(CommandRefused):
            await do(database, clock, name, id=number)


async def test_nothing_of_what_was_ended_is_sent_again(database: Database, clock: HandClock):
    members = await settle(database, clock, 2)
    channel = FakeChannel(lambda _: NotSent("content"))
    delivery = await build(database, clock, channel)
    number = await start(delivery, database, members)
    async with database.begin() as session:
        await session.execute(update(T["delivery"]).values(attempt=99))
    await run_all(delivery, database)
    async with database.begin() as session:
        await session.execute(update(T["dispatch"]).values(state="cancelled"))
    with pytest.raises(CommandRefused):
        await do(database, clock, "retry", id=number)
    assert (await delivery.figures(number)).failed == 2


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("words", "asked", "said"),
    [
        (("pause", "7"), ("deliveries.pause", {"id": 7}), "7 is paused"),
        (("retry", "7"), ("deliveries.retry", {"id": 7}), "7 is sent again to 3"),
    ],
)
async def test_the_command_line_asks_the_bridge_that_runs(
    database: Database, clock: HandClock, tmp_path, monkeypatch, words, asked, said
):
    heard: list[tuple[str, dict[str, Any]]] = []

    def answers(name: str):
        async def answer(body: dict[str, Any]):
            heard.append((name, body))
            yield {"id": body["id"], "count": 3}

        return answer

    monkeypatch.setenv("TONGDAO_DATA_DIR", str(tmp_path))
    async with contextlib.AsyncExitStack() as stack:
        commands_here = {name: answers(name) for name in commands_of(database, clock)}
        await local.serve(stack, local.path_of(tmp_path), commands_here)
        done = await asyncio.to_thread(CliRunner().invoke, app, ["deliveries", *words])
    assert done.exit_code == 0, done.output
    assert heard == [asked]
    assert said in done.output


async def test_an_operator_decides_about_those_who_perhaps_received_it(database: Database, clock: HandClock):
    members = await settle(database, clock, 3)
    channel = FakeChannel(lambda envelope: Unknown("502"))
    delivery = await build(database, clock, channel)
    number = await start(delivery, database, members)
    await run_all(delivery, database)
    assert (await do(database, clock, "list"))["doubtful"] == [
        {"id": number, "source": "notice", "parked": 3}
    ]
    assert await do(database, clock, "resolve", id=number, again=True) == {"id": number, "count": 3}
    channel.answer = lambda envelope: Sent(1) if envelope.to.chat_id < 1003 else Unknown("502")
    await run_all(delivery, database)
    assert await do(database, clock, "resolve", id=number, again=False) == {"id": number, "count": 1}
    assert (await do(database, clock, "list"))["doubtful"] == []
    with pytest.raises(CommandRefused):
        await do(database, clock, "resolve", id=number, again=True)
    assert len(channel.sent) == 6


async def test_what_is_on_its_way_is_told_with_its_figures_in_a_line_each(
    database: Database, clock: HandClock, monkeypatch, capsys
):
    members = await settle(database, clock, 40)
    delivery = await build(database, clock, FakeChannel(), rate=20)
    number = await start(delivery, database, members)
    async with database.begin() as session:
        await session.execute(update(T["slice"]).values(sent=20, failed=1, unreachable=2, unknown=3))
        at = clock().timestamp()
        lately = {"moved_in": window_of(at), "moved": 70, "moved_before": 130, "moving_since": at - 60}
        await session.execute(update(T["slice"]).values(lately))
    said = await do(database, clock, "list")
    (listed,) = said["dispatches"]
    assert (listed["sent"], listed["failed"], listed["unknown"], listed["waiting"]) == (20, 3, 3, 14)
    assert listed["rate"] == 20.0
    assert datetime.fromisoformat(listed["finish"]) == clock() + timedelta(seconds=14 / 20)
    monkeypatch.setattr(commands, "_do", lambda name, body: said)
    monkeypatch.setattr(commands, "console", Console(width=80))
    commands.list_()
    heading, line = [each.split() for each in capsys.readouterr().out.splitlines()]  # none is wrapped
    assert heading[3:9] == ["Planned", "Sent", "Failed", "Unknown", "Waiting", "Held"]
    assert line[:3] == [str(number), "notice", "running"]
    assert line[3:10] == ["40", "20", "3", "3", "14", "0", "20/s"]
    monkeypatch.setitem(listed, "why", "account_dead")
    monkeypatch.setitem(listed, "estimated", True)
    listed |= dict.fromkeys(commands.FIGURES, 1_000_000)
    commands.list_()
    large = capsys.readouterr().out
    assert large.count("1,000,000") == len(commands.FIGURES)
    assert f"~{datetime.fromisoformat(listed['finish']).astimezone():%m-%d %H:%M}" in large
    assert max(map(len, large.splitlines())) <= commands.WIDTH

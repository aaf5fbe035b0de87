"""Every way a server can fail, made by our own web chat over real HTTP, ends where TELEGRAM.md says: both clients."""

import asyncio
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import unused_port
from sqlalchemy import select

from bot.channels.aiogram_sender import AiogramChannel
from bot.channels.telegram import TelegramChannel
from domain.accounts import Address
from domain.delivery import (
    Busy,
    DispatchState,
    Moved,
    NotSent,
    Outcome,
    Sent,
    Unknown,
    UnknownPolicy,
    Unreachable,
)
from domain.messages import Content, Envelope
from storage import halts, pace
from tests.delivery_world import ACCOUNT, T, build, run_all, settle, start, states
from tests.webchat_client import Person
from tests.webchat_server import RunningWebchat, running_webchat

WAIT = timedelta(minutes=3)
"""Longer than any wait for another try."""
MOVED_TO = -1_000_777


@dataclass(frozen=True)
class Case:
    """A fault met once: the outcome, and under *park* what the delivery is at once, in the end, and how often seen."""

    name: str
    fault: str
    outcome: type[Outcome]
    at_once: tuple[str, str]
    in_the_end: str
    seen: int
    more: dict[str, Any] = field(default_factory=dict)


def unknown(name: str, reason: str, fault: str, seen: int, **more: Any) -> Case:
    return Case(name, fault, Unknown, ("unknown", reason), "unknown", seen, more)


CASES = [
    Case("late", "latency", Sent, ("sent", ""), "sent", 1, {"mean": 0.1, "spread": 0.05}),
    unknown("500", "500", "error", 0),
    unknown("500 after acting", "500", "error", 1, acted=True),
    unknown("a proxy's page", "502", "page", 0, status=502),
    unknown("a proxy's page after acting", "504", "page", 1, status=504, acted=True),
    unknown("reset", "ClientOSError", "reset", 0),
    unknown("reset after acting", "ClientOSError", "reset", 1, acted=True),
    unknown("ended", "ServerDisconnectedError", "reset", 0, gently=True),
    unknown("ended after acting", "ServerDisconnectedError", "reset", 1, gently=True, acted=True),
    unknown("half a reply", "ClientPayloadError", "half", 1),
    unknown("half a refusal", "ClientPayloadError", "half", 0, acted=False),
    unknown("stall", "TimeoutError", "stall", 0, seconds=1.4),
    unknown("stall after acting", "TimeoutError", "stall", 1, seconds=1.4, acted=True),
    Case("429", "flood", Busy, ("waiting", "busy"), "sent", 1, {"retry_after": 7}),
    Case("blocked", "blocked", Unreachable, ("unreachable", "blocked"), "unreachable", 0),
    Case("deactivated", "deactivated", Unreachable, ("unreachable", "deactivated"), "unreachable", 0),
    Case("moved", "moved", Moved, ("waiting", "moved"), "sent", 1, {"to": MOVED_TO, "times": None}),
    Case("token refused", "unauthorized", NotSent, ("waiting", "unauthorized"), "sent", 1),
]
QUICK = [case for case in CASES if case.fault != "stall"]


@dataclass
class Stage:
    """A server that can fail, members who started its bot there, and the channel to them."""

    town: RunningWebchat
    channel: Any
    clock: Any
    impatient: Any = None
    """A channel that waits for an answer for a second only: whoever stalls longer has lost it."""

    async def people(self, count: int) -> list[int]:
        """Make people known whose chats are those of `settle`; returns their chats."""
        rows = [{"id": 1000 + n, "name": f"成员{n}", "bot": "tongdao_bot"} for n in range(1, count + 1)]
        return await self.town.operator.put_people(rows)

    async def fault(self, case: Case, chat: int) -> int:
        return await self.town.operator.fault(case.fault, chat_id=chat, **{"times": 1, **case.more})

    async def send(self, chat: int, text: str = "大家好") -> Outcome:
        return await self.channel.send(Envelope(Address(ACCOUNT, chat), Content(text)), None)

    async def signed_in(self, chat: int) -> Person:
        url = await self.town.operator.sign_in_link(chat)
        return await Person.sign_in(self.town.http, self.town.origin, url, "tongdao_bot")

    async def seen(self, chat: int) -> list[str]:
        messages = await (await self.signed_in(chat)).messages()
        return [message["text"] for message in messages if not message["outgoing"]]

    async def met(self) -> list[int]:
        return [rule["met"] for rule in await self.town.operator.faults()]


@pytest.fixture(
    params=[
        pytest.param(TelegramChannel, id="ptb"),
        pytest.param(
            AiogramChannel, id="aiogram", marks=pytest.mark.slow
        ),  # `tests/bot/test_channels.py` has both
    ]
)
def client(request):
    return request.param


@pytest.fixture
async def stage(client, tmp_path, clock) -> AsyncIterator[Stage]:
    async with running_webchat(tmp_path / "webchat", faults=True) as town:
        token = await town.new_bot()
        channel = build_channel(client, token, town.origin, clock, tmp_path)
        impatient = build_channel(client, token, town.origin, clock, tmp_path, timeout=1.0)
        yield Stage(town, channel, clock, impatient)
        await channel.close()
        await impatient.close()


def build_channel(client, token: str, origin: str, clock, folder: Path, timeout: float = 10.0):
    return client(token=token, base_url=origin, clock=clock, media_path=folder.joinpath, timeout=timeout)


async def test_a_fault_ends_as_its_outcome_and_is_met_once(stage):
    await meet(stage, QUICK)


@pytest.mark.slow
async def test_a_stall_loses_the_answer_and_is_met_once(stage):
    stage.channel, stage.impatient = stage.impatient, stage.channel
    await meet(stage, [case for case in CASES if case.fault == "stall"])


async def meet(stage: Stage, cases: list[Case]) -> None:
    """Let each case's fault be met by one request on a kept connection."""
    chats = await stage.people(len(cases))
    found = {}
    for chat, case in zip(chats, cases, strict=True):
        assert isinstance(
            await stage.send(chat, "先来一条"), Sent
        )  # so that the fault meets a kept connection
        await stage.fault(case, chat)
        outcome = await stage.send(chat)
        seen = (await stage.seen(chat_id_after(case, chat))).count("大家好")
        found[case.name] = (type(outcome), getattr(outcome, "reason", case.at_once[1]), seen)
        if isinstance(outcome, Busy):
            assert outcome.retry_at == stage.clock() + timedelta(seconds=7)
        if isinstance(outcome, Moved):
            assert outcome.chat_id == MOVED_TO
    assert found == {
        case.name: (case.outcome, case.at_once[1], case.seen if case.at_once[0] == case.in_the_end else 0)
        for case in cases
    }
    assert await stage.met() == [1] * len(cases)  # no client sends again by itself


def chat_id_after(case: Case, chat: int) -> int:
    return MOVED_TO if case.fault == "moved" else chat


@pytest.mark.slow_on_postgresql
async def test_every_recipient_ends_where_they_should_and_nobody_is_sent_twice(stage, database, clock):
    cases = dict(enumerate([case for case in QUICK if case.fault not in ("flood", "unauthorized")], 1))
    members = await settle(database, clock, len(cases) + 3)
    chats = await stage.people(len(members))
    for number, case in cases.items():
        await stage.fault(case, chats[number - 1])
    delivery = await build(database, clock, stage.channel)
    dispatch = await start(delivery, database, members)
    await run_all(delivery, database)
    found = await states(database, dispatch)
    well = {n: ("sent", "") for n in members if n not in cases}
    assert found == well | {number: case.at_once for number, case in cases.items()}
    clock.forward(seconds=WAIT.total_seconds())
    await run_all(delivery, database)
    found = await states(database, dispatch)
    assert {n: state for n, (state, _) in found.items()} == dict.fromkeys(well, "sent") | {
        number: case.in_the_end for number, case in cases.items()
    }
    seen = {
        number: len(await stage.seen(chat_id_after(case, chats[number - 1])))
        for number, case in cases.items()
    }
    assert seen == {number: case.seen for number, case in cases.items()}
    figures = await delivery.figures(dispatch)
    assert figures.state is DispatchState.DONE
    assert figures.sent + figures.unknown + figures.unreachable == figures.planned == len(members)
    links = await links_of(database)
    assert {n: links[n] for n, case in cases.items() if case.outcome in (Unreachable, Moved)} == {
        n: ("active", MOVED_TO) if case.outcome is Moved else ("blocked", chats[n - 1])
        for n, case in cases.items()
        if case.outcome in (Unreachable, Moved)
    }


@pytest.mark.slow_on_postgresql
async def test_under_resend_what_was_perhaps_sent_comes_again(stage, database, clock):
    cases = [case for case in QUICK if case.outcome is Unknown]
    members = await settle(database, clock, len(cases))
    chats = await stage.people(len(members))
    for chat, case in zip(chats, cases, strict=True):
        await stage.fault(case, chat)
    delivery = await build(database, clock, stage.channel)
    dispatch = await start(delivery, database, members, unknown_policy=UnknownPolicy.RESEND)
    await run_all(delivery, database)
    assert {state for state, _ in (await states(database, dispatch)).values()} == {"waiting"}
    clock.forward(seconds=WAIT.total_seconds())
    await run_all(delivery, database)
    assert (await delivery.figures(dispatch)).sent == len(members)
    assert [len(await stage.seen(chat)) for chat in chats] == [case.seen + 1 for case in cases]


@pytest.mark.slow_on_postgresql
async def test_a_429_halves_the_pace_and_holds_every_worker(stage, database, clock):
    members = await settle(database, clock, 30)
    await stage.people(len(members))
    await stage.town.operator.fault("flood", retry_after=20, times=1)
    delivery = await build(database, clock, stage.channel, rate=50.0)
    other = await build(database, clock, stage.channel, rate=50.0)
    dispatch = await start(delivery, database, members)
    await run_all(delivery, database)
    async with database.read() as session:
        held = await pace.read(session, ACCOUNT)
    assert held.rate == pytest.approx(25.0, abs=1)
    assert held.held_until == pytest.approx(clock().timestamp() + 20, abs=2)
    sent = (await delivery.figures(dispatch)).sent
    assert sent < len(members)
    assert (await other.run_slice(1, 1)).again_in == pytest.approx(20, abs=2)
    assert (await delivery.figures(dispatch)).sent == sent
    clock.forward(seconds=21)
    await run_all(other, database)
    assert (await delivery.figures(dispatch)).sent == len(members)
    assert [await stage.seen(1000 + n) for n in members[:3]] == [["zh_CN 7"]] * 3
    assert await stage.met() == [1]


@pytest.mark.slow_on_postgresql
async def test_while_the_token_is_refused_nobody_is_given_up(stage, database, clock):
    members = await settle(database, clock, 3)
    chats = await stage.people(3)
    rule = await stage.town.operator.fault("unauthorized")
    delivery = await build(database, clock, stage.channel)
    dispatch = await start(delivery, database, members)
    for _ in range(10):
        await run_all(delivery, database)
        clock.forward(seconds=WAIT.total_seconds())
    async with database.read() as session:
        assert [(one.account_id, one.reason) for one in await halts.read_all(session)] == [
            (ACCOUNT, "unauthorized")
        ]
    assert {state for state, _ in (await states(database, dispatch)).values()} == {"waiting"}
    await stage.town.operator.heal(rule)
    async with database.begin() as session:
        await halts.resume(session, ACCOUNT)
    await run_all(delivery, database)
    assert (await delivery.figures(dispatch)).sent == 3
    assert [len(await stage.seen(chat)) for chat in chats] == [1, 1, 1]


@pytest.mark.slow_on_postgresql
async def test_a_connection_refused_is_tried_again_and_sent_once(client, database, clock, tmp_path):
    """The server is away, and comes back on its port."""
    port = unused_port()
    origin = f"http://127.0.0.1:{port}"
    async with running_webchat(tmp_path / "webchat") as town:
        token = await town.new_bot()
    channel = build_channel(client, token, origin, clock, tmp_path)
    members = await settle(database, clock, 2)
    delivery = await build(database, clock, channel)
    dispatch = await start(delivery, database, members)
    await run_all(delivery, database)
    assert set((await states(database, dispatch)).values()) == {("waiting", "ClientConnectorError")}
    clock.forward(seconds=WAIT.total_seconds())
    async with running_webchat(tmp_path / "webchat", port=port) as town:
        stage = Stage(town, channel, clock)
        chats = await stage.people(2)
        await run_all(delivery, database)
        assert [await stage.seen(chat) for chat in chats] == [["zh_CN 7"]] * 2
    assert (await delivery.figures(dispatch)).sent == 2
    await channel.close()


async def links_of(database) -> dict[int, tuple[str, int]]:
    link = T["account_link"]
    async with database.read() as session:
        rows = (await session.execute(select(link.c.member_id, link.c.state, link.c.chat_id))).all()
    return {row.member_id: (row.state, row.chat_id) for row in rows}


async def test_many_at_once_meet_their_own_faults_only(stage):
    chats = await stage.people(20)
    for chat in chats[::2]:
        await stage.town.operator.fault("reset", chat_id=chat)
    outcomes = await asyncio.gather(*(stage.send(chat) for chat in chats))
    assert [type(outcome) for outcome in outcomes] == [Unknown, Sent] * 10


@pytest.mark.slow
async def test_whatever_befalls_them_nobody_is_lost_and_nobody_doubled(stage, database, clock):
    """Half of all requests meet some fault, for as long as it takes; then the server heals."""
    random.seed(4)
    members = await settle(database, clock, 150)
    chats = await stage.people(len(members))
    for case in CASES:
        if case.fault not in ("blocked", "deactivated", "moved", "unauthorized"):
            await stage.town.operator.fault(case.fault, **{"share": 0.06, **case.more})
    delivery = await build(database, clock, stage.impatient)
    dispatch = await start(delivery, database, members)
    for _ in range(6):
        await run_all(delivery, database)
        clock.forward(seconds=WAIT.total_seconds())
    await stage.town.operator.heal()
    await run_all(delivery, database)
    found = {n: state for n, (state, _) in (await states(database, dispatch)).items()}
    seen = {n: len(await stage.seen(chat)) for n, chat in zip(members, chats, strict=True)}
    assert set(found.values()) == {"sent", "unknown"}
    assert list(found.values()).count("unknown") > len(members) / 5
    assert all(seen[n] == 1 for n in members if found[n] == "sent")
    assert all(seen[n] in (0, 1) for n in members)
    figures = await delivery.figures(dispatch)
    assert (figures.state, figures.sent + figures.unknown) == (DispatchState.DONE, len(members))

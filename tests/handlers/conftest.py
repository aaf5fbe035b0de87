"""Fixtures of chat tests: a toolbox, and a world to chat in."""

import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from aiogram import Bot
from aiogram.fsm.storage.memory import MemoryStorage

from bot import dispatching
from handlers.features import ROUTERS
from services.alerts import Alerts
from services.approvals import Approvals
from services.audit import Audit
from services.digests import Digests
from services.dissolutions import Dissolutions
from services.expiry import Expiry
from services.invitations import Invitations
from services.members import Members
from services.organisations import Organisations
from services.people import People
from services.sign_ins import SignIns
from services.topics import Topics
from storage.database import Database
from storage.deliveries import Rules
from storage.sealing import Sealer
from tests.conftest import HandClock
from tests.fakes import Chat, RecordingDelivery, RecordingSession, World
from tests.notice_world import Bridge, bridge
from tests.town import Town, build


@pytest.fixture
def database_url(sqlite_template: Path, tmp_path: Path) -> str:
    """Yield SQLite only: what a screen says is the same on both, and services are tested on both."""
    path = tmp_path / "tongdao.db"
    shutil.copy(sqlite_template, path)
    return f"sqlite+aiosqlite:///{path}"


@pytest.fixture
def sealer() -> Sealer:
    return Sealer({"test": bytes(range(32))}, "test")


@pytest.fixture
def toolbox(database: Database, clock: HandClock, sealer: Sealer) -> Any:
    """Yield the services that a chat needs; a test may set more of them."""
    audit = Audit(database=database, clock=clock, sealer=sealer)
    delivery = RecordingDelivery()
    alerts: Any = Alerts(clock=clock, delivery=delivery)
    approvals = Approvals(database=database, clock=clock, audit=audit, alerts=alerts)
    return SimpleNamespace(
        organisations=Organisations(database=database, clock=clock, audit=audit),
        topics=Topics(database=database, audit=audit),
        approvals=approvals,
        audit=audit,
        people=People(database=database),
        members=Members(database=database, clock=clock, audit=audit),
        invitations=Invitations(
            database=database, clock=clock, audit=audit, sealer=sealer, approvals=approvals
        ),
        delivery=delivery,
        digests=Digests(database=database, clock=clock, audit=audit, delivery=delivery, rules=Rules()),
        dissolutions=Dissolutions(database=database, clock=clock, audit=audit, delivery=delivery),
        sign_ins=SignIns(database=database, clock=clock, audit=audit, public_url="https://bridge.test"),
        expiry=Expiry(database=database, clock=clock, audit=audit, delivery=delivery),
    )


@pytest.fixture
async def town(database: Database, sealer: Sealer) -> Town:
    return await build(database, sealer)


@pytest.fixture
def world(town: Town, toolbox: Any, clock: HandClock) -> World:
    """Yield the web chat's account, with the real features in front of the real services."""
    return _world(town.account_id, toolbox, clock)


@pytest.fixture
def telegram(town: Town, toolbox: Any, clock: HandClock) -> World:
    """Yield the account of a messenger that verifies phone numbers."""
    return _world(town.telegram_id, toolbox, clock)


def _world(account_id: int, toolbox: Any, clock: HandClock) -> World:
    for router in ROUTERS:
        router._parent_router = None  # a router has one parent for life; each test builds a dispatcher anew
    session = RecordingSession()
    dispatcher = dispatching.build(toolbox, clock, MemoryStorage())
    return World(Bot("99:" + "x" * 35, session=session), session, dispatcher, account_id)


@pytest.fixture
async def delivering(town: Town, toolbox: Any, sealer: Sealer, clock: HandClock, tmp_path: Path) -> Bridge:
    """Yield the town's notices, set into the toolbox that the chat uses."""
    made = await bridge(town, sealer, clock, tmp_path)
    toolbox.notices, toolbox.audiences, toolbox.delivery = made.notices, made.audiences, made.delivery
    toolbox.repeats = made.repeats
    return made


@pytest.fixture
async def county(delivering: Bridge, world: World, town: Town) -> Chat:
    """Yield the chat of the county's secretary; three people of the northern branch have one too."""
    await town.link("county_secretary", 200)
    for number, name in enumerate(("wang", "zhang", "branch_secretary"), start=1):
        await town.link(name, number)
    return world.chat(200)

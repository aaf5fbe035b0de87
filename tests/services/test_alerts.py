"""Alerts about joining: to the nearest who can act, once."""

from typing import Any

import pytest

from services.alerts import LINK_WAITING, Alerts
from storage.database import Database
from storage.sealing import Sealer
from storage.tables import DispatchRow
from tests.conftest import HandClock
from tests.fakes import RecordingDelivery
from tests.town import Town, build


@pytest.fixture
async def town(database: Database) -> Town:
    return await build(database, Sealer({"test": bytes(32)}, "test"))


@pytest.fixture
def delivery() -> Any:
    return RecordingDelivery()


@pytest.fixture
def alerts(clock: HandClock, delivery: Any) -> Alerts:
    return Alerts(clock=clock, delivery=delivery)


@pytest.mark.parametrize(
    ("node", "told"),
    [
        ("north", ["branch_secretary"]),
        ("market", ["worker"]),
        ("haishu", ["county_secretary"]),
        ("jiangbei", None),
    ],
)
async def test_the_nearest_who_can_act_is_told(
    town: Town, alerts: Alerts, delivery: Any, node: str, told: list[str] | None
):
    async with town.database.begin() as session:
        await alerts.link_waiting(session, 1, town.members["wang"], town.paths[node])
    expected = [] if told is None else [(LINK_WAITING, [town.members[name] for name in told])]
    assert delivery.told == expected


async def test_nobody_is_told_twice(town: Town, alerts: Alerts, delivery: Any, clock: HandClock):
    async with town.database.begin() as session:
        session.add(DispatchRow(source=LINK_WAITING, source_id=1, created_at=clock()))
        await session.flush()
        await alerts.link_waiting(session, 1, town.members["wang"], town.paths["north"])
        await alerts.link_waiting(session, 2, town.members["wang"], town.paths["north"])
    assert len(delivery.told) == 1

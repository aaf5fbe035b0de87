"""The demo's service days: a past, a next one that waits, and nothing that breaks into a demonstration."""

from datetime import UTC, date, datetime

import pytest

from domain.clock import day_of
from domain.service_days import DayState
from services import demo_data
from services.audit import Audit
from services.holidays import Holidays
from services.service_days import ServiceDays
from storage import grants
from storage.database import Database
from storage.sealing import Sealer
from tests.delivery_world import FakeChannel, build, run_all

SEALER = Sealer({"test": bytes(32)}, "test")
ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@ON_SQLITE
@pytest.mark.parametrize("today", [date(2026, 11, 23), date(2026, 3, 8), date(2026, 12, 25)])
async def test_a_demo_has_a_past_and_a_next_day_and_pushes_nothing(database: Database, clock, today: date):
    clock.now = datetime.combine(today, datetime.min.time(), UTC)
    people = await demo_data.load(database, scale=2000, clock=clock, sealer=SEALER)
    channel = FakeChannel()
    delivery = await build(database, clock, channel)
    audit = Audit(database=database, clock=clock, sealer=SEALER)
    holidays = Holidays(database=database, clock=clock, audit=audit)
    service = ServiceDays(database=database, clock=clock, audit=audit, delivery=delivery, holidays=holidays)
    await service.tick()
    await run_all(delivery, database)
    assert channel.sent == []
    async with database.read() as session:
        member = await grants.actor_of_member(session, people.member.member_id, day_of(clock()))
        secretary = await grants.actor_of_member(session, people.city_secretary.member_id, day_of(clock()))
    assert member is not None
    assert secretary is not None
    shown = await service.outlook(member)
    assert len(shown.entries) == 3
    assert shown.entries[0].day.state.open
    assert shown.entries[0].text
    _, days = await service.desk.year(secretary, shown.deciding.id, today.year)
    assert {day.state for day in days if day.id and day.date < today} <= {DayState.CONFIRMED}

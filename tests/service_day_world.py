"""The town with service days: every service real but the channel, a city secretary, and the topic of volunteering."""

from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select

from domain.permissions import Actor
from domain.service_days import ServiceDay
from services.audit import Audit
from services.delivery import Delivery
from services.holidays import Holidays
from services.service_day_clock import Timing
from services.service_days import ServiceDays
from storage import organisations
from storage.database import Database
from storage.deliveries import Rules
from storage.sealing import Sealer
from storage.tables import metadata
from tests.delivery_world import FakeChannel, build, run_all
from tests.factories import make_grant, make_subscription, make_topic
from tests.town import Town

T = metadata.tables
CHATS = {"wang": 1, "zhang": 2, "zhao": 3, "sun": 4, "county_secretary": 5, "branch_secretary": 6}
CITY_SECRETARY = "county_secretary"
SUBSCRIBED = ("wang", "zhang", "sun")


def at(day: date, hour: int = 9, minute: int = 0, zone: str = "Asia/Shanghai") -> datetime:
    """Return a local time as UTC."""
    return datetime.combine(day, time(hour, minute), ZoneInfo(zone)).astimezone(UTC)


class ServiceWorld:
    """Service days of a town, and the channel they go out by."""

    def __init__(
        self,
        town: Town,
        clock: Any,
        service: ServiceDays,
        delivery: Delivery,
        holidays: Holidays,
        channel: FakeChannel,
    ) -> None:
        self.town = town
        self.clock = clock
        self.service = service
        self.delivery = delivery
        self.holidays = holidays
        self.channel = channel

    @property
    def database(self) -> Database:
        return self.town.database

    @property
    def city(self) -> int:
        return self.town.nodes["city"]

    async def secretary(self) -> Actor:
        return await self.town.actor(CITY_SECRETARY)

    async def day(self, month: date, organisation: str = "city") -> ServiceDay:
        """Return a month's day."""
        async with self.database.read() as session:
            deciding = await organisations.get(session, self.town.nodes[organisation])
        assert deciding is not None
        return next(day for day in await self.service._book.days(deciding, month) if day.month == month)

    def another(self) -> ServiceDays:
        """Return the service as another process has it, over the same database."""
        holidays = Holidays(database=self.database, clock=self.clock, audit=self.holidays._audit)
        return ServiceDays(
            database=self.database,
            clock=self.clock,
            audit=self.holidays._audit,
            delivery=self.delivery,
            holidays=holidays,
        )

    async def tick(self) -> None:
        """Let the clock look once, and everything that is due go out."""
        await self.service.tick()
        await run_all(self.delivery, self.database)
        await self.delivery.tick()

    async def confirm(self, month: date) -> ServiceDay:
        day = await self.day(month)
        return await self.service.desk.confirm(await self.secretary(), self.city, day.id, day.date)

    def go_to(self, day: date, hour: int = 9, minute: int = 0) -> None:
        self.clock.now = at(day, hour, minute)

    def told(self) -> list[tuple[int, str]]:
        """Return what went out since the last look: chat and first line."""
        found = [(each.to.chat_id, each.content.text.split("\n")[0]) for each in self.channel.sent]
        self.channel.sent.clear()
        return sorted(found)

    async def steps(self) -> list[Any]:
        """Return what was done, as rows."""
        async with self.database.read() as session:
            found = select(T["service_step"]).order_by(T["service_step"].c.id)
            return list((await session.execute(found)).all())


async def world(
    town: Town, sealer: Sealer, clock: Any, timing: Timing | None = None, rules: Rules | None = None
) -> ServiceWorld:
    """Build the services; six people have chats, three of them subscribe to volunteering."""
    database = town.database
    for name, chat_id in CHATS.items():
        await town.link(name, chat_id)
    topic = await make_topic(database, "service", name="志愿服务", name_en="Volunteering")
    for name in SUBSCRIBED:
        await make_subscription(database, member=town.members[name], topic=topic)
    await make_grant(database, member=town.members[CITY_SECRETARY], organisation=town.nodes["city"])
    channel = FakeChannel()
    delivery = await build(database, clock, channel, rules=rules or Rules())
    audit = Audit(database=database, clock=clock, sealer=sealer)
    holidays = Holidays(database=database, clock=clock, audit=audit)
    service = ServiceDays(
        database=database,
        clock=clock,
        audit=audit,
        delivery=delivery,
        holidays=holidays,
        timing=timing,
        public_url="https://bridge.test",
    )
    return ServiceWorld(town, clock, service, delivery, holidays, channel)

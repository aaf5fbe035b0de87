"""Service days: what a member sees and chooses; `desk` is the secretary's side, `addresses` the web calendar's."""

from dataclasses import dataclass

from domain.clock import Clock
from domain.messages import Content
from domain.organisations import Organisation
from domain.permissions import Actor
from domain.refusals import NotFound
from domain.service_days import SHOWN
from domain.service_steps import LEADS
from services.audit import Audit
from services.calendar_addresses import CalendarAddresses
from services.delivery import Delivery
from services.holidays import Holidays
from services.service_day_book import Entry, ServiceDayBook
from services.service_day_clock import ServiceDayClock, Timing
from services.service_day_content import render
from services.service_day_desk import ServiceDayDesk
from services.service_day_ics import build
from storage import organisations, service_days, service_leads, service_steps, topics
from storage.database import Database, Session


@dataclass(frozen=True, slots=True)
class Reminders:
    """When a member is reminded; `chosen` says that they have said so themselves."""

    leads: tuple[int, ...]
    chosen: bool


@dataclass(frozen=True, slots=True)
class Outlook:
    """The next service days as a member sees them."""

    deciding: Organisation
    entries: tuple[Entry, ...]
    reminders: Reminders
    may_keep: bool
    has_addresses: bool


class ServiceDays:
    """Shows members the coming days and takes their choice of reminders."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        audit: Audit,
        delivery: Delivery,
        holidays: Holidays,
        timing: Timing | None = None,
        public_url: str = "",
    ) -> None:
        self._database = database
        self._timing = timing or Timing()
        self._book = ServiceDayBook(database=database, clock=clock, holidays=holidays)
        self.desk = ServiceDayDesk(
            database=database, clock=clock, audit=audit, delivery=delivery, book=self._book
        )
        self.addresses = CalendarAddresses(
            database=database, clock=clock, audit=audit, book=self._book, public_url=public_url
        )
        self.clock = ServiceDayClock(
            database=database, clock=clock, delivery=delivery, book=self._book, timing=self._timing
        )
        for source in set(service_steps.SOURCES.values()):
            delivery.sources[source] = self.content

    async def tick(self) -> None:
        """Do what is due; the clock calls it."""
        await self.clock.tick()

    async def outlook(self, actor: Actor) -> Outlook:
        """Return the next three days, and the reminders the actor gets."""
        async with self._database.read() as session:
            deciding = await self._book.decider_of(session, actor.home_path)
        days = await self._book.upcoming(deciding)
        return Outlook(
            deciding=deciding,
            entries=tuple(await self._book.entries(days[:SHOWN], actor.home_path)),
            reminders=await self.reminders(actor),
            may_keep=self.desk.may(actor),
            has_addresses=self.addresses.offered,
        )

    async def reminders(self, actor: Actor) -> Reminders:
        async with self._database.read() as session:
            return await self._reminders(session, actor.member_id)

    async def remind(self, actor: Actor, lead: int, *, wanted: bool) -> Reminders:
        """Add or drop one lead time; said outright, so that a tap that comes twice changes nothing."""
        if lead not in LEADS:
            raise NotFound
        async with self._database.begin() as session:
            before = set((await self._reminders(session, actor.member_id)).leads)
            after = before | {lead} if wanted else before - {lead}
            await service_leads.choose(session, actor.member_id, after)
            return await self._reminders(session, actor.member_id)

    async def stop_reminders(self, actor: Actor) -> None:
        """Send no reminders any more; announcements still come with the topic."""
        async with self._database.begin() as session:
            await service_leads.choose(session, actor.member_id, ())

    async def calendar_file(self, actor: Actor, language: str, day_id: int = 0) -> bytes:
        """Return one coming day, or the next three, as an iCalendar file."""
        shown = (await self.outlook(actor)).entries
        wanted = [entry for entry in shown if day_id in {0, entry.day.id}]
        if not wanted:
            raise NotFound
        return build([(entry.day, entry.text) for entry in wanted], language)

    async def content(self, step_id: int, language: str) -> Content:
        """Make what goes out for a step in a language; the delivery asks once for each."""
        async with self._database.read() as session:
            done = await service_steps.step(session, step_id)
            day = await service_days.get(session, done.service_day_id) if done else None
            if done is None or day is None:
                raise NotFound
            found = await organisations.of_ids(session, [day.organisation_id, done.organisation_id])
        [entry] = await self._book.entries([day], found[done.organisation_id].path)
        return render(done, entry, found[day.organisation_id], language)

    async def _reminders(self, session: Session, member_id: int) -> Reminders:
        chosen = await service_leads.chosen(session, member_id)
        if chosen is not None:
            return Reminders(tuple(sorted(chosen, reverse=True)), chosen=True)
        topic_id = await service_steps.service_topic(session)
        subscribed = topic_id is None or topic_id in await topics.subscribed(session, member_id)
        leads = sorted(self._timing.leads, reverse=True) if subscribed else ()
        return Reminders(tuple(leads), chosen=False)

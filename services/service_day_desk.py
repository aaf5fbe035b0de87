"""The desk of who decides on service days: the year, confirming, moving, cancelling, activities, the rule."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from domain import spoken_times
from domain.clock import Clock, day_of
from domain.holidays import DayKind
from domain.organisations import HolidayPolicy, Organisation
from domain.permissions import Action, Actor
from domain.refusals import NotFound
from domain.service_days import (
    LONGEST_ACTIVITIES,
    ActivitiesTooLong,
    DayState,
    ServiceDay,
    cancel,
    check_open,
    confirm,
    is_over,
    months_from,
    move,
    offered,
    propose,
)
from domain.service_steps import StepKind, reminders, telling
from services.audit import Audit
from services.delivery import Delivery
from services.service_day_book import Entry, ServiceDayBook
from services.walls import paths_of, require
from storage import organisations, people, service_days, service_steps
from storage.database import Database, Session

KEEP = Action.KEEP_SERVICE_DAY
Decision = Callable[[ServiceDay, date, datetime], ServiceDay]


@dataclass(frozen=True, slots=True)
class Desk:
    """What an organisation has to do with service days; `next` is the first that is not over."""

    organisation: Organisation
    deciding: Organisation
    may_decide: bool
    next: Entry | None
    own_text: str

    @property
    def decides(self) -> bool:
        return self.organisation.id == self.deciding.id


@dataclass(frozen=True, slots=True)
class DayView:
    """One day as its keeper sees it: when members are told if they are not yet, and reminded; what came too late."""

    desk: Desk
    entry: Entry
    decided_by: str
    tells: datetime | None
    reminded: tuple[datetime, ...]
    late: tuple[date, ...]
    over: bool
    missed: bool

    @property
    def day(self) -> ServiceDay:
        return self.entry.day


class ServiceDayDesk:
    """Changes service days for those who may keep them; each press is checked against state and right."""

    def __init__(
        self, *, database: Database, clock: Clock, audit: Audit, delivery: Delivery, book: ServiceDayBook
    ) -> None:
        self._database = database
        self._clock = clock
        self._audit = audit
        self._delivery = delivery
        self._book = book

    def may(self, actor: Actor) -> bool:
        """Say whether the actor keeps service days anywhere."""
        return actor.may_somewhere(KEEP, day_of(self._clock()))

    async def places(self, actor: Actor) -> list[Organisation]:
        """Return the outermost organisations where the actor keeps service days."""
        paths_of(actor, KEEP, self._clock())
        nodes = [grant.organisation_id for grant in actor.nodes(KEEP, day_of(self._clock()))]
        async with self._database.read() as session:
            found = await organisations.of_ids(session, nodes)
        return [found[each] for each in nodes]

    async def open(self, actor: Actor, organisation_id: int) -> Desk:
        """Return an organisation's desk with the next day."""
        here, deciding = await self._place(actor, organisation_id)
        days = await self._book.upcoming(deciding)
        following = next((day for day in days if day.state is not DayState.CANCELLED), None)
        return await self._desk(actor, here, deciding, following or next(iter(days), None))

    async def year(self, actor: Actor, organisation_id: int, year: int) -> tuple[Desk, list[ServiceDay]]:
        """Return a year's twelve days; one that no row tells of is as the rule says, with the id 0."""
        here, deciding = await self._place(actor, organisation_id)
        calendar = await self._book.calendar()
        found = {day.month: day for day in await self._book.days(deciding, date(year, 1, 1))}
        now = self._clock()

        def says(month: date) -> ServiceDay:
            each = propose(month, deciding.holiday_policy, calendar)
            values = (month, each.planned, each.date, each.state, each.why, each.holiday)
            return ServiceDay(0, deciding.id, *values, revision=0, told_revision=None, changed_at=now)

        months = months_from(date(year, 1, 1), 12)
        listed = [found.get(month) or says(month) for month in months]
        return await self._desk(actor, here, deciding, None), listed

    async def day(self, actor: Actor, organisation_id: int, day_id: int) -> DayView:
        """Return one day with what was and what will be done about it."""
        here, deciding = await self._place(actor, organisation_id)
        async with self._database.read() as session:
            found = await self._day(session, deciding, day_id)
            done = await service_steps.done(session, [found.id])
            by = await people.record(session, found.decided_by) if found.decided_by else None
        calendar = await self._book.calendar()
        desk = await self._desk(actor, here, deciding, found)
        assert desk.next is not None  # noqa: S101 - it was given
        late = {date.fromordinal(each.key) for each in done if each.kind is StepKind.REMIND and each.too_late}
        reminded = reminders(found, deciding.zone, calendar) if found.state is DayState.CONFIRMED else []
        news, today = telling(found, deciding.zone, calendar), self._book.today(deciding)
        return DayView(
            desk=desk,
            entry=desk.next,
            tells=news.due if news else None,
            decided_by=by.member.name if by else "",
            reminded=tuple(step.due for step in reminded),
            late=tuple(sorted(late)),
            over=is_over(found, today),
            missed=found.state.open and found.date < today,
        )

    async def offered(self, actor: Actor, organisation_id: int, day_id: int) -> list[date]:
        """Return the Saturdays a day may be moved to."""
        _, deciding = await self._place(actor, organisation_id)
        async with self._database.read() as session:
            found = await self._day(session, deciding, day_id)
        return offered(found, self._book.today(deciding), await self._book.calendar())

    async def read_date(self, actor: Actor, organisation_id: int, typed: str) -> date | None:
        """Read a typed date; `None` if it is none."""
        here, _ = await self._place(actor, organisation_id)
        zone = ZoneInfo(here.zone)
        found = spoken_times.read(f"{typed} 09:00", self._clock(), zone) if typed.strip() else None
        return None if found is None else found.astimezone(zone).date()

    async def kind_of(self, day: date) -> DayKind:
        """Say what a date is, so that nobody chooses a holiday unawares."""
        return (await self._book.calendar()).day(day).kind

    async def look_at(self, actor: Actor, organisation_id: int, day_id: int, to: date) -> ServiceDay:
        """Return the day as it would be on another date; refuses where it cannot be moved to."""
        _, deciding = await self._place(actor, organisation_id, decide=True)
        async with self._database.read() as session:
            found = await self._day(session, deciding, day_id)
        return move(found, to, by=actor.member_id, today=self._book.today(deciding), now=self._clock())

    async def confirm(self, actor: Actor, organisation_id: int, day_id: int, seen: date) -> ServiceDay:
        """Confirm the date that was seen: members are told by the clock."""
        return await self._decide(
            actor,
            organisation_id,
            day_id,
            "confirmed",
            lambda day, today, now: confirm(day, seen, by=actor.member_id, today=today, now=now),
        )

    async def move(self, actor: Actor, organisation_id: int, day_id: int, to: date) -> ServiceDay:
        """Put a day on another date, which confirms it; who knew of the old one is told."""
        return await self._decide(
            actor,
            organisation_id,
            day_id,
            "moved",
            lambda day, today, now: move(day, to, by=actor.member_id, today=today, now=now),
        )

    async def cancel(self, actor: Actor, organisation_id: int, day_id: int) -> ServiceDay:
        """Let the month go without one."""
        return await self._decide(
            actor,
            organisation_id,
            day_id,
            "cancelled",
            lambda day, today, now: cancel(day, by=actor.member_id, today=today, now=now),
        )

    async def write(self, actor: Actor, organisation_id: int, day_id: int, text: str) -> None:
        """Write what the organisation does on a day; an empty text lets that of the one above hold again."""
        tidy = "\n".join(line.rstrip() for line in text.strip().splitlines())
        if len(tidy) > LONGEST_ACTIVITIES:
            raise ActivitiesTooLong
        here, deciding = await self._place(actor, organisation_id)
        async with self._database.begin() as session:
            found = await self._day(session, deciding, day_id)
            check_open(found, self._book.today(deciding))
            await service_days.put_text(session, found.id, here.id, tidy, self._clock())
            await self._note(session, actor, here, "written" if tidy else "taken_back", found)

    async def set_policy(self, actor: Actor, organisation_id: int, policy: HolidayPolicy) -> None:
        """Say what a holiday does to the days of an organisation that decides; undecided ones follow at once."""
        here, deciding = await self._place(actor, organisation_id, decide=True)
        if here.id != deciding.id:
            raise NotFound
        if here.holiday_policy is policy:
            return
        async with self._database.begin() as session:
            await service_days.set_policy(session, here.id, policy)
            await self._book.keep_rows(session, replace(here, holiday_policy=policy))
            await self._note(session, actor, here, f"policy_{policy}")

    async def keep_own(self, actor: Actor, organisation_id: int) -> None:
        """Let an organisation decide for itself and all below it."""
        here, deciding = await self._place(actor, organisation_id)
        if here.id == deciding.id:
            return
        async with self._database.begin() as session:
            await service_days.keep_own(session, here.id, self._clock())
            await self._book.keep_rows(session, here)
            await self._note(session, actor, here, "keeps_own")

    async def follow(self, actor: Actor, organisation_id: int) -> None:
        """Let an organisation follow the one above again."""
        here, _ = await self._place(actor, organisation_id)
        async with self._database.begin() as session:
            if await service_days.follow(session, here.id):
                await self._note(session, actor, here, "follows")

    async def _decide(
        self, actor: Actor, organisation_id: int, day_id: int, what: str, decision: Decision
    ) -> ServiceDay:
        """Take a decision once; what still goes out about the day as it was is stopped."""
        _, deciding = await self._place(actor, organisation_id, decide=True)
        async with self._database.begin() as session:
            found = await self._day(session, deciding, day_id, hold=True)
            decided = decision(found, self._book.today(deciding), self._clock())
            if decided == found:
                return found
            await service_days.save(session, decided)
            await self._note(session, actor, deciding, what, decided)
            going = await service_steps.still_going(session, found.id)
        for dispatch_id in going:
            await self._delivery.cancel(dispatch_id)
        return decided

    async def _place(
        self, actor: Actor, organisation_id: int, *, decide: bool = False
    ) -> tuple[Organisation, Organisation]:
        """Return an organisation of the actor's and who decides there; with `decide` the actor must be allowed to."""
        async with self._database.read() as session:
            here = await organisations.get(session, organisation_id)
            if here is None:
                raise NotFound
            require(actor, KEEP, here.path, self._clock())
            deciding = await self._book.decider_of(session, here.path)
        if decide:
            require(actor, KEEP, deciding.path, self._clock())
        return here, deciding

    async def _day(
        self, session: Session, deciding: Organisation, day_id: int, *, hold: bool = False
    ) -> ServiceDay:
        found = await service_days.get(session, day_id, hold=hold)
        if found is None or found.organisation_id != deciding.id:
            raise NotFound
        return found

    async def _desk(
        self, actor: Actor, here: Organisation, deciding: Organisation, day: ServiceDay | None
    ) -> Desk:
        entry, own = None, ""
        if day is not None:
            [entry] = await self._book.entries([day], here.path)
            async with self._database.read() as session:
                texts = await service_days.texts(session, [day.id], [here.id])
            own = texts.get(day.id, {}).get(here.id, "")
        may_decide = actor.may(KEEP, deciding.path, day_of(self._clock()))
        return Desk(here, deciding, may_decide, entry, own)

    async def _note(
        self, session: Session, actor: Actor, where: Organisation, what: str, day: ServiceDay | None = None
    ) -> None:
        await self._audit.note(
            session,
            actor_id=actor.member_id,
            action=f"service_day.{what}",
            subject="service_day" if day else "organisation",
            subject_id=day.id if day else where.id,
            organisation_id=where.id,
            detail={"date": day.date.isoformat()} if day else None,
        )

"""What the clock does about service days: asks who confirms, tells members, reminds them; each once.

A step is a row with a unique key, written in the transaction that sends it: of two processes one does it, and
after a crash what is missing is done. Members hear by the nearest organisation that has written activities,
deepest first; who has heard is not told again by one above.
"""

from collections.abc import Awaitable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta

import structlog

from domain.audiences import Audience, Scope
from domain.clock import Clock
from domain.holidays import Calendar
from domain.organisations import HolidayPolicy, Organisation, chain_of, contains
from domain.permissions import Action
from domain.service_days import DayState, ServiceDay, month_of
from domain.service_steps import LONGEST_ASK, Anchor, Step, asks, deepest_first, reminders, telling
from services.delivery import Delivery
from services.service_day_book import ServiceDayBook
from storage import grants, service_days, service_leads, service_steps
from storage.database import Database, Session

log = structlog.get_logger(__name__)

KEPT_IN_VIEW = timedelta(days=7)
"""A day that is over is looked at for so long, so that what came too late is noted."""
IN_VIEW = timedelta(days=LONGEST_ASK + 31)
"""How far ahead a day may be asked for: holidays bring the question forward."""
AT_ONCE = 100
"""So many organisations are served in one turn: a clock that does not come back counts as stopped."""
NOBODY = 0


@dataclass(frozen=True, slots=True)
class Timing:
    """How long ahead the one who confirms is asked, and when members are reminded who chose nothing."""

    ask_ahead: int = 14
    leads: frozenset[int] = frozenset({7, 1})


@dataclass(frozen=True, slots=True)
class Ground:
    """Where one decider's days are told: anchors by zone (`markers`), and who wrote activities below each."""

    deciding: Organisation
    markers: tuple[Anchor, ...]
    written: tuple[Anchor, ...]
    apart: tuple[tuple[int, str], ...]  # other deciders below: they tell their own

    def below(self, marker: Anchor) -> list[Anchor]:
        """Return who is told in this marker's zone, the deepest first and the marker last."""
        inside = [each for each in self.written if _innermost(each, self.markers) is marker]
        return [*deepest_first(inside), marker]

    def audience(self, anchor: Anchor) -> Audience:
        """Return an anchor's members, but those of other zones and of other deciders."""
        others = [(each.organisation_id, each.path) for each in self.markers]
        out = [
            (number, path)
            for number, path in (*others, *self.apart)
            if path != anchor.path and contains(anchor.path, path)
        ]
        return Audience(
            (Scope(anchor.organisation_id, anchor.path),), tuple(Scope(number, path) for number, path in out)
        )


class ServiceDayClock:
    """Looks at every decider's days; to tick twice changes nothing."""

    def __init__(
        self, *, database: Database, clock: Clock, delivery: Delivery, book: ServiceDayBook, timing: Timing
    ) -> None:
        self._database = database
        self._clock = clock
        self._delivery = delivery
        self._book = book
        self._timing = timing
        self._left = AT_ONCE
        self._kept: dict[int, tuple[date, HolidayPolicy, Calendar]] = {}

    async def tick(self) -> None:
        """Do what is due; one organisation whose turn fails keeps no other waiting."""
        now = self._clock()
        self._left = AT_ONCE
        async with self._database.read() as session:
            deciders = await service_days.deciders(session)
            calendar = await self._book.calendar(session)
        for deciding in deciders:
            await self._guarded(deciding, self._keep_rows(deciding, calendar))
        near = now.date() - KEPT_IN_VIEW, now.date() + IN_VIEW
        async with self._database.read() as session:
            days = await service_days.between(session, *near)
        by_id = {each.id: each for each in deciders}
        for day in days:
            found = by_id.get(day.organisation_id)
            if found is not None:
                others = [each for each in deciders if each.id != found.id]
                await self._guarded(found, self._look_after(found, others, day, calendar))

    async def _guarded(self, deciding: Organisation, turn: Awaitable[None]) -> None:
        try:
            await turn
        except Exception:
            log.exception("service days not looked after", organisation=deciding.id)

    async def _keep_rows(self, deciding: Organisation, calendar: Calendar) -> None:
        """Keep rows in step with the rule, once for each month, rule and calendar: most ticks do nothing here."""
        seen = (month_of(self._book.today(deciding)), deciding.holiday_policy, calendar)
        if self._kept.get(deciding.id) == seen:
            return
        async with self._database.begin() as session:
            await self._book.keep_rows(session, deciding)
        self._kept[deciding.id] = seen

    async def _look_after(
        self, deciding: Organisation, others: list[Organisation], day: ServiceDay, calendar: Calendar
    ) -> None:
        if day.state.open:
            await self._ask(deciding, day, calendar)
        elif day.told_revision is not None or telling(day, deciding.zone, calendar) is not None:
            await self._tell(deciding, others, day, calendar)

    async def _ask(self, deciding: Organisation, day: ServiceDay, calendar: Calendar) -> None:
        """Ask who may confirm; of several turns that were missed only the last is taken."""
        now = self._clock()
        ahead = self._timing.ask_ahead
        due = [step for step in asks(day, deciding.zone, calendar, ahead) if step.due <= now <= step.until]
        if not due:
            return
        async with self._database.read() as session:
            if await service_steps.done_by(session, day.id, due[0]):
                return
        async with self._database.begin() as session:
            held = await self._unchanged(session, day)
            chain, today = chain_of(deciding.path), self._book.today(deciding)
            holders = await grants.nearest_holders(session, Action.KEEP_SERVICE_DAY, chain, today, but=NOBODY)
            if held is None or not holders:
                return
            step_id = await service_steps.begin_step(session, held, due[0], deciding.id, now)
            if step_id is None:
                return
            dispatch_id = await self._delivery.dispatch(
                session,
                source=service_steps.SOURCES[due[0].kind],
                source_id=step_id,
                member_ids=holders,
                useful_until=due[0].until,
            )
            await service_steps.went_out(session, step_id, dispatch_id)

    async def _tell(
        self, deciding: Organisation, others: list[Organisation], day: ServiceDay, calendar: Calendar
    ) -> None:
        """Tell members what they do not know, then remind them of a confirmed day."""
        ground = await self._ground(deciding, others, day)
        told = True
        for marker in ground.markers:
            news = telling(day, marker.zone, calendar)
            if news is not None:
                due = news.due <= self._clock()
                told = due and await self._do(ground, marker, day, news) and told
        if told and day.told_revision != day.revision:
            await self._all_told(day)
        if day.state is not DayState.CONFIRMED or not told:
            return
        for marker in ground.markers:
            for step in reminders(day, marker.zone, calendar):
                if step.due <= self._clock():
                    await self._do(ground, marker, day, step)

    async def _ground(self, deciding: Organisation, others: list[Organisation], day: ServiceDay) -> Ground:
        async with self._database.read() as session:
            markers = await service_steps.zones_in(session, deciding)
            written = await service_steps.written(session, day.id, deciding)
        apart = [(each.id, each.path) for each in others if contains(deciding.path, each.path)]
        inside = [
            each
            for each in written
            if not any(contains(path, each.path) for _, path in apart)
            and each.organisation_id not in {marker.organisation_id for marker in markers}
        ]
        kept = [
            each
            for each in markers
            if each.organisation_id == deciding.id or not any(contains(path, each.path) for _, path in apart)
        ]
        return Ground(deciding, tuple(kept), tuple(inside), tuple(apart))

    async def _do(self, ground: Ground, marker: Anchor, day: ServiceDay, step: Step) -> bool:
        """Take a step for all below a marker; `False` if there is more to do, or the day was changed meanwhile."""
        async with self._database.read() as session:
            done = await service_steps.done_by(session, day.id, step)
        if marker.organisation_id in done:
            return True
        for anchor in ground.below(marker):
            if anchor.organisation_id in done:
                continue
            if not self._left or not await self._take(ground, anchor, day, step):
                return False
            self._left -= 1
        return True

    async def _take(self, ground: Ground, anchor: Anchor, day: ServiceDay, step: Step) -> bool:
        now = self._clock()
        async with self._database.begin() as session:
            held = await self._unchanged(session, day)
            if held is None:
                return False
            step_id = await service_steps.begin_step(session, held, step, anchor.organisation_id, now)
            if step_id is None or now > step.until:
                return True
            topic_id = await service_steps.service_topic(session)
            members = service_leads.recipients(
                ground.audience(anchor), day.id, step, topic_id, self._timing.leads
            )
            dispatch_id = await self._delivery.dispatch(
                session,
                source=service_steps.SOURCES[step.kind],
                source_id=step_id,
                members=members,
                useful_until=step.until,
            )
            await service_steps.went_out(session, step_id, dispatch_id)
        return True

    async def _all_told(self, day: ServiceDay) -> None:
        async with self._database.begin() as session:
            held = await self._unchanged(session, day)
            if held is not None:
                await service_days.know(session, day.id, day.revision)

    async def _unchanged(self, session: Session, day: ServiceDay) -> ServiceDay | None:
        """Hold a day; `None` if it is not any more what this turn began with."""
        held = await service_days.get(session, day.id, hold=True)
        same = held is not None and (held.revision, held.state) == (day.revision, day.state)
        return held if same else None


def _innermost(anchor: Anchor, markers: Iterable[Anchor]) -> Anchor:
    return max(
        (each for each in markers if contains(each.path, anchor.path)), key=lambda each: len(each.path)
    )

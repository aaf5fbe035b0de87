"""Schedules: what is planned, what is due, and that each occurrence comes once.

One transaction takes an occurrence: it writes its row (unique for the planned date), moves the schedule on,
and calls the handler. So it happens once, whoever ticks and however the clock jumps, or not at all.
A handler that raises takes only itself back: the row is written with the count, and comes again later.
"""

from collections.abc import Awaitable, Callable, Iterable
from datetime import date, timedelta
from itertools import islice

import structlog

from domain.clock import Clock
from domain.holidays import Calendar
from domain.recurrence import LONGEST_MOVE, Occurrence, Rule, next_after, occurrences_from, place
from domain.refusals import NotFound, Refusal
from domain.schedules import OPEN, Due, OccurrenceState, ended, look_at, try_again_at
from services.holidays import Holidays
from storage import schedules
from storage.database import Database, Session
from storage.schedules import Schedule

Handler = Callable[[Session, Due], Awaitable[None]]
BATCH = 100
ONE_DAY = timedelta(days=1)

log = structlog.get_logger(__name__)


class OccurrenceOver(Refusal):
    """This date has been decided, or it is past."""


class Schedules:
    """Plans for the features; `handlers` do what is due, `asks` ask a person to confirm a date, by kind."""

    def __init__(self, *, database: Database, clock: Clock, holidays: Holidays) -> None:
        self._database = database
        self._clock = clock
        self._holidays = holidays
        self._reckoned: Calendar | None = None
        self.handlers: dict[str, Handler] = {}
        self.asks: dict[str, Handler] = {}
        holidays.changed.append(self.reckon)

    # Planning, in the caller's transaction

    async def plan(
        self, session: Session, *, kind: str, subject_id: int, rule: Rule, useful_for: timedelta
    ) -> int:
        """Plan for a subject from now on; the same plan again changes nothing, another takes its place."""
        found = await schedules.take_of(session, kind, subject_id)
        if found is not None and (found.rule, found.useful_for, found.dropped) == (rule, useful_for, False):
            return found.id
        number = await schedules.write(session, kind, subject_id, rule, useful_for)
        await schedules.forget_open(session, number)
        await self._start(session, number, rule)
        return number

    async def replan(self, session: Session, kind: str, subject_id: int, rule: Rule) -> int:
        """Give a planned subject another rule; what it is of use for stays."""
        found = await schedules.read_of(session, kind, subject_id)
        if found is None or found.dropped:
            raise NotFound
        return await self.plan(
            session, kind=kind, subject_id=subject_id, rule=rule, useful_for=found.useful_for
        )

    async def drop(self, session: Session, kind: str, subject_id: int) -> bool:
        """Plan nothing more for a subject; what was done stays written. `False` if nothing was planned."""
        found = await schedules.take_of(session, kind, subject_id)
        if found is None or found.dropped:
            return False
        await schedules.forget_open(session, found.id)
        await schedules.drop(session, found.id, self._clock())
        return True

    # A person's word on an occurrence, in the caller's transaction

    async def confirm(self, session: Session, occurrence_id: int, day: date | None = None) -> Due:
        """Let an unconfirmed occurrence come on its date, or on another; once confirmed, the same again is fine."""
        due = await schedules.take_occurrence(session, occurrence_id, wait=True)
        if due is None:
            raise OccurrenceOver
        wanted = day or due.date
        if due.state is OccurrenceState.UNCONFIRMED:
            of = await schedules.schedule_of(session, due.schedule_id)
            at = of.rule.moment(wanted)
            if at + of.useful_for < self._clock():
                raise OccurrenceOver
            await schedules.place(session, due, wanted, at, at + of.useful_for)
        elif wanted != due.date:
            raise OccurrenceOver
        return await self._read(session, occurrence_id)

    async def skip(self, session: Session, occurrence_id: int) -> None:
        """Let an occurrence that still waits not come at all."""
        due = await schedules.take_occurrence(session, occurrence_id, wait=True)
        if due is None:
            raise OccurrenceOver
        await schedules.finish(session, due, OccurrenceState.SKIPPED, self._clock())

    # Looking ahead and back

    async def preview(self, rule: Rule, n: int = 5) -> list[Occurrence]:
        """Return the next times of a rule that is not planned yet."""
        return next_after(rule, self._clock(), await self._holidays.calendar(), n)

    async def upcoming(self, kind: str, subject_id: int, n: int = 5) -> list[Occurrence]:
        """Return the next times of what is planned: first what waits already, then what the rule brings."""
        async with self._database.read() as session:
            found = await schedules.read_of(session, kind, subject_id)
            if found is None:
                return []
            waiting = await schedules.occurrences_of(session, found.id, OPEN, n)
            calendar = await self._holidays.calendar(session)
        ahead = [_as_occurrence(due, calendar) for due in reversed(waiting)]
        if found.next_planned is not None:
            ahead += islice(occurrences_from(found.rule, found.next_planned, calendar), n)
        return ahead[:n]

    async def waiting(self, kind: str, subject_id: int) -> list[Due]:
        """Return a subject's occurrences that wait, for a person or for another attempt, next first."""
        return (await self._of(kind, subject_id, OPEN, BATCH))[::-1]

    async def history(self, kind: str, subject_id: int, n: int = 5) -> list[Due]:
        """Return what became of a subject's last occurrences, latest first."""
        return await self._of(kind, subject_id, set(OccurrenceState) - set(OPEN), n)

    async def occurrence(self, occurrence_id: int) -> Due:
        async with self._database.read() as session:
            return await self._read(session, occurrence_id)

    # The clock

    async def tick(self) -> int:
        """Do what is due, each in its own transaction; returns how many were done."""
        calendar = await self._holidays.calendar()
        if calendar is not self._reckoned:  # at the start, and when another process entered a year
            async with self._database.begin() as session:
                await self.reckon(session)
            self._reckoned = calendar
        done, seen = 0, set[tuple[int, date | None]]()
        while found := [each for each in await self._due() if each not in seen]:
            seen.update(found)
            for number, planned in found:
                done += await self._attempt(number, planned)
        return done

    async def reckon(self, session: Session) -> None:
        """Place what is planned anew: the calendar has changed, or may have while we were away."""
        calendar = await self._holidays.calendar(session)
        for found in await schedules.take_all(session):
            if found.next_planned is not None:
                await self._wait_for(
                    session, found.id, next(occurrences_from(found.rule, found.next_planned, calendar), None)
                )
            states = [OccurrenceState.UNCONFIRMED]
            for due in await schedules.occurrences_of(session, found.id, states, BATCH):
                await self._confirm_by_calendar(session, found, due, calendar)

    async def _due(self) -> list[tuple[int, date | None]]:
        """Return schedules with their planned date, and occurrences (without one) to look at again."""
        now = self._clock()
        async with self._database.read() as session:
            again = await schedules.due_again(session, now, BATCH)
            fresh = await schedules.due(session, now, BATCH)
        return [*((number, None) for number in again), *fresh]

    async def _attempt(self, number: int, planned: date | None) -> bool:
        """Take what is due; if its handler fails, note that instead."""
        try:
            return await self._take(number, planned, error=None)
        except Exception as error:  # one that fails must not keep the others waiting
            log.exception("occurrence failed", number=number, planned=planned)
            failure = type(error).__name__
        try:
            await self._take(number, planned, error=failure)
        except Exception:
            log.exception("failure not noted", number=number, planned=planned)
        return False

    async def _take(self, number: int, planned: date | None, error: str | None) -> bool:
        async with self._database.begin() as session:
            if planned is None:
                due = await schedules.take_occurrence(session, number)
            else:
                due = await self._open(session, number, planned)
            if due is None:
                return False
            if error is not None:
                now = self._clock()
                await schedules.postpone(session, due, try_again_at(due, now), error)
                return False
            return await self._work(session, due)

    async def _open(self, session: Session, schedule_id: int, planned: date) -> Due | None:
        """Write the occurrence that is due and move its schedule on; `None` if that was done already."""
        found, now = await schedules.take(session, schedule_id), self._clock()
        if found is None or found.next_planned != planned or found.next_run_at is None:
            return None
        calendar = await self._holidays.calendar(session)
        placed = next(occurrences_from(found.rule, planned, calendar), None)
        if placed is None or placed.planned != planned or look_at(placed) > now:
            await self._wait_for(session, schedule_id, placed)  # the calendar has just moved it
            return None
        following = next(occurrences_from(found.rule, planned + ONE_DAY, calendar), None)
        await self._wait_for(session, schedule_id, following)
        state = OccurrenceState.WAITING if placed.confirmed else OccurrenceState.UNCONFIRMED
        number = await schedules.add_occurrence(session, found, placed, state, now)
        return None if number is None else await self._read(session, number)

    async def _work(self, session: Session, due: Due) -> bool:
        """Let an occurrence take place, ask about it, or end it; say whether it took place."""
        now = self._clock()
        over = ended(due, now)
        if over is not None:
            await schedules.finish(session, due, over, now)
        elif due.state is OccurrenceState.UNCONFIRMED:
            if not due.asked and due.kind in self.asks:
                await self.asks[due.kind](session, due)
            await schedules.asked(session, due, now)
        else:
            await self.handlers[due.kind](session, due)
            await schedules.finish(session, due, OccurrenceState.DONE, now)
            return True
        return False

    async def _start(self, session: Session, schedule_id: int, rule: Rule) -> None:
        """Wait for the first occurrence from now on whose planned date has not had its own."""
        now = self._clock()
        calendar = await self._holidays.calendar(session)
        had = await schedules.planned_since(session, schedule_id, now.date() - 2 * LONGEST_MOVE)
        coming = next_after(rule, now, calendar, len(had) + 1)
        first = next((each for each in coming if each.planned not in had), None)
        await self._wait_for(session, schedule_id, first)

    async def _wait_for(self, session: Session, schedule_id: int, coming: Occurrence | None) -> None:
        planned = None if coming is None else coming.planned
        await schedules.wait_for(session, schedule_id, planned, None if coming is None else look_at(coming))

    async def _confirm_by_calendar(
        self, session: Session, found: Schedule, due: Due, calendar: Calendar
    ) -> None:
        """Let a date that the calendar now vouches for come without asking any more."""
        placed = place(found.rule, due.planned, calendar)
        if placed.confirmed:
            await schedules.place(session, due, placed.date, placed.at, placed.at + found.useful_for)

    async def _of(self, kind: str, subject_id: int, states: Iterable[OccurrenceState], n: int) -> list[Due]:
        async with self._database.read() as session:
            found = await schedules.read_of(session, kind, subject_id)
            return [] if found is None else await schedules.occurrences_of(session, found.id, states, n)

    async def _read(self, session: Session, occurrence_id: int) -> Due:
        due = await schedules.read_occurrence(session, occurrence_id)
        if due is None:
            raise NotFound
        return due


def _as_occurrence(due: Due, calendar: Calendar) -> Occurrence:
    return Occurrence(
        planned=due.planned,
        date=due.date,
        at=due.at,
        moved_because=calendar.day(due.planned) if due.moved else None,
        confirmed=due.state is OccurrenceState.WAITING,
    )

"""Holidays as a use case: the calendar everybody asks, and years entered from their official table."""

from collections.abc import Awaitable, Callable

from domain.clock import Clock, day_of
from domain.holidays import Calendar, YearTable
from domain.organisations import chain_of
from domain.permissions import Action, Actor
from domain.refusals import NotAllowed
from services.audit import Audit
from storage import holidays
from storage.database import Database, Session

Changed = Callable[[Session], Awaitable[None]]


class Holidays:
    """Keeps the calendar at hand; `changed` are told of each change, within its transaction."""

    def __init__(self, *, database: Database, clock: Clock, audit: Audit) -> None:
        self._database = database
        self._clock = clock
        self._audit = audit
        self._cached = Calendar()
        self._versions: dict[int, str] = {}
        self.changed: list[Changed] = []

    async def calendar(self, session: Session | None = None) -> Calendar:
        """Return the calendar as it is now; within a transaction, as that transaction sees it."""
        if session is not None:
            return await self._fresh(session)
        async with self._database.read() as reading:
            return await self._fresh(reading)

    async def enter(self, table: YearTable, *, actor_id: int | None = None) -> bool:
        """Put a year's official table in the place of what was known of it; `False` if it changes nothing."""
        async with self._database.begin() as session:
            if not await holidays.write(session, table, self._clock()):
                return False
            await self._tell(session, table.year, "entered", actor_id, days=len(table.days))
        return True

    async def remove(self, year: int, *, actor_id: int | None = None) -> bool:
        """Take an entered year out again; `False` if there is none."""
        async with self._database.begin() as session:
            if not await holidays.remove(session, year):
                return False
            await self._tell(session, year, "removed", actor_id)
        return True

    def check(self, actor: Actor) -> None:
        """Refuse whoever is no secretary of the whole city."""
        held = actor.nodes(Action.ENTER_HOLIDAYS, day_of(self._clock()))
        if not any(len(chain_of(grant.path)) == 1 for grant in held):
            raise NotAllowed

    async def _fresh(self, session: Session) -> Calendar:
        found = await holidays.versions(session)
        if found != self._versions:
            self._cached = Calendar(await holidays.read_all(session))
            self._versions = found
        return self._cached

    async def _tell(
        self, session: Session, year: int, what: str, actor_id: int | None, **detail: int
    ) -> None:
        await self._audit.note(
            session,
            actor_id=actor_id,
            action=f"holidays.{what}",
            subject="holiday_year",
            subject_id=year,
            detail={**detail},
        )
        for each in self.changed:
            await each(session)

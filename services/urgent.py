"""Sending a notice urgently: outside quiet hours, rest days and the weekly cap, as the engine's urgent lane has it."""

from domain.clock import Clock
from domain.notices import Notice, check_draft
from domain.paid import messages_each
from domain.permissions import Action, Actor
from domain.reach import Reach
from domain.send_requests import LANES, Extent, Way
from services.audiences import Audiences
from services.notice_reports import reachable
from storage.database import Database, Session


class Urgent:
    """Says whom a notice would reach at once."""

    def __init__(self, *, database: Database, clock: Clock, audiences: Audiences) -> None:
        self._database = database
        self._clock = clock
        self._audiences = audiences

    async def look(self, actor: Actor, notice_id: int) -> tuple[Notice, Reach]:
        """Return a draft with whom it would reach at once, to its author."""
        async with self._database.read() as session:
            found = await reachable(session, actor, notice_id, Action.SEND_NOTICE, self._clock())
            check_draft(found)
            return found, await self._reach(session, found)

    async def extent(self, session: Session, found: Notice) -> Extent:
        """Say what a notice comes to now; it costs nothing, and is offered where it reaches somebody."""
        reached = (await self._reach(session, found)).reachable
        return Extent(reached * messages_each(found), stars=0, offered=reached > 0)

    async def _reach(self, session: Session, found: Notice) -> Reach:
        return await self._audiences.reach_of(session, found, LANES[Way.URGENT])

"""The clock's side of polls: opens them, counts what waits under seal in groups of five or more, and closes them.

Each step is a transaction that may be taken again after a crash: votes leave their seal and enter a cell at once.
"""

import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence

import structlog

from domain.clock import Clock, day_of
from domain.permissions import Action
from domain.poll_counting import Count, ballot, gather, ripe
from domain.polls import Poll, PollState
from services import killpoints
from services.audiences import Audiences
from services.audit import Audit
from services.delivery import Delivery
from services.poll_booth import loose_named, seal_context, text_in
from storage import ballots, grants, polls, suggestions
from storage.ballots import Sealed
from storage.database import Database, Session
from storage.sealing import Sealer
from storage.suggestions import NewSuggestion

log = structlog.get_logger(__name__)

AT_ONCE = 200
"""Votes that are counted in one transaction, and so long others wait to write."""
Work = Callable[[int], Awaitable[None]]


class PollClosing:
    """Does for all polls what their time asks for; any process may, and nothing is done twice."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        audit: Audit,
        audiences: Audiences,
        delivery: Delivery,
        sealer: Sealer,
    ) -> None:
        self._database = database
        self._clock = clock
        self._audit = audit
        self._audiences = audiences
        self._delivery = delivery
        self._sealer = sealer

    async def tick(self) -> None:
        """Open what is due, and close what is over."""
        now = self._clock()
        async with self._database.read() as session:
            opening = await polls.to_open(session, now)
            over = await polls.to_close(session, now)
        for poll_id in opening:
            await self._safely("poll not opened", poll_id, self._open_scheduled)
        for poll_id in over:
            async with self._database.begin() as session:
                await polls.step(session, poll_id, [PollState.OPEN], PollState.CLOSING)
        await self.finish()

    async def finish(self) -> None:
        """Count and close the polls that take no more votes."""
        async with self._database.read() as session:
            closing = await polls.in_state(session, PollState.CLOSING)
        for poll_id in closing:
            await self._safely("poll not closed", poll_id, self._close)

    async def count(self) -> None:
        """Count groups of five or more of the votes that wait under seal; every half a minute will do."""
        async with self._database.read() as session:
            waiting = await ballots.with_votes_waiting(session)
        for poll_id in waiting:
            await self._safely("votes not counted", poll_id, self._count_groups)

    async def start(self, session: Session, found: Poll, actor_id: int) -> bool:
        """Ask everybody, unless the poll was changed meanwhile; of two who open it, one does."""
        now = self._clock()
        opened = await polls.step(
            session, found.id, [found.state], PollState.OPEN, aimed_at=found.audience_id, opened_at=now
        )
        if opened:
            await self._delivery.dispatch(
                session,
                source=polls.SOURCE,
                source_id=found.id,
                audience_id=found.audience_id,
                author_id=found.sender.author_id,
                topic_id=None,
                useful_until=found.closes_at,
            )
            await self._note(session, actor_id, found, "opened")
        return opened

    async def _open_scheduled(self, poll_id: int) -> None:
        """Open a scheduled poll if its author may still ask from there, and all whom it is for."""
        now = self._clock()
        on = day_of(now)
        async with self._database.begin() as session:
            found = await polls.read(session, poll_id)
            if found is None or found.state is not PollState.SCHEDULED:
                return
            author = await grants.actor_of_member(session, found.sender.author_id, on)
            if (
                author is not None
                and found.audience_id is not None
                and found.closes_at is not None
                and now < found.closes_at
                and author.may(Action.SEND_NOTICE, found.sender.path, on)
                and await self._audiences.allowed(session, author, found.audience_id)
            ):
                await self.start(session, found, author.member_id)
            else:
                await polls.step(session, poll_id, [found.state], PollState.CANCELLED)
                await self._note(session, found.sender.author_id, found, "not_opened")

    async def _count_groups(self, poll_id: int) -> None:
        """Count where five or more votes wait, some hundreds of votes a transaction."""
        while await self._count_some(poll_id):
            killpoints.reach("after_flush_commit")

    async def _count_some(self, poll_id: int) -> bool:
        async with self._database.read() as session:
            if not ripe(await ballots.waiting(session, poll_id)):
                return False
        async with self._database.begin() as session:
            await ballots.lock(session, poll_id)
            found = await polls.read(session, poll_id)
            waiting = await ballots.waiting(session, poll_id)
            areas = _some(ripe(waiting), waiting)
            if found is None or not areas:
                return False
            for area in areas:
                loose = self._loose(found, await ballots.take_votes(session, poll_id, area))
                await ballots.add_to_cells(session, poll_id, loose)
            killpoints.reach("before_flush_commit")
        return True

    async def _close(self, poll_id: int) -> None:
        """Count what is left, hand on the suggestions, and tell the author that their poll waits for an answer."""
        now = self._clock()
        async with self._database.begin() as session:
            await ballots.lock(session, poll_id)
            found = await polls.read(session, poll_id)
            if found is None or found.state is not PollState.CLOSING:
                return
            if found.anonymous:
                loose = self._loose(found, await ballots.take_votes(session, poll_id))
            else:
                loose = await loose_named(session, found)
            await ballots.add_to_cells(session, poll_id, gather(loose, found.sender.path))
            await suggestions.add_many(
                session, self._suggestions(found, await ballots.take_suggestions(session, poll_id))
            )
            await polls.step(
                session, poll_id, [PollState.CLOSING], PollState.CLOSED, closed_at=found.closes_at or now
            )
            await self._delivery.dispatch(
                session, source=polls.CLOSED_SOURCE, source_id=poll_id, member_ids=[found.sender.author_id]
            )
            await self._note(session, found.sender.author_id, found, "closed")
            killpoints.reach("before_poll_closed")

    def _loose(self, found: Poll, taken: list[Sealed]) -> dict[str, Count]:
        loose: dict[str, Count] = {}
        for each in taken:
            mask = int.from_bytes(self._sealer.open(each.sealed, seal_context(found.id)), "big")
            count = ballot(mask, len(found.options))
            loose[each.path] = loose[each.path] + count if each.path in loose else count
        return loose

    def _suggestions(self, found: Poll, taken: list[Sealed]) -> list[NewSuggestion]:
        """Return suggestions in random order, addressed to the organisation that asked."""
        opened = [text_in(self._sealer, each.sealed, found.id) for each in taken]
        secrets.SystemRandom().shuffle(opened)
        return [
            NewSuggestion(
                organisation_id=found.sender.organisation_id,
                poll_id=found.id,
                member_id=member_id,
                text=text,
                day=day_of(self._clock()),
            )
            for member_id, text in opened
        ]

    async def _safely(self, what: str, poll_id: int, work: Work) -> None:
        try:
            await work(poll_id)
        except Exception:  # one that fails must not keep the others waiting
            log.exception(what, poll=poll_id)

    async def _note(self, session: Session, actor_id: int, found: Poll, what: str) -> None:
        await self._audit.note(
            session,
            actor_id=actor_id,
            action=f"poll.{what}",
            subject="poll",
            subject_id=found.id,
            organisation_id=found.sender.organisation_id,
        )


def _some(areas: Sequence[str], waiting: Mapping[str, int]) -> list[str]:
    """Take as many areas as make up a transaction, one at least."""
    some: list[str] = []
    votes = 0
    for area in areas:
        some.append(area)
        votes += waiting[area]
        if votes >= AT_ONCE:
            break
    return some

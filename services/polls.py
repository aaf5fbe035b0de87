"""Polls: opened to exactly the right people, closed at the announced minute, and answered with what changed."""

import asyncio
from dataclasses import dataclass
from enum import StrEnum

from domain.audiences import Audience
from domain.clock import Clock
from domain.messages import Content, Media
from domain.notices import check_number, must_type
from domain.permissions import Action, Actor
from domain.poll_counting import Count
from domain.polls import (
    SMALLEST,
    Poll,
    PollForNobody,
    PollMovedOn,
    PollState,
    PollTooSmall,
    check_change,
    check_ready,
)
from domain.refusals import NotFound
from services import poll_chart, poll_content
from services.audiences import Audiences
from services.audit import Audit
from services.delivery import Delivery
from services.media import MediaStore
from services.poll_booth import Booth, counted, total
from services.poll_closing import PollClosing
from services.poll_drafts import PollDrafts, PollPreview
from services.walls import PAGE, paths_of
from storage import ballots, polls
from storage.database import Database
from storage.sealing import Sealer

SHOWN = (PollState.CLOSED, PollState.PUBLISHED)


@dataclass(frozen=True, slots=True)
class Turnout:
    """How a poll goes while it is open: totals only."""

    asked: int
    voted: int
    suggestions: int


class Told(StrEnum):
    """A message of a poll to everybody who is asked, by the source of its deliveries."""

    CALL = polls.SOURCE
    RESULT = polls.RESULT_SOURCE


TOLD_IN = {PollState.OPEN: Told.CALL, PollState.PUBLISHED: Told.RESULT}
"""The message that a poll can still be asked to send, in each state."""


@dataclass(frozen=True, slots=True)
class Doubtful:
    """How many perhaps received one of its messages; `generation` counts how often it was sent again."""

    told: Told
    count: int
    generation: int


@dataclass(frozen=True, slots=True)
class Result:
    """A poll's result; no count means that fewer than five took part."""

    poll: Poll
    asked: int
    count: Count | None


_RESOLVED = {
    (Told.CALL, True): "asked_again",
    (Told.CALL, False): "left_unknown",
    (Told.RESULT, True): "result_sent_again",
    (Told.RESULT, False): "result_left_unknown",
}


class Polls(PollDrafts):
    """The secretary's side; `booth` is the member's, `closing` the clock's."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        audit: Audit,
        audiences: Audiences,
        delivery: Delivery,
        media: MediaStore,
        sealer: Sealer,
    ) -> None:
        super().__init__(database=database, clock=clock, audit=audit, audiences=audiences)
        self._delivery = delivery
        self._media = media
        self.booth = Booth(database=database, clock=clock, sealer=sealer)
        self.closing = PollClosing(
            database=database, clock=clock, audit=audit, audiences=audiences, delivery=delivery, sealer=sealer
        )
        delivery.sources[polls.SOURCE] = self.content
        delivery.sources[polls.RESULT_SOURCE] = self.result_content
        delivery.sources[polls.CLOSED_SOURCE] = self.closed_content

    async def content(self, poll_id: int, language: str) -> Content:
        """Make a poll's call in a language; the delivery asks once for each."""
        return poll_content.call(await self._read(poll_id), language)

    async def result_content(self, poll_id: int, language: str) -> Content:
        found = await self._result(await self._read(poll_id))
        return poll_content.result(found.poll, found.count, found.asked, language)

    async def closed_content(self, poll_id: int, language: str) -> Content:
        return poll_content.closed(await self._read(poll_id), language)

    async def desk(self, actor: Actor, page: int = 0) -> tuple[list[Poll], bool]:
        """Return a page of one's drafts and of the polls of one's subtree, and whether more follow."""
        paths = paths_of(actor, Action.SEE_REPORT, self._clock())
        async with self._database.read() as session:
            found = await polls.desk(session, actor.member_id, paths, offset=page * PAGE, limit=PAGE + 1)
        return found[:PAGE], len(found) > PAGE

    async def preview(self, actor: Actor, poll_id: int) -> PollPreview:
        """Return a draft or a scheduled poll with whom it would reach if it opened now."""
        found = await self.for_actor(actor, poll_id, Action.SEND_NOTICE)
        if found.audience_id is None:
            return PollPreview(found, None, (), None, must_type=False)
        audience = await self._audiences.load(found.audience_id)
        start = max(found.opens_at or self._clock(), self._clock())
        reach = await self._audiences.reach(actor, audience, start)
        return PollPreview(
            poll=found,
            audience=audience,
            parts=await self._audiences.parts(audience),
            reach=reach,
            must_type=must_type(reach.total),
        )

    async def test(self, actor: Actor, poll_id: int, language: str) -> Content:
        """Return the call as it will be got, marked as a test, for its author."""
        return poll_content.trial(await self.for_actor(actor, poll_id, Action.SEND_NOTICE), language)

    async def open(self, actor: Actor, poll_id: int, typed: int | None = None) -> Poll:
        """Open a draft, now or at its time; pressed twice it is opened once."""
        now = self._clock()
        found = await self.for_actor(actor, poll_id, Action.SEND_NOTICE)
        if found.state in {PollState.OPEN, PollState.SCHEDULED}:
            return found
        if found.state is not PollState.DRAFT:
            raise PollMovedOn
        check_ready(found, now)
        await self._check_size(actor, found, typed)
        async with self._database.begin() as session:
            if found.opens_at is not None and found.opens_at > now:
                to, aim = PollState.SCHEDULED, found.audience_id
                moved = await polls.step(session, poll_id, [found.state], to, aimed_at=aim)
                await self._note(session, actor.member_id, found, "scheduled")
            else:
                moved = await self.closing.start(session, found, actor.member_id)
            if not moved:
                raise PollMovedOn
            return await self._reachable(session, actor, poll_id, Action.SEND_NOTICE)

    async def unschedule(self, actor: Actor, poll_id: int) -> Poll:
        """Make a scheduled poll a draft again."""
        found = await self.for_actor(actor, poll_id, Action.SEND_NOTICE)
        async with self._database.begin() as session:
            if not await polls.step(session, poll_id, [PollState.SCHEDULED], PollState.DRAFT, opens_at=None):
                raise PollMovedOn
            await self._note(session, actor.member_id, found, "unscheduled")
            draft = await polls.read(session, poll_id)
        return draft or found

    async def close(self, actor: Actor, poll_id: int) -> Poll:
        """Close an open poll before its time; it is counted at once."""
        now = self._clock()
        found = await self.for_actor(actor, poll_id, Action.SEND_NOTICE)
        async with self._database.begin() as session:
            closed = await polls.step(session, poll_id, [PollState.OPEN], PollState.CLOSING, closes_at=now)
            if closed:
                await self._note(session, actor.member_id, found, "closed_early")
            dispatch_id = await polls.dispatch_of(session, poll_id)
        if closed and dispatch_id is not None:
            await self._delivery.cancel(dispatch_id)  # nobody is asked any more
        if not closed and found.state not in {PollState.CLOSING, *SHOWN}:
            raise PollMovedOn
        await self.closing.finish()
        return await self.for_actor(actor, poll_id, Action.SEND_NOTICE)

    async def cancel(self, actor: Actor, poll_id: int) -> Poll:
        """Call a poll off: nobody is asked any more, and what was cast is dropped, uncounted."""
        found = await self.for_actor(actor, poll_id, Action.SEND_NOTICE)
        if found.state is PollState.CANCELLED:
            return found
        async with self._database.begin() as session:
            open_states = [PollState.SCHEDULED, PollState.OPEN]
            if not await polls.step(session, poll_id, open_states, PollState.CANCELLED):
                raise PollMovedOn
            await ballots.drop(session, poll_id)
            await self._note(session, actor.member_id, found, "cancelled")
            dispatch_id = await polls.dispatch_of(session, poll_id)
        if dispatch_id is not None:
            await self._delivery.cancel(dispatch_id)
        return await self.for_actor(actor, poll_id)

    async def turnout(self, actor: Actor, poll_id: int) -> Turnout:
        """Return how many were asked, took part, and left a suggestion that still waits."""
        await self.for_actor(actor, poll_id)
        async with self._database.read() as session:
            return Turnout(
                asked=await polls.count_asked(session, poll_id),
                voted=await polls.count_voted(session, poll_id),
                suggestions=await ballots.count_suggestions(session, poll_id),
            )

    async def doubtful(self, actor: Actor, poll_id: int) -> Doubtful | None:
        """Return who perhaps received what the poll says now, the call or its result; `None` if nobody did."""
        found = await self.for_actor(actor, poll_id)
        told = TOLD_IN.get(found.state)
        if told is None:
            return None
        async with self._database.read() as session:
            dispatch_id = await polls.dispatch_of(session, poll_id, told)
        if dispatch_id is None:
            return None
        figures = await self._delivery.figures(dispatch_id)
        return Doubtful(told, figures.parked, figures.generation) if figures.parked else None

    async def resolve_unknown(self, actor: Actor, poll_id: int, *, told: str, again: bool, seen: int) -> int:
        """Tell those again who perhaps received a message, or leave it at that; returns how many.

        `seen` is the generation that was looked at: who was told again since then is not told once more. Of the
        call once the poll is over, and of a result that is not published, nothing is sent.
        """
        found = await self.for_actor(actor, poll_id, Action.SEND_NOTICE)
        if TOLD_IN.get(found.state) != told:
            raise PollMovedOn
        async with self._database.read() as session:
            dispatch_id = await polls.dispatch_of(session, poll_id, told)
        if dispatch_id is None:
            raise PollMovedOn
        count = await self._delivery.resolve_unknown(dispatch_id, again=again, generation=seen)
        if count:
            async with self._database.begin() as session:
                await self._note(session, actor.member_id, found, _RESOLVED[Told(told), again])
        return count

    async def result(self, actor: Actor, poll_id: int) -> Result:
        """Return the result to a secretary: after closing, or live where the poll says so."""
        found = await self.for_actor(actor, poll_id)
        if found.state not in SHOWN and not (found.live and found.state is PollState.OPEN):
            raise PollMovedOn
        return await self._result(found)

    async def publish(self, actor: Actor, poll_id: int, what_changed: str) -> Poll:
        """Tell everybody who was asked the result and what changed; told twice it is sent once."""
        change = check_change(what_changed)
        found = await self.for_actor(actor, poll_id, Action.SEND_NOTICE)
        if found.state is PollState.PUBLISHED:
            return found
        if found.state is not PollState.CLOSED:
            raise PollMovedOn
        chart = await self.chart(found)
        async with self._database.begin() as session:
            published = await polls.step(
                session,
                poll_id,
                [PollState.CLOSED],
                PollState.PUBLISHED,
                what_changed=change,
                published_at=self._clock(),
                chart_digest=None if chart is None else chart.digest,
            )
            if not published:
                raise PollMovedOn
            await self._delivery.dispatch(
                session,
                source=polls.RESULT_SOURCE,
                source_id=poll_id,
                again_to=await polls.dispatch_of(session, poll_id),
                author_id=found.sender.author_id,
            )
            await self._note(session, actor.member_id, found, "published")
            return await self._reachable(session, actor, poll_id, Action.SEE_REPORT)

    async def chart(self, found: Poll) -> Media | None:
        """Draw the result and keep it; nothing is drawn of fewer than five."""
        count = (await self._result(found)).count
        if count is None:
            return None
        digest = await self._media.save(await asyncio.to_thread(poll_chart.draw, found, count))
        return Media("photo", polls.CHART_NAME, digest)

    async def _result(self, found: Poll) -> Result:
        async with self._database.read() as session:
            cells = await counted(session, found)
            asked = await polls.count_asked(session, found.id)
        return Result(found, asked, total(cells, len(found.options)))

    async def _read(self, poll_id: int) -> Poll:
        async with self._database.read() as session:
            found = await polls.read(session, poll_id)
        if found is None:
            raise NotFound
        return found

    async def _check_size(self, actor: Actor, found: Poll, typed: int | None) -> None:
        if found.audience_id is None:
            raise PollForNobody
        audience: Audience = await self._audiences.load(found.audience_id)
        count = await self._audiences.count(actor, audience)
        if count == 0:
            raise PollForNobody
        check_number(count, typed)
        if found.anonymous and count < SMALLEST:
            raise PollTooSmall

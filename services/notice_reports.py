"""Reports of notices: what became of each, who still needs a call, and the messages that show progress."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.accounts import Address
from domain.clock import Clock, day_of
from domain.notices import Notice, NoticeState
from domain.nudges import check_nudge, circle_of
from domain.permissions import Action, Actor
from domain.refusals import NotFound, Refusal
from services.audit import Audit
from services.delivery import Delivery, Figures
from services.walls import PAGE
from storage import notices, nudges, progress
from storage.database import Database, Session
from storage.notices import Pending
from storage.nudges import Nudged
from storage.progress import Watched


@dataclass(frozen=True, slots=True)
class Report:
    """What became of a notice; `to_call` is known only to the own secretary of those who are to be called."""

    notice: Notice
    figures: Figures | None
    confirmed: int
    to_call: int | None
    may_control: bool
    may_nudge: bool = False
    nudged: Nudged | None = None


class NoticeReports:
    """Tells totals to who may see reports, and names only to a person's own secretary."""

    def __init__(self, *, database: Database, clock: Clock, audit: Audit, delivery: Delivery) -> None:
        self._database = database
        self._clock = clock
        self._audit = audit
        self._delivery = delivery

    async def of(self, actor: Actor, notice_id: int) -> Report:
        """Return the report as of now."""
        now = self._clock()
        async with self._database.read() as session:
            found = await reachable(session, actor, notice_id, Action.SEE_REPORT, now)
            dispatch_id = await notices.dispatch_of(session, notice_id)
            confirmed = await notices.count_confirmed(session, notice_id)
            to_call = await self._to_call(session, actor, found)
            nudged = await nudges.nudged(session, notice_id)
            taken = await nudges.taken(session, notice_id)
        return Report(
            notice=found,
            figures=None if dispatch_id is None else await self._delivery.figures(dispatch_id),
            confirmed=confirmed,
            to_call=to_call,
            may_control=actor.may(Action.SEND_NOTICE, found.sender.path, day_of(now)),
            may_nudge=_may_nudge(actor, found, taken, now),
            nudged=nudged,
        )

    async def may_see(self, actor: Actor, notice_id: int) -> bool:
        """Say whether the report is theirs to see; the own list of calls may be without it."""
        async with self._database.read() as session:
            try:
                await reachable(session, actor, notice_id, Action.SEE_REPORT, self._clock())
            except NotFound:
                return False
        return True

    async def calls(self, actor: Actor, notice_id: int, page: int = 0) -> tuple[Notice, list[Pending], bool]:
        """Return who of the actor's own organisations has not confirmed; each look is written down."""
        now = self._clock()
        homes = own_homes(actor, now)
        async with self._database.begin() as session:
            found = await notices.received_one(session, actor.member_id, notice_id)
            if found is None:
                found = await reachable(session, actor, notice_id, Action.SEE_REPORT, now)
            if not homes or not found.needs_confirmation:
                raise NotFound
            pending = await notices.unconfirmed(session, notice_id, homes, offset=page * PAGE, limit=PAGE + 1)
            await self._audit.note(
                session,
                actor_id=actor.member_id,
                action="notice.calls_read",
                subject="notice",
                subject_id=notice_id,
                organisation_id=homes[0],
            )
        return found, pending[:PAGE], len(pending) > PAGE

    async def count_calls(self, actor: Actor, found: Notice) -> int | None:
        """Return how many the actor is to call as their own secretary; `None` if that is not theirs to know."""
        async with self._database.read() as session:
            return await self._to_call(session, actor, found)

    async def watch(self, actor: Actor, notice_id: int, to: Address, message_id: int) -> None:
        """Let a message show the progress of a notice until it is over."""
        async with self._database.begin() as session:
            await reachable(session, actor, notice_id, Action.SEE_REPORT, self._clock())
            dispatch_id = await notices.dispatch_of(session, notice_id)
            if dispatch_id is not None:
                await progress.watch(session, dispatch_id, to, message_id)

    async def forget(self, to: Address, message_id: int) -> None:
        """Let a message be something else from now on."""
        async with self._database.begin() as session:
            await progress.forget(session, to, message_id)

    async def watched(self) -> list[Watched]:
        """Return all messages that show progress; also close the notices that are over."""
        async with self._database.read() as session:
            found = await progress.watched(session, notices.SOURCE, self._clock())
        if any(not each.resting for each in found):
            async with self._database.begin() as session:
                await notices.settle(session)
        return found

    async def _to_call(self, session: Session, actor: Actor, found: Notice) -> int | None:
        homes = own_homes(actor, self._clock())
        if (
            not homes
            or not found.needs_confirmation
            or found.state
            in {
                NoticeState.SCHEDULED,
                NoticeState.REPEATING,
            }
        ):
            return None
        return await notices.count_unconfirmed(session, found.id, homes)


def own_homes(actor: Actor, now: datetime) -> Sequence[int]:
    """Return the organisations whose own secretary the actor is: a subtree below is another's."""
    on = day_of(now)
    held = [grant for grant in actor.grants if grant.holds(Action.SEE_UNCONFIRMED, grant.path, on)]
    return sorted({grant.organisation_id for grant in held})


def _may_nudge(actor: Actor, found: Notice, taken: Collection[str], now: datetime) -> bool:
    """Say whether there is a nudge that the actor may still take."""
    try:
        check_nudge(found)
        circle = circle_of(found, actor, own_homes(actor, now), now)
    except Refusal:
        return False
    return any(scope not in taken for scope in circle.scopes)


async def reachable(session: Session, actor: Actor, notice_id: int, action: Action, now: datetime) -> Notice:
    """Return a notice: a draft to its author, any other to who may do `action` where it was sent from."""
    found = await notices.read(session, notice_id)
    if found is None or not actor.may(action, found.sender.path, day_of(now)):
        raise NotFound
    if found.state is NoticeState.DRAFT and found.sender.author_id != actor.member_id:
        raise NotFound
    return found

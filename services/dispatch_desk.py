"""The console's desk: everything that goes out, with its figures, and what a person may do about it.

What a secretary wrote is seen where reports are seen, and steered where one may send; what the bridge tells by
itself (reminders, digests, alerts) is for the administrators of the whole city.
"""

from dataclasses import dataclass
from datetime import datetime

from domain.clock import Clock, day_of
from domain.delivery import DispatchState
from domain.dispatch_desk import ABOUT_PEOPLE, DispatchMovedOn, Standing, Step, steps_of
from domain.notices import NoticeMovedOn, NoticeState
from domain.permissions import Action, Actor
from domain.polls import PollMovedOn, PollState
from domain.refusals import NotAllowed, NotFound
from services.audit import Audit
from services.delivery import Delivery, Figures
from services.halts import Halts
from services.notices import Notices
from services.polls import TOLD_IN, Polls
from services.walls import paths_of
from storage import dispatch_desk, notices
from storage.database import Database
from storage.dispatch_desk import OF_NOTICES, OF_POLLS, Listed, Seen

PAGE = 20
MOST_GOING = 30
_DONE = {
    Step.PAUSE: "paused",
    Step.RESUME: "resumed",
    Step.CANCEL: "cancelled",
    Step.RETRY: "retried",
    Step.AGAIN: "sent_again",
    Step.LEAVE: "left_unknown",
}


@dataclass(frozen=True, slots=True)
class Shown:
    """A dispatch with its figures as of now, and what the one who looks may do about it."""

    listed: Listed
    figures: Figures
    steps: tuple[Step, ...]


class DispatchDesk:
    """Shows dispatches and takes a step with one; rights and state are looked at again at each."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        audit: Audit,
        delivery: Delivery,
        notices: Notices,
        polls: Polls,
        halts: Halts,
    ) -> None:
        self._database = database
        self._clock = clock
        self._audit = audit
        self._delivery = delivery
        self._notices = notices
        self._polls = polls
        self._halts = halts

    async def going(self, actor: Actor) -> list[Shown]:
        """Return what runs or is paused, the latest first."""
        async with self._database.read() as session:
            found = await dispatch_desk.going(session, self._seen(actor), MOST_GOING)
        return [await self._shown(actor, each) for each in found]

    async def doubtful(self, actor: Actor) -> list[Shown]:
        """Return what the actor has to decide about: some perhaps received it."""
        now = self._clock()
        steered = tuple(grant.path for grant in actor.nodes(Action.SEND_NOTICE, day_of(now)))
        seen = Seen(steered, own=self.may_see_own(actor))
        async with self._database.read() as session:
            found = await dispatch_desk.doubtful(session, seen, now, TOLD_IN, PAGE)
        shown = [await self._shown(actor, each) for each in found]
        return [each for each in shown if Step.LEAVE in each.steps]

    async def past(
        self,
        actor: Actor,
        *,
        by_people: bool = True,
        before: int | None = None,
        search: str = "",
        at_home: bool = True,
    ) -> tuple[list[Listed], bool]:
        """Return a page of all there were, the latest first, and whether more follow.

        A search from abroad, without `at_home`, finds nothing by the words of what is sensitive.
        """
        seen = self._seen(actor)
        if not by_people and not seen.own:
            raise NotAllowed
        async with self._database.read() as session:
            found = await dispatch_desk.past(
                session,
                seen,
                by_people=by_people,
                before=before,
                search=search.replace("\0", "\ufffd"),  # PostgreSQL refuses a NUL
                sensitive=at_home,
                limit=PAGE + 1,
            )
        return found[:PAGE], len(found) > PAGE

    async def of(self, actor: Actor, dispatch_id: int) -> Shown:
        """Return one; raises `NotFound` for one that is not theirs to see."""
        async with self._database.read() as session:
            found = await dispatch_desk.one(session, self._seen(actor), dispatch_id)
        if found is None:
            raise NotFound
        return await self._shown(actor, found)

    async def take(self, actor: Actor, dispatch_id: int, step: Step, generation: int) -> int:
        """Take a step, and return how many it concerns; of two who press, one does.

        `generation` is the one that was looked at: what is decided about people is refused once it was sent again.
        """
        shown = await self.of(actor, dispatch_id)
        stale = step in ABOUT_PEOPLE and generation != shown.figures.generation
        if stale or step not in shown.steps:
            raise DispatchMovedOn
        try:
            count = await self._take(actor, shown, step, generation)
        except (NoticeMovedOn, PollMovedOn):
            raise DispatchMovedOn from None
        if step in ABOUT_PEOPLE and not count:
            raise DispatchMovedOn
        return count

    def may_see_own(self, actor: Actor) -> bool:
        """Say whether the actor sees what the bridge tells by itself."""
        try:
            self._halts.check(actor)
        except NotAllowed:
            return False
        return True

    def _seen(self, actor: Actor) -> Seen:
        paths = paths_of(actor, Action.SEE_REPORT, self._clock())
        return Seen(paths, own=self.may_see_own(actor))

    async def _shown(self, actor: Actor, listed: Listed) -> Shown:
        figures = await self._delivery.figures(listed.id)
        if not self._may_steer(actor, listed):
            return Shown(listed, figures, ())
        standing = Standing(
            state=figures.state,
            failed=figures.failed,
            parked=figures.parked,
            timely=_timely(listed, self._clock()),
            may_be_cancelled=listed.source not in OF_POLLS,
        )
        return Shown(listed, figures, _fitting(listed, steps_of(standing)))

    def _may_steer(self, actor: Actor, listed: Listed) -> bool:
        if listed.origin is None:
            return self.may_see_own(actor)
        return actor.may(Action.SEND_NOTICE, listed.origin.path, day_of(self._clock()))

    async def _take(self, actor: Actor, shown: Shown, step: Step, generation: int) -> int:
        if shown.listed.source == notices.SOURCE:
            return await self._with_notice(actor, shown, step, generation)
        if shown.listed.source in OF_POLLS and step in {Step.AGAIN, Step.LEAVE}:
            again, told = step is Step.AGAIN, shown.listed.source
            return await self._polls.resolve_unknown(
                actor, shown.listed.source_id, told=told, again=again, seen=generation
            )
        return await self._directly(actor, shown.listed, step, generation)

    async def _with_notice(self, actor: Actor, shown: Shown, step: Step, generation: int) -> int:
        number, service = shown.listed.source_id, self._notices
        if step is Step.RETRY:
            return await service.retry_failed(actor, number)
        if step in {Step.AGAIN, Step.LEAVE}:
            return await service.resolve_unknown(actor, number, again=step is Step.AGAIN, seen=generation)
        obey = {Step.PAUSE: service.pause, Step.RESUME: service.resume, Step.CANCEL: service.cancel}
        await obey[step](actor, number)
        return shown.figures.waiting + shown.figures.held

    async def _directly(self, actor: Actor, listed: Listed, step: Step, generation: int) -> int:
        number, delivery = listed.id, self._delivery
        if step is Step.RETRY:
            count = await delivery.retry_failed(number)
        elif step in {Step.AGAIN, Step.LEAVE}:
            count = await delivery.resolve_unknown(number, again=step is Step.AGAIN, generation=generation)
        else:
            obey = {Step.PAUSE: delivery.pause, Step.RESUME: delivery.resume, Step.CANCEL: delivery.cancel}
            count = int(await obey[step](number))
        if count:
            async with self._database.begin() as session:
                await self._audit.note(
                    session,
                    actor_id=actor.member_id,
                    action=f"dispatch.{_DONE[step]}",
                    subject="dispatch",
                    subject_id=number,
                    organisation_id=None if listed.origin is None else listed.origin.organisation_id,
                )
        return count


def _timely(listed: Listed, now: datetime) -> bool:
    """Say whether what it tells is still worth sending: an old reminder and the call of a closed poll are not."""
    if listed.useful_until is not None and listed.useful_until <= now:
        return False
    if listed.source in OF_POLLS:
        return TOLD_IN.get(PollState(listed.about_state or PollState.CANCELLED)) == listed.source
    return not (listed.source in OF_NOTICES and listed.about_state == NoticeState.CANCELLED)


def _fitting(listed: Listed, steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """Leave out what the poll itself would refuse: it decides about its last message only."""
    if listed.source in OF_POLLS and Step.AGAIN not in steps:
        return tuple(step for step in steps if step is not Step.LEAVE)
    return steps


def is_open(figures: Figures) -> bool:
    return figures.state in {DispatchState.RUNNING, DispatchState.PAUSED}

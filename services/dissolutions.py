"""Dissolving an organisation: seen first, asked for, approved by a second person, carried out in one transaction."""

from domain.clock import Clock, day_of
from domain.dissolutions import (
    ApproverIsAnother,
    ApproverStandsTooLow,
    Dissolution,
    DissolutionIsDecided,
    DissolutionIsWaiting,
    DissolutionState,
    NobodyToApprove,
    NoReservoir,
    NotAReservoir,
    OrganisationsBelow,
    Preview,
    RootIsNotDissolved,
    check_number,
    check_reason,
    common_path,
    takes_in,
)
from domain.messages import Button, Content
from domain.organisations import Organisation, OrganisationStatus, chain_of
from domain.permissions import Action, Actor
from domain.refusals import NotFound
from locales import speak
from services.audit import Audit
from services.delivery import Delivery
from services.walls import PAGE, paths_of, require
from storage import dissolutions, grants, organisations
from storage.database import Database, Session

ASKED, DECIDED = "dissolution_asked", "dissolution_decided"
MOVED, GUEST = "dissolution", "dissolution_guest"
NAMED = 5
"""So many of the organisations below are named in a refusal."""


class Dissolutions:
    """Moves the members of an organisation to a regional one, and closes it."""

    def __init__(self, *, database: Database, clock: Clock, audit: Audit, delivery: Delivery) -> None:
        self._database = database
        self._clock = clock
        self._audit = audit
        self._delivery = delivery
        for source in (ASKED, DECIDED, MOVED, GUEST):
            delivery.sources[source] = _Told(database, source).content

    async def preview(self, actor: Actor, organisation_id: int, target_id: int | None = None) -> Preview:
        """Say what would become of an organisation; without a target, with the nearest one."""
        async with self._database.read() as session:
            found = await self._managed(session, actor, organisation_id)
            return await self._preview(session, found, target_id)

    async def targets(
        self, actor: Actor, organisation_id: int, page: int = 0
    ) -> tuple[list[Organisation], bool]:
        """Return a page of who could take the members in, the nearest first, and whether more follow."""
        async with self._database.read() as session:
            found = await self._managed(session, actor, organisation_id)
            listed = await dissolutions.reservoirs(session, found, offset=page * PAGE, limit=PAGE + 1)
        return listed[:PAGE], len(listed) > PAGE

    async def ask(
        self, actor: Actor, organisation_id: int, target_id: int, number: str, reason: str
    ) -> Dissolution:
        """Ask for a second person's word; asked twice, it is asked once."""
        number, reason = check_number(number), check_reason(reason)
        async with self._database.begin() as session:
            await organisations.lock_tree(session)
            found = await self._managed(session, actor, organisation_id)
            waits = await dissolutions.waiting_for(session, found.id)
            if waits is not None:
                told = (waits.asked_by, waits.target.id, waits.filing_number, waits.reason)
                if told != (actor.member_id, target_id, number, reason):
                    raise DissolutionIsWaiting
                return waits
            seen = await self._preview(session, found, target_id)
            approvers = await self._approvers(session, actor, seen)
            made = await dissolutions.add(
                session,
                organisation_id=found.id,
                target_id=seen.target.id,
                filing_number=number,
                reason=reason,
                asked_by=actor.member_id,
                asked_at=self._clock(),
            )
            await self._delivery.dispatch(session, source=ASKED, source_id=made, member_ids=approvers)
            return await self._noted(session, actor, made, "dissolution_asked")

    async def waiting(self, actor: Actor, page: int = 0) -> tuple[list[Dissolution], bool]:
        """Return a page of what waits for a decision where the actor manages organisations."""
        paths = paths_of(actor, Action.MANAGE_ORGANISATION, self._clock())
        async with self._database.read() as session:
            listed = await dissolutions.waiting(session, paths, offset=page * PAGE, limit=PAGE + 1)
        return listed[:PAGE], len(listed) > PAGE

    async def for_actor(self, actor: Actor, dissolution_id: int) -> Dissolution:
        """Return a request of one's own, or for an organisation that one manages."""
        async with self._database.read() as session:
            return await self._reachable(session, actor, dissolution_id)

    def may_approve(self, actor: Actor, asked: Dissolution) -> bool:
        return asked.asked_by != actor.member_id and self._stands_above(actor, asked)

    async def approve(self, actor: Actor, dissolution_id: int) -> Dissolution:
        """Carry a request out, all of it or nothing; pressed twice it is done once."""
        async with self._database.begin() as session:
            await organisations.lock_tree(session)
            asked = await self._reachable(session, actor, dissolution_id)
            if asked.asked_by == actor.member_id:
                raise ApproverIsAnother
            if not self._stands_above(actor, asked):
                raise ApproverStandsTooLow
            if self._is_done(actor, asked, DissolutionState.CARRIED_OUT):
                return asked
            await self._carry_out(session, actor, asked)
            return await self._noted(session, actor, asked.id, "dissolved")

    async def refuse(self, actor: Actor, dissolution_id: int) -> Dissolution:
        """Say no to somebody else's request; they are told."""
        async with self._database.begin() as session:
            asked = await self._reachable(session, actor, dissolution_id)
            if asked.asked_by == actor.member_id:
                raise ApproverIsAnother
            if self._is_done(actor, asked, DissolutionState.REFUSED):
                return asked
            await self._decide(session, actor, asked, DissolutionState.REFUSED)
            await self._tell_asker(session, asked)
            return await self._noted(session, actor, asked.id, "dissolution_refused")

    async def withdraw(self, actor: Actor, dissolution_id: int) -> Dissolution:
        """Take one's own request back."""
        async with self._database.begin() as session:
            asked = await self._reachable(session, actor, dissolution_id)
            if asked.asked_by != actor.member_id:
                raise NotFound
            if self._is_done(actor, asked, DissolutionState.WITHDRAWN):
                return asked
            await self._decide(session, actor, asked, DissolutionState.WITHDRAWN)
            return await self._noted(session, actor, asked.id, "dissolution_withdrawn")

    async def _carry_out(self, session: Session, actor: Actor, asked: Dissolution) -> None:
        """Tell everybody while they are still found there, then move them."""
        seen = await self._preview(session, asked.organisation, asked.target.id)
        now = self._clock()
        everybody = dissolutions.members_of(seen.organisation.id)
        guests = dissolutions.guests_of(seen.organisation.id)
        await self._delivery.dispatch(session, source=MOVED, source_id=asked.id, members=everybody)
        if seen.figures.guests:
            await self._delivery.dispatch(session, source=GUEST, source_id=asked.id, members=guests)
        moved = await dissolutions.carry_out(session, seen.organisation, seen.target, day_of(now))
        await self._decide(session, actor, asked, DissolutionState.CARRIED_OUT, moved)
        await self._tell_asker(session, asked)
        for place, what, before, after in (
            (seen.organisation, "dissolved", asked.filing_number, str(seen.target.id)),
            (seen.target, "took_in", str(seen.organisation.id), str(moved)),
        ):
            change = {"before": before, "after": after}
            await organisations.remember(
                session, place.id, at=now, what=what, actor_id=actor.member_id, **change
            )

    async def _decide(
        self, session: Session, actor: Actor, asked: Dissolution, state: DissolutionState, moved: int = 0
    ) -> None:
        now = self._clock()
        if not await dissolutions.decide(session, asked.id, state, by=actor.member_id, at=now, moved=moved):
            raise DissolutionIsDecided

    async def _tell_asker(self, session: Session, asked: Dissolution) -> None:
        await self._delivery.dispatch(
            session, source=DECIDED, source_id=asked.id, member_ids=[asked.asked_by]
        )

    async def _preview(self, session: Session, found: Organisation, target_id: int | None) -> Preview:
        """Load what a dissolution needs, and refuse what cannot be."""
        if found.status is not OrganisationStatus.ACTIVE:
            raise NotFound
        if found.parent_id is None:
            raise RootIsNotDissolved
        below = await dissolutions.below(session, found, NAMED)
        if below:
            raise OrganisationsBelow(names="、".join(each.name for each in below))
        target = await self._target(session, found, target_id)
        figures = await dissolutions.figures(session, found.id, day_of(self._clock()))
        return Preview(found, target, figures)

    async def _target(self, session: Session, found: Organisation, target_id: int | None) -> Organisation:
        if target_id is None:
            near = await dissolutions.reservoirs(session, found, offset=0, limit=1)
            if not near:
                raise NoReservoir
            return near[0]
        target = await organisations.get(session, target_id)
        if target is None or not takes_in(target, found):
            raise NotAReservoir
        return target

    async def _approvers(self, session: Session, actor: Actor, seen: Preview) -> list[int]:
        """Return who is nearest among those who manage both organisations."""
        both = common_path(seen.organisation.path, seen.target.path)
        today = day_of(self._clock())
        holders = await grants.nearest_holders(
            session, Action.MANAGE_ORGANISATION, chain_of(both), today, but=actor.member_id
        )
        if not holders:
            raise NobodyToApprove
        return holders

    def _stands_above(self, actor: Actor, asked: Dissolution) -> bool:
        today = day_of(self._clock())
        places = (asked.organisation.path, asked.target.path)
        return all(actor.may(Action.MANAGE_ORGANISATION, path, today) for path in places)

    def _is_done(self, actor: Actor, asked: Dissolution, wanted: DissolutionState) -> bool:
        """Say whether the same person decided the same already; refuses what was decided otherwise."""
        if asked.state is DissolutionState.ASKED:
            return False
        if (asked.state, asked.decided_by) != (wanted, actor.member_id):
            raise DissolutionIsDecided
        return True

    async def _managed(self, session: Session, actor: Actor, organisation_id: int) -> Organisation:
        found = await organisations.get(session, organisation_id)
        if found is None or found.status is not OrganisationStatus.ACTIVE:
            raise NotFound
        require(actor, Action.MANAGE_ORGANISATION, found.path, self._clock())
        return found

    async def _reachable(self, session: Session, actor: Actor, dissolution_id: int) -> Dissolution:
        asked = await dissolutions.read(session, dissolution_id)
        if asked is None:
            raise NotFound
        if asked.asked_by != actor.member_id:
            require(actor, Action.MANAGE_ORGANISATION, asked.organisation.path, self._clock())
        return asked

    async def _noted(self, session: Session, actor: Actor, dissolution_id: int, what: str) -> Dissolution:
        found = await dissolutions.read(session, dissolution_id)
        if found is None:
            raise NotFound
        await self._audit.note(
            session,
            actor_id=actor.member_id,
            action=f"organisation.{what}",
            subject="organisation",
            subject_id=found.organisation.id,
            organisation_id=found.organisation.id,
            detail={"number": found.filing_number, "target": found.target.id, "moved": found.moved},
        )
        return found


class _Told:
    """What is told of a dissolution: to approvers, to who asked, to members, to guests."""

    def __init__(self, database: Database, source: str) -> None:
        self._database = database
        self._source = source

    async def content(self, dissolution_id: int, language: str) -> Content:
        words = speak(language)
        async with self._database.read() as session:
            found = await dissolutions.read(session, dissolution_id)
        if found is None:
            raise LookupError(dissolution_id)
        key = f"{self._source}.{found.state}" if self._source == DECIDED else self._source
        text = words(
            f"dissolve.told.{key}",
            name=_name(found.organisation, language),
            target=_name(found.target, language),
            asker=found.asker,
        )
        place = f"org:{found.target.id}:0"
        data = place if self._source in (MOVED, GUEST) else f"dsr:see:{found.id}"
        button = Button(text=words(f"dissolve.told.button.{self._source}"), data=data)
        return Content(text=text, keyboard=((button,),))


def _name(place: Organisation, language: str) -> str:
    return place.name_en if language == "en" and place.name_en else place.name

"""Organisations: their public cards, the tree above and below, renaming and moving."""

from dataclasses import dataclass

from domain.clock import Clock, day_of
from domain.organisations import Organisation, OrganisationStatus, contains
from domain.permissions import Action, Actor
from domain.refusals import NotFound, Refusal
from services.audit import Audit
from storage import organisations
from storage.database import Database, Session
from storage.organisations import Change, Counts, Page

PAGE = 8


class InsideItself(Refusal):
    """An organisation cannot be moved below itself."""


class RootStays(Refusal):
    """The root of the tree has no other place."""


class NameMissing(Refusal):
    """An organisation needs a name."""


@dataclass(frozen=True, slots=True)
class Card:
    """What any member may see of an organisation; `counts` only for those who may see reports there."""

    organisation: Organisation
    chain: tuple[Organisation, ...]
    children: Page
    counts: Counts | None
    may_manage: bool = False


class Organisations:
    """Shows the tree to members, and changes it for those who manage it."""

    def __init__(self, *, database: Database, clock: Clock, audit: Audit) -> None:
        self._database = database
        self._clock = clock
        self._audit = audit

    async def for_actor(
        self, actor: Actor, organisation_id: int, action: Action | None = None
    ) -> Organisation:
        """Return an organisation: any active one for its card, or only where the actor may do `action`."""
        async with self._database.read() as session:
            return await self._for_actor(session, actor, organisation_id, action)

    async def card(self, actor: Actor, organisation_id: int, page: int = 0, size: int = PAGE) -> Card:
        """Return an organisation's public card: its contact and mode, all above it, a page of what is below."""
        async with self._database.read() as session:
            found = await self._for_actor(session, actor, organisation_id)
            below = await organisations.children(session, found.id, offset=page * size, limit=size)
            may_count = actor.may(Action.SEE_REPORT, found.path, day_of(self._clock()))
            return Card(
                organisation=found,
                chain=tuple(await organisations.chain(session, found.path)),
                children=below,
                counts=await organisations.counts(session, found.path) if may_count else None,
                may_manage=actor.may(Action.MANAGE_ORGANISATION, found.path, day_of(self._clock())),
            )

    async def roots(self, actor: Actor, action: Action) -> tuple[Organisation, ...]:
        """Return the outermost organisations where the actor may do `action`."""
        nodes = actor.nodes(action, day_of(self._clock()))
        async with self._database.read() as session:
            found = await organisations.of_ids(session, [node.organisation_id for node in nodes])
        return tuple(found[node.organisation_id] for node in nodes)

    async def children(
        self,
        actor: Actor,
        organisation_id: int,
        action: Action | None = None,
        *,
        page: int = 0,
        size: int = PAGE,
    ) -> Page:
        """Return a page of what lies right below an organisation."""
        async with self._database.read() as session:
            found = await self._for_actor(session, actor, organisation_id, action)
            return await organisations.children(session, found.id, offset=page * size, limit=size)

    async def search(
        self, actor: Actor, action: Action, text: str, *, page: int = 0, size: int = PAGE
    ) -> Page:
        """Find organisations by a part of their name, where the actor may do `action`."""
        paths = [node.path for node in actor.nodes(action, day_of(self._clock()))]
        async with self._database.read() as session:
            return await organisations.search(session, paths, text, offset=page * size, limit=size)

    async def history(self, actor: Actor, organisation_id: int) -> list[Change]:
        """Return what became of an organisation, for those who manage it."""
        async with self._database.read() as session:
            found = await self._for_actor(session, actor, organisation_id, Action.MANAGE_ORGANISATION)
            return await organisations.history_of(session, found.id)

    async def rename(self, actor: Actor, organisation_id: int, *, name: str, name_en: str = "") -> None:
        """Give an organisation another name; its history keeps the old one."""
        if not name.strip():
            raise NameMissing
        async with self._database.begin() as session:
            found = await self._for_actor(session, actor, organisation_id, Action.MANAGE_ORGANISATION)
            await organisations.rename(session, found.id, name=name.strip(), name_en=name_en.strip())
            await self._changed(session, actor, found, "renamed", before=found.name, after=name.strip())

    async def move(self, actor: Actor, organisation_id: int, parent_id: int) -> int:
        """Put an organisation with all below it under another parent; returns how many moved.

        It takes the right to manage both parents, the old and the new: nobody moves their own node away.
        """
        async with self._database.begin() as session:
            await organisations.lock_tree(session)
            found = await self._for_actor(session, actor, organisation_id, Action.MANAGE_ORGANISATION)
            if found.parent_id is None:
                raise RootStays
            before = await self._for_actor(session, actor, found.parent_id, Action.MANAGE_ORGANISATION)
            after = await self._for_actor(session, actor, parent_id, Action.MANAGE_ORGANISATION)
            if contains(found.path, after.path):
                raise InsideItself
            if after.id == before.id:
                return 0
            moved = await organisations.move(session, found, after)
            await self._changed(session, actor, found, "moved", before=str(before.id), after=str(after.id))
        return moved

    async def _for_actor(
        self, session: Session, actor: Actor, organisation_id: int, action: Action | None = None
    ) -> Organisation:
        found = await organisations.get(session, organisation_id)
        if found is None or found.status is not OrganisationStatus.ACTIVE:
            raise NotFound
        if action is not None and not actor.may(action, found.path, day_of(self._clock())):
            raise NotFound
        return found

    async def _changed(
        self, session: Session, actor: Actor, found: Organisation, what: str, *, before: str, after: str
    ) -> None:
        change = {"before": before, "after": after}
        await organisations.remember(
            session, found.id, at=self._clock(), what=what, actor_id=actor.member_id, **change
        )
        await self._audit.note(
            session,
            actor_id=actor.member_id,
            action=f"organisation.{what}",
            subject="organisation",
            subject_id=found.id,
            organisation_id=found.id,
            detail=change,
        )

"""Approvals: the second proof of a waiting chat, given by a secretary or by the person's own number."""

from domain.accounts import AccountLink, Address, LinkState, MessengerNotAllowed
from domain.clock import Clock
from domain.invitations import InvitationExpired, LinkNotWaiting
from domain.members import MemberStatus
from domain.permissions import Action, Actor
from domain.refusals import NotFound
from services.alerts import Alerts
from services.audit import Audit
from services.walls import PAGE, paths_of, require
from storage import accounts, people, sign_ins
from storage.accounts import WaitingLink
from storage.database import Database, Session
from storage.people import Found


class Approvals:
    """Joins waiting chats to their members, or turns them away."""

    def __init__(self, *, database: Database, clock: Clock, audit: Audit, alerts: Alerts) -> None:
        self._database = database
        self._clock = clock
        self._audit = audit
        self._alerts = alerts

    async def waiting(self, actor: Actor, page: int) -> tuple[list[WaitingLink], bool]:
        """List the links that wait in the actor's subtrees; the flag says whether there are more."""
        paths = paths_of(actor, Action.APPROVE_LINK, self._clock())
        async with self._database.read() as session:
            found = await accounts.waiting(
                session, paths, but=actor.member_id, offset=max(page, 0) * PAGE, limit=PAGE + 1
            )
        return found[:PAGE], len(found) > PAGE

    async def for_actor(self, actor: Actor, link_id: int) -> WaitingLink:
        """Return a link to who may decide on it, and note that its member's record was read."""
        async with self._database.begin() as session:
            _, seen = await self._decidable(session, actor, link_id)
            await self._audit.note(
                session,
                actor_id=actor.member_id,
                action="member.read",
                subject="member",
                subject_id=seen.member_id,
                organisation_id=seen.home_id,
            )
        return seen

    async def decidable(self, actor: Actor, link_id: int) -> WaitingLink:
        """Return a link that the actor has opened before, to ask for the decision."""
        async with self._database.read() as session:
            _, seen = await self._decidable(session, actor, link_id)
        return seen

    async def approve(self, actor: Actor, link_id: int) -> WaitingLink:
        """Join a waiting chat to its member; approving twice changes nothing."""
        async with self._database.begin() as session:
            link, seen = await self._decidable(session, actor, link_id)
            if link.state is not LinkState.ACTIVE:
                found = await active_member(session, link.member_id)
                await self.join(session, link, found, decided_by=actor.member_id)
                await self._alerts.link_joined(session, link.id, link.member_id)
        return seen

    async def refuse(self, actor: Actor, link_id: int) -> WaitingLink:
        """Turn a waiting chat away; refusing twice changes nothing, but what was approved stays."""
        async with self._database.begin() as session:
            link, seen = await self._decidable(session, actor, link_id)
            if link.state is LinkState.ENDED:
                return seen
            if not await accounts.refuse(session, link.id, since=self._clock(), decided_by=actor.member_id):
                raise LinkNotWaiting
            await self._audit.note(
                session,
                actor_id=actor.member_id,
                action="link.refused",
                subject="member",
                subject_id=seen.member_id,
                organisation_id=seen.home_id,
            )
        return seen

    async def ask(self, session: Session, link_id: int, found: Found) -> None:
        """Tell those who can approve a waiting link, once."""
        await self._alerts.link_waiting(session, link_id, found.member.id, found.home_path)

    async def join(
        self, session: Session, link: AccountLink, found: Found, *, decided_by: int | None
    ) -> None:
        """Make a waiting link active; without `decided_by` it was proved by the person's own number.

        Where they were signed in to the console until now they are no more.
        """
        await require_allowed(session, link.address)
        if not await accounts.activate(session, link, since=self._clock(), decided_by=decided_by):
            raise LinkNotWaiting
        await sign_ins.end_all(session, link.member_id)  # of a chat that was lost, its browsers too
        language = await accounts.language_of(session, link.address)
        if language is not None:
            await accounts.set_language(session, link.address, language)
        await self._audit.note(
            session,
            actor_id=decided_by or link.member_id,
            action="link.proved" if decided_by is None else "link.approved",
            subject="member",
            subject_id=found.member.id,
            organisation_id=found.member.home_id,
        )

    async def _decidable(
        self, session: Session, actor: Actor, link_id: int
    ) -> tuple[AccountLink, WaitingLink]:
        """Return a link that is the actor's to decide: nobody is their own second proof."""
        found = await accounts.link_with_home(session, link_id)
        if found is None or found[0].member_id == actor.member_id:
            raise NotFound
        require(actor, Action.APPROVE_LINK, found[1].home_path, self._clock())
        return found


async def active_member(session: Session, member_id: int) -> Found:
    """Return an invited member; one who left meanwhile is invited no more."""
    found = await people.record(session, member_id)
    if found is None or found.member.status is not MemberStatus.ACTIVE:
        raise InvitationExpired
    return found


async def require_allowed(session: Session, address: Address) -> None:
    """Raise unless this bridge may write to chats of this account."""
    if (await accounts.account(session, address.account_id)).barred:
        raise MessengerNotAllowed

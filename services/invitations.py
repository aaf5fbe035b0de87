"""Invitations: joining a chat to a member's record, with a code first and a second proof after it."""

import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime

from domain.accounts import AccountLink, Address, LinkState
from domain.clock import Clock, day_of
from domain.invitations import (
    CODE_BYTES,
    LIFETIME,
    ChatLinkedToAnother,
    ContactNotOwn,
    Invitation,
    InvitationExpired,
    InvitationForm,
    InvitationUnknown,
    InvitationUsed,
    LinkNotWaiting,
    NameTooShort,
    PhoneNotProof,
    WrongCodes,
    check_open,
    phone_may_prove,
    well_formed,
)
from domain.members import MemberStatus
from domain.permissions import Action, Actor
from domain.phones import normalised
from domain.refusals import NotAllowed, NotFound
from services.alerts import Alerts
from services.audit import Audit
from storage import accounts, invitations, people
from storage.accounts import WaitingLink
from storage.database import Database, Session
from storage.people import Found
from storage.sealing import Sealer

PAGE = 8
SHORTEST_NAME = 2


@dataclass(frozen=True, slots=True)
class Invited:
    """Whom a code invites, and how far this chat has come with it (`None`: not yet confirmed)."""

    name: str
    organisation: str
    form: InvitationForm
    expires_at: datetime
    state: LinkState | None


@dataclass(frozen=True, slots=True)
class Joining:
    """How far a chat is joined to a member; `by_phone` says that the own shared contact would do."""

    state: LinkState
    by_phone: bool


@dataclass(frozen=True, slots=True)
class Issued:
    """A fresh invitation. The code is seen this once: only its hash is kept."""

    code: str
    name: str
    organisation: str
    form: InvitationForm
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Candidate:
    """A member found by name."""

    member_id: int
    name: str
    organisation: str


class Invitations:
    """Joins chats to members."""

    def __init__(
        self, *, database: Database, clock: Clock, audit: Audit, sealer: Sealer, alerts: Alerts
    ) -> None:
        self._database = database
        self._clock = clock
        self._audit = audit
        self._sealer = sealer
        self._alerts = alerts
        self._wrong = WrongCodes()

    # The person with a code

    async def look(self, address: Address, code: str) -> Invited:
        """Say whom a code invites; refuses what is forged, used, expired or another member's."""
        async with self._database.read() as session:
            invitation, link = await self._opened(session, address, code)
            if link is None:
                check_open(invitation, self._clock())
            found = await _active(session, invitation.member_id)
        return Invited(
            name=found.member.name,
            organisation=found.home_name,
            form=invitation.form,
            expires_at=invitation.expires_at,
            state=None if link is None else link.state,
        )

    async def accept(self, address: Address, code: str) -> Joining:
        """Use a code: the chat now waits for its second proof. The same chat may say so twice."""
        now = self._clock()
        async with self._database.begin() as session:
            invitation, link = await self._opened(session, address, code)
            found = await _active(session, invitation.member_id)
            if link is None:
                check_open(invitation, now)
                if not await invitations.use(session, invitation.id, now):
                    raise InvitationUsed
                link_id = await accounts.add_waiting(
                    session,
                    member_id=invitation.member_id,
                    address=address,
                    invitation_id=invitation.id,
                    since=now,
                )
                await self._note(session, "link.asked", found, actor_id=invitation.member_id)
            by_phone = await _by_phone(session, address, invitation, found)
            if link is None and not by_phone:
                await self._alerts.link_waiting(session, link_id, found.home_path)
        return Joining(state=LinkState.PENDING if link is None else link.state, by_phone=by_phone)

    async def standing(self, address: Address) -> Joining | None:
        """Say how far a chat is joined to a member; `None` for a stranger's."""
        async with self._database.read() as session:
            link = await accounts.link_at(session, address)
            if link is None:
                return None
            invitation = await invitations.of_link(session, link.id)
            found = await people.record(session, link.member_id)
            by_phone = (
                invitation is not None
                and found is not None
                and await _by_phone(session, address, invitation, found)
            )
        return Joining(state=link.state, by_phone=by_phone)

    async def prove_by_phone(self, address: Address, *, sender: int, owner: int | None, phone: str) -> None:
        """Take the sender's own shared contact as second proof; it counts only where numbers are verified."""
        if owner != sender:
            raise ContactNotOwn
        async with self._database.begin() as session:
            link = await _waiting(session, address)
            invitation = await invitations.of_link(session, link.id)
            found = await _active(session, link.member_id)
            if invitation is None or not await _by_phone(session, address, invitation, found):
                raise PhoneNotProof
            if not hmac.compare_digest(self._sealer.blind_index(normalised(phone)), found.phone_index or b""):
                raise PhoneNotProof
            await self._activate(session, link, found, decided_by=None)

    async def withdraw(self, address: Address) -> None:
        """Take this chat apart from the record, waiting or joined; doing so twice changes nothing."""
        async with self._database.begin() as session:
            link = await accounts.link_at(session, address)
            if link is None:
                return
            await accounts.end(session, link.id, self._clock())
            found = await people.record(session, link.member_id)
            if found is not None:
                await self._note(session, "link.withdrawn", found, actor_id=link.member_id)

    # The secretary who invites

    def require_inviter(self, actor: Actor) -> None:
        """Raise unless the actor may invite somebody somewhere."""
        self._paths(actor, Action.INVITE)

    async def search(self, actor: Actor, name: str, page: int) -> tuple[list[Candidate], bool]:
        """Find members of the actor's subtrees by name; the flag says whether there are more."""
        paths = self._paths(actor, Action.INVITE)
        wanted = name.strip()
        if len(wanted) < SHORTEST_NAME:
            raise NameTooShort(n=SHORTEST_NAME)
        async with self._database.read() as session:
            found = await people.search(session, paths, wanted, offset=page * PAGE, limit=PAGE + 1)
        candidates = [Candidate(one.member.id, one.member.name, one.home_name) for one in found]
        return candidates[:PAGE], len(candidates) > PAGE

    async def create(self, actor: Actor, member_id: int, form: InvitationForm) -> Issued:
        """Invite a member of the actor's subtree; an earlier unused code of theirs loses its validity."""
        now = self._clock()
        code = secrets.token_urlsafe(CODE_BYTES)
        expires_at = now + LIFETIME[form]
        async with self._database.begin() as session:
            found = await people.record(session, member_id)
            if found is None or found.member.status is not MemberStatus.ACTIVE:
                raise NotFound
            self._require(actor, Action.INVITE, found.home_path)
            await invitations.add(
                session,
                member_id=member_id,
                code=code,
                form=form,
                created_by=actor.member_id,
                created_at=now,
                expires_at=expires_at,
            )
            await self._note(session, "invitation.created", found, actor_id=actor.member_id, form=form)
        return Issued(
            code=code,
            name=found.member.name,
            organisation=found.home_name,
            form=form,
            expires_at=expires_at,
        )

    # The secretary who approves

    async def waiting(self, actor: Actor, page: int) -> tuple[list[WaitingLink], bool]:
        """List the links that wait in the actor's subtrees; the flag says whether there are more."""
        paths = self._paths(actor, Action.APPROVE_LINK)
        async with self._database.read() as session:
            found = await accounts.waiting(session, paths, offset=page * PAGE, limit=PAGE + 1)
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
                found = await _active(session, link.member_id)
                await self._activate(session, link, found, decided_by=actor.member_id)
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

    # Parts

    async def _opened(
        self, session: Session, address: Address, code: str
    ) -> tuple[Invitation, AccountLink | None]:
        now = self._clock()
        self._wrong.check(address, now)
        invitation = await invitations.by_code(session, code) if well_formed(code) else None
        if invitation is None:
            self._wrong.count(address, now)
            raise InvitationUnknown
        link = await accounts.link_at(session, address)
        if link is not None and link.member_id != invitation.member_id:
            raise ChatLinkedToAnother
        return invitation, link

    async def _activate(
        self, session: Session, link: AccountLink, found: Found, *, decided_by: int | None
    ) -> None:
        if not await accounts.activate(session, link, since=self._clock(), decided_by=decided_by):
            raise LinkNotWaiting
        language = await accounts.language_of(session, link.address)
        if language is not None:
            await accounts.set_language(session, link.address, language)
        action = "link.proved" if decided_by is None else "link.approved"
        await self._note(session, action, found, actor_id=decided_by or link.member_id)

    async def _decidable(
        self, session: Session, actor: Actor, link_id: int
    ) -> tuple[AccountLink, WaitingLink]:
        found = await accounts.link_with_home(session, link_id)
        if found is None:
            raise NotFound
        self._require(actor, Action.APPROVE_LINK, found[1].home_path)
        return found

    def _paths(self, actor: Actor, action: Action) -> tuple[str, ...]:
        paths = tuple(grant.path for grant in actor.nodes(action, day_of(self._clock())))
        if not paths:
            raise NotAllowed
        return paths

    def _require(self, actor: Actor, action: Action, path: str) -> None:
        self._paths(actor, action)
        if not actor.may(action, path, day_of(self._clock())):
            raise NotFound

    async def _note(
        self, session: Session, action: str, found: Found, *, actor_id: int, **detail: str
    ) -> None:
        await self._audit.note(
            session,
            actor_id=actor_id,
            action=action,
            subject="member",
            subject_id=found.member.id,
            organisation_id=found.member.home_id,
            detail=detail or None,
            person_id=found.member.id,
        )


async def _active(session: Session, member_id: int) -> Found:
    found = await people.record(session, member_id)
    if found is None or found.member.status is not MemberStatus.ACTIVE:
        raise InvitationExpired
    return found


async def _waiting(session: Session, address: Address) -> AccountLink:
    link = await accounts.link_at(session, address)
    if link is None or link.state is not LinkState.PENDING:
        raise LinkNotWaiting
    return link


async def _by_phone(session: Session, address: Address, invitation: Invitation, found: Found) -> bool:
    account = await accounts.account(session, address.account_id)
    return phone_may_prove(
        invitation.form,
        verifies_phones=account.verifies_phones,
        phone_known=found.phone_index is not None,
    )

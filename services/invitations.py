"""Invitations: joining a chat to a member's record, with a code first and a second proof after it."""

import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime

from domain.accounts import AccountLink, Address, LinkState
from domain.clock import Clock
from domain.invitations import (
    ALPHABET,
    CODE_LENGTH,
    LIFETIME,
    ChatLinkedToAnother,
    ContactNotOwn,
    Invitation,
    InvitationForm,
    InvitationUnknown,
    InvitationUsed,
    LinkNotWaiting,
    NameTooShort,
    PhoneNotProof,
    WrongCodes,
    check_open,
    phone_may_prove,
    read_code,
)
from domain.members import MemberStatus
from domain.permissions import Action, Actor
from domain.phones import normalised
from domain.refusals import NotFound
from services.approvals import Approvals, active_member, require_allowed
from services.audit import Audit
from services.walls import PAGE, paths_of, require
from storage import accounts, invitations, people, sign_ins
from storage.database import Database, Session
from storage.people import Found
from storage.sealing import Sealer

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
    barred: bool = False
    """The messenger is not allowed here (any more): nothing but leaving goes on."""
    elsewhere: str | None = None
    """The account that messages still go to first, if it is another."""


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
        self, *, database: Database, clock: Clock, audit: Audit, sealer: Sealer, approvals: Approvals
    ) -> None:
        self._database = database
        self._clock = clock
        self._audit = audit
        self._sealer = sealer
        self._approvals = approvals
        self._wrong = WrongCodes()

    async def look(self, address: Address, code: str) -> Invited:
        """Say whom a code invites; refuses what is forged, used, expired or another member's."""
        async with self._database.read() as session:
            invitation, link = await self._opened(session, address, code)
            if link is None:
                check_open(invitation, self._clock())
            found = await active_member(session, invitation.member_id)
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
            found = await active_member(session, invitation.member_id)
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
                await self._approvals.ask(session, link_id, found)
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
            account = await accounts.account(session, address.account_id)
            first = next(iter(await accounts.chats_of(session, link.member_id)), None)
        return Joining(
            state=link.state,
            by_phone=by_phone,
            barred=account.barred,
            elsewhere=first.account_name if first and first.address != address else None,
        )

    async def prove_by_phone(self, address: Address, *, sender: int, owner: int | None, phone: str) -> None:
        """Take the sender's own shared contact as second proof; it counts only where numbers are verified."""
        if owner != sender:
            raise ContactNotOwn
        async with self._database.begin() as session:
            link = await _waiting(session, address)
            invitation = await invitations.of_link(session, link.id)
            found = await active_member(session, link.member_id)
            if invitation is None or not await _by_phone(session, address, invitation, found):
                raise PhoneNotProof
            proved = hmac.compare_digest(
                self._sealer.blind_index(normalised(phone)), found.phone_index or b""
            )
            if proved:
                await self._approvals.join(session, link, found, decided_by=None)
            else:
                await self._approvals.ask(session, link.id, found)
        if not proved:
            raise PhoneNotProof

    async def ask_secretary(self, address: Address) -> None:
        """Ask for the secretary's approval where the person would rather not share a number."""
        async with self._database.begin() as session:
            link = await _waiting(session, address)
            found = await active_member(session, link.member_id)
            await self._approvals.ask(session, link.id, found)

    async def withdraw(self, address: Address) -> None:
        """Take this chat apart from the record, waiting or joined; doing so twice changes nothing.

        Who had joined is signed out of the console in all browsers.
        """
        async with self._database.begin() as session:
            link = await accounts.link_at(session, address)
            if link is None:
                return
            await accounts.end(session, link.id, self._clock())
            if link.state is not LinkState.PENDING:
                await sign_ins.end_all(session, link.member_id)
            found = await people.record(session, link.member_id)
            if found is not None:
                await self._note(session, "link.withdrawn", found, actor_id=link.member_id)

    def require_inviter(self, actor: Actor) -> None:
        """Raise unless the actor may invite somebody somewhere."""
        paths_of(actor, Action.INVITE, self._clock())

    async def search(self, actor: Actor, name: str, page: int) -> tuple[list[Candidate], bool]:
        """Find members of the actor's subtrees by name; the flag says whether there are more."""
        paths = paths_of(actor, Action.INVITE, self._clock())
        wanted = name.strip()
        if len(wanted) < SHORTEST_NAME:
            raise NameTooShort(n=SHORTEST_NAME)
        async with self._database.read() as session:
            found = await people.search(session, paths, wanted, offset=max(page, 0) * PAGE, limit=PAGE + 1)
        candidates = [Candidate(one.member.id, one.member.name, one.home_name) for one in found]
        return candidates[:PAGE], len(candidates) > PAGE

    async def create(self, actor: Actor, member_id: int, form: InvitationForm) -> Issued:
        """Invite a member of the actor's subtree; an earlier unused code of theirs loses its validity."""
        now = self._clock()
        code = "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))
        expires_at = now + LIFETIME[form]
        async with self._database.begin() as session:
            found = await people.record(session, member_id)
            if found is None or found.member.status is not MemberStatus.ACTIVE:
                raise NotFound
            require(actor, Action.INVITE, found.home_path, self._clock())
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

    async def _opened(
        self, session: Session, address: Address, code: str
    ) -> tuple[Invitation, AccountLink | None]:
        now = self._clock()
        self._wrong.check(address, now)
        await require_allowed(session, address)
        read = read_code(code)
        invitation = await invitations.by_code(session, read) if read else None
        if invitation is None:
            self._wrong.count(address, now)
            raise InvitationUnknown
        link = await accounts.link_at(session, address)
        if link is not None and link.member_id != invitation.member_id:
            raise ChatLinkedToAnother
        return invitation, link

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

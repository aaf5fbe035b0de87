"""Members: a person's own record, who has read it, stopping and resuming messages."""

from dataclasses import dataclass
from datetime import date, datetime

from domain.accounts import NoSuchChat
from domain.clock import Clock, day_of
from domain.members import Member
from domain.organisations import Organisation
from domain.permissions import Action, Actor, Role
from domain.refusals import NotFound
from services.audit import Audit
from storage import accounts, grants, organisations, people, send_requests
from storage.accounts import Chat
from storage.audit import Reading, readings_of
from storage.database import Database, Session

SHOWN_READINGS = 5


@dataclass(frozen=True, slots=True)
class Overview:
    """What the main menu shows: where one belongs, what one may do, and what waits."""

    home: Organisation
    stopped: bool
    may_send: bool
    may_invite: bool
    may_approve: bool
    may_manage: bool
    waiting_links: int
    waiting_sends: int


@dataclass(frozen=True, slots=True)
class Record:
    """A person's record: all that is stored of them, and who has looked at it."""

    member: Member
    joined: date | None
    chain: tuple[Organisation, ...]
    hosts: tuple[Organisation, ...]
    roles: tuple[tuple[Role, Organisation], ...]
    accounts: tuple[str, ...]
    topics: int
    readings: tuple[Reading, ...]


class Members:
    """Shows members their own record, and others' records to those who may read them."""

    def __init__(self, *, database: Database, clock: Clock, audit: Audit) -> None:
        self._database = database
        self._clock = clock
        self._audit = audit

    async def overview(self, actor: Actor) -> Overview:
        """Return what the main menu shows."""
        on = day_of(self._clock())
        paths = tuple(grant.path for grant in actor.nodes(Action.APPROVE_LINK, on))
        decides = tuple(grant.path for grant in actor.nodes(Action.APPROVE_SENDING, on))
        async with self._database.read() as session:
            member = await self._member(session, actor.member_id)
            home = (await organisations.of_ids(session, [actor.home_id]))[actor.home_id]
            waiting = await accounts.count_waiting(session, paths, but=actor.member_id)
            sends = await send_requests.count_waiting(session, decides, but=actor.member_id)
        return Overview(
            home=home,
            stopped=member.stopped_at is not None,
            may_send=actor.may_somewhere(Action.SEND_NOTICE, on),
            may_invite=actor.may_somewhere(Action.INVITE, on),
            may_approve=bool(paths),
            may_manage=actor.may_somewhere(Action.MANAGE_ORGANISATION, on),
            waiting_links=waiting,
            waiting_sends=sends,
        )

    async def own_record(self, actor: Actor) -> Record:
        """Return the actor's own record; reading one's own leaves no trace."""
        async with self._database.read() as session:
            return await self._record(session, actor.member_id)

    async def for_actor(self, actor: Actor, member_id: int) -> Record:
        """Return a member's record to who may read it, and note the reading, for that member to see."""
        if member_id == actor.member_id:
            return await self.own_record(actor)
        async with self._database.begin() as session:
            record = await self._readable(session, actor, member_id)
            await self._audit.note(
                session,
                actor_id=actor.member_id,
                action="member.read",
                subject="member",
                subject_id=member_id,
                organisation_id=record.member.home_id,
            )
        return record

    async def stop(self, actor: Actor) -> None:
        """Stop all messages but answers, at once; stopping twice changes nothing."""
        await self._set_stopped(actor, self._clock())

    async def resume(self, actor: Actor) -> None:
        """Let messages come again; resuming twice changes nothing."""
        await self._set_stopped(actor, None)

    async def chats(self, actor: Actor) -> list[Chat]:
        """Return the actor's own chats, the one that is written to first at the head."""
        async with self._database.read() as session:
            return await accounts.chats_of(session, actor.member_id)

    async def send_to(self, actor: Actor, account_id: int) -> None:
        """Send to the actor on this account first, from now on; what is on its way stays so."""
        async with self._database.begin() as session:
            if not await accounts.prefer(session, actor.member_id, account_id):
                raise NoSuchChat

    async def _set_stopped(self, actor: Actor, at: datetime | None) -> None:
        async with self._database.begin() as session:
            if await people.set_stopped(session, actor.member_id, at):
                await self._audit.note(
                    session,
                    actor_id=actor.member_id,
                    action="member.stopped" if at else "member.resumed",
                    subject="member",
                    subject_id=actor.member_id,
                )

    async def _readable(self, session: Session, actor: Actor, member_id: int) -> Record:
        record = await self._record(session, member_id)
        if not actor.may(Action.READ_MEMBER, record.chain[-1].path, day_of(self._clock())):
            raise NotFound
        return record

    async def _record(self, session: Session, member_id: int) -> Record:
        found = await people.record(session, member_id)
        if found is None:
            raise NotFound
        return Record(
            member=found.member,
            joined=found.joined,
            chain=tuple(await organisations.chain(session, found.home_path)),
            hosts=tuple(await people.hosts_of(session, member_id)),
            roles=tuple(await grants.roles_of(session, member_id, day_of(self._clock()))),
            accounts=tuple(await accounts.names_of(session, member_id)),
            topics=await people.subscriptions(session, member_id),
            readings=_once_a_day(await readings_of(session, member_id, 10 * SHOWN_READINGS)),
        )

    async def _member(self, session: Session, member_id: int) -> Member:
        found = await people.record(session, member_id)
        if found is None:
            raise NotFound
        return found.member


def _once_a_day(readings: list[Reading]) -> tuple[Reading, ...]:
    """Keep the latest look of each reader and day."""
    seen: dict[tuple[str | None, date], Reading] = {}
    for reading in readings:
        seen.setdefault((reading.actor_name, day_of(reading.at)), reading)
    return tuple(seen.values())[:SHOWN_READINGS]

"""Forgetting: a member goes, at their own word, and no restored backup brings them back."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import structlog

from domain.clock import Clock, day_of
from domain.forgetting import Forgotten, check_asked
from domain.organisations import Organisation
from domain.permissions import Actor, Role
from services.poll_booth import owner_of
from services.vacancies import Vacancies
from storage import audit, forgetting, ledger, organisations
from storage.database import Database, Session
from storage.sealing import Sealer

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Farewell:
    """What somebody should know before they go: who is left without a secretary, and what will not go out."""

    without_secretary: tuple[Organisation, ...]
    scheduled: int


class Forgetting:
    """Empties a member's record, writes that down in the ledger, and does it again after a restore.

    Without a sealer what waits under seal cannot be found: the ledger then stays open until one comes.
    """

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        sealer: Sealer | None,
        file: Path,
        vacancies: Vacancies | None = None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._sealer = sealer
        self._file = file
        self._vacancies = vacancies

    async def farewell(self, actor: Actor) -> Farewell:
        """Return what to tell a person who is about to go; it keeps nobody."""
        async with self._database.read() as session:
            left = await self._without_secretary(session, actor)
            return Farewell(left, await forgetting.count_scheduled(session, actor.member_id))

    async def forget(self, actor: Actor, asked_id: int, asked_minute: int) -> None:
        """Forget the actor, who was asked twice; at once, and for good."""
        now = self._clock()
        check_asked(actor.member_id, asked_id, asked_minute, now)
        entry = Forgotten(actor.member_id, now)
        async with self._database.begin() as session:
            left = await self._without_secretary(session, actor)
            if not await self._wipe(session, entry):
                return
            if self._vacancies is not None:
                await self._vacancies.tell(session, left, but=actor.member_id)
            bridge = await ledger.bridge_of(session)
        await asyncio.to_thread(ledger.append, self._file, bridge, [entry])

    async def catch_up(self) -> int:
        """Forget again whom a restored database still knows, and bring file and table in line; returns how many."""
        async with self._database.read() as session:
            bridge = await ledger.bridge_of(session)
            known = await ledger.entries(session)
        written = await asyncio.to_thread(ledger.read, self._file, bridge)
        missed = sorted(written - known, key=_moment)
        for entry in missed:
            async with self._database.begin() as session:
                await self._wipe(session, entry)
        async with self._database.begin() as session:
            await forgetting.drop_counted_votes(session)
        await asyncio.to_thread(ledger.append, self._file, bridge, known - written)
        if missed:
            log.warning("forgotten_again", members=len(missed))
        return len(missed)

    async def _without_secretary(self, session: Session, actor: Actor) -> tuple[Organisation, ...]:
        """Return the organisations whose only secretary the actor is."""
        on = day_of(self._clock())
        held = sorted(
            grant.organisation_id
            for grant in set(actor.grants)
            if grant.role is Role.SECRETARY
            and grant.since <= on
            and (grant.until is None or on <= grant.until)
        )
        led = await forgetting.led_by_others(session, actor.member_id, held, on)
        found = await organisations.of_ids(session, [node_id for node_id in held if node_id not in led])
        return tuple(found.values())

    async def _wipe(self, session: Session, entry: Forgotten) -> bool:
        """Empty a record and write it down, each once; returns whether there was one."""
        known = await forgetting.wipe(session, entry.member_id, self._owner(entry.member_id))
        if self._sealer is not None:
            await ledger.add(session, entry)
            if known:
                await self._note(session, self._sealer, entry.member_id)
        return known

    def _owner(self, member_id: int) -> Callable[[int], bytes] | None:
        sealer = self._sealer
        return None if sealer is None else lambda poll_id: owner_of(sealer, poll_id, member_id)

    async def _note(self, session: Session, sealer: Sealer, member_id: int) -> None:
        await audit.note(
            session,
            at=self._clock(),
            sealer=sealer,
            actor_id=member_id,
            action="member.forgotten",
            subject="member",
            subject_id=member_id,
        )


def _moment(entry: Forgotten) -> datetime:
    return entry.at

"""The audit as a use case: note what happened, seal it in batches, find tampering."""

from datetime import datetime
from typing import Any

from domain.audit import BATCH, GENESIS, Broken, check
from domain.clock import Clock
from storage import audit
from storage.database import Database, Session
from storage.sealing import Sealer

_PAGE = 100


class Audit:
    """Writes entries within the caller's transaction; each batch of them is linked to the one before."""

    def __init__(self, *, database: Database, clock: Clock, sealer: Sealer) -> None:
        self._database = database
        self._clock = clock
        self._sealer = sealer

    async def note(
        self,
        session: Session,
        *,
        actor_id: int | None,
        action: str,
        subject: str,
        subject_id: int,
        organisation_id: int | None = None,
        detail: dict[str, Any] | None = None,
        person_id: int | None = None,
    ) -> None:
        """Write an entry inside the caller's transaction, so that it stands or falls with what it tells of."""
        await audit.note(
            session,
            at=self._clock(),
            sealer=self._sealer,
            actor_id=actor_id,
            action=action,
            subject=subject,
            subject_id=subject_id,
            organisation_id=organisation_id,
            detail=detail,
            person_id=person_id,
        )

    async def seal(self, now: datetime, batch: int = BATCH) -> int:
        """Seal all entries that carry no seal yet; returns how many. One transaction a batch."""
        total = 0
        while True:
            async with self._database.begin() as session:
                await audit.lock_seals(session)
                sealed = await audit.seal_next(session, now, batch)
            if not sealed:
                return total
            total += sealed

    async def verify(self) -> Broken | None:
        """Walk the chain from its beginning; returns the first place where it does not hold."""
        previous, last_id = GENESIS, 0
        while True:
            async with self._database.read() as session:
                seals = await audit.seals_after(session, last_id, _PAGE)
                for seal in seals:
                    broken = check(seal, previous, await audit.entries_of(session, seal.id))
                    if broken is not None:
                        return broken
                    previous, last_id = seal.head, seal.id
            if not seals:
                return None

    async def head(self) -> bytes:
        """Return the latest head, to be posted elsewhere: who has it can tell if the chain's end was cut off."""
        async with self._database.read() as session:
            return await audit.latest_head(session)

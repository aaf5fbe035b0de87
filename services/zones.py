"""The time zones in which organisations are: a few, while each slice would ask them of a thousand people."""

from collections.abc import Collection
from datetime import datetime, timedelta

from domain.clock import Clock
from storage import organisations
from storage.database import Session

READ_EVERY = timedelta(minutes=1)


class Zones:
    """Knows them for a minute."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._known: Collection[str] = ()
        self._read_at: datetime | None = None

    async def read(self, session: Session) -> Collection[str]:
        now = self._clock()
        if self._read_at is None or now - self._read_at >= READ_EVERY:
            self._known, self._read_at = await organisations.zones(session), now
        return self._known

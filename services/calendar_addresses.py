"""A member's web calendar address: made, renewed, switched off, and what it shows to a calendar program.

Who has the address sees the days and the activities where the member is at home, and nothing of the member.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime

from domain.clock import Clock
from domain.organisations import chain_of
from domain.permissions import Actor
from domain.refusals import NotFound
from domain.service_days import month_of
from services.audit import Audit
from services.service_day_book import ServiceDayBook
from services.service_day_ics import build
from storage import calendar_addresses, service_days
from storage.database import Database

TOKEN_BYTES = 24
"""192 bits: nobody guesses one."""
LONGEST_TOKEN = 64
PATH = "/calendar/{token}.ics"


@dataclass(frozen=True, slots=True)
class Feed:
    """What an address shows, and how one sees whether it has changed."""

    body: bytes
    etag: str
    modified: datetime


class CalendarAddresses:
    """Gives each member at most one address; its secret part is kept only as a hash, so it is shown once."""

    def __init__(
        self, *, database: Database, clock: Clock, audit: Audit, book: ServiceDayBook, public_url: str
    ) -> None:
        self._database = database
        self._clock = clock
        self._audit = audit
        self._book = book
        self._public_url = public_url

    @property
    def offered(self) -> bool:
        """Say whether calendar programs can reach this bridge at all."""
        return bool(self._public_url)

    async def since(self, actor: Actor) -> datetime | None:
        """Return since when the actor has an address; `None` for none."""
        async with self._database.read() as session:
            return await calendar_addresses.since(session, actor.member_id)

    async def renew(self, actor: Actor, language: str) -> str:
        """Make an address, and return it this once; the one before leads nowhere from now on."""
        if not self.offered:
            raise NotFound
        token = secrets.token_urlsafe(TOKEN_BYTES)
        async with self._database.begin() as session:
            await calendar_addresses.put(session, actor.member_id, token, language, self._clock())
            await self._audit.note(
                session,
                actor_id=actor.member_id,
                action="calendar.renewed",
                subject="member",
                subject_id=actor.member_id,
            )
        return self._public_url + PATH.format(token=token)

    async def switch_off(self, actor: Actor) -> bool:
        """Take the address away at once; `False` if there was none."""
        async with self._database.begin() as session:
            dropped = await calendar_addresses.drop(session, actor.member_id)
            if dropped:
                await self._audit.note(
                    session,
                    actor_id=actor.member_id,
                    action="calendar.switched_off",
                    subject="member",
                    subject_id=actor.member_id,
                )
        return dropped

    async def feed(self, token: str) -> Feed | None:
        """Return what an address shows; `None` for one that leads nowhere."""
        if not 0 < len(token) <= LONGEST_TOKEN:
            return None
        async with self._database.read() as session:
            holder = await calendar_addresses.holder(session, token)
            if holder is None:
                return None
            deciding = await self._book.decider_of(session, holder.home_path)
        today = self._book.today(deciding)
        found = await self._book.days(deciding, month_of(today).replace(month=1))
        days = [day for day in found if not (day.state.open and day.date < today)]
        entries = await self._book.entries(days, holder.home_path)
        async with self._database.read() as session:
            texts_at = await service_days.texts_changed(
                session, [day.id for day in days], chain_of(holder.home_path)
            )
        body = build([(entry.day, entry.text) for entry in entries], holder.language)
        times = [holder.since, *(day.changed_at for day in days), *([texts_at] if texts_at else [])]
        return Feed(body, hashlib.sha256(body).hexdigest()[:32], max(times))

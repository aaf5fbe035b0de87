"""Accounts that stopped by themselves: told to who can act, looked at again and again, and taken up by hand."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from domain.clock import Clock, day_of
from domain.delivery import Lane
from domain.halts import UNAUTHORIZED
from domain.messages import Button, Content
from domain.organisations import chain_of
from domain.permissions import Action, Actor
from domain.refusals import NotAllowed
from locales import speak
from services.audit import Audit
from services.delivery import Delivery
from storage import accounts, grants, halts
from storage.database import Database
from storage.halts import Halt, Overview

SOURCE = "account_halted"
SCREEN = "go:halted"
TOLD_AGAIN = timedelta(hours=1)
"""An account that comes and goes is told of so often at most."""
USEFUL = timedelta(hours=12)

log = structlog.get_logger(__name__)
Probe = Callable[[], Awaitable[bool]]
"""Asks a messenger whether our account lives there."""


@dataclass(frozen=True, slots=True)
class Stopped:
    """A stopped account, and how many messages wait for it."""

    halt: Halt
    waiting: int


class Halts:
    """Watches over stopped accounts. `probes` asks for each account that this process has a way to."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        audit: Audit,
        delivery: Delivery,
        probes: Mapping[int, Probe] | None = None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._audit = audit
        self._delivery = delivery
        self._probes = dict(probes or {})
        delivery.sources[SOURCE] = self._content

    async def tick(self) -> None:
        """Tell of who stopped, and look at those whose time has come; who answers goes again."""
        async with self._database.read() as session:
            stopped = await halts.read_all(session)
        for each in stopped:
            await self._tell(each.account_id)
            probe = self._probes.get(each.account_id)
            if probe is not None and await self._takes(each) and await probe():
                await self._go_again(each)

    def check(self, actor: Actor) -> None:
        """Refuse who may not act on accounts: they are the whole city's."""
        held = actor.nodes(Action.MANAGE_ORGANISATION, day_of(self._clock()))
        if not any(len(chain_of(grant.path)) == 1 for grant in held):
            raise NotAllowed

    async def stopped(self, actor: Actor) -> list[Stopped]:
        """Return the stopped accounts with what waits for each, for who may act."""
        self.check(actor)
        async with self._database.read() as session:
            found = await halts.read_all(session)
            return [Stopped(each, await halts.waiting(session, each.account_id)) for each in found]

    async def overview(self, actor: Actor) -> list[Overview]:
        """Return all accounts with their pace, what waits for each and what holds it still, for who may act."""
        self.check(actor)
        now = self._clock()
        async with self._database.read() as session:
            found = await halts.overview(session)
        return [each if _holds(each.held_until, now) else replace(each, held_until=None) for each in found]

    async def resume(self, actor: Actor, account_id: int) -> bool:
        """Let an account go again by a person's word; pressed twice, it was going already."""
        self.check(actor)
        async with self._database.begin() as session:
            went = await halts.resume(session, account_id)
            if went:
                await self._audit.note(
                    session,
                    actor_id=actor.member_id,
                    action="account.resumed",
                    subject="account",
                    subject_id=account_id,
                )
        return went

    async def _tell(self, account_id: int) -> None:
        """Tell the administrators of the city, once a stop; by another account, where they have one."""
        now = self._clock()
        async with self._database.begin() as session:
            found = await halts.lock(session, account_id)
            if found is None or await halts.told_since(
                session, SOURCE, account_id, min(found.since, now - TOLD_AGAIN)
            ):
                return
            holders = await grants.holders_at_roots(session, Action.MANAGE_ORGANISATION, day_of(now))
            if holders:
                await self._delivery.dispatch(
                    session,
                    source=SOURCE,
                    source_id=account_id,
                    member_ids=holders,
                    lane=Lane.URGENT,
                    useful_until=now + USEFUL,
                )
        log.error("account stopped, administrators told", account=found.name, reason=found.reason)

    async def _takes(self, halt: Halt) -> bool:
        async with self._database.begin() as session:
            return await halts.take_probe(session, halt.account_id, self._clock())

    async def _go_again(self, halt: Halt) -> None:
        async with self._database.begin() as session:
            if await halts.resume(session, halt.account_id, self._clock()):
                log.info("account goes again by itself", account=halt.name)

    async def _content(self, account_id: int, language: str) -> Content:
        words = speak(language)
        async with self._database.read() as session:
            found = await halts.read_all(session)
            name = (await accounts.account(session, account_id)).name
        this = next((each for each in found if each.account_id == account_id), None)
        reason = this.reason if this is not None else "over"
        key = {UNAUTHORIZED: "halts.alert.unauthorized", "over": "halts.alert.over"}.get(reason)
        text = words(key or "halts.alert.failing", name=name)
        return Content(text=text, keyboard=((Button(text=words("halts.alert.button"), data=SCREEN),),))


def _holds(until: datetime | None, now: datetime) -> bool:
    return until is not None and now < until

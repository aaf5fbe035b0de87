"""Signing in to the console: a link from the chat, opened once in a browser, and what is known of that browser.

The link is opened by a press, not by looking at it: messengers look at links by themselves.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime

from domain.accounts import Account
from domain.clock import Clock, day_of
from domain.permissions import Action, Actor
from domain.refusals import NotAllowed
from domain.sign_ins import MOST, SEEN_EVERY, ConsoleNotOffered, SignedOut, SignIn, holds
from locales import LANGUAGES
from services.audit import Audit
from storage import grants, sign_ins
from storage.database import Database, Session

SECRET_BYTES = 24
"""192 bits: nobody guesses one."""
LONGEST_SECRET = 64
PATH = "/console/in/{secret}"


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who is behind a browser, with the grants of today, and when they look."""

    actor: Actor
    sign_in: SignIn
    now: datetime


@dataclass(frozen=True, slots=True)
class Offer:
    """What a link would do: whom it signs in, in which language."""

    name: str
    language: str


class SignIns:
    """Lets in who sees reports somewhere; the right is looked at again with each page."""

    def __init__(self, *, database: Database, clock: Clock, audit: Audit, public_url: str) -> None:
        self._database = database
        self._clock = clock
        self._audit = audit
        self._public_url = public_url

    @property
    def offered(self) -> bool:
        """Say whether browsers can reach this bridge at all."""
        return bool(self._public_url)

    def may(self, actor: Actor) -> bool:
        return actor.may_somewhere(Action.SEE_REPORT, day_of(self._clock()))

    async def link(self, actor: Actor, account: Account, language: str) -> str:
        """Make a link, and return it this once; the one made before leads nowhere from now on."""
        if not self.may(actor):
            raise NotAllowed
        if not self.offered:
            raise ConsoleNotOffered
        secret = secrets.token_urlsafe(SECRET_BYTES)
        async with self._database.begin() as session:
            await sign_ins.add(
                session,
                actor.member_id,
                secret,
                language=language,
                at_home=account.at_home,
                now=self._clock(),
            )
        return self._public_url + PATH.format(secret=secret)

    async def offer(self, secret: str) -> Offer:
        """Say what a link would do, and leave it as it is."""
        async with self._database.read() as session:
            found = await sign_ins.link(session, _sane(secret), self._clock())
            actor = None if found is None else await self._actor(session, found.member_id)
        if found is None or actor is None:
            raise SignedOut
        return Offer(actor.name, found.language)

    async def open(self, secret: str, instead_of: str = "") -> str:
        """Sign a browser in by a link, which is used up; return the secret that the browser is known by.

        The secret it was known by until now, `instead_of`, leads nowhere from then on.
        """
        own, now = secrets.token_urlsafe(SECRET_BYTES), self._clock()
        async with self._database.begin() as session:
            opened = await sign_ins.open_link(session, _sane(secret), own, now)
            if opened is None or await self._actor(session, opened.member_id) is None:
                raise SignedOut
            before = await sign_ins.read(session, instead_of)
            if before is not None:
                await sign_ins.end(session, before.id)
            held = await sign_ins.of_member(session, opened.member_id)
            await sign_ins.end(session, *(each.id for each in held[MOST:]))
            await self._note(session, opened.member_id, "console.signed_in")
        return own

    async def behind(self, secret: str, *, by_itself: bool = False) -> SignedIn:
        """Return who is behind a browser; refuses when the sign-in is over or nothing is left to see.

        What a page asks for `by_itself` is no use of it: one that is left open is signed out as well.
        """
        now = self._clock()
        async with self._database.read() as session:
            found = await sign_ins.read(session, _sane(secret))
            actor = None if found is None else await self._actor(session, found.member_id)
        if found is None or actor is None or not holds(found, now):
            raise SignedOut
        if not by_itself and now - found.seen_at > SEEN_EVERY:
            async with self._database.begin() as session:
                await sign_ins.seen(session, found.id, now)
        return SignedIn(actor, found, now)

    async def speak(self, sign_in: SignIn, language: str) -> None:
        """Show the console in another language in this browser; one we do not speak changes nothing."""
        if language in LANGUAGES:
            async with self._database.begin() as session:
                await sign_ins.speak(session, sign_in.id, language)

    async def sign_out(self, sign_in: SignIn) -> None:
        async with self._database.begin() as session:
            await sign_ins.end(session, sign_in.id)
            await self._note(session, sign_in.member_id, "console.signed_out")

    async def sign_out_everywhere(self, actor: Actor) -> None:
        """End all sign-ins of a member, and the link that waits."""
        async with self._database.begin() as session:
            await sign_ins.end_all(session, actor.member_id)
            await self._note(session, actor.member_id, "console.signed_out_everywhere")

    async def open_ones(self, actor: Actor) -> list[SignIn]:
        """Return where a member is signed in now, the one used last first."""
        now = self._clock()
        async with self._database.read() as session:
            found = await sign_ins.of_member(session, actor.member_id)
        return [each for each in found if holds(each, now)]

    async def tidy(self) -> None:
        """Drop what leads nowhere any more; the clock calls it."""
        async with self._database.begin() as session:
            await sign_ins.tidy(session, self._clock())

    async def _actor(self, session: Session, member_id: int) -> Actor | None:
        """Return a member who may look at something today."""
        actor = await grants.actor_of_member(session, member_id, day_of(self._clock()))
        return actor if actor is not None and self.may(actor) else None

    async def _note(self, session: Session, member_id: int, action: str) -> None:
        await self._audit.note(
            session, actor_id=member_id, action=action, subject="member", subject_id=member_id
        )


def _sane(secret: str) -> str:
    if not 0 < len(secret) <= LONGEST_SECRET:
        raise SignedOut
    return secret

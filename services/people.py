"""The people behind chats: who writes, with which rights today, and in which language."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from domain.accounts import Account, Address, LinkState
from domain.permissions import Actor
from locales import DEFAULT, LANGUAGES
from services.together import Together
from storage import accounts, grants
from storage.database import Database, Session, aside


@dataclass(frozen=True, slots=True)
class Behind:
    """Who is behind a chat: a member with today's grants or a stranger, and the language to answer in."""

    actor: Actor | None
    account: Account
    language: str


class People:
    """Finds the person behind a chat."""

    def __init__(self, *, database: Database) -> None:
        self._database = database
        self._accounts: dict[int, Account] = {}
        self._looks: Together[tuple[Address, date], tuple[Behind, LinkState | None]] = Together(self._look)

    async def behind(self, address: Address, on: date) -> Behind:
        """Return who writes, in one query for members who write at once; who writes to us has not blocked us, whatever we missed.

        Where the messenger is not allowed, nobody is behind a chat: what it would be shown stays here.
        """
        behind, state = await self._behind(address, on)
        if state is LinkState.BLOCKED:
            with aside():
                await self.came_back(address)
        return behind

    async def looking(self, address: Address, on: date) -> Behind:
        """Return who looks at what stands in a chat; they have written nothing just now."""
        behind, _ = await self._behind(address, on)
        return behind

    async def _behind(self, address: Address, on: date) -> tuple[Behind, LinkState | None]:
        return await self._looks.ask((address, on))

    async def _look(self, asked: Sequence[tuple[Address, date]]) -> list[tuple[Behind, LinkState | None]]:
        """Look who is behind many chats, in one query where nobody is a stranger."""
        async with self._database.read() as session:
            linked = {
                day: await grants.linked_at(session, {each for each, on in asked if on == day}, day)
                for day in {on for _, on in asked}
            }
            return [await self._found(session, address, linked[on].get(address)) for address, on in asked]

    async def _found(
        self, session: Session, address: Address, linked: tuple[Actor, LinkState] | None
    ) -> tuple[Behind, LinkState | None]:
        if address.account_id not in self._accounts:
            self._accounts[address.account_id] = await accounts.account(session, address.account_id)
        account = self._accounts[address.account_id]
        if linked is None or account.barred:
            language = await accounts.language_of(session, address) or DEFAULT
            return Behind(None, account, language), None
        actor, state = linked
        return Behind(actor, account, actor.language), state

    async def actor_of_member(self, member_id: int, on: date) -> Actor | None:
        """Return a member as an actor, for work done in their name without a chat."""
        async with self._database.read() as session:
            return await grants.actor_of_member(session, member_id, on)

    async def language_of(self, address: Address) -> str:
        """Return the language of a chat: the one chosen there, else the member's, else Chinese."""
        async with self._database.read() as session:
            return await accounts.language_of(session, address) or DEFAULT

    async def set_language(self, address: Address, language: str) -> None:
        """Remember a chat's language; a language we do not speak is taken as Chinese."""
        spoken = language if language in LANGUAGES else DEFAULT
        async with self._database.begin() as session:
            await accounts.set_language(session, address, spoken)

    async def blocked(self, address: Address) -> None:
        """Remember that the person behind a chat blocked the bot."""
        async with self._database.begin() as session:
            await accounts.set_blocked(session, address, blocked=True)

    async def came_back(self, address: Address) -> None:
        """Remember that they let the bot write again."""
        async with self._database.begin() as session:
            await accounts.set_blocked(session, address, blocked=False)

"""The town with polls in it: every service real but the channel, which remembers what it is given."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from domain.audiences import Audience, Scope
from domain.permissions import Actor
from domain.polls import Poll
from services.audiences import Audiences
from services.audit import Audit
from services.delivery import Delivery
from services.media import MediaStore
from services.polls import Polls
from storage.database import Database
from storage.sealing import Sealer
from tests.delivery_world import FakeChannel, build, run_all
from tests.factories import make_member
from tests.town import Town


class Hall:
    """Polls of a town, and the channel they go out by."""

    def __init__(
        self, town: Town, polls: Polls, delivery: Delivery, channel: FakeChannel, clock: Any
    ) -> None:
        self.town = town
        self.polls = polls
        self.booth = polls.booth
        self.delivery = delivery
        self.channel = channel
        self.clock = clock
        self.database: Database = town.database

    async def actor(self, who: str | int) -> Actor:
        if isinstance(who, str):
            return await self.town.actor(who)
        found = await self.town.people.actor_of_member(who, self.clock().date())
        assert found is not None
        return found

    def audience(self, *names: str) -> Audience:
        return Audience(include=tuple(Scope(self.town.nodes[name], self.town.paths[name]) for name in names))

    async def people(self, name: str, number: int) -> list[int]:
        """Add so many members to an organisation, each with a chat."""
        home, chats = self.town.nodes[name], 5000 + 100 * len(name)
        async with self.database.begin() as session:
            return [
                await make_member(session, home=home, chat_id=chats + each, account=1)
                for each in range(number)
            ]

    async def drafted(
        self, who: str, *names: str, options: tuple[str, ...] = ("七点", "八点"), **more: Any
    ) -> Poll:
        """Write a poll of `who` to these places, open for three days."""
        actor = await self.actor(who)
        made = await self.polls.draft(actor, more.pop("question", "食堂几点开门？"))
        settings = {"closes_at": self.clock() + timedelta(days=3), **more}
        made = await self.polls.rewrite(actor, made.id, options=options, **settings)
        return await self.polls.choose(actor, made.id, self.audience(*names)) if names else made

    async def opened(self, who: str, *names: str, **more: Any) -> Poll:
        """Open a poll of `who` to these places and let its call go out."""
        made = await self.drafted(who, *names, **more)
        made = await self.polls.open(await self.actor(who), made.id)
        await self.go()
        return made

    async def vote(self, who: str | int, poll_id: int, *chosen: int) -> None:
        await self.booth.vote(await self.actor(who), poll_id, frozenset(chosen))

    async def over(self, poll_id: int) -> None:
        """Let the announced minute come."""
        self.clock.forward(days=3)
        await self.polls.closing.tick()
        await self.go()

    async def go(self) -> None:
        """Let everything that is due go out."""
        await run_all(self.delivery, self.database)
        await self.delivery.tick()


async def hall(town: Town, sealer: Sealer, clock: Any, folder: Path) -> Hall:
    """Build the services over a town whose web chat account is the channel's."""
    database = town.database
    channel = FakeChannel()
    delivery = await build(database, clock, channel)
    polls = Polls(
        database=database,
        clock=clock,
        audit=Audit(database=database, clock=clock, sealer=sealer),
        audiences=Audiences(database=database, clock=clock),
        delivery=delivery,
        media=MediaStore(folder),
        sealer=sealer,
    )
    return Hall(town, polls, delivery, channel, clock)

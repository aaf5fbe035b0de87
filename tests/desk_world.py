"""The town with a desk over it: notices, polls and what the bridge tells by itself, all services real but the channel."""

from pathlib import Path
from typing import Any

from domain.delivery import Sent, Unknown
from domain.permissions import Actor
from services.dispatch_desk import DispatchDesk
from services.halts import SOURCE as ALERT
from services.halts import Halts
from services.media import MediaStore
from services.polls import Polls
from storage.database import Database
from storage.sealing import Sealer
from tests.factories import make_grant
from tests.notice_world import Bridge, linked


class Desk:
    """The town's desk, and who looks at it."""

    def __init__(self, bridge: Bridge, clock: Any, sealer: Sealer, folder: Path) -> None:
        self.bridge = bridge
        self.town = bridge.town
        self.database = bridge.database
        self.clock = clock
        parts: dict[str, Any] = {
            "database": bridge.database,
            "clock": clock,
            "audit": bridge.notices._audit,
            "delivery": bridge.delivery,
        }
        self.halts = Halts(**parts)
        self.polls = Polls(**parts, audiences=bridge.audiences, media=MediaStore(folder), sealer=sealer)
        self.desk = DispatchDesk(**parts, notices=bridge.notices, polls=self.polls, halts=self.halts)

    async def actor(self, name: str) -> Actor:
        return await self.town.actor(name)

    async def admin(self) -> Actor:
        """Return a secretary of the whole city."""
        await make_grant(self.database, member=self.town.members["sun"], organisation=self.town.nodes["city"])
        return await self.town.actor("sun")

    def lose_answers(self, *chats: int) -> None:
        """Let the answers about these chats be lost from now on."""
        self.bridge.channel.answer = lambda envelope: (
            Unknown("502") if envelope.to.chat_id in chats else Sent(message_id=1)
        )

    async def alert(self) -> int:
        """Let the bridge tell three people of a stopped account; returns the dispatch."""
        members = [self.town.members[name] for name in ("wang", "zhang", "branch_secretary")]
        async with self.database.begin() as session:
            return await self.bridge.delivery.dispatch(
                session, source=ALERT, source_id=self.town.account_id, member_ids=members
            )

    async def dispatch_of(self, notice_id: int) -> int:
        (number,) = await self.bridge.delivery.dispatches_of("notice", notice_id)
        return number


async def desk_over_town(database: Database, clock: Any, folder: Path) -> Desk:
    """Build the desk; three people of the northern branch have a chat each, 1 to 3."""
    sealer = Sealer({"test": bytes(range(32))}, "test")
    return Desk(await linked(database, clock, folder), clock, sealer, folder)

"""The town with notices in it: every service real but the channel, which remembers what it is given."""

from pathlib import Path
from typing import Any

from sqlalchemy import select

from domain.audiences import Audience, Scope
from domain.notices import Notice
from domain.permissions import Actor
from domain.richtext import RichText
from services.audiences import Audiences
from services.audit import Audit
from services.delivery import Delivery
from services.holidays import Holidays
from services.media import MediaStore
from services.notices import Notices
from services.repeats import Repeats
from services.schedules import Schedules
from storage.database import Database
from storage.deliveries import Rules
from storage.sealing import Sealer
from tests.delivery_world import FakeChannel, T, build, run_all
from tests.town import Town
from tests.town import build as build_town


class Bridge:
    """Notices of a town, and the channel they go out by."""

    def __init__(
        self, town: Town, notices: Notices, delivery: Delivery, channel: FakeChannel, database: Database
    ) -> None:
        self.town = town
        self.notices = notices
        self.delivery = delivery
        self.channel = channel
        self.database = database
        self.audiences = Audiences(database=database, clock=delivery._clock)
        parts: dict[str, Any] = {"database": database, "clock": delivery._clock}
        self.holidays = Holidays(**parts, audit=notices._audit)
        self.schedules = Schedules(**parts, holidays=self.holidays)
        self.repeats = Repeats(
            **parts,
            audit=notices._audit,
            audiences=self.audiences,
            delivery=delivery,
            notices=notices,
            schedules=self.schedules,
            holidays=self.holidays,
            rules=Rules(),
        )

    def audience(self, *names: str, without: tuple[str, ...] = (), **filters: Any) -> Audience:
        return Audience(
            include=tuple(self._scope(name, **filters) for name in names),
            exclude=tuple(self._scope(name) for name in without),
        )

    async def drafted(
        self, who: str, *names: str, text: str = "请参加学习", confirm: bool = False, **more: Any
    ) -> Notice:
        """Write a draft of `who` for these places."""
        actor = await self.town.actor(who)
        made = await self.notices.draft(actor, RichText(text))
        if names:
            made = await self.notices.choose(actor, made.id, self.audience(*names, **more))
        if confirm:
            made = await self.notices.ask_confirmation(actor, made.id, needed=True)
        return made

    async def sent(self, who: str, *names: str, **more: Any) -> Notice:
        """Send a notice of `who` to these places and let it go out."""
        made = await self.drafted(who, *names, **more)
        made = await self.notices.send(await self.town.actor(who), made.id)
        await self.go()
        return made

    async def go(self) -> None:
        """Let everything that is due go out."""
        await run_all(self.delivery, self.database)
        await self.delivery.tick()

    async def actor(self, name: str) -> Actor:
        return await self.town.actor(name)

    def _scope(self, name: str, **filters: Any) -> Scope:
        return Scope(self.town.nodes[name], self.town.paths[name], **filters)


async def bridge(town: Town, sealer: Sealer, clock: Any, folder: Path, rules: Rules | None = None) -> Bridge:
    """Build the services over a town whose web chat account is the channel's."""
    database = town.database
    channel = FakeChannel()
    delivery = await build(database, clock, channel, rules=rules)
    notices = Notices(
        database=database,
        clock=clock,
        audit=Audit(database=database, clock=clock, sealer=sealer),
        audiences=Audiences(database=database, clock=clock, rules=rules),
        delivery=delivery,
        media=MediaStore(folder),
    )
    return Bridge(town, notices, delivery, channel, database)


async def linked(database: Database, clock: Any, folder: Path, rules: Rules | None = None) -> Bridge:
    """Build the services over a town of its own, three people of whose northern branch have a chat."""
    sealer = Sealer({"test": bytes(range(32))}, "test")
    town = await build_town(database, sealer)
    for number, name in enumerate(("wang", "zhang", "branch_secretary"), start=1):
        await town.link(name, number)
    return await bridge(town, sealer, clock, folder, rules)


async def entries(town: Bridge) -> list[str]:
    """Return what the audit says happened to notices."""
    entry = T["audit_entry"]
    found = select(entry.c.action).where(entry.c.subject == "notice").order_by(entry.c.id)
    async with town.database.read() as session:
        return [action.partition(".")[2] for action in (await session.execute(found)).scalars()]

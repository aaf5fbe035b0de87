"""The way in of one process: its inbox, and for each account who holds it and how its updates come."""

import asyncio
from collections.abc import Coroutine, Mapping
from typing import Any

from aiohttp import web

from bot import dispatching, webhook
from bot.accounts import BotAccount
from bot.answers import LateAnswers
from bot.claims import Claims
from bot.fsm import SqlStorage
from bot.http import Check
from bot.inbox import Inbox
from bot.meters import Meters
from bot.polling import Poller, Source
from bot.replies import ReplyLane
from bot.tenure import Tenure
from domain.clock import Clock
from services.toolbox import Toolbox
from storage.database import Database
from storage.sealing import Sealer


class Inbound:
    """Build it, hang up its `routes`, `start` it, and `stop` it at the end; `checks` say how it is."""

    def __init__(
        self,
        opened: Mapping[int, BotAccount],
        toolbox: Toolbox,
        *,
        database: Database,
        clock: Clock,
        sealer: Sealer,
        holder: str,
        public_url: str,
        meters: Meters | None = None,
    ) -> None:
        self.routes: list[web.RouteDef] = []
        self.checks: dict[str, Check] = {}
        self._database = database
        self._clock = clock
        self._holder = "the one process" if database.dialect == "sqlite" else holder
        self._public_url = public_url
        self._opened = opened
        self._tasks: list[asyncio.Task[None]] = []
        self._tenures: list[Tenure] = []
        self._lanes = [_with_manners(account, toolbox) for account in opened.values()]
        bots = {number: account.bot for number, account in opened.items()}
        self._fsm = SqlStorage(database, clock, {bot.id: number for number, bot in bots.items()})
        feeder = dispatching.Feeder(dispatching.build(toolbox, clock, self._fsm), bots, toolbox)
        self._claims: Claims | None = None
        if database.dialect != "sqlite":
            self._claims = Claims(database=database, clock=clock, holder=holder, forget=self._fsm.forget)
        self.inbox = Inbox(
            database=database,
            clock=clock,
            sealer=sealer,
            feed=feeder.feed if meters is None else meters.fed(feeder.feed),
            apologise=feeder.apologise,
            claims=self._claims,
        )

    async def start(self) -> None:
        """Take the accounts that are free, and begin to listen."""
        if self._claims is not None:
            await self._claims.renew()
            for number in self._opened:
                await self.inbox.take(number)
            self._spawn(self._claims.run(self.inbox.look, self.inbox.tidy), "claims")
        for number, account in self._opened.items():
            tenure = self._tenure(number)
            await tenure.renew()
            self._spawn(tenure.run(), f"tenure {account.settings.name}")
            if account.settings.mode == "webhook":
                await self._hang_up(number, account)
            else:
                self._poll(number, account, tenure)

    async def tidy(self) -> None:
        """Drop updates that are long over and dialogues that nobody went on with."""
        await self.inbox.reap()
        await self._fsm.reap()
        if self._claims is not None:
            await self._claims.reap()

    async def stop(self) -> None:
        """Listen no more, finish what is in hand, and let another process go on."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.inbox.stop()
        await asyncio.gather(*(lane.drain() for lane in self._lanes))
        for tenure in self._tenures:
            await tenure.give_back()
        if self._claims is not None:
            await self._claims.give_all_back()

    def _tenure(self, number: int) -> Tenure:
        async def take(account_id: int) -> None:
            self._fsm.forget()
            await self.inbox.take(account_id)

        async def polls_only(_: int) -> None:
            """Do nothing more: handling is claimed chat by chat."""

        alone = self._claims is None
        tenure = Tenure(
            number,
            database=self._database,
            clock=self._clock,
            holder=self._holder,
            take=take if alone else polls_only,
            let_go=self.inbox.let_go if alone else lambda _: None,
            look=self.inbox.look,
        )
        self._tenures.append(tenure)
        return tenure

    def _poll(self, number: int, account: BotAccount, tenure: Tenure) -> None:
        settings = account.settings
        token = settings.token.get_secret_value()
        source = Source(number, settings.name, settings.base_url, token, settings.proxy)
        poller = Poller(source, held=tenure.taken, receive=self.inbox.receive)
        task = self._spawn(poller.run(), f"poll {source.name}")

        async def check() -> str:
            return "the poller has ended" if task.done() else poller.problem()

        self.checks[f"poll:{source.name}"] = check

    async def _hang_up(self, number: int, account: BotAccount) -> None:
        secret, name = account.settings.webhook_secret.get_secret_value(), account.settings.name
        self.routes.append(webhook.route(name, number, secret, self.inbox.receive))
        await webhook.announce(account.bot, self._public_url, name, secret)

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        task = asyncio.create_task(work, name=name)
        self._tasks.append(task)
        return task


def _with_manners(account: BotAccount, toolbox: Toolbox) -> ReplyLane:
    """Let an account's answers be counted in its pace, and late ones be no failure."""
    lane = ReplyLane(toolbox.delivery, account.id)
    account.bot.session.middleware(lane)
    account.bot.session.middleware(LateAnswers())
    return lane

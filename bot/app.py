"""The process: builds everything from the settings, starts the wanted roles, and stops them cleanly."""

import asyncio
import contextlib
import errno
import fcntl
import gc
import os
import secrets
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import structlog
from aiogram import Bot
from aiogram.exceptions import TelegramAPIError
from aiohttp import web
from rich.console import Console

from bot import (
    account_commands,
    accounts,
    archive,
    calendar,
    delivery_commands,
    demo,
    http,
    local,
    readiness,
    webchat_account,
)
from bot.accounts import BotAccount
from bot.heartbeat import CHECK, Heartbeat
from bot.import_commands import commands_of
from bot.inbound import Inbound
from bot.meters import Meters
from bot.settings import AccountSettings, Settings
from bot.toolbox import build_toolbox
from console import app as console
from domain.accounts import Address
from domain.clock import Clock
from handlers import commands, import_run, notice_progress
from scheduler.clock import Tick, Ticker, ticks_of
from scheduler.jobs import Engine
from services import demo_data
from services.forgetting import Forgetting
from services.media import MediaStore
from services.toolbox import Toolbox
from storage import ledger, schema
from storage.database import Database

log = structlog.get_logger(__name__)

ROLES = ("bot", "worker", "clock", "console", "webchat")
BRIDGE = ("bot", "worker", "clock")
GC_THRESHOLD = 50_000
"""aiogram's heap of 170 MB is rescanned otherwise (measured: 1,051 us an update against 545)."""
PROGRESS_EVERY = 2.0  # seconds


class EmptyDatabase(Exception):  # noqa: N818 - a fact
    """The database holds no organisation yet: `tongdao init` sets it up, `tongdao run --demo` shows a demo."""


class NoAccounts(Exception):  # noqa: N818 - a fact
    """No bot account is set: name one in TONGDAO_ACCOUNTS, or run the role webchat in this process too."""


class NoSecretKey(Exception):  # noqa: N818 - a fact
    """TONGDAO_SECRET_KEY is not set: `tongdao init` makes one."""


class FolderNotWritable(Exception):  # noqa: N818 - a fact
    """The data folder cannot be written."""


class PortTaken(Exception):  # noqa: N818 - a fact
    """The port is taken by another program."""


class WebchatTwice(Exception):  # noqa: N818 - a fact
    """A chat server serves this data folder already: it is one process, with one file."""


class OneProcessOnSqlite(Exception):  # noqa: N818 - a fact
    """SQLite has one writer: run bot, worker and clock in one process, or move to PostgreSQL."""


def now() -> datetime:
    return datetime.now(UTC)


async def run(settings: Settings, roles: Sequence[str] = ROLES, *, with_demo: bool = False) -> None:
    """Run until SIGTERM or Ctrl-C; refuses, before anything is started, what cannot work."""
    gc.freeze()
    gc.set_threshold(GC_THRESHOLD)
    gc.enable()
    told = _stop_signals()
    async with bridge(settings, roles, with_demo=with_demo):
        await told.wait()
        log.info("stopping")


@contextlib.asynccontextmanager
async def bridge(
    settings: Settings, roles: Sequence[str] = ROLES, *, with_demo: bool = False, clock: Clock = now
) -> AsyncIterator["Bridge"]:
    """Start the roles, yield while they run, and stop them in the opposite order."""
    async with contextlib.AsyncExitStack() as stack:
        _ready_folder(settings)
        if with_demo:
            settings = demo.settings_of(settings)
        if not settings.secret_key.get_secret_value():
            raise NoSecretKey
        if settings.database.startswith("sqlite") and not set(BRIDGE) <= set(roles):
            raise OneProcessOnSqlite
        database = Database(settings.database)
        stack.push_async_callback(database.close)
        await _ready_database(database, settings, clock, with_demo=with_demo)
        running = Bridge(settings, database, clock, stack)
        await running.start(roles)
        if with_demo:
            await running.introduce_demo()
        yield running


def _ready_folder(settings: Settings) -> None:
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        writable = os.access(settings.data_dir, os.W_OK | os.X_OK)
    except OSError:
        writable = False
    if not writable:
        msg = f"The data folder {settings.data_dir} cannot be written: give this user the right to, or set TONGDAO_DATA_DIR."
        raise FolderNotWritable(msg)


async def _ready_database(database: Database, settings: Settings, clock: Clock, *, with_demo: bool) -> None:
    await database.reach()
    await schema.upgrade(database)
    if await demo_data.is_empty(database):
        if not with_demo:
            raise EmptyDatabase
        await demo_data.load(database, clock=clock, sealer=settings.sealer())
    if await demo_data.is_demo(database):
        log.warning("demo_data", hint="this database holds synthetic people; it never talks to Telegram")
        if any(account.is_telegram for account in settings.accounts):
            raise demo.DemoMeetsTelegram
    file = settings.data_dir / ledger.FILE
    await Forgetting(database=database, clock=clock, sealer=settings.sealer(), file=file).catch_up()


async def serve(stack: contextlib.AsyncExitStack, app: web.Application, host: str, port: int) -> None:
    """Serve an application until the stack unwinds; `PortTaken` names the port."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=2)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        msg = f"Port {port} on {host} is taken: stop the other program, or set TONGDAO_HTTP_PORT and TONGDAO_WEBCHAT_PORT."
        raise PortTaken(msg) from None


def hold_webchat(stack: contextlib.AsyncExitStack, folder: Path) -> None:
    """Keep every other chat server off this data folder until the stack unwinds, or the process dies."""
    file = stack.enter_context((folder / "webchat.lock").open("a", encoding="utf-8"))
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise WebchatTwice from None


async def serve_webchat_alone(settings: Settings) -> None:
    """Run the chat server without the bridge, until SIGTERM or Ctrl-C."""
    from webchat.app import create

    told = _stop_signals()
    async with contextlib.AsyncExitStack() as stack:
        hold_webchat(stack, settings.data_dir)
        app = create(webchat_account.config_of(settings))
        await serve(stack, app, settings.webchat_host, settings.webchat_port)
        log.info("ready", webchat=settings.webchat_url)
        await told.wait()


def _stop_signals() -> asyncio.Event:
    """Return what SIGTERM and Ctrl-C set; from the first moment on, so that a start is never cut in the middle."""
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, told.set)
    return told


class Bridge:
    """One running process of the bridge."""

    def __init__(
        self, settings: Settings, database: Database, clock: Clock, stack: contextlib.AsyncExitStack
    ) -> None:
        self.settings = settings
        self.database = database
        self.clock = clock
        self.health = http.Health()
        self.meters = Meters()
        database.on_end = self.meters.transacted
        self._stack = stack
        self._holder = f"{socket.gethostname()}:{secrets.token_hex(4)}"
        self._routes: list[web.RouteDef] = []
        self._apps: dict[str, web.Application] = {}
        self._drains: list[Callable[[], Awaitable[None]]] = []
        self._ticker: Ticker | None = None

    async def start(self, roles: Sequence[str]) -> None:
        """Start each role, inner rooms first, and answer on the HTTP port at the end."""
        self.health.checks.update(
            readiness.checks_of(self.database, self.clock, self.settings.data_dir, roles)
        )
        self._http = await self._stack.enter_async_context(aiohttp.ClientSession())
        if "webchat" in roles:
            await self._serve_webchat()
        if "webchat" in roles or not self.settings.accounts:
            self.health.checks["webchat"] = readiness.webchat_of(self._http, self._webchat_origin)
        if set(roles) - {"webchat"}:
            await self._start_rooms(roles)
        app = http.build(
            self.health,
            self.database,
            self.clock,
            self._routes,
            apps=self._apps,
            meters=self.meters,
            backup_at=lambda: archive.last_made(self.settings),
        )
        await serve(self._stack, app, self.settings.http_host, self.settings.http_port)
        await self._beat(roles)
        log.info(
            "ready", roles=",".join(roles), http=self.settings.http_port, webchat=self.settings.webchat_url
        )

    async def _beat(self, roles: Sequence[str]) -> None:
        """Say that this process runs, by the time of day, whatever the bridge's own clock says."""
        heartbeat = Heartbeat(
            database=self.database,
            clock=now,
            health=self.health,
            name=self._holder,
            roles=roles,
            address=f"{self.settings.http_host}:{self.settings.http_port}",
            lag=lambda: max(self._ticker.lags().values()) if self._ticker else None,
        )
        await heartbeat.begin()
        self._stack.push_async_callback(heartbeat.end)
        self._spawn(heartbeat.run(), "heartbeat")
        self.health.checks[CHECK] = heartbeat.heard

    @property
    def operator(self) -> webchat_account.Operator:
        token = webchat_account.operator_token(self.settings)
        return webchat_account.Operator(self._http, self._webchat_origin, token)

    @property
    def _webchat_origin(self) -> str:
        return f"http://127.0.0.1:{self.settings.webchat_port}"

    async def introduce_demo(self) -> None:
        """Make the demo's people known to the chat server, and print their links."""
        await demo.introduce(self.database, self.operator)
        found = await demo.links(self.database, self.operator)
        demo.show(Console(), found, self.settings)

    async def _serve_webchat(self) -> None:
        from webchat.app import create

        hold_webchat(self._stack, self.settings.data_dir)
        app = create(webchat_account.config_of(self.settings))
        await serve(self._stack, app, self.settings.webchat_host, self.settings.webchat_port)

    async def _start_rooms(self, roles: Sequence[str]) -> None:
        media = MediaStore(self.settings.data_dir / "media")
        opened = await accounts.open_all(
            await self._wanted_accounts() if set(BRIDGE) & set(roles) else [],
            database=self.database,
            clock=self.clock,
            media_path=media.path,
            allowed=self.settings.residency,
        )
        for account in opened.values():
            self._stack.push_async_callback(account.close)
        engine = await Engine.for_database(self.database)
        engine.meter = self.meters
        toolbox = build_toolbox(
            self.settings,
            self.database,
            self.clock,
            engine=engine,
            opened=opened,
            media=media,
            meters=self.meters,
        )
        self._routes.extend(calendar.routes(toolbox.service_days.addresses))
        await local.serve(
            self._stack,
            local.path_of(self.settings.data_dir),
            {
                **commands_of(toolbox.roster),
                **delivery_commands.commands_of(self.database, self.clock),
                **account_commands.commands_of(self.database),
            },
        )
        await self._start_engine(engine, toolbox, works="worker" in roles)
        if "console" in roles:
            https = self.settings.public_url.startswith("https:")
            self._apps["/console"] = console.build(toolbox, https=https)
        if "bot" in roles:
            await self._start_bot(opened, toolbox)
        if "clock" in roles:
            self._start_clock(toolbox, opened)

    async def _wanted_accounts(self) -> list[AccountSettings]:
        wanted = list(self.settings.accounts)
        if not wanted:
            try:
                wanted = [await webchat_account.ensure(self.settings, self.operator, self._webchat_origin)]
            except aiohttp.ClientConnectionError:
                raise NoAccounts from None
        return wanted

    async def _start_engine(self, engine: Engine, toolbox: Toolbox, *, works: bool) -> None:
        toolbox.delivery.serve(engine)
        await toolbox.rest_days.tick()
        await toolbox.delivery.boot()
        if works:
            await engine.start()

            async def takes_jobs() -> str:
                return "" if engine.running else "the job engine has ended"

            self.health.checks["delivery"] = takes_jobs
        self._stack.push_async_callback(engine.stop)
        self._drains.append(toolbox.delivery.stop)
        self._stack.push_async_callback(self._drain)

    async def _drain(self) -> None:
        """Let all that is in hand end side by side, so that their graces do not add up."""
        await asyncio.gather(*(drain() for drain in self._drains))

    async def _start_bot(self, opened: dict[int, BotAccount], toolbox: Toolbox) -> None:
        inbound = Inbound(
            opened,
            toolbox,
            database=self.database,
            clock=self.clock,
            sealer=self.settings.sealer(),
            holder=self._holder,
            public_url=self.settings.public_url,
            meters=self.meters,
        )
        self._drains.append(inbound.stop)
        self._drains.append(import_run.stop)
        await inbound.start()
        self._routes.extend(inbound.routes)
        self.health.checks.update(inbound.checks)
        ticker = Ticker([Tick("inbox", 3600.0, inbound.tidy)], self.clock)
        self.meters.watch(ticker)
        ticker.start()
        self._drains.append(ticker.stop)
        self._spawn(self._announce([account.bot for account in opened.values()]), "announce")

    async def _announce(self, bots: Iterable[Bot]) -> None:
        for bot in bots:
            with contextlib.suppress(TelegramAPIError):
                await commands.announce(bot)

    def _start_clock(self, toolbox: Toolbox, opened: dict[int, BotAccount]) -> None:
        bots = {number: account.bot for number, account in opened.items()}
        shown: dict[Address, str] = {}

        async def progress() -> None:
            await notice_progress.refresh(bots, toolbox, self.clock, shown)

        ticker = Ticker(
            [*ticks_of(toolbox, self.clock), Tick("progress", PROGRESS_EVERY, progress)], self.clock
        )
        self._ticker = ticker
        self.meters.watch(ticker)
        ticker.start()
        self._drains.append(ticker.stop)

        async def ticks() -> str:
            return ", ".join(ticker.late())

        self.health.checks["clock"] = ticks

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> None:
        """Run a loop beside everything; it is cancelled first when the process stops."""
        task = asyncio.create_task(work, name=name)

        async def end() -> None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

        self._stack.push_async_callback(end)

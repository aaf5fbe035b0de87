"""What the bridge says over HTTP: alive, ready, its figures, the webhooks of its accounts, and the console."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import datetime

from aiohttp import web
from prometheus_client import generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from bot import figures
from bot.meters import Meters
from storage.database import Database

PATIENCE = 2.0
"""Seconds that a check may take: a probe must be answered before its asker gives up."""
Check = Callable[[], Awaitable[str]]
"""Returns what is wrong, or an empty string."""


class Health:
    """The checks of `/readyz`: each room adds its own."""

    def __init__(self) -> None:
        self.checks: dict[str, Check] = {}
        self._asked: dict[str, asyncio.Task[str]] = {}

    async def problems(self) -> dict[str, str]:
        """Ask all side by side, so that several that hang keep nobody longer than one."""
        checks = dict(self.checks)
        said = await asyncio.gather(*(self._ask(name, check) for name, check in checks.items()))
        return {name: problem for name, problem in zip(checks, said, strict=True) if problem}

    async def _ask(self, name: str, check: Check) -> str:
        """Ask, unless this check still hangs from the last time; one that hangs may not even be cancelled."""
        asked = self._asked.get(name)
        if asked is None:
            asked = self._asked[name] = asyncio.create_task(_said(check), name=f"check {name}")
            asked.add_done_callback(lambda _: self._asked.pop(name))
        done, _ = await asyncio.wait({asked}, timeout=PATIENCE)
        if done and not asked.cancelled():
            return asked.result()
        asked.cancel()
        return f"no answer within {PATIENCE:.0f} s"


async def _said(check: Check) -> str:
    try:
        return await check()
    except Exception as error:  # noqa: BLE001 - a check that breaks is a problem found
        return type(error).__name__


def build(
    health: Health,
    database: Database,
    clock: Callable[[], datetime],
    webhooks: Iterable[web.RouteDef],
    *,
    apps: Mapping[str, web.Application] | None = None,
    meters: Meters | None = None,
    backup_at: Callable[[], datetime | None] = lambda: None,
) -> web.Application:
    """Build the application, with others below their paths; `backup_at` says when the last backup was made."""
    app = web.Application(client_max_size=1024 * 1024)

    async def healthz(_request: web.Request) -> web.Response:
        return web.json_response({"alive": True})

    async def readyz(_request: web.Request) -> web.Response:
        problems = await health.problems()
        return web.json_response(
            {"ready": not problems, "problems": problems}, status=503 if problems else 200
        )

    async def metrics(_request: web.Request) -> web.Response:
        body = await figures.read(database, clock(), await asyncio.to_thread(backup_at))
        if meters is not None:
            body += generate_latest(meters.registry)
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST})

    app.add_routes(
        [web.get("/healthz", healthz), web.get("/readyz", readyz), web.get("/metrics", metrics), *webhooks]
    )
    for path, other in (apps or {}).items():
        app.add_subapp(path, other)
    return app

"""What the bridge says over HTTP: alive, ready, its figures, and the webhooks of its accounts."""

from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime

from aiohttp import web
from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from storage import figures as totals
from storage import inbox
from storage.database import Database

Check = Callable[[], Awaitable[str]]
"""Returns what is wrong, or an empty string."""


class Health:
    """The checks of `/readyz`: each room adds its own."""

    def __init__(self) -> None:
        self.checks: dict[str, Check] = {}

    async def problems(self) -> dict[str, str]:
        found = {}
        for name, check in self.checks.items():
            try:
                problem = await check()
            except Exception as error:  # noqa: BLE001 - a check that breaks is a problem found
                problem = type(error).__name__
            if problem:
                found[name] = problem
        return found


def build(
    health: Health, database: Database, clock: Callable[[], datetime], webhooks: Iterable[web.RouteDef]
) -> web.Application:
    app = web.Application(client_max_size=1024 * 1024)

    async def healthz(_request: web.Request) -> web.Response:
        return web.json_response({"alive": True})

    async def readyz(_request: web.Request) -> web.Response:
        problems = await health.problems()
        return web.json_response(
            {"ready": not problems, "problems": problems}, status=503 if problems else 200
        )

    async def metrics(_request: web.Request) -> web.Response:
        body = await figures(database, clock())
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST})

    app.add_routes(
        [web.get("/healthz", healthz), web.get("/readyz", readyz), web.get("/metrics", metrics), *webhooks]
    )
    return app


async def figures(database: Database, now: datetime) -> bytes:
    """Read the figures anew at each scrape: rows are the truth, whatever process wrote them."""
    registry = CollectorRegistry()
    async with database.read() as session:
        by_state = await inbox.counts(session)
        oldest = await inbox.oldest_waiting(session)
        deliveries = await totals.outcomes(session)
    updates = Gauge("tongdao_inbox_updates", "Updates in the inbox, by state", ["state"], registry=registry)
    for state in ("waiting", "effective", "done", "quarantined"):
        updates.labels(state).set(by_state.get(state, 0))
    lag = Gauge("tongdao_inbox_lag_seconds", "Age of the oldest unhandled update", registry=registry)
    lag.set((now - oldest).total_seconds() if oldest else 0)
    sent = Gauge("tongdao_deliveries", "Deliveries by outcome", ["outcome"], registry=registry)
    for outcome, count in deliveries.items():
        sent.labels(outcome).set(count)
    return generate_latest(registry)

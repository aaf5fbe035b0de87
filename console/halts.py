"""The accounts with their pace, and letting one that stopped by itself go again."""

from aiohttp import web

from console.pages import page
from console.safety import WHO
from services.halts import Halts


def routes(halts: Halts) -> list[web.RouteDef]:
    views = _Views(halts)
    return [
        web.get("/accounts", views.all),
        web.get("/accounts/live", views.live),
        web.post("/accounts/{id:[0-9]{1,9}}/resume", views.resume),
    ]


class _Views:
    def __init__(self, halts: Halts) -> None:
        self._halts = halts

    async def all(self, request: web.Request) -> web.Response:
        return await self._show(request, "accounts.html")

    async def live(self, request: web.Request) -> web.Response:
        return await self._show(request, "paces.html")

    async def _show(self, request: web.Request, template: str) -> web.Response:
        who = request[WHO]
        accounts = await self._halts.overview(who.actor)
        return page(request, template, accounts=accounts, may_see_own=True, here="accounts")

    async def resume(self, request: web.Request) -> web.Response:
        """Let an account go again; one that goes already is left alone."""
        who = request[WHO]
        await self._halts.resume(who.actor, int(request.match_info["id"]))
        raise web.HTTPSeeOther("/console/accounts")

"""Signing in by the link from the chat, choosing the language, and signing out."""

import re

from aiohttp import web

from console.pages import page
from console.safety import WHO, Safety
from domain.sign_ins import SignedOut
from locales import speak
from services.sign_ins import SignIns

HOME = "/console"
OURS = re.compile(rf"{HOME}([/?][!-~]*)?")


def routes(sign_ins: SignIns, safety: Safety) -> list[web.RouteDef]:
    views = _Views(sign_ins, safety)
    return [
        web.get("/in/{secret}", views.link, name="link"),
        web.post("/in/{secret}", views.sign_in, name="sign_in"),
        web.post("/out", views.sign_out),
        web.post("/language", views.language),
    ]


class _Views:
    def __init__(self, sign_ins: SignIns, safety: Safety) -> None:
        self._sign_ins = sign_ins
        self._safety = safety

    async def link(self, request: web.Request) -> web.Response:
        """Say whom the link signs in; it is used up by the press only, since messengers look at links too.

        Who opens a used one where they are still signed in is led in.
        """
        try:
            offer = await self._sign_ins.offer(request.match_info["secret"])
        except SignedOut:
            if await self._safety.knows(request):
                raise web.HTTPSeeOther(HOME) from None
            raise
        return page(request, "sign_in.html", words=speak(offer.language), name=offer.name)

    async def sign_in(self, request: web.Request) -> web.Response:
        instead_of = request.cookies.get(self._safety.cookie, "")
        secret = await self._sign_ins.open(request.match_info["secret"], instead_of)
        response = _to(HOME)
        self._safety.let_in(response, secret)
        return response

    async def sign_out(self, request: web.Request) -> web.Response:
        who = request[WHO]
        await self._sign_ins.sign_out(who.sign_in)
        response = _to(HOME)
        self._safety.let_out(response)
        return response

    async def language(self, request: web.Request) -> web.Response:
        who = request[WHO]
        said = await request.post()
        await self._sign_ins.speak(who.sign_in, str(said.get("language", "")))
        return _to(_local(str(said.get("back", ""))))


def _local(path: str) -> str:
    """Lead back to a page of ours only, with what was asked of it; the path is as a browser writes it, encoded."""
    return path if OURS.fullmatch(path) else HOME


def _to(path: str) -> web.Response:
    return web.Response(status=303, headers={"Location": path, "Cache-Control": "no-store"})

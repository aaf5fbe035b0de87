"""The console as an application of its own, which the process puts under `/console`."""

from http import HTTPStatus

from aiohttp import web

from console import dispatch_desk, halts, sign_ins
from console.pages import asset, language_of, page
from console.safety import Safety
from domain.refusals import Refusal
from domain.sign_ins import SignedOut
from locales import speak
from services.toolbox import Toolbox


def build(toolbox: Toolbox, *, https: bool) -> web.Application:
    """Build it; `https` says whether browsers reach it by that, so that nobody else's cookie counts."""
    safety = Safety(toolbox.sign_ins, worded, https=https)
    app = web.Application(middlewares=[safety.headers, safety.errors, safety.same_origin, safety.who])
    app.add_routes(
        [
            *sign_ins.routes(toolbox.sign_ins, safety),
            *dispatch_desk.routes(toolbox.dispatch_desk),
            *halts.routes(toolbox.halts),
            web.get("/static/{version}/{name}", asset, name="asset"),
        ]
    )
    return app


def worded(
    request: web.Request, status: HTTPStatus, refusal: Refusal | None, incident: str
) -> web.StreamResponse:
    """Word a refusal or an error as a page that says how to go on."""
    words = speak(language_of(request))
    if isinstance(refusal, SignedOut):
        by_link = request.match_info.route.name in {"link", "sign_in"}
        return page(request, "signed_out.html", status=status, why=words(refusal.key) if by_link else "")
    if refusal is not None:
        why = words(refusal.key, **refusal.fields)
    elif status < HTTPStatus.INTERNAL_SERVER_ERROR:
        why = words("console.error.asked")
    else:
        why = words("console.error.broken", incident=incident)
    return page(request, "error.html", status=status, why=why, may_see_own=False, here="")

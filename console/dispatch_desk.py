"""What goes out: all of it, one of it with its figures as they change, and the steps that may be taken."""

from http import HTTPStatus

from aiohttp import web

from console.pages import page
from console.safety import WHO
from domain.dispatch_desk import ASKED_FIRST, DispatchMovedOn, Step, still_so
from domain.refusals import NotFound, Refusal
from services.dispatch_desk import DispatchDesk, Shown, is_open

LONGEST_SEARCH = 60
MOST = 2**59
"""Above every number of ours, and below what a database refuses."""


def routes(desk: DispatchDesk) -> list[web.RouteDef]:
    views = _Views(desk)
    one = "/dispatches/{id:[0-9]{1,18}}"
    return [
        web.get("", views.all),
        web.get("/", views.all),
        web.get("/live", views.live),
        web.get("/own", views.own),
        web.get(one, views.one),
        web.get(f"{one}/live", views.one_live),
        web.get(one + "/{step}", views.ask),
        web.post(one + "/{step}", views.take),
    ]


class _Views:
    def __init__(self, desk: DispatchDesk) -> None:
        self._desk = desk

    async def all(self, request: web.Request) -> web.Response:
        """Show what goes out, what waits for a decision, and what went out before."""
        return await self._all(request, "desk.html", _before(request), _search(request))

    async def live(self, request: web.Request) -> web.Response:
        """Show the same anew, for the first page, which keeps itself fresh."""
        return await self._all(request, "desk_live.html", None, "")

    async def _all(
        self, request: web.Request, template: str, before: int | None, search: str
    ) -> web.Response:
        who = request[WHO]
        first = before is None and not search
        past, more = await self._desk.past(
            who.actor, before=before, search=search, at_home=who.sign_in.at_home
        )
        return page(
            request,
            template,
            first=first,
            going=await self._desk.going(who.actor) if first else [],
            doubtful=await self._desk.doubtful(who.actor) if first else [],
            past=past,
            older=past[-1].id if more else None,
            search=search,
            may_see_own=self._desk.may_see_own(who.actor),
            here="desk",
        )

    async def own(self, request: web.Request) -> web.Response:
        """Show what the bridge tells by itself."""
        who = request[WHO]
        past, more = await self._desk.past(who.actor, by_people=False, before=_before(request))
        older = past[-1].id if more else None
        return page(request, "own.html", past=past, older=older, may_see_own=True, here="own")

    async def one(self, request: web.Request) -> web.Response:
        return await self._one(request, "dispatch.html")

    async def one_live(self, request: web.Request) -> web.Response:
        return await self._one(request, "figures.html")

    async def _one(
        self, request: web.Request, template: str, *, refused: Refusal | None = None
    ) -> web.Response:
        """Show one; after a step that was `refused`, why, above how it stands."""
        who = request[WHO]
        shown = await self._desk.of(who.actor, int(request.match_info["id"]))
        return page(
            request,
            template,
            status=HTTPStatus.OK if refused is None else HTTPStatus.CONFLICT,
            shown=shown,
            is_open=is_open(shown.figures),
            asked_first=ASKED_FIRST,
            done=_done(request, shown),
            refused=refused,
            count=_number(request.query.get("n", "")),
            may_see_own=self._desk.may_see_own(who.actor),
            here="desk" if shown.listed.origin is not None else "own",
        )

    async def ask(self, request: web.Request) -> web.Response:
        """Ask before what cannot be undone; where it cannot be done any more, show how things stand."""
        who = request[WHO]
        step = _step(request)
        shown = await self._desk.of(who.actor, int(request.match_info["id"]))
        if step not in ASKED_FIRST or step not in shown.steps:
            raise web.HTTPSeeOther(f"/console/dispatches/{shown.listed.id}")
        may_see_own = self._desk.may_see_own(who.actor)
        return page(request, "ask.html", shown=shown, step=step, may_see_own=may_see_own, here="desk")

    async def take(self, request: web.Request) -> web.Response:
        """Take a step, and show how things stand after it; where it came too late, how they stand without it."""
        who = request[WHO]
        step, number = _step(request), int(request.match_info["id"])
        seen = _number(str((await request.post()).get("seen", "")))
        try:
            count = await self._desk.take(who.actor, number, step, seen)
        except DispatchMovedOn as late:
            return await self._one(request, "dispatch.html", refused=late)
        raise web.HTTPSeeOther(f"/console/dispatches/{number}?done={step}&n={count}")


def _step(request: web.Request) -> Step:
    try:
        return Step(request.match_info["step"])
    except ValueError:
        raise NotFound from None


def _done(request: web.Request, shown: Shown) -> Step | None:
    """Return the step that led here, if what it did is so."""
    said = request.query.get("done", "")
    step = Step(said) if said in set(Step) else None
    return step if step is not None and still_so(step, shown.figures.state) else None


def _search(request: web.Request) -> str:
    return request.query.get("q", "").strip()[:LONGEST_SEARCH]


def _before(request: web.Request) -> int | None:
    return _number(request.query.get("before", "")) or None


def _number(said: str) -> int:
    """Read a number; what is none, or none of ours, is 0."""
    return min(int(said), MOST) if said.isascii() and said.isdigit() and len(said) < len(str(MOST)) else 0

"""The operator's side over HTTP, for the command line, demos and tests: bots, people, sign-in links."""

import secrets
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
from aiohttp import web

from webchat.errors import PeopleError
from webchat.guests import Guests
from webchat.people_api import answer, body_of, whole
from webchat.town import Town

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def routes(town: Town, guests: Guests) -> list[web.RouteDef]:
    api = _OperatorApi(town, guests)
    only = guard(town.config.operator_token)
    return [
        web.get("/healthz", api.health),
        web.get("/operator/bots", only(api.bots)),
        web.post("/operator/bots", only(api.new_bot)),
        web.post("/operator/people", only(api.put_people)),
        web.post("/operator/people/{id:-?\\d+}/sign-in-links", only(api.sign_in_link)),
    ]


def guard(token: str) -> Callable[[Handler], Handler]:
    """Return what lets a handler be called with the operator's token only."""

    def guarded(handler: Handler) -> Handler:
        async def checked(request: web.Request) -> web.StreamResponse:
            given = request.headers.get("Authorization", "").removeprefix("Bearer ")
            if not secrets.compare_digest(given.encode(), token.encode()):
                raise PeopleError(401, "operator_only")
            return await handler(request)

        return checked

    return guarded


class _OperatorApi:
    def __init__(self, town: Town, guests: Guests) -> None:
        self._town = town
        self._guests = guests

    async def health(self, _request: web.Request) -> web.Response:
        self._town.store.one("SELECT 1")
        return answer({"ok": True})

    async def bots(self, _request: web.Request) -> web.Response:
        rows = self._town.store.all("SELECT id, username, name FROM bot ORDER BY id")
        return answer({"bots": [dict(row) for row in rows]})

    async def new_bot(self, request: web.Request) -> web.Response:
        given = await body_of(request)
        username, name = str(given.get("username") or ""), str(given.get("name") or "").strip()
        if not (3 <= len(username) <= 32 and username.replace("_", "").isalnum() and username.isascii()):  # noqa: PLR2004
            raise PeopleError(400, "bad_username")
        if not name:
            raise PeopleError(400, "bad_name")
        number, token = self._town.new_bot(name, username)
        return answer({"id": number, "username": username, "token": token}, 201)

    async def put_people(self, request: web.Request) -> web.Response:
        """Create or update one person (an object) or many at once (an array)."""
        try:
            given: Any = orjson.loads(await request.read())
        except orjson.JSONDecodeError as error:
            raise PeopleError(400, "bad_json") from error
        if isinstance(given, dict):
            return answer({"id": self._guests.put_person(given)}, 201)
        if not isinstance(given, list) or not all(isinstance(item, dict) for item in given):
            raise PeopleError(400, "bad_json")
        with self._town.store.begin():
            numbers = [self._guests.put_person(item) for item in given]
        return answer({"ids": numbers}, 201)

    async def sign_in_link(self, request: web.Request) -> web.Response:
        link = self._guests.sign_in_link(whole(request.match_info["id"], 0), await body_of(request))
        return answer(link, 201)

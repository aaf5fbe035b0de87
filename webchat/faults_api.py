"""The operator's side of faults over HTTP; these routes exist only where faults are switched on."""

from typing import Any

import orjson
from aiohttp import web

from webchat.errors import PeopleError
from webchat.faults import Faults
from webchat.fields import whole
from webchat.openapi_faults import ALL
from webchat.operator_api import guard
from webchat.people_api import answer


def routes(faults: Faults, operator_token: str) -> list[web.RouteDef]:
    api = _FaultsApi(faults)
    only = guard(operator_token)
    return [
        web.get(ALL, only(api.listed)),
        web.post(ALL, only(api.add)),
        web.delete(ALL, only(api.clear)),
        web.delete(ALL + "/{id}", only(api.drop)),
    ]


class _FaultsApi:
    def __init__(self, faults: Faults) -> None:
        self._faults = faults

    async def listed(self, _request: web.Request) -> web.Response:
        return answer({"faults": self._faults.listed()})

    async def add(self, request: web.Request) -> web.Response:
        """Add one rule (an object) or several (an array), which are met in this order."""
        try:
            given: Any = orjson.loads(await request.read())
        except orjson.JSONDecodeError as error:
            raise PeopleError(400, "bad_json") from error
        rules = given if isinstance(given, list) else [given]
        if not all(isinstance(each, dict) for each in rules):
            raise PeopleError(400, "bad_json")
        return answer({"ids": [self._faults.add(each) for each in rules]}, 201)

    async def clear(self, _request: web.Request) -> web.Response:
        self._faults.clear()
        return answer({"faults": []})

    async def drop(self, request: web.Request) -> web.Response:
        if not self._faults.drop(whole(request.match_info["id"]) or 0):
            raise PeopleError(404, "unknown_rule")
        return answer({"faults": self._faults.listed()})

"""Faults this server can be told to make, so that its bots can be proven against them; off unless switched on.

A rule says which requests it hits and what befalls them. Rules are met in the order they were given: latency
passes a request on to the next rule that hits it, every other fault decides, and may let the method act first.
"""

import asyncio
import random
import socket
import struct
from dataclasses import MISSING, asdict, dataclass, field, fields
from itertools import count
from typing import Any, ClassVar, Protocol

from aiohttp import web

from webchat.bot_api import Act, Call, refused
from webchat.errors import BotApiError, PeopleError
from webchat.fields import whole
from webchat.town import Town

LONGEST = 600.0  # seconds of latency or stall
MOST_RULES = 10_000
POLL = "getupdates"
Json = dict[str, Any]


class Fault(Protocol):
    """What befalls a request; `act` carries it out, and tells its answer."""

    async def meet(self, request: web.Request, act: Act) -> web.StreamResponse: ...


@dataclass(frozen=True, slots=True)
class Latency:
    """The answer takes a while: `mean` seconds, evenly spread by `spread` to either side."""

    mean: float
    spread: float = 0.0

    async def meet(self, request: web.Request, act: Act) -> web.StreamResponse:
        await asyncio.sleep(max(0.0, random.uniform(self.mean - self.spread, self.mean + self.spread)))
        return await act()


@dataclass(frozen=True, slots=True)
class Error:
    """The server fails with a 5xx in the Bot API's words."""

    status: int = 500
    acted: bool = False

    async def meet(self, request: web.Request, act: Act) -> web.StreamResponse:
        if self.acted:
            await act()
        return refused(BotApiError(self.status, "Internal Server Error"))


@dataclass(frozen=True, slots=True)
class Page:
    """A proxy before the server answers, in HTML."""

    status: int = 502
    acted: bool = False

    async def meet(self, request: web.Request, act: Act) -> web.StreamResponse:
        if self.acted:
            await act()
        page = f"<html><head><title>{self.status}</title></head><body><h1>{self.status}</h1></body></html>"
        return web.Response(status=self.status, text=page, content_type="text/html")


@dataclass(frozen=True, slots=True)
class Reset:
    """The connection breaks before any answer: by a TCP reset, or `gently` by an ordinary end."""

    acted: bool = False
    gently: bool = False

    async def meet(self, request: web.Request, act: Act) -> web.StreamResponse:
        if self.acted:
            await act()
        return _broken(request, gently=self.gently)


@dataclass(frozen=True, slots=True)
class Half:
    """Half of the answer comes, then the connection ends."""

    acted: bool = True

    async def meet(self, request: web.Request, act: Act) -> web.StreamResponse:
        whole_answer = await act() if self.acted else refused(BotApiError(400, "Bad Request"))
        body = whole_answer.body if isinstance(whole_answer, web.Response) else b""
        body = body if isinstance(body, bytes) else b""
        response = web.StreamResponse(headers={"Content-Length": str(len(body))})
        response.content_type = "application/json"
        await response.prepare(request)
        await response.write(body[: len(body) // 2])
        _broken(request, gently=True)
        return response


@dataclass(frozen=True, slots=True)
class Stall:
    """No answer for `seconds`; then the late answer of what was done, or the end of the connection."""

    seconds: float
    acted: bool = False

    async def meet(self, request: web.Request, act: Act) -> web.StreamResponse:
        late = await act() if self.acted else None
        await asyncio.sleep(self.seconds)
        return late or _broken(request, gently=True)


@dataclass(frozen=True, slots=True)
class Flood:
    """429: wait `retry_after` seconds."""

    retry_after: int

    async def meet(self, request: web.Request, act: Act) -> web.StreamResponse:
        said = f"Too Many Requests: retry after {self.retry_after}"
        return refused(BotApiError(429, said, retry_after=self.retry_after))


@dataclass(frozen=True, slots=True)
class Blocked:
    """The person blocked the bot, and no update told it."""

    async def meet(self, request: web.Request, act: Act) -> web.StreamResponse:
        return refused(BotApiError(403, "Forbidden: bot was blocked by the user"))


@dataclass(frozen=True, slots=True)
class Deactivated:
    """The person's account is gone."""

    async def meet(self, request: web.Request, act: Act) -> web.StreamResponse:
        return refused(BotApiError(403, "Forbidden: user is deactivated"))


@dataclass(frozen=True, slots=True)
class Unauthorized:
    """The bot's token is refused."""

    async def meet(self, request: web.Request, act: Act) -> web.StreamResponse:
        return refused(BotApiError(401, "Unauthorized"))


@dataclass(frozen=True, slots=True)
class Moved:
    """The chat has the id `to`; it moves there when the rule is given."""

    to: int
    needs_chat: ClassVar[bool] = True

    async def meet(self, request: web.Request, act: Act) -> web.StreamResponse:
        said = "Bad Request: group chat was upgraded to a supergroup chat"
        return refused(BotApiError(400, said, migrate_to_chat_id=self.to))


KINDS: dict[str, type[Any]] = {
    kind.__name__.lower(): kind
    for kind in (
        Latency,
        Error,
        Page,
        Reset,
        Half,
        Stall,
        Flood,
        Blocked,
        Deactivated,
        Unauthorized,
        Moved,
    )
}
BOUNDS = {
    "mean": (0, LONGEST),
    "spread": (0, LONGEST),
    "seconds": (0, LONGEST),
    "status": (500, 599),
    "retry_after": (1, 86_400),
    "to": (-(2**53), 2**53),
}


@dataclass(slots=True)
class Rule:
    """Which requests a fault hits: of one bot, method and chat or of any, so many times or with a share of them."""

    id: int
    fault: Fault
    bot_id: int | None = None
    method: str | None = None
    chat_id: int | None = None
    times: int | None = None
    share: float = 1.0
    met: int = field(default=0)

    def hits(self, call: Call) -> bool:
        """Say whether it befalls this request, and count that; the poll only if it is named."""
        method = call.method.lower()
        mine = (
            (self.times is None or self.met < self.times)
            and (method == self.method if self.method else method != POLL)
            and self.bot_id in (None, call.bot["id"])
            and self.chat_id in (None, whole(call.fields.get("chat_id")))
            and (self.share >= 1 or random.random() < self.share)
        )
        self.met += mine
        return mine

    def shown(self) -> Json:
        parameters = asdict(self.fault)  # type: ignore[call-overload]
        said = {"bot_id", "method", "chat_id", "times", "share", "met"}
        return {"id": self.id, "fault": type(self.fault).__name__.lower(), **parameters} | {
            name: getattr(self, name) for name in sorted(said)
        }


class Faults:
    """The rules in force; a restart of the server forgets them."""

    def __init__(self, town: Town) -> None:
        self._town = town
        self._numbers = count(1)
        self._rules: dict[int, Rule] = {}

    async def meet(self, request: web.Request, call: Call, act: Act) -> web.StreamResponse:
        """Carry a request out through the faults that hit it."""
        waiting = iter(tuple(self._rules.values()))

        async def onward() -> web.StreamResponse:
            for rule in waiting:
                if rule.hits(call):
                    return await rule.fault.meet(request, onward)
            return await act()

        return await onward()

    def add(self, given: Json) -> int:
        """Put a rule into force; `PeopleError` names what is wrong with it."""
        if len(self._rules) >= MOST_RULES:
            raise PeopleError(409, "too_many_rules")
        rule = self._read(given)
        if isinstance(rule.fault, Moved):
            assert rule.chat_id is not None  # noqa: S101 - `_read` has seen to it
            self._town.move_person(rule.chat_id, rule.fault.to)
        self._rules[rule.id] = rule
        return rule.id

    def listed(self) -> list[Json]:
        return [rule.shown() for rule in self._rules.values()]

    def drop(self, number: int) -> bool:
        return self._rules.pop(number, None) is not None

    def clear(self) -> None:
        self._rules.clear()

    def _read(self, given: Json) -> Rule:
        given = dict(given)
        kind = KINDS.get(str(given.pop("fault", "")))
        if kind is None:
            raise PeopleError(400, "unknown_fault", f"one of {', '.join(KINDS)}")
        bot, method = given.pop("bot", None), given.pop("method", None)
        rule = Rule(
            id=next(self._numbers),
            bot_id=None if bot is None else int(self._town.bot_named(str(bot))["id"]),
            method=None if method is None else str(method).lower(),
            chat_id=_number(given, "chat_id"),
            times=_number(given, "times"),
            share=_share(given.pop("share", 1.0)),
            fault=kind(**_parameters(kind, given)),
        )
        if rule.chat_id is None and getattr(kind, "needs_chat", False):
            raise PeopleError(400, "chat_id_needed")
        return rule


def _parameters(kind: type[Any], given: Json) -> Json:
    """Check a fault's own parameters, whatever is left of a rule."""
    known = {each.name: each for each in fields(kind)}
    for name, value in given.items():
        if name in known and not _fits(name, value, type_of=known[name].type):
            raise PeopleError(400, "bad_parameter", name)
    needed = {name for name, each in known.items() if each.default is MISSING}
    if wrong := sorted((needed - set(given)) | (set(given) - set(known))):
        raise PeopleError(400, "bad_parameter", ", ".join(wrong))
    return given


def _fits(name: str, value: Any, *, type_of: Any) -> bool:
    if type_of is bool or isinstance(value, bool):
        return type_of is bool and isinstance(value, bool)
    lowest, highest = BOUNDS[name]
    kinds = (int,) if type_of is int else (int, float)
    return isinstance(value, kinds) and lowest <= value <= highest


def _number(given: Json, name: str) -> int | None:
    value = given.pop(name, None)
    if value is None:
        return None
    found = whole(value)
    if found is None:
        raise PeopleError(400, "bad_parameter", name)
    return found


def _share(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise PeopleError(400, "bad_parameter", "share")
    return float(value)


def _broken(request: web.Request, *, gently: bool) -> web.Response:
    """End the connection; what is returned reaches nobody."""
    transport = request.transport
    if transport is not None and gently:
        transport.close()
    elif transport is not None:
        linger = struct.pack("ii", 1, 0)  # closing with nothing to linger for sends a reset
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        transport.abort()
    return web.Response()

"""Taps and commands found by one dictionary look-up, not by walking every handler.

aiogram's dispatch cost grows with the number of handlers (measured: 0.83 ms with 1, 2.15 ms with 200),
so a tap's `CallbackData` prefix and a command's name are looked up here. Features register with
``@tap(NoticeTap)`` and ``@command("notice")``; dialogue steps stay aiogram handlers with a state filter.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from aiogram.dispatcher.event.handler import CallableObject
from aiogram.filters.callback_data import CallbackData
from aiogram.types import CallbackQuery, Message

Handler = Callable[..., Awaitable[Any]]

_taps: dict[str, tuple[type[CallbackData], CallableObject]] = {}
_commands: dict[str, CallableObject] = {}


def tap(data: type[CallbackData]) -> Callable[[Handler], Handler]:
    """Register the handler of all taps of one `CallbackData` class; it gets them as `tap`."""

    def register(handler: Handler) -> Handler:
        prefix = data.__prefix__
        if prefix in _taps:
            msg = f"two handlers for taps of {prefix!r}"
            raise ValueError(msg)
        _taps[prefix] = (data, CallableObject(handler))
        return handler

    return register


def command(*names: str) -> Callable[[Handler], Handler]:
    """Register the handler of a command; it gets the rest of the line as `argument`."""

    def register(handler: Handler) -> Handler:
        for name in names:
            if name in _commands:
                msg = f"two handlers for /{name}"
                raise ValueError(msg)
            _commands[name] = CallableObject(handler)
        return handler

    return register


class StaleTap(Exception):  # noqa: N818 - a fact, worded by the error handler
    """The button is from another time, or was forged."""


async def on_tap(query: CallbackQuery, **data: Any) -> Any:
    """Hand a tap to its handler; `StaleTap` when no feature knows its prefix or shape."""
    packed = query.data or ""
    found = _taps.get(packed.partition(":")[0])
    if found is None:
        raise StaleTap
    kind, handler = found
    try:
        parsed = kind.unpack(packed)
    except (TypeError, ValueError) as error:
        raise StaleTap from error
    return await handler.call(query, **{**data, "tap": parsed})


def command_of(message: Message) -> tuple[CallableObject, str] | None:
    """Find the handler of ``/name@bot argument``, or `None` when the text is no known command."""
    text = message.text or message.caption or ""
    if not text.startswith("/"):
        return None
    head, *rest = text[1:].split(maxsplit=1) or [""]
    handler = _commands.get(head.partition("@")[0].lower())
    return (handler, rest[0].strip() if rest else "") if handler else None


async def on_command(message: Message, **data: Any) -> Any:
    """Hand a command to its handler."""
    found = command_of(message)
    if found is None:
        return None
    handler, argument = found
    return await handler.call(message, **{**data, "argument": argument})


async def run_command(name: str, event: Message | CallbackQuery, **data: Any) -> Any:
    """Run a command from a button of the menu; `StaleTap` when no feature knows its name."""
    handler = _commands.get(name)
    if handler is None:
        raise StaleTap
    return await handler.call(event, **{**data, "argument": ""})

"""Logs: readable on a terminal, JSON elsewhere; secrets are taken out of every line, tracebacks included.

The token of a bot stands in the URL path of each request, so any library's message or traceback may hold one.
Redaction works on the finished line, whoever wrote it.
"""

import logging
import re
import sys
from collections.abc import Iterable
from typing import Any, TextIO

import structlog

HIDDEN = "[hidden]"
TOKEN = re.compile(r"\d{3,}:[A-Za-z0-9_-]{30,}")
CODE = re.compile(r"(/in/|[?&]start=)[A-Za-z0-9_-]{16,}")
BEARER = re.compile(r"(Bearer\s+)[A-Za-z0-9_.-]{8,}")
KEY = re.compile(r"\b([A-Za-z0-9_-]{1,32}:)[A-Za-z0-9+/]{43}=")
QUIET = ("alembic", "aiogram", "aiohttp.access", "telegram", "apscheduler", "pgqueuer", "asyncio")
OURS = ("bot", "handlers", "console", "scheduler", "services", "storage", "domain", "webchat")
"""Who may say more than `info`: at `debug`, a driver writes down the values of each statement, votes among them."""


class Redactor:
    """Takes tokens, sign-in codes, keys and `known` secrets out of a text."""

    def __init__(self, known: Iterable[str] = ()) -> None:
        self._known = [secret for secret in known if len(secret) >= 8]  # noqa: PLR2004 - shorter ones hit by chance

    def __call__(self, text: str) -> str:
        for secret in self._known:
            text = text.replace(secret, HIDDEN)
        text = TOKEN.sub(HIDDEN, text)
        text = KEY.sub(rf"\1{HIDDEN}", text)
        text = CODE.sub(rf"\1{HIDDEN}", text)
        return BEARER.sub(rf"\1{HIDDEN}", text)


class RedactingStream:
    """A text stream that redacts each write."""

    def __init__(self, stream: TextIO, redact: Redactor) -> None:
        self._stream = stream
        self._redact = redact

    def write(self, text: str) -> int:
        return self._stream.write(self._redact(text))

    def flush(self) -> None:
        self._stream.flush()


def configure(
    *, level: str = "info", style: str = "auto", known: Iterable[str] = (), stream: TextIO | None = None
) -> None:
    """Send structlog and the standard library's loggers through one redacting handler."""
    target = stream or sys.stderr
    console = style == "console" or (style == "auto" and target.isatty())
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    last: list[Any] = (
        [
            structlog.dev.ConsoleRenderer(
                colors=target.isatty(), exception_formatter=structlog.dev.plain_traceback
            )
        ]
        if console
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(ensure_ascii=False)]
    )
    handler = logging.StreamHandler(RedactingStream(target, Redactor(known)))
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(logging.INFO, logging.getLevelName(level.upper())))
    for name in OURS:
        logging.getLogger(name).setLevel(level.upper())
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )

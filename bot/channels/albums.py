"""Albums over either client: files uploaded once, and one outcome where an album takes two requests.

An album has no keyboard, so its text and buttons follow in a message of their own. What cannot be told safely
of that message is unknown: to try the delivery again would bring the album twice.
"""

import asyncio
import contextlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from bot.channels.answers import file_id_of
from bot.channels.words import WordsOf
from domain.clock import Clock
from domain.delivery import Busy, Outcome, Rejected, Sent, Unknown, Unreachable
from domain.messages import Content, Envelope, Media

KEPT_IDS = 1000
PATIENCE = timedelta(seconds=10)
"""How long the message after an album waits in place for a server that wants patience."""

Messages = Sequence[dict[str, Any]]
Post = Callable[[Envelope, Sequence[str | None]], Awaitable[tuple[Outcome, Messages]]]
"""Sends an album by the ids of its files, uploading those that have none."""
Say = Callable[[Envelope, None], Awaitable[Outcome]]


class Albums:
    """Sends albums by one account, and remembers as what its server knows their files."""

    def __init__(self, *, post: Post, say: Say, clock: Clock) -> None:
        self._post = post
        self._say = say
        self._clock = clock
        self._ids: OrderedDict[Media, str] = OrderedDict()
        self._words = WordsOf()
        self._uploading = asyncio.Lock()

    async def send(self, envelope: Envelope) -> Outcome:
        """Send an album, and its words after it if it has buttons; the outcome is that of the last message."""
        outcome = await self._send_files(envelope)
        if not isinstance(outcome, Sent) or not envelope.content.keyboard:
            return outcome
        return await self._send_words(replace(envelope, content=self._words(envelope.content)))

    async def _send_files(self, envelope: Envelope) -> Outcome:
        content = envelope.content
        if None in self._known(content):
            async with self._uploading:
                if None in (known := self._known(content)):
                    outcome, messages = await self._post(envelope, known)
                    self._remember(content, messages)
                    return outcome
        return (await self._post(envelope, self._known(content)))[0]

    async def _send_words(self, envelope: Envelope) -> Outcome:
        outcome = await self._say(envelope, None)
        if isinstance(outcome, Busy) and (wait := outcome.retry_at - self._clock()) <= PATIENCE:
            await asyncio.sleep(wait.total_seconds())
            outcome = await self._say(envelope, None)
        if isinstance(outcome, Sent | Unreachable | Rejected | Unknown):
            return outcome
        return Unknown("album_alone")

    def _known(self, content: Content) -> list[str | None]:
        return [self._ids.get(media) for media in content.album]

    def _remember(self, content: Content, messages: Messages) -> None:
        with contextlib.suppress(LookupError, TypeError):  # the album is sent, whatever the answer lacks
            for media, message in zip(content.album, messages, strict=False):
                self._ids[media] = file_id_of(message, media)
        while len(self._ids) > KEPT_IDS:
            self._ids.popitem(last=False)


def caption_of(content: Content) -> Content:
    """Return what stands under an album's first file: its words, unless they follow with buttons."""
    return Content("") if content.keyboard else content

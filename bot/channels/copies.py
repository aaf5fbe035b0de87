"""Copies over either client: a film or a sound where the account was given it, the words alone elsewhere."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

from domain.delivery import Outcome, Rejected, Unreachable
from domain.messages import Envelope, Original
from domain.words import WordsOf

LOST = ("message to copy not found", "message can't be copied")

Ask = Callable[[Envelope, Original], Awaitable[Outcome]]
"""Copies a message to where an envelope goes, with the words and buttons of its content."""
Say = Callable[[Envelope, None], Awaitable[Outcome]]


class Copies:
    """Copies by one account, and remembers what cannot be copied any more."""

    def __init__(self, *, ask: Ask, say: Say) -> None:
        self._ask = ask
        self._say = say
        self._words = WordsOf()
        self._lost: set[str] = set()

    async def send(self, envelope: Envelope, known_as: str | None) -> Outcome:
        """Copy the message that is known so, with its new words; what cannot be copied goes without it."""
        if known_as is not None and known_as not in self._lost:
            outcome = await self._ask(envelope, Original.of(known_as))
            if isinstance(outcome, Rejected) and any(words in outcome.reason.lower() for words in LOST):
                self._lost.add(known_as)
            elif outcome != Unreachable("chat_not_found"):  # perhaps the original's chat: the words will tell
                return outcome
        return await self._say(replace(envelope, content=self._words(envelope.content)), None)

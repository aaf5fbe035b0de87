"""Copies over either client: a small request where the account has the message already, the content elsewhere."""

from collections.abc import Awaitable, Callable

from domain.delivery import Outcome, Rejected, Unreachable
from domain.messages import Envelope, Original

LOST = ("message to copy not found", "message can't be copied")

Ask = Callable[[Envelope, Original], Awaitable[Outcome]]
"""Copies a message to where an envelope goes, with the buttons of its content."""


class Copies:
    """Copies by one account, and remembers what cannot be copied any more."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._lost: set[Original] = set()

    async def send(self, envelope: Envelope) -> Outcome | None:
        """Copy the original of a content; `None` where there is none, and the content itself is to be sent."""
        original = envelope.content.copy_of
        if original is None or original.account_id != envelope.to.account_id or original in self._lost:
            return None
        outcome = await self._ask(envelope, original)
        if isinstance(outcome, Rejected) and any(words in outcome.reason.lower() for words in LOST):
            self._lost.add(original)
            return None
        if outcome == Unreachable("chat_not_found"):  # perhaps the original's chat: the content will tell
            return None
        return outcome

"""The way out of development: says what would have been sent, and to whom, and sends nothing."""

from itertools import count

import structlog

from domain.delivery import Outcome, Sent
from domain.messages import Envelope

log = structlog.get_logger(__name__)


class LogChannel:
    """Writes each message to the log and calls it sent."""

    def __init__(self) -> None:
        self._numbers = count(1)

    async def send(self, envelope: Envelope, file_id: str | None) -> Outcome:
        content = envelope.content
        log.info(
            "message",
            account=envelope.to.account_id,
            chat=envelope.to.chat_id,
            text=content.text,
            media=[media.name for media in (content.media, *content.album) if media is not None],
            buttons=[button.text for row in content.keyboard for button in row],
        )
        known_as = None if content.media is None else content.media.digest
        return Sent(next(self._numbers), known_as, tuple(media.digest for media in content.album))

    async def close(self) -> None:
        """Nothing is open."""

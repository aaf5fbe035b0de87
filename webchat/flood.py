"""Flood limits as Telegram has them: about 30 messages a second over all chats, one a second in a chat.

https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this; a short burst in one chat passes.
"""

import math

from webchat.errors import BotApiError

ALL_PER_SECOND = 30.0
CHAT_BURST = 5.0


class Flood:
    """Two buckets: one a bot, one a chat; the caller gives the time in epoch seconds."""

    def __init__(self) -> None:
        self._due: dict[tuple[int, int], float] = {}

    def check(self, bot_id: int, chat_id: int, now: float) -> None:
        """Count one message, or refuse with 429 and ``retry_after``."""
        waits = [
            self._wait((bot_id, 0), now, 1.0),
            self._wait((bot_id, chat_id), now, CHAT_BURST),
        ]
        if max(waits) > 0:
            seconds = math.ceil(max(waits))
            raise BotApiError(429, f"Too Many Requests: retry after {seconds}", retry_after=seconds)
        self._due[bot_id, 0] = max(self._due.get((bot_id, 0), now), now) + 1 / ALL_PER_SECOND
        self._due[bot_id, chat_id] = max(self._due.get((bot_id, chat_id), now), now) + 1.0
        if len(self._due) > 100_000:  # noqa: PLR2004 - forget who is long past
            self._due = {key: due for key, due in self._due.items() if due > now}

    def _wait(self, key: tuple[int, int], now: float, burst_seconds: float) -> float:
        return self._due.get(key, now) - now - burst_seconds

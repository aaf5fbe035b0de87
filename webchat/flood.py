"""Flood limits as Telegram has them: about 30 messages a second over all chats, 1,000 paid ones, one a second in a chat.

https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this; a short burst in one chat passes.
"""

import math

from webchat.errors import BotApiError

ALL_PER_SECOND = 30.0
PAID_PER_SECOND = 1000.0
"""With `allow_paid_broadcast` (https://core.telegram.org/bots/api#sendmessage)."""
ALL, PAID = 0, -1
"""In place of a chat: the buckets of a bot."""
CHAT_BURST = 5.0


class Flood:
    """Buckets: two a bot, one of them for what it pays for, and one a chat; the caller gives the time in epoch seconds."""

    def __init__(self) -> None:
        self._due: dict[tuple[int, int], float] = {}

    def check(self, bot_id: int, chat_id: int, now: float, *, paid: bool = False) -> None:
        """Count one message, or refuse with 429 and ``retry_after``."""
        whole, rate = ((bot_id, PAID), PAID_PER_SECOND) if paid else ((bot_id, ALL), ALL_PER_SECOND)
        waits = [
            self._wait(whole, now, 1.0),
            self._wait((bot_id, chat_id), now, CHAT_BURST),
        ]
        if max(waits) > 0:
            seconds = math.ceil(max(waits))
            raise BotApiError(429, f"Too Many Requests: retry after {seconds}", retry_after=seconds)
        self._due[whole] = max(self._due.get(whole, now), now) + 1 / rate
        self._due[bot_id, chat_id] = max(self._due.get((bot_id, chat_id), now), now) + 1.0
        if len(self._due) > 100_000:  # noqa: PLR2004 - forget who is long past
            self._due = {key: due for key, due in self._due.items() if due > now}

    def _wait(self, key: tuple[int, int], now: float, burst_seconds: float) -> float:
        return self._due.get(key, now) - now - burst_seconds

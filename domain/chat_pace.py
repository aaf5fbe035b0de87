"""How often one chat may be written to: a private chat once a second, a group twenty times a minute (TELEGRAM.md).

Kept by each process for what it sends. Two processes that send two dispatches to one person within the same second
do not see each other: to look it up for each recipient costs more than the rare 429, which everybody honours.
"""

from dataclasses import dataclass, field

PRIVATE_GAP = 1.1
GROUP_GAP = 3.1
"""Seconds between two messages, a little more than is allowed: on their way they come closer together."""
LONGEST_WAIT = 2.0
"""Who would wait longer is sent away, and comes again."""
MOST_KEPT = 5000
"""Chats after which those that are free again are dropped; at a fast pace, twice as many as are not."""


@dataclass(slots=True)
class ChatPace:
    """When each chat of an account may be written to next; times in epoch seconds."""

    free_at: dict[int, float] = field(default_factory=dict)
    most: int = MOST_KEPT

    def ask(self, chat_id: int, now: float) -> float:
        """Return how long to wait before writing to a chat; up to `LONGEST_WAIT` its place is taken."""
        at = max(now, self.free_at.get(chat_id, now))
        if at - now <= LONGEST_WAIT:
            self.free_at[chat_id] = at + (GROUP_GAP if chat_id < 0 else PRIVATE_GAP)
            if len(self.free_at) > self.most:
                self.free_at = {chat: free for chat, free in self.free_at.items() if free > now}
                self.most = max(MOST_KEPT, 2 * len(self.free_at))
        return at - now

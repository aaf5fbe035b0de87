"""How often a chat may be written to: a private chat once a second, a group twenty times a minute (TELEGRAM.md).

Kept where a delivery is claimed, for the whole fleet (`storage.chat_pace`): who cannot be written to yet is left for a
later claim, and the pace goes to those who can. An answer waits for nobody: deliveries keep their distance from it.
"""

from datetime import timedelta

PRIVATE_GAP = timedelta(seconds=1.1)
GROUP_GAP = timedelta(seconds=3.1)
"""Between two messages, a little more than is allowed: on their way they come closer together."""
UNDER_WAY = timedelta(seconds=30)
"""For so long what was claimed, or came in and is being answered, is taken to be on its way to its chat."""
AGAIN = 0.5
"""Seconds after which a slice asks again whose chats were all written to just now."""

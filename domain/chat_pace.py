"""How often a chat may be written to: a private chat once a second, a group twenty times a minute (TELEGRAM.md).

Kept where a delivery is claimed, for the whole fleet (`storage.chat_pace`): who cannot be written to yet is left for a
later claim, and the pace goes to those who can. An answer waits for nobody: deliveries keep their distance from it.
Where several wait for one chat, an urgent word is the next.
"""

from datetime import timedelta

from domain.delivery import Lane

PRIVATE_GAP = timedelta(seconds=1.1)
GROUP_GAP = timedelta(seconds=3.1)
"""Between two messages, a little more than is allowed: on their way they come closer together."""
UNDER_WAY = timedelta(seconds=30)
"""For so long what was claimed, or came in and is being answered, is taken to be on its way to its chat."""
AGAIN = {Lane.NORMAL: 0.5, Lane.URGENT: 0.2}
"""Seconds after which a slice of that lane asks again whose chats were all written to just now.

An urgent word is to arrive within two seconds: a group's fifth, the latency and the distance leave a fifth of one.
"""

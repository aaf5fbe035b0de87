"""Rules of signing in to the console: a link from the chat, good once and for minutes, and how long it then holds."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.refusals import Refusal

LINK_LASTS = timedelta(minutes=10)
LASTS = timedelta(hours=12)
"""So long one stays signed in at most: a working day."""
UNUSED = timedelta(hours=2)
"""So long one stays signed in without opening a page."""
SEEN_EVERY = timedelta(minutes=1)
"""A page that was opened is written down this often at most."""
MOST = 5
"""Browsers a person is signed in with at a time; one more signs out the one that was used least lately."""


class ConsoleNotOffered(Refusal):
    """Nobody has said under which address browsers reach this bridge."""


class SignedOut(Refusal):
    """The sign-in is over, or the link was used or is too old."""


@dataclass(frozen=True, slots=True)
class SignIn:
    """A browser that is signed in; `at_home` as the chat from which it came: what it may show of what is sensitive."""

    id: int
    member_id: int
    language: str
    at_home: bool
    opened_at: datetime
    seen_at: datetime


def holds(sign_in: SignIn, now: datetime) -> bool:
    return now < sign_in.opened_at + LASTS and now < sign_in.seen_at + UNUSED

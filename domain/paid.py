"""Sending a notice quickly for a price: what it costs, how long it takes, and when that is worth it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from math import ceil

from domain.notices import Notice
from domain.pace import Pace
from domain.refusals import Refusal

MESSAGES_A_STAR = 10
"""0.1 Star a message (https://core.telegram.org/bots/api#sendmessage, allow_paid_broadcast)."""
WORTH_ASKING = timedelta(minutes=1)
"""What goes out for nothing within this time is not worth a price."""
MOST_RISE = 0.1
"""The price may rise by this share until it is approved; beyond, it is asked for again."""


class PaidNotOffered(Refusal):
    """No account that reaches these members may pay, or the notice goes quickly for nothing."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What it would cost to send a notice quickly, and the time it takes for nothing and for this price."""

    messages: int
    free: timedelta
    paid: timedelta

    @property
    def stars(self) -> int:
        return stars(self.messages)

    @property
    def worth_it(self) -> bool:
        return self.messages > 0 and self.free > max(WORTH_ASKING, self.paid)


def offer_of(
    recipients: Mapping[int, int], each: int, *, free: Mapping[int, float], paid: Mapping[int, float]
) -> Offer:
    """Price a notice by how many recipients each account has; `free` and `paid` are rates, `paid` of those that may.

    Accounts send side by side: the slowest says how long it takes.
    """
    seconds = {number: count / free.get(number, Pace().rate) for number, count in recipients.items()}
    quick = {number: count / paid[number] for number, count in recipients.items() if number in paid}
    return Offer(
        messages=each * sum(recipients[number] for number in quick),
        free=timedelta(seconds=max(seconds.values(), default=0.0)),
        paid=timedelta(seconds=max((seconds | quick).values(), default=0.0)),
    )


def stars(messages: int) -> int:
    """Return the price of so many messages, rounded up."""
    return ceil(messages / MESSAGES_A_STAR)


def messages_each(notice: Notice) -> int:
    """Return how many messages one recipient gets: an album's files, and its words with their buttons after them."""
    return len(notice.more) + 2 if notice.more else 1


def rose(asked: int, now: int) -> bool:
    """Say whether a price rose by more than may be."""
    return now > asked * (1 + MOST_RISE)

"""What can become of one delivery, and the one place that decides what happens next.

Channels translate whatever their library raises into this closed family (TELEGRAM.md, "Outbound");
nobody else looks at an error of a messenger.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

MOST_ATTEMPTS = 8
"""After so many tries that never left us, a delivery has failed and waits for a person's retry."""
LONGEST_WAIT = timedelta(minutes=2)
MOVED = "moved"
"""Why a delivery waits whose chat has a new id, which is asked once."""


class DeliveryState(StrEnum):
    WAITING = "waiting"
    SENDING = "sending"
    SENT = "sent"
    UNREACHABLE = "unreachable"
    REJECTED = "rejected"
    SKIPPED = "skipped"
    FAILED = "failed"
    UNKNOWN = "unknown"


class DispatchState(StrEnum):
    RUNNING = "running"
    PAUSED = "paused"
    CANCELLED = "cancelled"
    DONE = "done"


class Lane(StrEnum):
    """Who goes first within an account's pace: answers to people, urgent notices, the rest."""

    REPLY = "reply"
    URGENT = "urgent"
    NORMAL = "normal"


class UnknownPolicy(StrEnum):
    """What happens to a message that was perhaps sent: report it, or send it again."""

    PARK = "park"
    RESEND = "resend"


def policy_of(lane: Lane) -> UnknownPolicy:
    """Return what a lane does unless it is said otherwise: what is urgent rather comes twice than not at all."""
    return UnknownPolicy.RESEND if lane is Lane.URGENT else UnknownPolicy.PARK


@dataclass(frozen=True, slots=True)
class Sent:
    """The server took it. `file_id`, or those of an album, names what it carried, for everybody after the first."""

    message_id: int
    file_id: str | None = None
    album_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Busy:
    """The server wants the whole account to wait (429)."""

    retry_at: datetime


@dataclass(frozen=True, slots=True)
class NotSent:
    """It never left us, so it is safe to try again. `account_dead`: the server refuses our token."""

    reason: str
    account_dead: bool = False


@dataclass(frozen=True, slots=True)
class Unreachable:
    """The person blocked us or is gone; final."""

    reason: str


@dataclass(frozen=True, slots=True)
class Moved:
    """The chat has a new id; send once more, there."""

    chat_id: int


@dataclass(frozen=True, slots=True)
class Rejected:
    """The server will never take this message; final."""

    reason: str


@dataclass(frozen=True, slots=True)
class Skipped:
    """We decided not to send: stopped, cancelled, no longer linked, too late."""

    reason: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """Perhaps sent: the reply was lost, and no idempotency key exists."""

    reason: str


Outcome = Sent | Busy | NotSent | Unreachable | Moved | Rejected | Skipped | Unknown


class Verdict(NamedTuple):
    """What a delivery becomes after an outcome; `retry_at` only when it waits again.

    `sure`: we know whether it arrived.
    """

    state: DeliveryState
    reason: str = ""
    retry_at: datetime | None = None
    message_id: int | None = None
    sure: bool = True


def decide(  # noqa: PLR0911 - one return for each of the family
    outcome: Outcome, *, attempt: int, policy: UnknownPolicy, now: datetime, moved: bool = False
) -> Verdict:
    """Decide what becomes of a delivery after its `attempt`-th try (the first is 1).

    `moved`: the try before it was told of a new address, and this one went there.
    """
    match outcome:
        case Sent(message_id=message_id):
            return Verdict(DeliveryState.SENT, message_id=message_id)
        case Busy(retry_at=retry_at):
            return Verdict(DeliveryState.WAITING, "busy", retry_at)
        case NotSent(reason=reason, account_dead=dead):
            return again(reason, attempt, now, DeliveryState.FAILED, forever=dead)
        case Unreachable(reason=reason):
            return Verdict(DeliveryState.UNREACHABLE, reason)
        case Moved():
            return again(MOVED, MOST_ATTEMPTS if moved else attempt, now, DeliveryState.REJECTED)
        case Rejected(reason=reason):
            return Verdict(DeliveryState.REJECTED, reason)
        case Skipped(reason=reason):
            return Verdict(DeliveryState.SKIPPED, reason)
        case Unknown(reason=reason):
            if policy is UnknownPolicy.RESEND:
                return again(reason, attempt, now, DeliveryState.UNKNOWN)._replace(sure=False)
            return Verdict(DeliveryState.UNKNOWN, reason, sure=False)


ELSEWHERE = frozenset({"blocked", "no_account", "residency"})
"""Reasons for which a delivery is skipped on one account, and tried on another that reaches the member."""


def again(
    reason: str, attempt: int, now: datetime, otherwise: DeliveryState, *, forever: bool = False
) -> Verdict:
    """Wait for another try, longer each time; after the last one it is `otherwise`."""
    if attempt >= MOST_ATTEMPTS and not forever:
        return Verdict(otherwise, reason)
    return Verdict(DeliveryState.WAITING, reason, now + back_off(attempt))


def back_off(attempt: int) -> timedelta:
    """1 s after the first try, doubling, at most two minutes."""
    return min(LONGEST_WAIT, timedelta(seconds=2 ** min(max(attempt - 1, 0), 10)))


@dataclass(frozen=True, slots=True)
class Held:
    """Not now: never dropped, tried again at `until`."""

    until: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Recipient:
    """One recipient as the claim finds them, at the last moment before sending."""

    link_state: str | None
    stopped: bool
    active: bool
    subscribed: bool
    held: Held | None
    capped_until: datetime | None
    settled: bool = False
    """What they are asked for is done already: a nudge to who has confirmed."""
    barred: bool = False
    """The account's residency is not allowed (any more)."""


@dataclass(frozen=True, slots=True)
class Gathered:
    """Not alone: above the weekly cap, it comes with the digest that is due then."""

    due_at: datetime


def look_again(  # noqa: PLR0911 - one return for each reason
    recipient: Recipient, *, useful_until: datetime | None, now: datetime
) -> Skipped | Held | Gathered | None:
    """Look once more before sending: `None` means send."""
    if recipient.stopped:
        return Skipped("stopped")
    if not recipient.active:
        return Skipped("left")
    if not recipient.subscribed:
        return Skipped("unsubscribed")
    if recipient.settled:
        return Skipped("confirmed")
    if recipient.barred:
        return Skipped("residency")
    if recipient.link_state != "active":
        return Skipped("blocked" if recipient.link_state == "blocked" else "no_account")
    if useful_until is not None and now > useful_until:
        return Skipped("too_late")
    if recipient.held is not None:
        return recipient.held
    if recipient.capped_until is not None:
        return Gathered(recipient.capped_until)
    return None

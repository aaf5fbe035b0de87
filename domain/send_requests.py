"""Sending a notice beyond the usual, for a price or urgently: asked for by one, approved by a second person."""

import json
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256

from domain.delivery import Lane
from domain.notices import Notice
from domain.paid import PaidNotOffered
from domain.refusals import Refusal


class Way(StrEnum):
    """How a notice may go out beyond the usual."""

    PAID = "paid"  # quickly, for a price
    URGENT = "urgent"  # at once, whatever the hour and the week


class RequestState(StrEnum):
    ASKED = "asked"
    APPROVED = "approved"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"  # by who asked, or because the notice went another way
    EXPIRED = "expired"
    OUTDATED = "outdated"  # the notice, or its price, is not what was asked for any more


LANES = {Way.PAID: Lane.NORMAL, Way.URGENT: Lane.URGENT}
ANSWER_WITHIN = {Way.PAID: timedelta(hours=24), Way.URGENT: timedelta(hours=2)}
"""What is urgent says what is so now: two hours later, it is asked for again or goes as usual."""


class UrgentNotOffered(Refusal):
    """Nobody would get it now, or its author may not send to all of them."""


class PriceRose(Refusal):
    """The price is higher than the one that was seen; it is `stars` now."""


class RequestIsDecided(Refusal):
    """It was decided, withdrawn or outlived already."""


class RequestIsOutdated(Refusal):
    """The notice or its price changed since it was asked for, so that it has to be asked again."""


class RequestNeedsAnother(Refusal):
    """Who asked cannot approve as well."""


class NobodyApproves(Refusal):
    """Nobody else has the right to approve this."""


NOT_OFFERED: dict[Way, type[Refusal]] = {Way.PAID: PaidNotOffered, Way.URGENT: UrgentNotOffered}


@dataclass(frozen=True, slots=True)
class Extent:
    """What a way of sending comes to now: messages, what they cost, and whether it can be asked for at all."""

    messages: int
    stars: int
    offered: bool


@dataclass(frozen=True, slots=True)
class SendRequest:
    """A request to send a notice beyond the usual, and what became of it."""

    id: int
    way: Way
    notice: Notice
    digest: str
    messages: int
    stars: int
    state: RequestState
    asked_by: int
    asker: str
    asked_at: datetime
    decided_by: int | None = None

    @property
    def expires_at(self) -> datetime:
        return self.asked_at + ANSWER_WITHIN[self.way]

    def is_for(self, way: Way, notice: Notice, seen: int) -> bool:
        """Say whether it asks for just this, at no more than the price that was seen."""
        return self.way is way and self.digest == fingerprint(notice) and self.stars <= seen


def fingerprint(notice: Notice) -> str:
    """Name all that a second person agrees to: what goes out, and to whom."""
    files = [asdict(each) for each in (notice.media, *notice.more) if each is not None]
    said = [
        notice.content.text,
        notice.content.entities,
        files,
        notice.audience_id,
        notice.needs_confirmation,
        notice.sensitive,
    ]
    return sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()

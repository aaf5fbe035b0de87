"""Being forgotten: it is asked twice, written down without a name, and done again after a restore."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.refusals import Refusal

ASKED_FOR = timedelta(minutes=10)
"""The second screen is believed so long: a button found again next year must not forget anybody."""


class ForgetAskAgain(Refusal):
    """The button was shown too long ago, or to somebody else: the person has to ask again."""


@dataclass(frozen=True, slots=True)
class Forgotten:
    """A line of the ledger: whose record was emptied, and when. It holds nothing of the person."""

    member_id: int
    at: datetime


def minute_of(now: datetime) -> int:
    """Return the minute a screen was shown in, for its button."""
    return int(now.timestamp()) // 60


def check_asked(own_id: int, asked_id: int, asked_minute: int, now: datetime) -> None:
    """Refuse a button of another record, of long ago, or of a time that has not come."""
    age = minute_of(now) - asked_minute
    if own_id != asked_id or not 0 <= age <= ASKED_FOR // timedelta(minutes=1):
        raise ForgetAskAgain(minutes=ASKED_FOR // timedelta(minutes=1))


def line_of(bridge: str, entry: Forgotten) -> str:
    """Write an entry as a line of the ledger's file; `bridge` says whose members are meant."""
    return json.dumps({"bridge": bridge, "member": entry.member_id, "at": entry.at.isoformat()})


def entries_in(lines: Iterable[str], bridge: str) -> frozenset[Forgotten]:
    """Read one bridge's entries; a line that a crash cut off is none."""
    return frozenset(entry for line in lines if (entry := _entry(line, bridge)) is not None)


def _entry(line: str, bridge: str) -> Forgotten | None:
    try:
        found = json.loads(line)
        if found["bridge"] != bridge:
            return None
        return Forgotten(member_id=int(found["member"]), at=datetime.fromisoformat(found["at"]))
    except (ValueError, KeyError, TypeError):
        return None

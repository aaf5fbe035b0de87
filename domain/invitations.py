"""Invitations: how long a code lives, what a chat must prove, and which wrong codes are too many (DOMAIN.md 4.1)."""

import re
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from domain.accounts import Address
from domain.refusals import Refusal

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: no letter looks like a digit, and capitals do not matter (people type codes from paper)."""
CODE_LENGTH = 26
"""130 bits of chance: more than the 128 asked for, and short enough for a tap's 64 bytes."""

_CODE = re.compile(rf"[{ALPHABET}]{{{CODE_LENGTH}}}")
_LOOKALIKES = str.maketrans("OIL", "011", " -")
_GROUP = 5
SATURDAY = 5


class InvitationForm(StrEnum):
    """How a code reaches its member."""

    LINK = "link"
    PAPER = "paper"


LIFETIME = {InvitationForm.LINK: timedelta(hours=72), InvitationForm.PAPER: timedelta(days=30)}


TELL_EVERY = timedelta(days=7)
"""Who made invitations that ran out is told of them at most once in this time."""
DECENT_HOURS = range(9, 18)


class InvitationUnknown(Refusal):
    """No invitation has this code."""


class InvitationExpired(Refusal):
    """The invitation's time is over, or a newer one took its place."""


class InvitationUsed(Refusal):
    """The invitation was used before; each opens one chat, once."""


class TooManyWrongCodes(Refusal):
    """This chat sent too many wrong codes and has to wait."""


class ChatLinkedToAnother(Refusal):
    """This chat belongs to another member already."""


class LinkNotWaiting(Refusal):
    """This link waits for no decision any more."""


class NameTooShort(Refusal):
    """A search needs at least two characters, so that it is no roster."""


class ContactNotOwn(Refusal):
    """The shared contact is not the sender's own."""


class PhoneNotProof(Refusal):
    """The shared number proves nothing here; the secretary decides."""


@dataclass(frozen=True, slots=True)
class Invitation:
    id: int
    member_id: int
    form: InvitationForm
    expires_at: datetime
    used_at: datetime | None


def read_code(typed: str) -> str | None:
    """Read a code as people type it, with spaces, dashes and small letters; `None` if it cannot be one."""
    code = typed.strip().upper().translate(_LOOKALIKES)
    return code if _CODE.fullmatch(code) else None


def spaced(code: str) -> str:
    """Write a code in groups, for paper."""
    return " ".join(code[at : at + _GROUP] for at in range(0, len(code), _GROUP))


def check_open(invitation: Invitation, now: datetime) -> None:
    """Raise unless the invitation can still be used."""
    if invitation.used_at is not None:
        raise InvitationUsed
    if invitation.expires_at <= now:
        raise InvitationExpired


def is_decent(now: datetime, zone: str) -> bool:
    """Say whether a gentle word may be said now: by day, Monday to Friday, where the person is at home."""
    local = now.astimezone(ZoneInfo(zone))
    return local.hour in DECENT_HOURS and local.weekday() < SATURDAY


def phone_may_prove(form: InvitationForm, *, verifies_phones: bool, phone_known: bool) -> bool:
    """Say whether the own shared contact can be the second proof; otherwise the secretary's approval is."""
    return form is InvitationForm.LINK and verifies_phones and phone_known


class WrongCodes:
    """Counts the wrong codes of each chat.

    A code cannot be guessed, so this keeps noise down rather than secrets safe: a process's memory will do.
    """

    ALLOWED = 5
    WINDOW = timedelta(minutes=15)
    _CHATS = 10_000

    def __init__(self) -> None:
        self._tries: OrderedDict[Address, list[datetime]] = OrderedDict()

    def check(self, address: Address, now: datetime) -> None:
        """Raise if this chat has to wait."""
        if len(self._recent(address, now)) >= self.ALLOWED:
            raise TooManyWrongCodes(minutes=int(self.WINDOW.total_seconds() // 60))

    def count(self, address: Address, now: datetime) -> None:
        self._tries[address] = [*self._recent(address, now), now]
        self._tries.move_to_end(address)
        while len(self._tries) > self._CHATS:
            self._tries.popitem(last=False)

    def _recent(self, address: Address, now: datetime) -> list[datetime]:
        return [at for at in self._tries.get(address, ()) if now - at < self.WINDOW]

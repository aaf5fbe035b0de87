"""Invitations: how long a code lives, what a chat must prove, and which wrong codes are too many (DOMAIN.md 4.1)."""

import re
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from domain.accounts import Address
from domain.refusals import Refusal

CODE_BYTES = 18
"""144 bits of chance, 24 characters: more than the 128 bits asked for, and short enough for a tap's 64 bytes."""

_CODE = re.compile(r"[A-Za-z0-9_-]{24}")


class InvitationForm(StrEnum):
    """How a code reaches its member."""

    LINK = "link"
    PAPER = "paper"


LIFETIME = {InvitationForm.LINK: timedelta(hours=72), InvitationForm.PAPER: timedelta(days=30)}


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


def well_formed(code: str) -> bool:
    return _CODE.fullmatch(code) is not None


def check_open(invitation: Invitation, now: datetime) -> None:
    """Raise unless the invitation can still be used."""
    if invitation.used_at is not None:
        raise InvitationUsed
    if invitation.expires_at <= now:
        raise InvitationExpired


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
